//! What ends by itself, and when: subscriptions with a lease, items of nodes that let them expire.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::jid::Jid;
use crate::time::WallTime;

/// Everything that ends, the first end first.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    by_time: BTreeSet<(WallTime, Due)>,
}

/// Something that ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The oldest items of a node.
    Items(Arc<str>),
    /// Somebody's subscription to a node.
    Subscription(Arc<str>, Jid),
}

impl Deadlines {
    /// Notes that what ended at `before` ends at `after`; none is never.
    pub(super) fn set(&mut self, due: Due, before: Option<WallTime>, after: Option<WallTime>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, due.clone()));
        }
        self.by_time.extend(after.map(|after| (after, due)));
    }

    /// When the next end is.
    pub(super) fn next(&self) -> Option<WallTime> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// What has ended by now.
    pub(super) fn over(&self, now: WallTime) -> impl Iterator<Item = &Due> {
        self.by_time.iter().take_while(move |(at, _)| *at <= now).map(|(_, due)| due)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_time.len()
    }
}
