//! From a request to its outcome.
//!
//! Every refusal of somebody who may not know of a node is [`Refusal::NodeUnknown`], before
//! anything about the node is looked at; so it is the same whether or not the node exists.

mod items;
mod owner;
mod publish;
mod recall;
mod subscribe;

use std::sync::Arc;

use super::access::Right;
use super::node::Node;
use super::notice::Told;
use super::{
    Asker, Change, NodeConfig, Notice, Outcome, PubSub, Refusal, Reply, Request, Standing,
};
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
            Request::Subscribe { node, jid } => self.subscribe(asker, node, jid),
            Request::Unsubscribe { node, jid } => self.unsubscribe(asker, node, jid),
            Request::Subscriptions { node } => self.subscriptions(asker, node.as_deref()),
            Request::Affiliations { node } => self.affiliations(asker, node.as_deref()),
            Request::Items { node, wish } => self.items(asker, node, wish, now),
            Request::Since { node, point } => self.since(asker, node, point.as_ref(), now),
            Request::Publish { node, id, payload } => {
                let found = self.found(asker, node, Right::Publisher)?;
                self.publish_item(&found, id.as_deref(), payload.as_ref(), now)
            }
            Request::Retract { node, id, notify } => self.retract(asker, node, id, *notify),
            Request::Create { node, config } => self.create(asker, node.as_deref(), config),
            Request::Configure { node, config } => self.configure(asker, node, config.as_ref()),
            Request::DefaultConfig => {
                Ok(told(Reply::Config(None, NodeConfig::usual(&self.bounds))))
            }
            Request::Delete { node } => self.delete(asker, node),
            Request::Purge { node } => self.purge(asker, node),
            Request::NodeSubscriptions { node } => self.node_subscriptions(asker, node),
            Request::NodeAffiliations { node, set } => self.node_affiliations(asker, node, set),
            Request::NodeInfo { node } => {
                let found = self.found(asker, node, Right::Member)?;
                let config = self.config(found.row);
                Ok(told(Reply::NodeInfo(found.name, config)))
            }
            Request::Nodes => Ok(told(Reply::Nodes(self.nodes_seen_by(asker)))),
        }
    }

    /// Finds a node on which the asker has at least the right `needs`.
    ///
    /// - Errors: [`Refusal::NodeUnknown`] when there is none or the asker may not know of it,
    ///   [`Refusal::Forbidden`] when he may know but not do.
    fn found(&self, asker: &Asker, node: &str, needs: Right) -> Result<Found<'_>, Refusal> {
        let kept = self.nodes.get_key_value(node);
        let exists = asker.is_served || kept.is_some_and(|(_, row)| row.config.is_some());
        let row = kept.map_or(&self.blank, |(_, row)| row);
        let affiliation = row.affiliation(&asker.jid.to_bare());
        let right = Right::of(asker.standing, affiliation).filter(|_| exists);
        match right {
            None => Err(Refusal::NodeUnknown),
            Some(right) if right < needs => Err(Refusal::Forbidden),
            Some(right) => {
                let name = kept.map_or_else(|| node.into(), |(name, _)| Arc::clone(name));
                Ok(Found { name, row, right })
            }
        }
    }

    fn config(&self, row: &Node) -> NodeConfig {
        row.config.clone().unwrap_or_else(|| NodeConfig::usual(&self.bounds))
    }

    /// The number of a node's next notice.
    fn next_seq(&self, row: &Node) -> u64 {
        let last = if row.seq == 0 { self.retired } else { row.seq };
        last + 1
    }

    /// What goes before the first notice of a node that starts above numbers of nodes that are
    /// gone: one of them may have had its name, and none of what they told can be read back.
    fn beginning(&self, found: &Found<'_>) -> Option<Change> {
        let is_needed = found.row.seq == 0 && self.retired > 0;
        let node = Arc::clone(&found.name);
        is_needed.then_some(Change::Trimmed { node, through: self.retired })
    }

    fn notice(&self, found: &Found<'_>, seq: u64, told: Told) -> Arc<Notice> {
        Notice::render(&self.epoch, &found.name, seq, told)
    }

    /// The rights the asker was given by name, or, for one node, the right he has.
    fn affiliations(&self, asker: &Asker, node: Option<&str>) -> Result<Outcome, Refusal> {
        if let Some(node) = node {
            let found = self.found(asker, node, Right::Member)?;
            let right = found.right.as_affiliation();
            return Ok(told(Reply::Affiliations(vec![(found.name, right)])));
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
        let own = self.rights.get(&person).into_iter().flatten();
        let is_seen = |node: &&Arc<str>| {
            let row = self.nodes.get(*node).filter(|row| row.config.is_some());
            let right = |row: &Node| Right::of(asker.standing, row.affiliation(&person));
            row.is_some_and(|row| right(row).is_some())
        };
        match asker.standing {
            Standing::Owner => self.created.iter().cloned().collect(),
            Standing::Reader | Standing::Stranger | Standing::ByAffiliation => {
                own.filter(is_seen).cloned().collect()
            }
        }
    }
}

/// A node that the asker may know of.
struct Found<'a> {
    name: Arc<str>,
    row: &'a Node,
    right: Right,
}

/// An outcome that only tells.
const fn told(reply: Reply) -> Outcome {
    Outcome { reply, changes: Vec::new(), notices: Vec::new() }
}

/// An outcome that changes something and has nobody to tell.
const fn changed(reply: Reply, changes: Vec<Change>) -> Outcome {
    Outcome { reply, changes, notices: Vec::new() }
}
