//! Which numbers of nodes that are gone nobody may take for numbers of others.
//!
//! A node that begins takes a number above all of those, so its name may have been another's. For
//! a reader that is a loss only if that name was in use after his place: of the nodes that went
//! since the program started, we know.

use std::collections::HashMap;
use std::sync::Arc;

use crate::limits::PUBSUB_GRAVES_MAX;

/// What is known of nodes that are gone.
#[derive(Debug, Default)]
pub(super) struct Graves {
    /// The highest number of all.
    through: u64,
    /// Names that went, with a number that none of what they told is above.
    known: HashMap<Arc<str>, u64>,
    /// Any other name told nothing above this.
    unknown: u64,
}

impl Graves {
    /// The highest number of a node that is gone.
    pub(super) const fn through(&self) -> u64 {
        self.through
    }

    /// A number above which nothing was told under that name by a node that is gone.
    pub(super) fn last_use(&self, node: &str) -> u64 {
        self.known.get(node).copied().unwrap_or(self.unknown).min(self.through)
    }

    /// Notes that a node goes, with the highest number that it may have told.
    pub(super) fn bury(&mut self, node: &Arc<str>, last: u64) {
        if self.known.len() >= PUBSUB_GRAVES_MAX {
            self.forget();
        }
        self.known.insert(Arc::clone(node), last);
    }

    /// Raises the highest number. If no node is known that it is of, it may be of any.
    pub(super) fn raise(&mut self, through: u64) {
        if through <= self.through {
            return;
        }
        self.through = through;
        if self.known.values().all(|last| *last < through) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let highest = self.known.drain().map(|(_, last)| last).max().unwrap_or_default();
        self.unknown = self.unknown.max(highest).max(self.through);
    }
}
