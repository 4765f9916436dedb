//! A reader that comes back: where it was, and what it gets.

use std::sync::Arc;

use super::Item;

/// Where a reader was in one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The history it read.
    pub epoch: String,
    /// The number of the last notice it has; 0 before the first.
    pub seq: u64,
}

/// What a reader gets that asks for everything after a [`Point`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// The node.
    pub node: Arc<str>,
    /// The history there is.
    pub epoch: Arc<str>,
    /// Where the reader is with this: the number of the last item, or of the last notice when
    /// something is lost.
    pub seq: u64,
    /// Every notice after the point in order, each an item, up to a bound; or why not.
    pub found: Result<Vec<Arc<Item>>, Lost>,
    /// Whether there is more, to be asked for from `seq` on.
    pub is_more: bool,
}

/// Why what was missed cannot be told: read the present state anew, and go on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lost {
    /// The point is of another history: the server was set up anew.
    EpochChanged,
    /// The history does not reach back to the point.
    HistoryTooShort,
    /// Between the point and now something was told that is not kept: an item was retracted or
    /// replaced, or the node was purged or configured.
    NotKept,
    /// The point lies ahead of the history: the node was deleted, or an older store came back.
    HistoryReset,
    /// The point is none that this service ever gave.
    Unknown,
}

impl Lost {
    /// The word for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EpochChanged => "epoch-changed",
            Self::HistoryTooShort => "history-too-short",
            Self::NotKept => "not-kept",
            Self::HistoryReset => "history-reset",
            Self::Unknown => "unknown",
        }
    }
}
