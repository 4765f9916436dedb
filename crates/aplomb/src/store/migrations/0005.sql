-- Tokens that bring a desktop back (XEP-0484). A token cannot be told from its row: it is made of
-- the row, of a key in another file and of the account's password keys.
CREATE TABLE fast_token (
    row       INTEGER PRIMARY KEY,      -- in the order in which they were issued
    seed      BLOB NOT NULL UNIQUE,
    user      TEXT NOT NULL,
    agent     TEXT NOT NULL,            -- a UUID
    mechanism TEXT NOT NULL,
    expires   INTEGER NOT NULL,         -- milliseconds since 1970 UTC
    used      INTEGER NOT NULL,
    count     INTEGER NOT NULL
);
