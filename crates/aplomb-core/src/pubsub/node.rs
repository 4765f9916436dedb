//! A leaf node (XEP-0060 §4.2) and its configuration.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
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
    /// The numbers of items whose ids publishers chose; an id of ours tells its number itself.
    chosen: HashMap<String, u64>,
    pub(super) subscribers: BTreeSet<Jid>,
    pub(super) affiliations: BTreeMap<BareJid, Affiliation>,
}

impl Node {
    pub(super) fn affiliation(&self, person: &BareJid) -> Affiliation {
        self.affiliations.get(person).copied().unwrap_or(Affiliation::None)
    }

    /// The item of that id.
    pub(super) fn item(&self, epoch: &str, id: &str) -> Option<&Arc<Item>> {
        let of_number = |seq: u64| {
            let place = self.items.binary_search_by_key(&seq, |item| item.seq).ok()?;
            self.items.get(place).filter(|item| item.id == id)
        };
        let ours = number_of(epoch, id).and_then(of_number);
        ours.or_else(|| of_number(*self.chosen.get(id)?))
    }

    /// Puts an item at its place; whatever has its number is given back.
    pub(super) fn insert(&mut self, epoch: &str, item: &Arc<Item>) -> Option<Arc<Item>> {
        let old = self.remove(item.seq);
        self.seq = self.seq.max(item.seq);
        if number_of(epoch, &item.id) != Some(item.seq) {
            self.chosen.insert(item.id.clone(), item.seq);
        }
        let place = self.items.partition_point(|other| other.seq < item.seq);
        self.items.insert(place, Arc::clone(item));
        old
    }

    pub(super) fn remove(&mut self, seq: u64) -> Option<Arc<Item>> {
        let place = self.items.binary_search_by_key(&seq, |item| item.seq).ok()?;
        let item = self.items.remove(place)?;
        self.forget_choice(&item);
        Some(item)
    }

    /// Takes the oldest item away if its number is not above `through`.
    pub(super) fn pop_through(&mut self, through: u64) -> Option<Arc<Item>> {
        let item = self.items.pop_front_if(|item| item.seq <= through)?;
        self.forget_choice(&item);
        Some(item)
    }

    fn forget_choice(&mut self, item: &Item) {
        if self.chosen.get(&item.id) == Some(&item.seq) {
            self.chosen.remove(&item.id);
        }
    }
}

/// The number in an id that the service made.
fn number_of(epoch: &str, id: &str) -> Option<u64> {
    id.strip_prefix(epoch)?.parse().ok()
}
