-- Who knows whom (RFC 6121 section 2). Addresses are bare.

CREATE TABLE contact (
    owner    TEXT NOT NULL,
    jid      TEXT NOT NULL,
    name     TEXT,
    groups   TEXT NOT NULL,      -- JSON: ["Friends","Work"]
    listed   INTEGER NOT NULL,   -- 0 for who only asked to see the owner
    seen     TEXT NOT NULL,      -- whether the contact lets the owner see him: none, pending, given
    shown    TEXT NOT NULL,      -- whether the owner lets the contact see him
    approved INTEGER NOT NULL,   -- whether he is to see him as soon as he asks
    wish     TEXT,               -- the stanza by which he asked
    PRIMARY KEY (owner, jid)
) WITHOUT ROWID;

CREATE TABLE roster (
    owner   TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;
