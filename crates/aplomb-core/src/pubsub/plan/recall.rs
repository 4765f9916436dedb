//! What was told after a point: all of it, or why not. Never a part that looks like all.

use std::sync::Arc;

use super::super::access::Right;
use super::super::history::bytes_of;
use super::super::{Asker, Item, Lost, Outcome, Point, PubSub, Recall, Refusal, Reply};
use super::{Found, told};
use crate::limits::{RECALL_BYTES_MAX, RECALL_ITEMS_MAX};
use crate::time::WallTime;

impl PubSub {
    /// - Errors: [`Refusal::NodeUnknown`], as for items.
    pub(super) fn since(
        &self,
        asker: &Asker,
        node: &str,
        point: Option<&Point>,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Member)?;
        let last = self.last_seq(found.row);
        let recalled = match point {
            None => Ok((Vec::new(), last)),
            Some(point) if *point.epoch != *self.epoch => Err(Lost::EpochChanged),
            Some(point) => self.after(&found, point.seq, now),
        };
        let with_payload = self.config(found.row).deliver_payloads;
        let (items, seq) = match recalled {
            Ok((items, seq)) => {
                (Ok(items.iter().map(|item| Item::shown(item, with_payload)).collect()), seq)
            }
            Err(lost) => (Err(lost), last),
        };
        let epoch = Arc::clone(&self.epoch);
        let is_more = seq < last;
        Ok(told(Reply::Recall(Recall { node: found.name, epoch, seq, found: items, is_more })))
    }

    /// The items after `seq` up to the bounds, and the number of the last. Every notice in between
    /// must have left its item, or something would be missing that nobody sees.
    fn after<'a>(
        &self,
        found: &Found<'a>,
        seq: u64,
        now: WallTime,
    ) -> Result<(Vec<&'a Arc<Item>>, u64), Lost> {
        let (row, last) = (found.row, self.last_seq(found.row));
        let is_since_last_use = seq >= self.graves.last_use(&found.name);
        if seq > last || (row.seq == 0 && !is_since_last_use) {
            return Err(Lost::HistoryReset);
        }
        if row.seq == 0 {
            return Ok((Vec::new(), last));
        }
        // The numbers up to where the node began are of others.
        let seq = if is_since_last_use { seq.max(row.begun) } else { seq };
        let start = row.items.partition_point(|item| item.seq <= seq);
        let kept = || row.items.range(start..).skip_while(|item| self.is_over(row, item, now));
        // Whatever is lost right after the point is lost even if more of it fits.
        if kept().next().is_none_or(|first| first.seq != seq + 1) && seq < row.seq {
            let is_older_kept = start > 0 && !self.is_over(row, &row.items[start - 1], now);
            return Err(if is_older_kept { Lost::NotKept } else { Lost::HistoryTooShort });
        }
        let numbered = kept().zip(seq + 1..);
        let in_a_row = numbered.take_while(|(item, number)| item.seq == *number).count();
        if seq + in_a_row as u64 != row.seq {
            return Err(Lost::NotKept);
        }
        let mut bytes = 0;
        let fits = |item: &&Arc<Item>| {
            let is_first = bytes == 0;
            bytes += bytes_of(item);
            is_first || bytes <= RECALL_BYTES_MAX
        };
        let items: Vec<_> = kept().take(RECALL_ITEMS_MAX).take_while(fits).collect();
        let last = items.last().map_or(seq, |item| item.seq);
        Ok((items, last))
    }
}
