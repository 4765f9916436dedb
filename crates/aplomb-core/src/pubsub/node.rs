//! A leaf node (XEP-0060 §4.2).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::{AccessModel, Affiliation, Item, NodeConfig, PublishModel, Terms, is_of};
use crate::jid::{BareJid, Jid};
use crate::time::WallTime;

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

/// How a node came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who made it.
    pub creator: BareJid,
    /// When.
    pub at: WallTime,
}

/// One leaf node.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// None until it is created by request or configured.
    pub(super) config: Option<NodeConfig>,
    /// The number of the last notice.
    pub(super) seq: u64,
    /// The number that it began above: the highest of the nodes that were gone then.
    pub(super) begun: u64,
    /// The number through which items fell out of the history.
    pub(super) trimmed: u64,
    /// Who made it by request, and when.
    pub(super) origin: Option<Origin>,
    /// When its oldest item expires, as the deadlines have it.
    pub(super) expires: Option<WallTime>,
    /// The history, by number.
    pub(super) items: VecDeque<Arc<Item>>,
    /// The numbers of items whose ids publishers chose; an id of ours tells its number itself.
    chosen: HashMap<String, u64>,
    pub(super) subscribers: BTreeMap<Jid, Terms>,
    pub(super) affiliations: BTreeMap<BareJid, Affiliation>,
}

impl Node {
    /// A node that is configured so and has nothing yet.
    pub(super) fn new(config: NodeConfig) -> Self {
        Self { config: Some(config), ..Self::default() }
    }

    /// When an item of this node expires, if the node is configured so.
    pub(super) fn expiry_of(&self, item: &Item) -> Option<WallTime> {
        let secs = self.config.as_ref().and_then(|config| config.item_expire)?;
        let millis = i64::try_from(secs.saturating_mul(1000)).unwrap_or(i64::MAX);
        Some(WallTime(item.at.0.saturating_add(millis)))
    }

    pub(super) fn affiliation(&self, person: &BareJid) -> Affiliation {
        self.affiliations.get(person).copied().unwrap_or(Affiliation::None)
    }

    /// Who may subscribe and read, and who may publish.
    pub(super) fn models(&self) -> (AccessModel, PublishModel) {
        let of = |config: &NodeConfig| (config.access_model, config.publish_model);
        self.config.as_ref().map_or((AccessModel::Whitelist, PublishModel::Publishers), of)
    }

    /// The subscriptions of a person's addresses.
    pub(super) fn subscriptions_of<'a>(
        &'a self,
        person: &'a BareJid,
    ) -> impl Iterator<Item = (&'a Jid, &'a Terms)> {
        let from = self.subscribers.range(Jid::from(person.clone())..);
        // Addresses such as `ada@cc.test-2` lie between `ada@cc.test` and `ada@cc.test/desk`.
        from.take_while(|(jid, _)| jid.as_str().starts_with(person.as_str()))
            .filter(|(jid, _)| is_of(jid, person))
    }

    /// Whether events go to one of a person's addresses, as far as he may read.
    pub(super) fn has_subscriber(&self, person: &BareJid) -> bool {
        self.subscriptions_of(person).any(|(_, terms)| terms.is_subscribed())
    }

    /// Those who have everything by name.
    pub(super) fn owners(&self) -> impl Iterator<Item = &BareJid> {
        let is_owner = |(_, right): &(&BareJid, &Affiliation)| **right == Affiliation::Owner;
        self.affiliations.iter().filter(is_owner).map(|(jid, _)| jid)
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
