//! Who is told that somebody comes, goes or is otherwise available (RFC 6121 §4).
//!
//! A change is noted under the lock held for writing, which becomes one for reading before the
//! first mailbox is looked at: so notices go on meanwhile, and no two presences of one session can
//! overtake each other. Each is rendered once, whoever reads it.

use std::sync::Arc;

use aplomb_core::jid::{FullJid, Jid};
use aplomb_core::realm::{Desk, Left, Reach, SessionId, Shown, Sight};
use aplomb_core::roster::{Contact, Word};
use parking_lot::{RwLockReadGuard, RwLockWriteGuard};

use super::{Hub, Presence, Seat, put};
use crate::mailbox::Letter;

impl Hub {
    /// Shows how available a session says that it is to all who see it. One that comes is shown
    /// whom it sees, and who waits to be answered (RFC 6121 §3.1.3, §4.2 to §4.5).
    pub(super) fn present(&self, seat: &Seat, shown: &Arc<Shown>) {
        let mut presence = self.presence.write();
        let was_available = presence.directory.is_available(&seat.jid);
        let kept = shown.is_available().then(|| Arc::clone(shown));
        let before = presence.directory.show(&seat.jid, seat.id, kept);
        presence.note_absence(&seat.jid, was_available);
        let directed = match shown.is_available() {
            true => Vec::new(),
            false => presence.directory.take_directed(&seat.jid, seat.id),
        };
        let presence = RwLockWriteGuard::downgrade(presence);
        let is_first = before.is_none();
        if shown.is_available() || !is_first {
            let is_new = is_first && presence.is_shown_to_nobody_alone(seat);
            presence.broadcast(&seat.jid, shown, is_new);
        }
        presence.show_to(&directed, &seat.jid, shown);
        if shown.is_available() && is_first {
            let wishes = self.wishes(&presence, seat);
            seat.mailbox.greet(presence.others(seat).chain(wishes));
        }
    }

    /// Shows a session to one address alone, and takes it away again at the end. Returns whether
    /// there was room to remember that (RFC 6121 §4.6).
    pub(super) fn show_directly(&self, seat: &Seat, to: &Jid, shown: &Arc<Shown>) -> bool {
        if !self.are_acquainted(&seat.jid.to_bare(), &to.to_bare()) {
            return true;
        }
        let mut presence = self.presence.write();
        let is_available = shown.is_available();
        if !presence.directory.direct(&seat.jid, seat.id, to, is_available) {
            return false;
        }
        let presence = RwLockWriteGuard::downgrade(presence);
        presence.directory.reached(to, Reach::Presence, |session| {
            presence.show(session, shown, false);
        });
        true
    }

    /// Shows a session how available somebody is, if it may see him (RFC 6121 §4.3).
    pub(super) fn probe(&self, seat: &Seat, to: &Jid) {
        let presence = self.presence.read();
        let (asker, person) = (seat.jid.to_bare(), to.to_bare());
        if asker != person && !presence.sights.has(&person, &asker) {
            return;
        }
        let is_meant = |desk: &&Desk| {
            let resource = to.resource().map(|resource| resource.as_str());
            resource.is_none_or(|resource| resource == desk.resource())
        };
        let desks = presence.directory.desks_of(&person).filter(is_meant);
        let mut all = desks.filter_map(Desk::shown).peekable();
        if all.peek().is_none() {
            put(&seat.mailbox, Letter::Presence(Arc::new(Shown::gone(to))));
        }
        all.for_each(|shown| put(&seat.mailbox, Letter::Presence(Arc::clone(shown))));
    }

    /// Shows all that a session which is gone without a word is not there any more.
    pub(super) fn show_left(presence: &RwLockReadGuard<'_, Presence>, jid: &FullJid, left: &Left) {
        if left.was_shown || !left.directed.is_empty() {
            let gone = Arc::new(Shown::gone(jid));
            if left.was_shown {
                presence.broadcast(jid, &gone, false);
            }
            presence.show_to(&left.directed, jid, &gone);
        }
    }

    /// Everybody who asked to see this one and has no answer asks again.
    fn wishes(&self, presence: &Presence, seat: &Seat) -> impl Iterator<Item = Letter> {
        let owner = seat.jid.to_bare();
        let asked = |contact: &Arc<Contact>| {
            let wish = contact.wish.as_deref()?;
            let stanza = self.realm.said(Word::Subscribe, &contact.jid, &owner, Some(wish));
            Some(Letter::Stanza(Arc::new(stanza)))
        };
        let all: Vec<_> = presence.roster.contacts(&owner).filter_map(asked).collect();
        all.into_iter()
    }
}

impl Presence {
    pub(super) fn put(&self, session: SessionId, letter: Letter) {
        if let Some(mailbox) = self.seats.get(session) {
            put(mailbox, letter);
        }
    }

    /// To everybody who sees this one, and to the other sessions of its account.
    fn broadcast(&self, jid: &FullJid, shown: &Arc<Shown>, is_new: bool) {
        let person = jid.to_bare();
        for seer in self.sights.seers_of(&person) {
            self.show_desks(self.directory.desks_of(seer), shown, is_new);
        }
        let resource = jid.resource().as_str();
        let others = self.directory.desks_of(&person).filter(|desk| desk.resource() != resource);
        self.show_desks(others, shown, is_new);
    }

    /// To addresses that were told directly, but to none that is told anyway.
    fn show_to(&self, directed: &[Jid], jid: &FullJid, shown: &Arc<Shown>) {
        let person = jid.to_bare();
        for to in directed.iter().filter(|to| !self.sights.has(&person, &to.to_bare())) {
            self.directory.reached(to, Reach::Presence, |session| {
                self.show(session, shown, false);
            });
        }
    }

    /// All whom a session that comes sees.
    fn others(&self, seat: &Seat) -> impl Iterator<Item = Letter> {
        let (person, id) = (seat.jid.to_bare(), seat.id);
        let own = self.directory.desks_of(&seat.jid).filter(move |desk| desk.session() != id);
        let mut all: Vec<_> = own.filter_map(Desk::shown).cloned().collect();
        let seen = self.sights.seen_by(&person).flat_map(|seen| self.directory.desks_of(seen));
        all.extend(seen.filter_map(Desk::shown).cloned());
        all.into_iter().map(Letter::Presence)
    }

    /// Shows what it means that somebody sees somebody, or sees him no more.
    pub(super) fn show_sight(&self, sight: &Sight) {
        for desk in self.directory.desks_of(&sight.seen) {
            let Some(shown) = desk.shown() else { continue };
            let shown = match sight.is_seen {
                true => Arc::clone(shown),
                false => {
                    let jid = sight.seen.with_resource_str(desk.resource());
                    Arc::new(Shown::gone(&jid.expect("the directory holds addresses")))
                }
            };
            let is_new = sight.is_seen && !desk.is_directed();
            self.show_desks(self.directory.desks_of(&sight.seer), &shown, is_new);
        }
    }

    /// Whether nobody can have seen a session but by what it says to all.
    fn is_shown_to_nobody_alone(&self, seat: &Seat) -> bool {
        let mut desks = self.directory.desks_of(&seat.jid);
        desks.any(|desk| desk.session() == seat.id && !desk.is_directed())
    }

    fn show_desks<'a>(
        &self,
        desks: impl Iterator<Item = &'a Desk>,
        shown: &Arc<Shown>,
        is_new: bool,
    ) {
        for desk in desks.filter(|desk| desk.shown().is_some()) {
            self.show(desk.session(), shown, is_new);
        }
    }

    /// As with [`put`], a mailbox that is full ends its session by itself.
    fn show(&self, session: SessionId, shown: &Arc<Shown>, is_new: bool) {
        if let Some(mailbox) = self.seats.get(session) {
            let _ = mailbox.show(Arc::clone(shown), is_new);
        }
    }
}
