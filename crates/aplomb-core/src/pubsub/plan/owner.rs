//! What owners do to a node: create, configure, delete, purge (XEP-0060 §8.1 to §8.5).

use std::sync::Arc;

use super::super::access::{Right, Rights};
use super::super::notice::Told;
use super::super::{
    AccessModel, Affiliation, Asker, Change, ConfigWish, NodeConfig, Origin, Outcome, PubSub,
    PublishModel, Refusal, Reply, Standing,
};
use super::{Found, changed, told};
use crate::jid::BareJid;
use crate::limits::{PUBSUB_NODE_NAME_BYTES_MAX, PUBSUB_ROSTER_GROUPS_MAX};
use crate::time::WallTime;

impl PubSub {
    /// Only those who own everything create nodes, as Finesse 15 restricts it. Anybody else gets
    /// the same refusal whether or not the name is taken.
    pub(super) fn create(
        &self,
        asker: &Asker,
        node: Option<&str>,
        wish: &ConfigWish,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        if asker.standing != Standing::Owner {
            return Err(Refusal::MayNotCreate);
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
        let origin = Origin { creator: asker.jid.to_bare(), at: now };
        let made = Change::NodeMade { node: Arc::clone(&node), origin };
        let set = Change::NodeSet { node: Arc::clone(&node), config };
        Ok(changed(Reply::Created(node), vec![set, made, owner]))
    }

    fn fresh_name(&self) -> Arc<str> {
        let mut names = (self.created.len()..).map(|n| Arc::from(format!("{}-{n}", self.epoch)));
        names.find(|name| !self.nodes.contains_key(name)).expect("numbers do not run out")
    }

    /// - Errors: [`Refusal::BadConfig`] for what cannot be kept.
    pub(super) fn checked(
        &self,
        wish: &ConfigWish,
        now: &NodeConfig,
    ) -> Result<NodeConfig, Refusal> {
        let config = wish.over(now, &self.bounds);
        let max = self.bounds.items_max;
        if config.max_items == 0 || config.max_items > max {
            return Err(Refusal::BadConfig(format!("pubsub#max_items must be 1 to {max}")));
        }
        let max = self.bounds.payload_bytes_max;
        if config.max_payload_size == 0 || config.max_payload_size > max {
            return Err(Refusal::BadConfig(format!("pubsub#max_payload_size must be 1 to {max}")));
        }
        let texts = [&config.title, &config.description, &config.language, &config.kind];
        let groups = &config.roster_groups_allowed;
        if texts.into_iter().chain(groups).any(|text| text.len() > PUBSUB_NODE_NAME_BYTES_MAX) {
            let max = PUBSUB_NODE_NAME_BYTES_MAX;
            return Err(Refusal::BadConfig(format!("a text in the form has at most {max} bytes")));
        }
        if groups.len() > PUBSUB_ROSTER_GROUPS_MAX {
            return Err(Refusal::TooMany("groups"));
        }
        Ok(config)
    }

    pub(super) fn configure(
        &self,
        asker: &Asker,
        node: &str,
        wish: Option<&ConfigWish>,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        let before = self.config(found.row);
        let Some(wish) = wish else {
            return Ok(told(Reply::Config(Some(found.name), before)));
        };
        let config = self.checked(wish, &before)?;
        // Who may read and publish there follows from the contact centre.
        let usual = (AccessModel::Whitelist, PublishModel::Publishers);
        if asker.is_served && (config.access_model, config.publish_model) != usual {
            return Err(Refusal::ModelsFixed);
        }
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
        if config.notify_config && config.deliver_notifications {
            let seq = self.next_seq(found.row);
            changes.extend(self.beginning(&found));
            changes.push(Change::Counted { node: name(), seq });
            notices.push(self.notice(&found, seq, Told::Configuration));
        }
        let (decided, tidings) = self.decide_all(&found, config.access_model, now);
        changes.extend(decided);
        Ok(Outcome { notices, tidings, ..changed(Reply::Done, changes) })
    }

    pub(super) fn delete(
        &self,
        asker: &Asker,
        node: &str,
        redirect: Option<&str>,
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        // It would come back with the next event, as would who is subscribed without asking.
        if asker.is_served {
            return Err(Refusal::Served);
        }
        Ok(self.deletion(&found, redirect))
    }

    /// What it takes to forget a node whose subject is gone: a user was removed, say. None if
    /// nothing is kept of it.
    pub fn removal(&self, node: &str) -> Option<Outcome> {
        let (name, row) = self.nodes.get_key_value(node)?;
        let found = Found { name: Arc::clone(name), row, rights: Rights::OWNER };
        Some(self.deletion(&found, None))
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
    fn deletion(&self, found: &Found<'_>, redirect: Option<&str>) -> Outcome {
        let config = self.config(found.row);
        let is_told = config.notify_delete && config.deliver_notifications;
        let seq = if is_told { self.next_seq(found.row) } else { found.row.seq };
        let told = || Told::Delete(redirect.map(str::to_owned));
        let notice = is_told.then(|| self.notice(found, seq, told()));
        let removed = Change::NodeRemoved { node: Arc::clone(&found.name) };
        let changes = vec![removed, Change::Retired { through: seq.max(self.graves.through()) }];
        Outcome { notices: notice.into_iter().collect(), ..changed(Reply::Done, changes) }
    }

    pub(super) fn purge(&self, asker: &Asker, node: &str) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        let config = self.config(found.row);
        if !config.persist_items {
            return Err(Refusal::NothingKept);
        }
        let is_told = config.notify_retract && config.deliver_notifications;
        let seq = if is_told { self.next_seq(found.row) } else { found.row.seq };
        let notice = is_told.then(|| self.notice(&found, seq, Told::Purge));
        let change = Change::Trimmed { node: found.name, through: seq };
        let notices = notice.into_iter().collect();
        Ok(Outcome { notices, ..changed(Reply::Done, vec![change]) })
    }
}
