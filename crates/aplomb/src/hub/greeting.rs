//! What waits for whoever becomes available: the newest items of nodes that send them, questions to
//! owners (XEP-0060 §8.2, `pubsub#send_last_published_item`; §8.6).

use std::sync::atomic::Ordering;

use aplomb_core::pubsub::Request;

use super::{Hub, Seat};

impl Hub {
    /// Says whether there is a node that greets. Finesse's do not, so that a site that comes back
    /// at once asks the writer nothing.
    pub fn set_greeting(&self, is_greeting: bool) {
        self.is_greeting.store(is_greeting, Ordering::Relaxed);
    }

    /// Whether a session is available.
    pub(super) fn is_there(&self, seat: &Seat) -> bool {
        let presence = self.presence.read();
        let mut desks = presence.directory.desks_of(&seat.jid);
        desks.any(|desk| desk.session() == seat.id && desk.shown().is_some())
    }

    /// Has a session greeted that was not available before. What the writer refuses, nobody hears.
    pub(super) async fn greet(&self, seat: &Seat, was_there: bool) {
        if !was_there && self.is_greeting.load(Ordering::Relaxed) && self.is_there(seat) {
            let _ = self.ask(&seat.jid, Request::Greet).await;
        }
    }
}
