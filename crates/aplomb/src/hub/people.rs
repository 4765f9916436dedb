//! What people have to do with each other: rosters, subscriptions, and stanzas from one to another
//! (RFC 6121 §2, §3, §8.5).

use std::sync::Arc;

use aplomb_core::jid::BareJid;
use aplomb_core::realm::Sight;
use aplomb_core::roster::{self, Delivery, Roster};
use aplomb_core::stanza::Iq;
use aplomb_core::xml::Element;
use parking_lot::RwLockWriteGuard;
use tokio::sync::oneshot;

use super::{Hub, Presence, Question, Seat};
use crate::mailbox::Letter;

/// Says whether two people may know of each other.
pub type Acquaintance = Box<dyn Fn(&BareJid, &BareJid) -> bool + Send + Sync>;

/// A change of somebody's roster on its way to the writer.
#[derive(Debug)]
pub struct RosterJob {
    /// Who asks.
    pub owner: BareJid,
    /// What.
    pub request: roster::Request,
    /// Where the answer goes; it comes when the change is durable.
    pub answer: oneshot::Sender<Result<(), roster::Refusal>>,
}

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

    /// Takes the rosters as they are when the server starts, before anybody is there.
    pub fn open_rosters(&self, roster: Roster, sights: &[Sight]) {
        let mut presence = self.presence.write();
        presence.roster = roster;
        for sight in sights {
            presence.sights.adopt(sight);
        }
    }

    /// Shows changes that are durable: tells them, and lets see and see no more whom they concern.
    pub fn tell_people(&self, changes: &[roster::Change], said: &[Delivery], sights: &[Sight]) {
        if changes.is_empty() && said.is_empty() && sights.is_empty() {
            return;
        }
        let mut presence = self.presence.write();
        changes.iter().for_each(|change| presence.roster.adopt(change));
        let news: Vec<&Sight> = sights.iter().filter(|s| presence.sights.adopt(s)).collect();
        // Whoever comes or goes meanwhile is before all of it or after.
        let presence = RwLockWriteGuard::downgrade(presence);
        said.iter().for_each(|delivery| self.pass_on(&presence, delivery));
        news.into_iter().for_each(|sight| presence.show_sight(sight));
    }

    fn pass_on(&self, presence: &Presence, delivery: &Delivery) {
        match delivery {
            Delivery::Push { owner, contact, version } => {
                for desk in presence.directory.desks_of(owner).filter(|desk| desk.is_interested()) {
                    let push = self.realm.roster_push(owner, desk.resource(), contact, *version);
                    presence.put(desk.session(), Letter::Stanza(Arc::new(push)));
                }
            }
            Delivery::Say { word, from, to, stanza } => {
                let stanza = self.realm.said(*word, from, to, stanza.as_deref());
                let stanza = Arc::new(stanza);
                let is_asked = *word == roster::Word::Subscribe;
                let desks = presence.directory.desks_of(to).filter(|desk| match is_asked {
                    true => desk.shown().is_some(),
                    false => desk.is_interested(),
                });
                desks.for_each(|desk| {
                    presence.put_from(from, desk.session(), &stanza);
                });
            }
        }
    }

    /// Answers a session that asks for its roster, which is told of changes from now on.
    /// It is written when the lock is let go: nobody else waits for that.
    pub(super) fn roster_of(&self, seat: &Seat, iq: &Iq) -> Element {
        let owner = seat.jid.to_bare();
        let mut presence = self.presence.write();
        presence.directory.set_interested(&seat.jid, seat.id);
        let presence = RwLockWriteGuard::downgrade(presence);
        let contacts: Vec<_> = presence.roster.contacts(&owner).map(Arc::clone).collect();
        let version = presence.roster.version(&owner);
        drop(presence);
        self.realm.roster_answer(iq, version, contacts.iter())
    }

    /// Has the writer change a roster.
    pub(super) async fn change_roster(
        &self,
        seat: &Seat,
        request: roster::Request,
    ) -> Result<(), roster::Refusal> {
        let (answer, answered) = oneshot::channel();
        let job = RosterJob { owner: seat.jid.to_bare(), request, answer };
        let outcome = self.ask_writer(Question::Roster(job), answered).await;
        outcome.unwrap_or(Err(roster::Refusal::Unavailable))
    }
}
