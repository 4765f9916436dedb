//! A leaf node (XEP-0060 §4.2) and its configuration.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::{Affiliation, Item};
use crate::jid::{BareJid, Jid};

/// How much history a node keeps, and the service altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Items of one node.
    pub items_max: usize,
    /// Age of an item.
    pub age_max: Duration,
    /// Bytes of payload and ids of all nodes; the oldest items go first.
    pub bytes_max: usize,
    /// Bytes of one payload.
    pub payload_bytes_max: usize,
    /// Nodes that were created by request.
    pub nodes_max: usize,
    /// Explicit subscriptions of one bare JID.
    pub subscriptions_max: usize,
}

/// The configuration of a node (XEP-0060 §8.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    /// `pubsub#title`.
    pub title: String,
    /// `pubsub#deliver_payloads`.
    pub deliver_payloads: bool,
    /// `pubsub#persist_items`.
    pub persist_items: bool,
    /// `pubsub#max_items`, never above [`Bounds::items_max`].
    pub max_items: usize,
    /// `pubsub#notify_retract`.
    pub notify_retract: bool,
    /// `pubsub#notify_delete`.
    pub notify_delete: bool,
    /// `pubsub#notify_config`.
    pub notify_config: bool,
}

impl NodeConfig {
    /// The configuration of a node that nobody configured: everything is told, and kept as long
    /// as the service allows.
    pub const fn usual(bounds: &Bounds) -> Self {
        Self {
            title: String::new(),
            deliver_payloads: true,
            persist_items: true,
            max_items: bounds.items_max,
            notify_retract: true,
            notify_delete: true,
            notify_config: true,
        }
    }
}

/// One leaf node.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// None until it is created by request or configured.
    pub(super) config: Option<NodeConfig>,
    /// The number of the last notice.
    pub(super) seq: u64,
    /// The history, by number.
    pub(super) items: VecDeque<Arc<Item>>,
    pub(super) subscribers: BTreeSet<Jid>,
    pub(super) affiliations: BTreeMap<BareJid, Affiliation>,
}

impl Node {
    pub(super) fn affiliation(&self, person: &BareJid) -> Affiliation {
        self.affiliations.get(person).copied().unwrap_or(Affiliation::None)
    }

    pub(super) fn item(&self, id: &str) -> Option<&Arc<Item>> {
        self.items.iter().find(|item| item.id == id)
    }
}
