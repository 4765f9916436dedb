//! Durable state: one trait, several stores, one contract that all of them pass.

#[cfg(test)]
mod contract;
mod memory;
mod rows;
mod sqlite;

pub use memory::Memory;
pub use sqlite::Sqlite;

use std::path::PathBuf;

use aplomb_core::sasl::fast::FastChange;
use aplomb_core::sasl::{KeyRing, MoreKeys};
use aplomb_core::secret::Secret;
use aplomb_core::{domain, pubsub, roster};

/// One durable fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// About the contact centre.
    Domain(domain::Change),
    /// About nodes and items.
    PubSub(pubsub::Change),
    /// About who knows whom.
    Roster(roster::Change),
    /// About a token.
    Token(FastChange),
    /// About a password.
    Keys {
        /// The user's id.
        user: String,
        /// The new keys; none removes the account.
        keys: Option<KeyRing>,
    },
    /// More keys of a password that is kept already.
    MoreKeys(MoreKeys),
}

/// Everything that was kept.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The name of this history: a UUID, made when the store was.
    pub epoch: String,
    /// Random bytes that stay with the store, for decoys.
    pub decoy_key: [u8; 32],
    /// Random bytes that stay beside the store, for tokens.
    pub token_key: Secret<[u8; 32]>,
    /// The facts that make up the state, in an order in which they can be adopted: keys, the
    /// contact centre, rosters, nodes, then items and retractions in the order in which they were
    /// told.
    pub changes: Vec<Change>,
}

/// Why a store failed: the world is broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it.
    #[error("{0} is in use by another aplomb; stop it, or choose another --data-dir")]
    Locked(String),
    /// It was kept for another domain.
    #[error(
        "{dir} holds the contact centre of {kept}, not of {asked}: its people, subscriptions and \
         certificate are of that domain. Start it with --domain {kept}, or choose another \
         --data-dir for {asked}"
    )]
    OtherDomain {
        /// The data directory.
        dir: String,
        /// The domain of its first start.
        kept: String,
        /// The domain of this start.
        asked: String,
    },
    /// It was written by a newer aplomb.
    #[error("the store has version {found}, this aplomb knows up to {known}; use a newer aplomb")]
    Newer {
        /// Version of the store.
        found: i64,
        /// Version of this program.
        known: i64,
    },
    /// The database says so.
    #[error("the store failed: {0}; look at the disk's free space and health")]
    Database(#[from] rusqlite::Error),
    /// The file system says so.
    #[error("{}: {error}; look at its permissions and free space", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it says.
        error: std::io::Error,
    },
    /// A file that is no database, or not ours, or not whole.
    #[error(
        "{} is damaged, or no database of aplomb: {problem}; put back a copy of it, or start with \
         another --data-dir", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The writer has no thread to run in.
    #[error("the system gives the writer no thread: {0}")]
    NoThread(std::io::Error),
    /// A row that cannot be read.
    #[error("the store holds {0}; restore a copy, or start with an empty --data-dir")]
    Corrupt(String),
}

/// A place for durable facts. Calls block; the writer's thread makes them.
pub trait Store: Send {
    /// Reads everything.
    fn load(&mut self) -> Result<Snapshot, StoreError>;

    /// Writes a batch in one transaction; when it returns, the batch survives a crash. When it
    /// fails, nothing of the batch was written.
    ///
    /// An empty batch writes a mark of its own, so that it proves that the store takes writes.
    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError>;
}
