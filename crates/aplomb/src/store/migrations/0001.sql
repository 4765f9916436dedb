-- The first shape of the store. Rows, not blobs; short lists are JSON arrays of texts.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE team (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE user (
    id         TEXT PRIMARY KEY,
    login_name TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name  TEXT NOT NULL,
    roles      TEXT NOT NULL,   -- JSON: ["agent","supervisor"]
    team       TEXT,
    supervises TEXT NOT NULL,   -- JSON: ["1","2"]
    phone      TEXT,
    state      TEXT NOT NULL,
    pending    TEXT,
    reason     INTEGER,         -- NULL absent, -1 not given, else the reason's id
    extension  TEXT,
    since      INTEGER          -- milliseconds since 1970 UTC
);

CREATE TABLE reason (
    id       INTEGER PRIMARY KEY,
    category TEXT NOT NULL,
    code     INTEGER NOT NULL,
    label    TEXT NOT NULL,
    for_all  INTEGER NOT NULL,
    system   INTEGER NOT NULL
);

-- SCRAM-SHA-256 keys; the password cannot be told from them (RFC 5802 section 3).
CREATE TABLE scram_keys (
    user       TEXT PRIMARY KEY,
    salt       BLOB NOT NULL,
    iterations INTEGER NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL
);

-- The configuration is NULL for a node that exists without having been created by request.
CREATE TABLE node (
    id               INTEGER PRIMARY KEY,
    name             TEXT NOT NULL UNIQUE,
    seq              INTEGER NOT NULL DEFAULT 0,  -- the last number that left no item
    trimmed          INTEGER NOT NULL DEFAULT 0,  -- the last number that fell out of the history
    title            TEXT,
    deliver_payloads INTEGER,
    persist_items    INTEGER,
    max_items        INTEGER,
    notify_retract   INTEGER,
    notify_delete    INTEGER,
    notify_config    INTEGER
);

CREATE TABLE subscription (
    node INTEGER NOT NULL,
    jid  TEXT NOT NULL,
    UNIQUE (node, jid)
);

CREATE TABLE affiliation (
    node        INTEGER NOT NULL,
    jid         TEXT NOT NULL,
    affiliation TEXT NOT NULL,
    UNIQUE (node, jid)
);

-- The items of each node, oldest first. A rowid table with indexes beside it: a row of 1.2 KB
-- in the key itself would spill to overflow pages and cost four times as much.
CREATE TABLE item (
    row     INTEGER PRIMARY KEY,
    node    INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    id      TEXT NOT NULL,
    payload TEXT,
    at      INTEGER NOT NULL   -- milliseconds since 1970 UTC
);
CREATE UNIQUE INDEX item_by_seq ON item (node, seq);
CREATE INDEX item_by_id ON item (node, id);
