//! What the history of all nodes costs, and which of it must go next.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Item;
use crate::time::WallTime;

/// Every kept item by age, with its bytes.
#[derive(Debug, Default)]
pub(super) struct History {
    by_age: BTreeMap<Age, usize>,
    bytes: usize,
}

/// When, where, and which number.
pub(super) type Age = (WallTime, Arc<str>, u64);

impl History {
    pub(super) fn items(&self) -> usize {
        self.by_age.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Every item with its bytes, the oldest first.
    pub(super) fn oldest_first(&self) -> impl Iterator<Item = (&Age, usize)> {
        self.by_age.iter().map(|(age, bytes)| (age, *bytes))
    }

    pub(super) fn add(&mut self, node: &Arc<str>, item: &Item) {
        self.by_age.insert((item.at, Arc::clone(node), item.seq), bytes_of(item));
        self.bytes += bytes_of(item);
    }

    pub(super) fn remove(&mut self, node: &Arc<str>, item: &Item) {
        if let Some(bytes) = self.by_age.remove(&(item.at, Arc::clone(node), item.seq)) {
            self.bytes -= bytes;
        }
    }
}

/// What an item counts against [`super::Bounds::bytes_max`].
pub(super) fn bytes_of(item: &Item) -> usize {
    item.id.len() + item.payload.as_ref().map_or(0, |payload| payload.len())
}
