//! SQLite in the data directory: WAL, `synchronous=FULL`, migrations at start.

/// The embedded store.
pub struct Sqlite;
