//! Adopting changes: what was made durable becomes what is.

use std::sync::Arc;

use super::deadlines::Due;
use super::node::Node;
use super::{Affiliation, Change, Item, PubSub, SendLast, SubscriptionState, Terms};
use crate::jid::{BareJid, Jid};
use crate::time::WallTime;

impl PubSub {
    /// Takes in a change, planned here or read from the store. Adopting one twice does no harm.
    ///
    /// A change to a node without a row makes the row, except one that takes something away.
    pub fn adopt(&mut self, change: &Change) {
        match change {
            Change::NodeSet { node, config } => {
                let (name, row) = self.row(node);
                row.config = Some(config.clone());
                self.created.insert(Arc::clone(&name));
                match config.send_last_published_item {
                    SendLast::OnSubscribeAndPresence => self.greeting.insert(name),
                    SendLast::Never | SendLast::OnSubscribe => self.greeting.remove(&name),
                };
                self.time_items(node);
            }
            Change::NodeMade { node, origin } => {
                self.row(node).1.origin = Some(origin.clone());
            }
            Change::NodeRemoved { node } => self.remove_node(node),
            Change::Subscribed { node, jid, terms } => self.add_subscription(node, jid, terms),
            Change::Unsubscribed { node, jid } => self.remove_subscription(node, jid),
            Change::Affiliated { node, jid, affiliation: Affiliation::None } => {
                if let Some(row) = self.nodes.get_mut(node) {
                    row.affiliations.remove(jid);
                }
                self.forget_right(node, jid);
            }
            Change::Affiliated { node, jid, affiliation } => {
                let (name, row) = self.row(node);
                row.affiliations.insert(jid.clone(), *affiliation);
                self.rights.entry(jid.clone()).or_default().insert(name);
            }
            Change::Published { node, item } => {
                self.add_item(node, item);
                self.time_items(node);
            }
            Change::Retracted { node, id, seq } => {
                self.remove_item(node, id);
                self.count(node, *seq);
                self.time_items(node);
            }
            Change::Trimmed { node, through } => {
                self.trim(node, *through);
                let (_, row) = self.begun_row(node);
                row.seq = row.seq.max(*through);
                row.trimmed = row.trimmed.max(*through);
                self.time_items(node);
            }
            Change::Counted { node, seq } => self.count(node, *seq),
            Change::Retired { through } => self.graves.raise(*through),
        }
    }

    /// The row of a node with the name it is kept under; made if it has none.
    fn row(&mut self, node: &Arc<str>) -> (Arc<str>, &mut Node) {
        let entry = self.nodes.entry(Arc::clone(node));
        let name = Arc::clone(entry.key());
        (name, entry.or_default())
    }

    /// The row of a node that takes a number, which may be its first.
    fn begun_row(&mut self, node: &Arc<str>) -> (Arc<str>, &mut Node) {
        let floor = self.graves.through();
        let (name, row) = self.row(node);
        if row.seq == 0 {
            row.begun = floor;
        }
        (name, row)
    }

    fn count(&mut self, node: &Arc<str>, seq: u64) {
        let (_, row) = self.begun_row(node);
        row.seq = row.seq.max(seq);
    }

    /// An item replaces the one of its id; one of its number can only be itself, read again.
    fn add_item(&mut self, node: &Arc<str>, item: &Arc<Item>) {
        self.remove_item(node, &item.id);
        let epoch = Arc::clone(&self.epoch);
        let (name, row) = self.begun_row(node);
        if let Some(old) = row.insert(&epoch, item) {
            self.history.remove(&name, &old);
        }
        self.history.add(&name, item);
    }

    fn remove_item(&mut self, node: &Arc<str>, id: &str) {
        let Some(row) = self.nodes.get_mut(node) else { return };
        let found = row.item(&self.epoch, id).map(|item| item.seq);
        if let Some(item) = found.and_then(|seq| row.remove(seq)) {
            self.history.remove(node, &item);
        }
    }

    fn trim(&mut self, node: &Arc<str>, through: u64) {
        let Some(row) = self.nodes.get_mut(node) else { return };
        while let Some(item) = row.pop_through(through) {
            self.history.remove(node, &item);
        }
    }

    fn remove_node(&mut self, node: &Arc<str>) {
        self.trim(node, u64::MAX);
        let Some(row) = self.nodes.remove(node) else { return };
        // It may have told that it goes.
        self.graves.bury(node, self.last_seq(&row) + 1);
        self.created.remove(node);
        self.greeting.remove(node);
        self.deadlines.set(Due::Items(Arc::clone(node)), row.expires, None);
        for (jid, terms) in &row.subscribers {
            self.time_subscription(node, jid, terms.until, None);
            self.forget_subscription(node, jid);
        }
        row.affiliations.keys().for_each(|person| self.forget_right(node, person));
    }

    fn add_subscription(&mut self, node: &Arc<str>, jid: &Jid, terms: &Terms) {
        let (node, row) = self.row(node);
        let before = row.subscribers.insert(jid.clone(), terms.clone());
        let before = before.and_then(|terms| terms.until);
        self.time_subscription(&node, jid, before, terms.until);
        let place = (node, jid.clone());
        match terms.state {
            SubscriptionState::Pending => self.waiting.insert(place.clone()),
            SubscriptionState::Subscribed => self.waiting.remove(&place),
        };
        self.subscriptions.entry(jid.to_bare()).or_default().insert(place);
    }

    fn remove_subscription(&mut self, node: &Arc<str>, jid: &Jid) {
        let row = self.nodes.get_mut(node);
        if let Some(before) = row.and_then(|row| row.subscribers.remove(jid)) {
            self.time_subscription(node, jid, before.until, None);
        }
        self.forget_subscription(node, jid);
    }

    fn time_subscription(
        &mut self,
        node: &Arc<str>,
        jid: &Jid,
        before: Option<WallTime>,
        after: Option<WallTime>,
    ) {
        if before != after {
            let due = Due::Subscription(Arc::clone(node), jid.clone());
            self.deadlines.set(due, before, after);
        }
    }

    /// Notes when the oldest item of a node expires.
    fn time_items(&mut self, node: &Arc<str>) {
        let Some(row) = self.nodes.get_mut(node) else { return };
        let after = row.items.front().and_then(|item| row.expiry_of(item));
        if row.expires != after {
            let before = std::mem::replace(&mut row.expires, after);
            self.deadlines.set(Due::Items(Arc::clone(node)), before, after);
        }
    }

    fn forget_right(&mut self, node: &Arc<str>, person: &BareJid) {
        let Some(of_person) = self.rights.get_mut(person) else { return };
        of_person.remove(node);
        if of_person.is_empty() {
            self.rights.remove(person);
        }
    }

    fn forget_subscription(&mut self, node: &Arc<str>, jid: &Jid) {
        self.waiting.remove(&(Arc::clone(node), jid.clone()));
        let person = jid.to_bare();
        let Some(of_person) = self.subscriptions.get_mut(&person) else { return };
        of_person.remove(&(Arc::clone(node), jid.clone()));
        if of_person.is_empty() {
            self.subscriptions.remove(&person);
        }
    }
}
