-- SCRAM keys for each hash, where there were those of SHA-256 only.

CREATE TABLE keys_by_hash (
    user       TEXT NOT NULL,
    hash       TEXT NOT NULL,   -- SHA-1, SHA-256 or SHA-512
    salt       BLOB NOT NULL,
    iterations INTEGER NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL,
    UNIQUE (user, hash)
);
INSERT INTO keys_by_hash
SELECT user, 'SHA-256', salt, iterations, stored_key, server_key FROM scram_keys;
DROP TABLE scram_keys;
ALTER TABLE keys_by_hash RENAME TO scram_keys;
