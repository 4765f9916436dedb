//! A leaf node (XEP-0060 §4.2).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::{Affiliation, Item, NodeConfig, Terms};
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

/// One leaf node.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// None until it is created by request or configured.
    pub(super) config: Option<NodeConfig>,
    /// The number of the last notice.
    pub(super) seq: u64,
    /// The number through which items fell out of the history.
    pub(super) trimmed: u64,
    /// The history, by number.
    pub(super) items: VecDeque<Arc<Item>>,
    /// The numbers of items whose ids publishers chose; an id of ours tells its number itself.
    chosen: HashMap<String, u64>,
    pub(super) subscribers: BTreeMap<Jid, Terms>,
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
pub(super) fn number_of(epoch: &str, id: &str) -> Option<u64> {
    id.strip_prefix(epoch)?.parse().ok()
}
