//! What ends by itself: leases (XEP-0060 §12.18), requests that no owner answered, and items of
//! nodes that let them expire (§8.2, `pubsub#item_expire`).

use std::sync::Arc;

use super::super::deadlines::Due;
use super::super::{Change, Outcome, PubSub, Tiding, Tidings};
use crate::limits::PUBSUB_LAPSES_MAX;
use crate::time::WallTime;

impl PubSub {
    /// When the next thing ends; none if nothing does.
    pub fn next_lapse(&self) -> Option<WallTime> {
        self.deadlines.next()
    }

    /// What it takes to end what is over by now, or the first part of it.
    pub fn lapse(&self, now: WallTime) -> Outcome {
        let over = self.deadlines.over(now).take(PUBSUB_LAPSES_MAX);
        let end = |due: &Due| match due {
            Due::Items(node) => self.expired_of(node, now),
            Due::Subscription(node, jid) => {
                Change::Unsubscribed { node: Arc::clone(node), jid: jid.clone() }
            }
        };
        let changes = over.map(end).collect();
        Outcome { tidings: self.tell_ended(now), ..Outcome::of(changes) }
    }

    /// Whose subscription ended is told; so is whoever waited for an owner in vain.
    fn tell_ended(&self, now: WallTime) -> Vec<Tidings> {
        let over = self.deadlines.over(now).take(PUBSUB_LAPSES_MAX);
        let tell = |due: &Due| match due {
            Due::Items(_) => None,
            Due::Subscription(node, jid) => {
                let tiding = Tiding::Subscription(jid.clone(), None);
                Some(self.tidings(node, jid.clone(), tiding, now))
            }
        };
        over.filter_map(tell).collect()
    }

    /// The node's oldest items, as far as they are expired; the first of them is.
    fn expired_of(&self, node: &Arc<str>, now: WallTime) -> Change {
        let row = self.nodes.get(node).expect("what expires is of a node with a row");
        let is_over = |expiry: WallTime| expiry <= now;
        let expired = row.items.iter().take_while(|item| row.expiry_of(item).is_some_and(is_over));
        let through = expired.last().expect("the oldest item is over").seq;
        Change::Trimmed { node: Arc::clone(node), through }
    }
}
