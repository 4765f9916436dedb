//! Publish-subscribe without XML: nodes, rights, subscriptions, items (XEP-0060).
//!
//! [`PubSub::plan`] is pure; the caller makes the changes durable, then adopts them, then delivers
//! the notices. So what was answered is on disk, and what is on disk can be replayed.

mod access;
mod adopt;
mod change;
mod config;
mod deadlines;
mod graves;
mod history;
mod node;
mod notice;
mod options;
mod page;
mod plan;
mod recall;
mod request;
mod subscription;
mod tidings;

pub use access::{Acquaintance, Affiliation, Asker, RosterTerms, Standing};
pub use change::Change;
pub use config::{AccessModel, ConfigWish, NodeConfig, NotificationType, PublishModel, SendLast};
pub use node::{Bounds, Origin};
pub use notice::{Item, Notice, NoticeBody, Told};
pub use options::{Options, OptionsWish, Shows};
pub use page::{Ends, Page, Section, Side, Start};
pub use recall::{Lost, Point, Recall};
pub use request::{ItemsWish, NodeMeta, Outcome, Publication, Refusal, Reply, Request};
pub use subscription::{Reader, Subscription, SubscriptionState, Terms};
pub use tidings::{Tiding, Tidings};

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::jid::{BareJid, Jid};
use access::Rights;
use deadlines::Deadlines;
use graves::Graves;
use history::History;
use node::Node;

/// All nodes of one pubsub service.
///
/// A node exists when it was created by request, or when the rest of the server says so
/// ([`Asker::is_served`]); the latter get a row here with their first item or subscription.
#[derive(Debug)]
pub struct PubSub {
    epoch: Arc<str>,
    bounds: Bounds,
    nodes: HashMap<Arc<str>, Node>,
    /// What a node looks like that has no row yet.
    blank: Node,
    history: History,
    /// The explicit subscriptions of each person: where, and of which address.
    subscriptions: HashMap<BareJid, BTreeSet<(Arc<str>, Jid)>>,
    /// The rights of each person.
    rights: HashMap<BareJid, BTreeSet<Arc<str>>>,
    /// The nodes that were created or configured.
    created: BTreeSet<Arc<str>>,
    graves: Graves,
    deadlines: Deadlines,
    /// The nodes that send their newest item to whoever becomes available.
    greeting: BTreeSet<Arc<str>>,
    /// The subscriptions that wait for an owner's word.
    waiting: BTreeSet<(Arc<str>, Jid)>,
}

impl PubSub {
    /// An empty service. `epoch` names this history: it starts every item id.
    pub fn new(epoch: impl Into<Arc<str>>, bounds: Bounds) -> Self {
        Self {
            epoch: epoch.into(),
            bounds,
            nodes: HashMap::new(),
            blank: Node::default(),
            history: History::default(),
            subscriptions: HashMap::new(),
            rights: HashMap::new(),
            created: BTreeSet::new(),
            graves: Graves::default(),
            deadlines: Deadlines::default(),
            greeting: BTreeSet::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// The name of this history.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The explicit subscriptions of a node, whether or not their owners may still read it.
    pub fn subscribers(&self, node: &str) -> impl Iterator<Item = &Jid> {
        self.nodes.get(node).into_iter().flat_map(|node| node.subscribers.keys())
    }

    /// Who of the explicit subscribers wants events of the node and may read it now.
    ///
    /// `standing` is asked once for neighbouring subscriptions of one person. A right that was
    /// taken away ends deliveries at once, though the subscription stays (XEP-0060 §6.1.7).
    pub fn audience(
        &self,
        node: &str,
        mut standing: impl FnMut(&BareJid) -> Standing,
    ) -> Vec<Reader> {
        let Some(node) = self.nodes.get(node) else { return Vec::new() };
        let mut last: Option<(BareJid, bool)> = None;
        let mut may_read = |jid: &Jid| match &last {
            Some((person, may)) if is_of(jid, person) => *may,
            _ => {
                let person = jid.to_bare();
                let may = Rights::of(standing(&person), node, &person).may_read();
                last = Some((person, may));
                may
            }
        };
        let takers = node.subscribers.iter().filter(|(_, terms)| terms.takes_events());
        takers
            .filter(|(jid, _)| may_read(jid))
            .map(|(jid, terms)| Reader { jid: jid.clone(), shows: terms.options.shows })
            .collect()
    }

    /// Whether a person may read a node that exists, given what the rest of the server says.
    pub fn may_read(&self, node: &str, person: &BareJid, standing: Standing) -> bool {
        let row = self.nodes.get(node).unwrap_or(&self.blank);
        Rights::of(standing, row, person).may_read()
    }

    /// Whose rosters decide who may read a node, if its access model asks them.
    pub fn roster_terms(&self, node: &str) -> Option<RosterTerms<'_>> {
        let row = self.nodes.get(node).filter(|row| row.models().0.is_by_roster())?;
        let groups = row.config.as_ref().map_or(&[][..], |config| &config.roster_groups_allowed);
        Some(RosterTerms { owners: row.owners().collect(), groups })
    }

    /// Whether somebody's roster decides about any node.
    pub fn asks_roster_of(&self, owner: &BareJid) -> bool {
        let mut nodes = self.rights.get(owner).into_iter().flatten();
        nodes.any(|node| {
            let row = self.nodes.get(node).expect("a right is to a node with a row");
            row.models().0.is_by_roster() && row.affiliation(owner) == Affiliation::Owner
        })
    }

    /// The number of the last notice of a node; 0 before the first.
    pub fn seq(&self, node: &str) -> u64 {
        self.nodes.get(node).map_or(0, |node| node.seq)
    }

    /// The number that the next notice of a node comes after.
    fn last_seq(&self, row: &Node) -> u64 {
        if row.seq == 0 { self.graves.through() } else { row.seq }
    }

    /// How many items are kept altogether, and their bytes.
    pub fn kept(&self) -> (usize, usize) {
        (self.history.items(), self.history.bytes())
    }
}

/// Whether `jid` is `person`, with or without a resource.
fn is_of(jid: &Jid, person: &BareJid) -> bool {
    let rest = jid.as_str().strip_prefix(person.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
