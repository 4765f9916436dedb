//! From a request to its outcome.
//!
//! Every refusal of somebody who may not know of a node is [`Refusal::NodeUnknown`], before
//! anything about the node is looked at; so it is the same whether or not the node exists.

mod items;
mod lapse;
mod options;
mod owner;
mod people;
mod publish;
mod recall;
mod subscribe;

use std::sync::Arc;

use super::access::{Right, Rights};
use super::node::Node;
use super::notice::Told;
use super::{
    Affiliation, Asker, Change, NodeConfig, NodeMeta, Notice, Outcome, PubSub, Refusal, Reply,
    Request, Standing, Tiding, Tidings,
};
use crate::jid::Jid;
use crate::time::WallTime;

impl PubSub {
    /// Says what a request brings about; nothing changes until the changes are adopted.
    ///
    /// - Errors: see [`Refusal`].
    /// - Source: XEP-0060 §5 to §8.
    pub fn plan(
        &self,
        asker: &Asker,
        request: &Request,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        match request {
            Request::Subscribe { node, jid, options } => {
                self.subscribe(asker, node, jid, options.as_ref(), now)
            }
            Request::Unsubscribe { node, jid } => self.unsubscribe(asker, node, jid, now),
            Request::Options { node, jid, wish } => self.options(asker, node, jid, wish.as_ref()),
            Request::DefaultOptions { node } => self.default_options(asker, node.as_deref()),
            Request::Greet => Ok(self.greet(asker, now, |_| asker.standing)),
            Request::Subscriptions { node } => self.subscriptions(asker, node.as_deref()),
            Request::Affiliations { node } => self.affiliations(asker, node.as_deref()),
            Request::Items { node, wish } => self.items(asker, node, wish, now),
            Request::Since { node, point } => self.since(asker, node, point.as_ref(), now),
            Request::Publish { node, item, preconditions } => {
                self.publish_asked(asker, node, item.as_ref(), preconditions.as_ref(), now)
            }
            Request::Retract { node, id, notify } => self.retract(asker, node, id, *notify),
            Request::Create { node, config } => self.create(asker, node.as_deref(), config, now),
            Request::Configure { node, config } => {
                self.configure(asker, node, config.as_ref(), now)
            }
            Request::DefaultConfig => {
                Ok(told(Reply::Config(None, NodeConfig::usual(&self.bounds))))
            }
            Request::Delete { node, redirect } => self.delete(asker, node, redirect.as_deref()),
            Request::Purge { node } => self.purge(asker, node),
            Request::NodeSubscriptions { node, set } => {
                self.node_subscriptions(asker, node, set, now)
            }
            Request::NodeAffiliations { node, set } => {
                self.node_affiliations(asker, node, set, now)
            }
            Request::Pending { node } => self.pending(asker, node.as_deref(), now),
            Request::Decide { node, jid, is_let_in } => {
                self.decide(asker, node, jid, *is_let_in, now)
            }
            Request::NodeInfo { node } => self.node_info(asker, node),
            Request::Nodes => Ok(told(Reply::Nodes(self.nodes_seen_by(asker)))),
        }
    }

    /// Finds a node on which the asker has at least the right `needs`.
    ///
    /// - Errors: [`Refusal::NodeUnknown`] when there is none or the asker may not know of it;
    ///   [`Refusal::Closed`] when the access model keeps him out; [`Refusal::Forbidden`] when he
    ///   may know but not do.
    fn found(&self, asker: &Asker, node: &str, needs: Right) -> Result<Found<'_>, Refusal> {
        let kept = self.nodes.get_key_value(node);
        let exists = asker.is_served || kept.is_some_and(|(_, row)| row.config.is_some());
        let row = kept.map_or(&self.blank, |(_, row)| row);
        if !exists {
            return Err(Refusal::NodeUnknown);
        }
        let rights = Rights::of(asker.standing, row, &asker.jid.to_bare());
        rights.allow(needs)?;
        let name = kept.map_or_else(|| node.into(), |(name, _)| Arc::clone(name));
        Ok(Found { name, row, rights })
    }

    fn config(&self, row: &Node) -> NodeConfig {
        row.config.clone().unwrap_or_else(|| NodeConfig::usual(&self.bounds))
    }

    /// The number of a node's next notice.
    fn next_seq(&self, row: &Node) -> u64 {
        self.last_seq(row) + 1
    }

    /// What goes before the first notice of a node that starts above numbers of nodes that are
    /// gone: one of them may have had its name, and none of what they told can be read back.
    fn beginning(&self, found: &Found<'_>) -> Option<Change> {
        let is_needed = found.row.seq == 0 && self.graves.through() > 0;
        let node = Arc::clone(&found.name);
        is_needed.then_some(Change::Trimmed { node, through: self.graves.through() })
    }

    fn notice(&self, found: &Found<'_>, seq: u64, told: Told) -> Arc<Notice> {
        let kind = self.config(found.row).notification_type;
        Notice::render(&self.epoch, &found.name, seq, kind, told)
    }

    /// What one person is told of a node.
    fn tidings(&self, node: &Arc<str>, to: Jid, tiding: Tiding, now: WallTime) -> Tidings {
        Tidings::new(&self.epoch, node, to, tiding, now)
    }

    /// What everybody may know of a node who may know that it is there.
    fn node_info(&self, asker: &Asker, node: &str) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Know)?;
        let of = |wanted| {
            let all = found.row.affiliations.iter();
            all.filter(move |(_, right)| **right == wanted).map(|(jid, _)| jid.clone()).collect()
        };
        let subscribed = found.row.subscribers.values().filter(|terms| terms.is_subscribed());
        let meta = NodeMeta {
            config: self.config(found.row),
            origin: found.row.origin.clone(),
            owners: of(Affiliation::Owner),
            publishers: of(Affiliation::Publisher),
            subscribers: subscribed.count(),
        };
        Ok(told(Reply::NodeInfo(found.name, Box::new(meta))))
    }

    /// The rights the asker was given by name, or, for one node, the right he has.
    fn affiliations(&self, asker: &Asker, node: Option<&str>) -> Result<Outcome, Refusal> {
        if let Some(node) = node {
            let found = self.found(asker, node, Right::Know)?;
            let right = found.rights.affiliation;
            // Whoever reads a node that exists by itself is as good as a member of it.
            let right = match (right, asker.standing) {
                (Affiliation::None, Standing::Reader) => Affiliation::Member,
                (right, _) => right,
            };
            let named = (right != Affiliation::None).then_some((found.name, right));
            return Ok(told(Reply::Affiliations(named.into_iter().collect())));
        }
        let person = asker.jid.to_bare();
        let nodes = self.rights.get(&person).into_iter().flatten();
        let right_to = |node: &Arc<str>| {
            let row = self.nodes.get(node).expect("a right is to a node with a row");
            (Arc::clone(node), row.affiliation(&person))
        };
        Ok(told(Reply::Affiliations(nodes.map(right_to).collect())))
    }

    /// The created nodes that the asker may know of. Those of the rest of the server are its to
    /// add.
    fn nodes_seen_by(&self, asker: &Asker) -> Vec<Arc<str>> {
        let person = asker.jid.to_bare();
        let is_seen = |node: &&Arc<str>| {
            let row = self.nodes.get(*node).expect("a node that was created has a row");
            Rights::of(asker.standing, row, &person).allow(Right::Know).is_ok()
        };
        self.created.iter().filter(is_seen).cloned().collect()
    }
}

/// A node that the asker may know of.
struct Found<'a> {
    name: Arc<str>,
    row: &'a Node,
    rights: Rights,
}

/// An outcome that only tells.
fn told(reply: Reply) -> Outcome {
    Outcome { reply, ..Outcome::of(Vec::new()) }
}

/// An outcome that changes something and has nobody to tell.
fn changed(reply: Reply, changes: Vec<Change>) -> Outcome {
    Outcome { reply, ..Outcome::of(changes) }
}
