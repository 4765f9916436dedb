//! Publishing and retracting items (XEP-0060 §7), and what falls out of history.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::access::Right;
use super::super::history::bytes_of;
use super::super::notice::Told;
use super::super::{Asker, Change, Item, NodeConfig, Outcome, PubSub, Refusal, Reply};
use super::Found;
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
        self.publish_item(&Found { name, row, right: Right::Owner }, None, Some(payload), now)
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
        let payload_bytes = payload.map_or(0, |payload| payload.len());
        if payload_bytes > self.bounds.payload_bytes_max || bytes_of(&item) > self.bounds.bytes_max
        {
            return Err(Refusal::PayloadTooBig);
        }
        let node = Arc::clone(&found.name);
        let changes = if config.persist_items {
            let mut changes: Vec<_> = self.beginning(found).into_iter().collect();
            changes.push(Change::Published { node, item: Arc::clone(&item) });
            changes.extend(self.trims(found, &config, &item));
            changes
        } else {
            vec![Change::Trimmed { node, through: seq }]
        };
        let shown = match config.deliver_payloads {
            true => Arc::clone(&item),
            false => Arc::new(Item { payload: None, ..Item::clone(&item) }),
        };
        let notice = self.notice(found, seq, Told::Item(shown));
        let reply = Reply::Published(Arc::clone(&found.name), item.id.clone());
        Ok(Outcome { reply, changes, notices: vec![notice] })
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

    pub(super) fn is_expired(&self, at: WallTime, now: WallTime) -> bool {
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
        let found = self.found(asker, node, Right::Publisher)?;
        if found.row.item(&self.epoch, id).is_none() {
            return Err(Refusal::ItemUnknown);
        }
        let is_told = notify || self.config(found.row).notify_retract;
        let seq = if is_told { self.next_seq(found.row) } else { found.row.seq };
        let notice = is_told.then(|| self.notice(&found, seq, Told::Retract(id.to_owned())));
        let change = Change::Retracted { node: found.name, id: id.to_owned(), seq };
        Ok(Outcome {
            reply: Reply::Done,
            changes: vec![change],
            notices: notice.into_iter().collect(),
        })
    }
}
