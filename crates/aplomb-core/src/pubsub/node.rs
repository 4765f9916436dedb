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

/// What somebody wants of a configuration; what is `None` stays as it is (XEP-0060 §8.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigWish {
    /// `pubsub#title`.
    pub title: Option<String>,
    /// `pubsub#deliver_payloads`.
    pub deliver_payloads: Option<bool>,
    /// `pubsub#persist_items`.
    pub persist_items: Option<bool>,
    /// `pubsub#max_items`; `usize::MAX` is as many as the service allows.
    pub max_items: Option<usize>,
    /// `pubsub#notify_retract`.
    pub notify_retract: Option<bool>,
    /// `pubsub#notify_delete`.
    pub notify_delete: Option<bool>,
    /// `pubsub#notify_config`.
    pub notify_config: Option<bool>,
}

impl ConfigWish {
    /// The configuration `now` with the wishes fulfilled.
    pub(super) fn over(&self, now: &NodeConfig, bounds: &Bounds) -> NodeConfig {
        let max_items = match self.max_items {
            Some(usize::MAX) => bounds.items_max,
            wish => wish.unwrap_or(now.max_items),
        };
        NodeConfig {
            title: self.title.clone().unwrap_or_else(|| now.title.clone()),
            deliver_payloads: self.deliver_payloads.unwrap_or(now.deliver_payloads),
            persist_items: self.persist_items.unwrap_or(now.persist_items),
            max_items,
            notify_retract: self.notify_retract.unwrap_or(now.notify_retract),
            notify_delete: self.notify_delete.unwrap_or(now.notify_delete),
            notify_config: self.notify_config.unwrap_or(now.notify_config),
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
