//! What people have to do with each other: stanzas from one to another (RFC 6121 §8.5).

use std::sync::Arc;

use aplomb_core::jid::{BareJid, Jid};
use aplomb_core::realm::{Reach, Shown};
use aplomb_core::stanza::{Presence, PresenceKind};
use aplomb_core::xml::Element;

use super::{Hub, Seat, put};
use crate::mailbox::Letter;

/// Says whether two people may know of each other.
pub type Acquaintance = Box<dyn Fn(&BareJid, &BareJid) -> bool + Send + Sync>;

impl Hub {
    /// Lets `acquaintance` say who may know of whom; until then everybody knows only himself.
    pub fn ask_about_people(&self, acquaintance: Acquaintance) {
        // Only the writer of this hub says it, once.
        let _ = self.acquaintance.set(acquaintance);
    }

    /// Whether two people may know of each other. Not to be called under the lock.
    pub fn are_acquainted(&self, one: &BareJid, other: &BareJid) -> bool {
        one == other || self.acquaintance.get().is_some_and(|ask| ask(one, other))
    }

    /// Puts a stanza into the mailboxes of those whom it reaches; returns how many.
    pub fn deliver(&self, asker: &Seat, to: &Jid, reach: Reach, stanza: &Arc<Element>) -> usize {
        if !self.are_acquainted(&asker.jid.to_bare(), &to.to_bare()) {
            return 0;
        }
        let presence = self.presence.read();
        let mut count = 0;
        presence.directory.reached(to, reach, |session| {
            if let Some(mailbox) = presence.seats.get(session) {
                put(mailbox, Letter::Stanza(Arc::clone(stanza)));
                count += 1;
            }
        });
        count
    }

    /// Notes how available a session says that it is.
    pub(super) fn present(&self, seat: &Seat, stanza: &Presence) {
        let shown = Arc::new(Shown::of(&seat.jid, stanza));
        let mut presence = self.presence.write();
        let was_available = presence.directory.is_available(&seat.jid);
        let kept = (stanza.kind == PresenceKind::Available).then_some(shown);
        presence.directory.show(&seat.jid, seat.id, kept);
        presence.note_absence(&seat.jid, was_available);
    }
}
