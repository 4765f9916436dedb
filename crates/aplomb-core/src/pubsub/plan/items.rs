//! Reading items: all, the newest, by id, or page by page (XEP-0060 §6.5, XEP-0059).
//!
//! What came after an item is told without a hole, or refused with the reason: a page is a part of
//! what is known to be there, never what happens to be left of it.

use std::ops::Range;
use std::sync::Arc;

use super::super::access::Right;
use super::super::history::bytes_of;
use super::super::node::{Node, number_of};
use super::super::page::{Section, Side};
use super::super::{Asker, Item, ItemsWish, Lost, Outcome, PubSub, Refusal, Reply};
use super::told;
use crate::limits::ITEMS_BYTES_MAX;
use crate::time::WallTime;

/// The items that are asked for, oldest first, before they are cut into pages.
struct Shelf {
    items: Vec<Arc<Item>>,
    /// Every item of a higher number that was not taken back is among them.
    reach: u64,
}

impl PubSub {
    /// The wanted items as far as they fit into an answer, oldest first. An item that is too old
    /// is not shown, even when nothing was published since to push it out.
    ///
    /// - Errors: [`Refusal::Lost`] when a page has no place in what is kept.
    pub(super) fn items(
        &self,
        asker: &Asker,
        node: &str,
        wish: &ItemsWish,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Member)?;
        let shelf = self.shelf(found.row, wish, now);
        let count = shelf.items.len();
        let place = |key: &str, side| self.place(found.row, &shelf, key, side);
        let (wanted, is_backward) = match &wish.page {
            None => (0..count, true),
            Some(page) => (page.range(count, place)?, page.is_backward()),
        };
        let range = fitting(&shelf.items, wanted, is_backward);
        let is_cut = wish.page.is_some() || range.len() < count;
        let key = |at: usize| self.key(&shelf.items[at]);
        let section = is_cut.then(|| Section::new(&range, count, key));
        let items = shelf.items[range].to_vec();
        Ok(told(Reply::Items { node: found.name, items, section }))
    }

    fn shelf(&self, row: &Node, wish: &ItemsWish, now: WallTime) -> Shelf {
        let hidden = row.items.iter().take_while(|item| self.is_over(row, item, now)).count();
        let mut reach = row.trimmed.max(last_of(row.items.range(..hidden)));
        let mut items: Vec<_> = match &wish.ids[..] {
            [] => row.items.range(hidden..).cloned().collect(),
            ids => {
                let found = ids.iter().filter_map(|id| row.item(&self.epoch, id));
                found.filter(|item| item.seq > reach).cloned().collect()
            }
        };
        items.sort_by_key(|item| item.seq);
        items.dedup_by_key(|item| item.seq);
        let skip = items.len().saturating_sub(wish.max_items.unwrap_or(usize::MAX));
        reach = reach.max(last_of(items.drain(..skip).as_slice()));
        Shelf { items, reach }
    }

    /// The key of an item in pages. It names the place and not the item, because an item that is
    /// published again stands at another one.
    fn key(&self, item: &Item) -> String {
        format!("{}{}", self.epoch, item.seq)
    }

    /// Where a key is among the items, if what is beyond it is there.
    fn place(&self, row: &Node, shelf: &Shelf, key: &str, side: Side) -> Result<usize, Refusal> {
        let seq = number_of(&self.epoch, key).ok_or_else(|| self.stranger(key))?;
        let is_gone = match side {
            Side::Before => seq <= shelf.reach,
            Side::After => seq < shelf.reach,
        };
        if seq > row.seq {
            return Err(Refusal::Lost(Lost::HistoryReset));
        }
        if is_gone {
            return Err(Refusal::Lost(Lost::HistoryTooShort));
        }
        let is_before = |item: &Arc<Item>| match side {
            Side::Before => item.seq < seq,
            Side::After => item.seq <= seq,
        };
        Ok(shelf.items.partition_point(is_before))
    }

    /// Why a key that is not of this history leads nowhere: it looks like one of another, or not.
    fn stranger(&self, key: &str) -> Refusal {
        let (epoch, number) = key.split_at_checked(self.epoch.len()).unwrap_or_default();
        let has_hyphen = |name: &str| name.bytes().map(|byte| byte == b'-').collect::<Vec<_>>();
        let is_epoch = !epoch.is_empty() && has_hyphen(epoch) == has_hyphen(&self.epoch);
        Refusal::Lost(match is_epoch && number.parse::<u64>().is_ok() {
            true => Lost::EpochChanged,
            false => Lost::Unknown,
        })
    }
}

/// The number of the last of these items; 0 of none.
fn last_of<'a>(items: impl IntoIterator<Item = &'a Arc<Item>>) -> u64 {
    items.into_iter().last().map_or(0, |item| item.seq)
}

/// As much of `wanted` as fits into an answer; the entry that it is reckoned from always does.
fn fitting(items: &[Arc<Item>], wanted: Range<usize>, is_backward: bool) -> Range<usize> {
    let mut bytes = 0;
    let mut fits = |item: &&Arc<Item>| {
        let is_first = bytes == 0;
        bytes += bytes_of(item);
        is_first || bytes <= ITEMS_BYTES_MAX
    };
    let part = &items[wanted.clone()];
    match is_backward {
        true => wanted.end - part.iter().rev().take_while(&mut fits).count()..wanted.end,
        false => wanted.start..wanted.start + part.iter().take_while(&mut fits).count(),
    }
}
