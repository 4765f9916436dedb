//! Publishing and retracting items (XEP-0060 §7), and what falls out of history.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::access::{Right, Rights};
use super::super::history::bytes_of;
use super::super::node::Node;
use super::super::notice::Told;
use super::super::{
    Asker, Change, ConfigWish, Item, NodeConfig, Outcome, PubSub, Publication, Refusal, Reply,
    Standing,
};
use super::{Found, changed, told};
use crate::limits::HISTORY_TRIMS_MAX;
use crate::time::WallTime;

impl PubSub {
    /// Publishes in the server's own name on a node that exists.
    ///
    /// - Errors: [`Refusal::PayloadTooBig`].
    pub fn publish(
        &self,
        node: &str,
        payload: &Arc<str>,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let (name, row) = match self.nodes.get_key_value(node) {
            Some((name, row)) => (Arc::clone(name), row),
            None => (node.into(), &self.blank),
        };
        let found = Found { name, row, rights: Rights::OWNER };
        self.publish_item(&found, None, Some(payload), now)
    }

    /// Publishes for somebody who asks, on a node that may be made for it.
    ///
    /// - Source: XEP-0060 §7.1, §7.1.3 for what goes with which kind of node, §7.1.5.
    pub(super) fn publish_asked(
        &self,
        asker: &Asker,
        node: &str,
        item: Option<&Publication>,
        preconditions: Option<&ConfigWish>,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let found = match (self.found(asker, node, Right::Publisher), preconditions) {
            // Of all who may not know of a node, only who may create it learns that there is none.
            (Err(Refusal::NodeUnknown), Some(wish)) if asker.standing == Standing::Owner => {
                return self.publish_first(asker, node, item, wish, now);
            }
            (found, _) => found?,
        };
        let config = self.config(found.row);
        match preconditions.and_then(|wish| wish.unmet_by(&config, &self.bounds)) {
            Some(unmet) => Err(Refusal::PreconditionNotMet(unmet)),
            None => self.publish_checked(&found, &config, item, now),
        }
    }

    /// Makes the node and publishes on it, both or neither.
    fn publish_first(
        &self,
        asker: &Asker,
        node: &str,
        item: Option<&Publication>,
        wish: &ConfigWish,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let mut changes = self.create(asker, Some(node), wish, now)?.changes;
        let config = self.checked(wish, &NodeConfig::usual(&self.bounds))?;
        let row = Node::new(config.clone());
        let found = Found { name: node.into(), row: &row, rights: Rights::OWNER };
        let mut outcome = self.publish_checked(&found, &config, item, now)?;
        changes.append(&mut outcome.changes);
        Ok(Outcome { changes, ..outcome })
    }

    /// Publishes if the item is such as the node takes (XEP-0060 §7.1.3.6).
    fn publish_checked(
        &self,
        found: &Found<'_>,
        config: &NodeConfig,
        item: Option<&Publication>,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let is_signal = !config.persist_items && !config.deliver_payloads;
        match item {
            None if is_signal => Ok(self.signal(found)),
            None => Err(Refusal::ItemRequired),
            Some(_) if is_signal => Err(Refusal::ItemForbidden),
            Some(item) => {
                let payload = item.payload.as_ref();
                let is_foreign = !config.kind.is_empty() && config.kind != item.namespace;
                if payload.is_some() && is_foreign {
                    return Err(Refusal::PayloadInvalid(config.kind.clone()));
                }
                if payload.is_some_and(|payload| payload.len() > config.max_payload_size) {
                    return Err(Refusal::PayloadTooBig(config.max_payload_size));
                }
                self.publish_item(found, item.id.as_deref(), payload, now)
            }
        }
    }

    /// A notice without an item, on a node that neither keeps nor delivers any.
    fn signal(&self, found: &Found<'_>) -> Outcome {
        let reply = Reply::Published(Arc::clone(&found.name), None);
        if !self.config(found.row).deliver_notifications {
            return told(reply);
        }
        let (node, seq) = (Arc::clone(&found.name), self.next_seq(found.row));
        let notices = vec![self.notice(found, seq, Told::Signal)];
        Outcome { notices, ..changed(reply, vec![Change::Trimmed { node, through: seq }]) }
    }

    pub(super) fn publish_item(
        &self,
        found: &Found<'_>,
        id: Option<&str>,
        payload: Option<&Arc<str>>,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let config = self.config(found.row);
        if config.deliver_payloads && payload.is_none() {
            return Err(Refusal::PayloadRequired);
        }
        let seq = self.next_seq(found.row);
        let id = id.map_or_else(|| format!("{}{seq}", self.epoch), str::to_owned);
        let item = Arc::new(Item { seq, id, payload: payload.cloned(), at: now });
        let max = self.bounds.payload_bytes_max.min(self.bounds.bytes_max);
        if payload.is_some_and(|payload| payload.len() > max)
            || bytes_of(&item) > self.bounds.bytes_max
        {
            return Err(Refusal::PayloadTooBig(max));
        }
        let node = Arc::clone(&found.name);
        let changes = if config.persist_items {
            let mut changes: Vec<_> = self.beginning(found).into_iter().collect();
            changes.push(Change::Published { node, item: Arc::clone(&item) });
            changes.extend(self.trims(found, &config, &item));
            changes
        } else if config.deliver_notifications {
            vec![Change::Trimmed { node, through: seq }]
        } else {
            Vec::new()
        };
        let shown = match config.deliver_payloads {
            true => Arc::clone(&item),
            false => Arc::new(Item { payload: None, ..Item::clone(&item) }),
        };
        let told = config.deliver_notifications.then_some(Told::Item(shown));
        let notices = told.map(|told| self.notice(found, seq, told)).into_iter().collect();
        let reply = Reply::Published(Arc::clone(&found.name), Some(item.id.clone()));
        Ok(Outcome { notices, ..changed(reply, changes) })
    }

    /// What must go so that `item` fits: by number in its node, then by age and bytes anywhere.
    fn trims(&self, found: &Found<'_>, config: &NodeConfig, item: &Item) -> Vec<Change> {
        let mut through: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        let mut bytes = self.history.bytes() + bytes_of(item);
        let replaced = found.row.item(&self.epoch, &item.id);
        let is_replaced =
            |node: &str, seq| node == &*found.name && replaced.is_some_and(|old| old.seq == seq);
        bytes -= replaced.map_or(0, |old| bytes_of(old));
        let others = found.row.items.iter().filter(|old| old.id != item.id);
        let kept = found.row.items.len() - usize::from(replaced.is_some());
        let surplus = (kept + 1).saturating_sub(config.max_items);
        for old in others.take(surplus) {
            through.insert(Arc::clone(&found.name), old.seq);
            bytes -= bytes_of(old);
        }
        let mut gone = 0;
        for ((at, node, seq), size) in self.history.oldest_first() {
            let is_expired = self.is_expired(*at, item.at) && gone < HISTORY_TRIMS_MAX;
            if !is_expired && bytes <= self.bounds.bytes_max {
                break;
            }
            let is_gone = through.get(node).is_some_and(|through| seq <= through);
            if is_gone || is_replaced(node, *seq) {
                continue;
            }
            // Items before this one that are younger by a clock that was set back go with it.
            through.insert(Arc::clone(node), *seq);
            bytes = bytes.saturating_sub(size);
            gone += 1;
        }
        through.into_iter().map(|(node, through)| Change::Trimmed { node, through }).collect()
    }

    /// Whether an item of a node is too old to be shown, by the service's history or the node's.
    pub(super) fn is_over(&self, row: &Node, item: &Item, now: WallTime) -> bool {
        self.is_expired(item.at, now) || row.expiry_of(item).is_some_and(|expiry| expiry <= now)
    }

    fn is_expired(&self, at: WallTime, now: WallTime) -> bool {
        let age_max = i64::try_from(self.bounds.age_max.as_millis()).unwrap_or(i64::MAX);
        now.0.saturating_sub(at.0) > age_max
    }

    /// The notice takes a number only if there is one.
    pub(super) fn retract(
        &self,
        asker: &Asker,
        node: &str,
        id: &str,
        notify: bool,
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Editor)?;
        let config = self.config(found.row);
        if !config.persist_items {
            return Err(Refusal::NothingKept);
        }
        if found.row.item(&self.epoch, id).is_none() {
            return Err(Refusal::ItemUnknown);
        }
        let is_told = (notify || config.notify_retract) && config.deliver_notifications;
        let seq = if is_told { self.next_seq(found.row) } else { found.row.seq };
        let notice = is_told.then(|| self.notice(&found, seq, Told::Retract(id.to_owned())));
        let change = Change::Retracted { node: found.name, id: id.to_owned(), seq };
        let notices = notice.into_iter().collect();
        Ok(Outcome { notices, ..changed(Reply::Done, vec![change]) })
    }
}
