//! What owners do: create, configure, delete, purge, give rights (XEP-0060 §8).

use std::sync::Arc;

use super::super::access::Right;
use super::super::notice::Told;
use super::super::{
    Affiliation, Asker, Change, ConfigWish, NodeConfig, Outcome, PubSub, Refusal, Reply, Standing,
};
use super::{Found, changed, told};
use crate::jid::BareJid;
use crate::limits::{PUBSUB_AFFILIATIONS_MAX, PUBSUB_NODE_NAME_BYTES_MAX};

impl PubSub {
    /// Only those who own everything create nodes, as Finesse 15 restricts it. Anybody else gets
    /// the same refusal whether or not the name is taken.
    pub(super) fn create(
        &self,
        asker: &Asker,
        node: Option<&str>,
        wish: &ConfigWish,
    ) -> Result<Outcome, Refusal> {
        if asker.standing != Standing::Owner {
            return Err(Refusal::Forbidden);
        }
        let node: Arc<str> = node.map_or_else(|| self.fresh_name(), Into::into);
        let is_there = self.nodes.get(&node).is_some_and(|row| row.config.is_some());
        if is_there || asker.is_served {
            return Err(Refusal::NodeExists);
        }
        if node.len() > PUBSUB_NODE_NAME_BYTES_MAX {
            let max = PUBSUB_NODE_NAME_BYTES_MAX;
            return Err(Refusal::BadConfig(format!("a node's name has at most {max} bytes")));
        }
        if self.created.len() >= self.bounds.nodes_max {
            return Err(Refusal::TooMany("nodes"));
        }
        let config = self.checked(wish, &NodeConfig::usual(&self.bounds))?;
        let owner = Change::Affiliated {
            node: Arc::clone(&node),
            jid: asker.jid.to_bare(),
            affiliation: Affiliation::Owner,
        };
        let made = Change::NodeSet { node: Arc::clone(&node), config };
        Ok(changed(Reply::Created(node), vec![made, owner]))
    }

    fn fresh_name(&self) -> Arc<str> {
        let mut names = (self.created.len()..).map(|n| Arc::from(format!("{}-{n}", self.epoch)));
        names.find(|name| !self.nodes.contains_key(name)).expect("numbers do not run out")
    }

    /// - Errors: [`Refusal::BadConfig`] for what cannot be kept.
    fn checked(&self, wish: &ConfigWish, now: &NodeConfig) -> Result<NodeConfig, Refusal> {
        let config = wish.over(now, &self.bounds);
        let max = self.bounds.items_max;
        if config.max_items == 0 || config.max_items > max {
            return Err(Refusal::BadConfig(format!("pubsub#max_items must be 1 to {max}")));
        }
        if config.title.len() > PUBSUB_NODE_NAME_BYTES_MAX {
            return Err(Refusal::BadConfig("pubsub#title is too long".to_owned()));
        }
        Ok(config)
    }

    pub(super) fn configure(
        &self,
        asker: &Asker,
        node: &str,
        wish: Option<&ConfigWish>,
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        let now = self.config(found.row);
        let Some(wish) = wish else {
            return Ok(told(Reply::Config(Some(found.name), now)));
        };
        let config = self.checked(wish, &now)?;
        if found.row.config.is_none() && self.created.len() >= self.bounds.nodes_max {
            return Err(Refusal::TooMany("nodes"));
        }
        let name = || Arc::clone(&found.name);
        let mut changes = vec![Change::NodeSet { node: name(), config: config.clone() }];
        let keeps = if config.persist_items { config.max_items } else { 0 };
        let surplus = found.row.items.len().saturating_sub(keeps);
        let last = surplus.checked_sub(1).and_then(|at| found.row.items.get(at));
        if let Some(last) = last {
            changes.push(Change::Trimmed { node: name(), through: last.seq });
        }
        let mut notices = Vec::new();
        if config.notify_config {
            let seq = self.next_seq(found.row);
            changes.extend(self.beginning(&found));
            changes.push(Change::Counted { node: name(), seq });
            notices.push(self.notice(&found, seq, Told::Configuration));
        }
        Ok(Outcome { reply: Reply::Done, changes, notices })
    }

    pub(super) fn delete(&self, asker: &Asker, node: &str) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        // It would come back with the next event, as would who is subscribed without asking.
        if asker.is_served {
            return Err(Refusal::Served);
        }
        Ok(self.deletion(&found))
    }

    /// What it takes to forget a node whose subject is gone: a user was removed, say. None if
    /// nothing is kept of it.
    pub fn removal(&self, node: &str) -> Option<Outcome> {
        let (name, row) = self.nodes.get_key_value(node)?;
        Some(self.deletion(&Found { name: Arc::clone(name), row, right: Right::Owner }))
    }

    /// What it takes to forget a person: explicit subscriptions and rights.
    pub fn departure(&self, person: &BareJid) -> Vec<Change> {
        let subscriptions = self.subscriptions.get(person).into_iter().flatten();
        let unsubscribed = subscriptions
            .map(|(node, jid)| Change::Unsubscribed { node: Arc::clone(node), jid: jid.clone() });
        let rights = self.rights.get(person).into_iter().flatten();
        let taken = rights.map(|node| Change::Affiliated {
            node: Arc::clone(node),
            jid: person.clone(),
            affiliation: Affiliation::None,
        });
        unsubscribed.chain(taken).collect()
    }

    /// The numbers of a node that goes are never used again, so its name may be.
    fn deletion(&self, found: &Found<'_>) -> Outcome {
        let is_told = self.config(found.row).notify_delete;
        let seq = if is_told { self.next_seq(found.row) } else { found.row.seq };
        let notice = is_told.then(|| self.notice(found, seq, Told::Delete));
        let removed = Change::NodeRemoved { node: Arc::clone(&found.name) };
        let changes = vec![removed, Change::Retired { through: seq.max(self.retired) }];
        Outcome { reply: Reply::Done, changes, notices: notice.into_iter().collect() }
    }

    pub(super) fn purge(&self, asker: &Asker, node: &str) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        let is_told = self.config(found.row).notify_retract;
        let seq = if is_told { self.next_seq(found.row) } else { found.row.seq };
        let notice = is_told.then(|| self.notice(&found, seq, Told::Purge));
        let change = Change::Trimmed { node: found.name, through: seq };
        Ok(Outcome {
            reply: Reply::Done,
            changes: vec![change],
            notices: notice.into_iter().collect(),
        })
    }

    /// Answers with what is, after what is to be set was set.
    pub(super) fn node_affiliations(
        &self,
        asker: &Asker,
        node: &str,
        set: &[(BareJid, Affiliation)],
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        let mut after = found.row.affiliations.clone();
        for (jid, affiliation) in set {
            match affiliation {
                Affiliation::None => after.remove(jid),
                other => after.insert(jid.clone(), *other),
            };
        }
        if !set.is_empty() && after.len() > PUBSUB_AFFILIATIONS_MAX {
            return Err(Refusal::TooMany("affiliations"));
        }
        let change = |(jid, affiliation): &(BareJid, Affiliation)| Change::Affiliated {
            node: Arc::clone(&found.name),
            jid: jid.clone(),
            affiliation: *affiliation,
        };
        let changes = set.iter().map(change).collect();
        let reply = Reply::NodeAffiliations(Arc::clone(&found.name), after.into_iter().collect());
        Ok(changed(reply, changes))
    }
}
