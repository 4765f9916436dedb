//! The single writer: plans, commits, adopts, publishes; several commands per transaction.

use std::sync::Arc;

use aplomb_core::domain::{Command, Domain, Refusal};
use aplomb_core::sasl::ScramKeys;
use parking_lot::RwLock;

use crate::store::StoreError;

/// Why a command did not happen.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The contact centre refuses it.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The queue is full; try again later.
    #[error("too many changes are waiting")]
    Busy,
    /// The store failed; nothing changed.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// The writer has stopped.
    #[error("the server is stopping")]
    Stopped,
}

/// A handle to the writer; cheap to clone.
#[derive(Clone)]
pub struct Writer {
    domain: Arc<RwLock<Domain>>,
}

impl Writer {
    /// Has a command done; returns when it and its events are durable and delivered to mailboxes.
    pub async fn command(&self, _command: Command, _request_id: &str) -> Result<(), WriteError> {
        todo!()
    }

    /// Sets or removes a user's keys.
    pub async fn set_keys(&self, _user: &str, _keys: Option<ScramKeys>) -> Result<(), WriteError> {
        todo!()
    }

    /// Reads the contact centre as it was last committed. Do not hold it across an await.
    pub fn read<T>(&self, look: impl FnOnce(&Domain) -> T) -> T {
        look(&self.domain.read())
    }
}
