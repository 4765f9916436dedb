//! SQLite in the data directory: WAL, `synchronous=FULL`, migrations at start.
//!
//! One process has the directory (a lock on `aplomb.lock`, which the system lets go when the
//! process ends in any way); only the writer's thread calls. With `FULL` the log is flushed before
//! a commit returns, so a commit survives a crash of the process and of the machine.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aplomb_core::jid::DomainPart;
use aplomb_core::secret::Secret;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};

use super::rows::{self, NodeIds};
use super::{Change, Snapshot, Store, StoreError};
use crate::random;

/// The embedded store.
pub struct Sqlite {
    connection: Connection,
    nodes: NodeIds,
    token_key: Secret<[u8; 32]>,
    /// The database file; none in memory.
    path: Option<PathBuf>,
    /// Held for as long as the store is open; none in memory.
    _lock: Option<File>,
}

impl Sqlite {
    /// Opens the store in `dir`, making both when they are not there, and brings it up to date.
    ///
    /// - Errors: [`StoreError::Locked`] when another process has it, [`StoreError::Newer`] when a
    ///   newer aplomb wrote it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|error| at(dir, error))?;
        let lock = lock(dir)?;
        let path = dir.join(DATABASE);
        // SQLite gives its log the mode of the database, so the file is made first.
        private(OpenOptions::new().append(true).create(true))
            .open(&path)
            .and_then(|_| fs::set_permissions(&path, Permissions::from_mode(0o600)))
            .map_err(|error| at(&path, error))?;
        let connection = Connection::open(&path)?;
        let store = Self::prepare(connection, Some(lock)).map_err(|error| in_file(&path, error))?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| at(dir, error))?;
        let token_key = token_key(&dir.join(TOKEN_KEY))?;
        Ok(Self { path: Some(path), token_key, ..store })
    }

    /// Whether there is a store in `dir`.
    pub fn is_in(dir: &Path) -> bool {
        dir.join(DATABASE).exists()
    }

    /// The domain that the store was made for; none until [`Sqlite::keep_domain`].
    pub fn domain(&self) -> Result<Option<DomainPart>, StoreError> {
        let sql = "SELECT value FROM meta WHERE name = 'domain'";
        let kept: Option<String> =
            self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        let wrong = |kept: &str| StoreError::Corrupt(format!("the domain {kept:?}"));
        let read = |kept: String| kept.parse().map_err(|_| wrong(&kept));
        kept.map(read).transpose()
    }

    /// Keeps the domain that the store is for. It is never changed: people, subscriptions and
    /// rights are kept under addresses of it.
    pub fn keep_domain(&mut self, domain: &DomainPart) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO meta VALUES ('domain', ?1)";
        self.connection.execute(sql, [domain.as_str()])?;
        Ok(())
    }

    /// An empty store without a file.
    pub(super) fn in_memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory()?, None)
    }

    fn prepare(mut connection: Connection, lock: Option<File>) -> Result<Self, StoreError> {
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
        migrate(&mut connection)?;
        name_history(&mut connection)?;
        let (nodes, token_key) = (NodeIds::default(), Secret::new(random::bytes()));
        Ok(Self { connection, nodes, token_key, path: None, _lock: lock })
    }

    fn read(&self) -> Result<Snapshot, StoreError> {
        let decoy_key: Vec<u8> = meta(&self.connection, "decoy_key")?;
        Ok(Snapshot {
            epoch: meta(&self.connection, "epoch")?,
            token_key: self.token_key.clone(),
            decoy_key: decoy_key.try_into().map_err(|_| StoreError::Corrupt("a bad key".into()))?,
            changes: rows::read_all(&self.connection)?,
        })
    }

    fn write(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if batch.is_empty() {
            transaction.execute("INSERT OR REPLACE INTO meta VALUES ('proof', X'01')", [])?;
        }
        for change in batch {
            rows::write(&transaction, &mut self.nodes, change)?;
        }
        Ok(transaction.commit()?)
    }
}

impl Store for Sqlite {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.read().map_err(|error| match &self.path {
            Some(path) => in_file(path, error),
            None => error,
        })
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        let result = self.write(batch);
        if result.is_err() {
            // Rows of nodes that the rollback took away must not be remembered.
            self.nodes.clear();
        }
        result
    }
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let file = private(OpenOptions::new().write(true).create(true)).open(&path);
    let file = file.map_err(|error| at(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(dir.display().to_string())),
        Err(TryLockError::Error(error)) => Err(at(&path, error)),
    }
}

/// The key of which tokens are made. It lies beside the database, so that a copy of the database
/// lets nobody in; when it is lost, everybody logs in by password again.
fn token_key(path: &Path) -> Result<Secret<[u8; 32]>, StoreError> {
    if let Some(key) = fs::read(path).ok().and_then(|key| key.try_into().ok()) {
        return Ok(Secret::new(key));
    }
    let key = random::bytes::<32>();
    private(OpenOptions::new().write(true).create(true).truncate(true))
        .open(path)
        .and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()))
        .map_err(|error| at(path, error))?;
    Ok(Secret::new(key))
}

fn at(path: &Path, error: io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), error }
}

/// Says which file it is, if the fault is in what it holds.
fn in_file(path: &Path, error: StoreError) -> StoreError {
    let problem = match &error {
        StoreError::Corrupt(what) => format!("it holds {what}"),
        StoreError::Database(database) => match database.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => database.to_string(),
            Some(_) | None => return error,
        },
        _ => return error,
    };
    StoreError::Damaged { path: path.to_owned(), problem }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Runs the migrations that the store has not seen, each with its version in one transaction.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, sql) in (1..).zip(MIGRATIONS).skip(found.max(0) as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Gives a new store its epoch and its key.
fn name_history(connection: &mut Connection) -> Result<(), StoreError> {
    let insert = "INSERT OR IGNORE INTO meta VALUES (?1, ?2)";
    let transaction = connection.transaction()?;
    transaction.execute(insert, params!["epoch", uuid::Uuid::new_v4().to_string()])?;
    transaction.execute(insert, params!["decoy_key", random::bytes::<32>().to_vec()])?;
    Ok(transaction.commit()?)
}

fn meta<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> Result<T, StoreError> {
    connection
        .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Corrupt(format!("no {name}")))
}

/// The database file.
const DATABASE: &str = "aplomb.db";

/// The file with the key of which tokens are made.
const TOKEN_KEY: &str = "token.key";

/// The file whose lock says that the directory is in use.
const LOCK: &str = "aplomb.lock";

/// Migrations, oldest first; one is never changed after its release.
const MIGRATIONS: [&str; 6] = [
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0006.sql"),
];

/// How long to wait for a reader such as a backup tool that locks the file.
const BUSY: Duration = Duration::from_secs(5);

/// Prepared statements kept: one for each kind of change, with room to grow.
const STATEMENTS_MAX: usize = 64;

/// Bytes of log file that stay allocated after a checkpoint.
const LOG_BYTES_KEPT: i64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use aplomb_core::pubsub::{self, Bounds, NodeConfig, Terms};
    use aplomb_core::sasl::{Hash, ScramKeys};
    use aplomb_core::secret::Secret;

    use super::*;
    use crate::limits::PAYLOAD_BYTES_MAX;

    #[test]
    fn a_second_process_is_told_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Sqlite::open(dir.path()).unwrap();
        let refused = Sqlite::open(dir.path()).err().unwrap();
        assert!(matches!(refused, StoreError::Locked(_)), "{refused}");
        assert!(refused.to_string().contains("stop it, or choose another --data-dir"), "{refused}");
    }

    #[test]
    fn a_file_that_is_no_database_is_named_and_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let said = |path: &Path| Sqlite::open(path).err().unwrap().to_string();
        fs::write(dir.path().join(DATABASE), "a letter, not a database").unwrap();
        let damaged = said(dir.path());
        assert!(damaged.contains("/aplomb.db is damaged"), "{damaged}");
        assert!(damaged.contains("put back a copy of it, or start with another"), "{damaged}");
        let nowhere = said(&dir.path().join(DATABASE).join("below"));
        assert!(nowhere.contains("/aplomb.db/below: "), "{nowhere}");

        let other = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(other.path()).unwrap();
        store.connection.execute("DELETE FROM meta WHERE name = 'epoch'", []).unwrap();
        let unread = store.load().unwrap_err().to_string();
        assert!(unread.contains("aplomb.db is damaged") && unread.contains("no epoch"), "{unread}");
    }

    #[test]
    fn the_lock_goes_with_the_store() {
        let dir = tempfile::tempdir().unwrap();
        drop(Sqlite::open(dir.path()).unwrap());
        Sqlite::open(dir.path()).unwrap();
    }

    #[test]
    fn a_newer_store_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        drop(Sqlite::open(dir.path()).unwrap());
        let connection = Connection::open(dir.path().join(DATABASE)).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        let refused = Sqlite::open(dir.path()).err().unwrap();
        assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused}");
    }

    #[test]
    fn what_an_earlier_version_kept_of_passwords_is_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join(DATABASE)).unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let password = Secret::new("pencil".to_owned());
        let rounds = NonZeroU32::new(4096).unwrap();
        let old = ScramKeys::derive(Hash::Sha256, &password, b"salt", rounds).unwrap();
        let (stored, server) = (old.stored_key.expose(), old.server_key.expose());
        let row = params!["1001", old.salt, old.iterations.get(), stored, server];
        connection.execute("INSERT INTO scram_keys VALUES (?1, ?2, ?3, ?4, ?5)", row).unwrap();
        drop(connection);
        let kept = Sqlite::open(dir.path()).unwrap().load().unwrap().changes;
        let keys = Some([old].into_iter().collect());
        assert_eq!(kept, [Change::Keys { user: "1001".into(), keys }]);
    }

    #[test]
    fn what_an_earlier_version_kept_of_nodes_is_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join(DATABASE)).unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let rows = "
            INSERT INTO node (id, name, title, deliver_payloads, persist_items, max_items,
                notify_retract, notify_delete, notify_config)
            VALUES (1, 'n', 'old', 1, 0, 7, 1, 0, 1);
            INSERT INTO subscription VALUES (1, 'a@cc.test/desk');";
        connection.execute_batch(rows).unwrap();
        drop(connection);
        let kept = Sqlite::open(dir.path()).unwrap().load().unwrap().changes;
        let bounds = Bounds {
            items_max: 7,
            age_max: Duration::ZERO,
            bytes_max: 0,
            payload_bytes_max: PAYLOAD_BYTES_MAX,
            nodes_max: 0,
            subscriptions_max: 0,
        };
        let config = NodeConfig {
            title: "old".into(),
            persist_items: false,
            notify_delete: false,
            ..NodeConfig::usual(&bounds)
        };
        let (jid, terms) = ("a@cc.test/desk".parse().unwrap(), Terms::LASTING);
        let expected = [
            pubsub::Change::NodeSet { node: "n".into(), config },
            pubsub::Change::Subscribed { node: "n".into(), jid, terms },
        ];
        assert_eq!(kept, expected.map(Change::PubSub));
    }

    #[test]
    fn only_the_owner_reads_the_files() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("data");
        let mut store = Sqlite::open(&dir).unwrap();
        store.commit(&[]).unwrap();
        assert_eq!(mode(&dir), 0o700);
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }

    #[test]
    fn the_log_is_flushed_at_every_commit() {
        let dir = tempfile::tempdir().unwrap();
        let store = Sqlite::open(dir.path()).unwrap();
        let pragma = |name| {
            store
                .connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
        };
        assert_eq!(pragma("synchronous").unwrap(), 2.into());
        assert_eq!(pragma("journal_mode").unwrap(), "wal".to_owned().into());
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }
}
