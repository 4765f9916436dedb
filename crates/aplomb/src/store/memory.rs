//! A store that forgets: for laboratories and tests.
//!
//! It is the same database without a file, so what holds for one store holds for the other.

use super::{Change, Snapshot, Sqlite, Store, StoreError};

/// Keeps nothing beyond the process.
pub struct Memory(Sqlite);

impl Memory {
    /// An empty store.
    pub fn new() -> Result<Self, StoreError> {
        Sqlite::in_memory().map(Self)
    }
}

impl Store for Memory {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.0.load()
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        self.0.commit(batch)
    }
}
