//! Who is subscribed and online; performs effects; puts notices into mailboxes.
//!
//! One lock holds who is there. Nothing awaits under it, and whoever puts letters into mailboxes
//! holds it for reading, so that a change of who is there is before a notice or after it.

mod greeting;
mod mail;
mod observers;
mod pace;
mod people;
mod present;
mod requests;
mod seats;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aplomb_core::jid::{self, BareJid, FullJid, Jid};
use aplomb_core::pubsub::{self, Notice, Reader, Shows, Tidings};
use aplomb_core::realm::{Directory, Effect, Realm, SessionId, Sights};
use aplomb_core::roster::Roster;
use aplomb_core::stanza::{Condition, Stanza, StanzaError};
use aplomb_core::time::Moment;
use aplomb_core::xml::Element;
use parking_lot::{RwLock, RwLockWriteGuard};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::clock;
use crate::limits::{SESSIONS_PER_ACCOUNT_MAX, WRITE_WAIT_SECS};
use crate::mailbox::{EndReason, Letter, Mailbox};
use mail::{Message, Returns};
pub use observers::{Observer, Observers, TooManyFeeds, Watch};
use pace::Paces;
pub use people::{Acquaintance, RosterJob};
use seats::Seats;

/// What only the writer can answer.
#[derive(Debug)]
pub enum Question {
    /// A request to the pubsub service.
    PubSub(Box<PubSubJob>),
    /// A change of a roster.
    Roster(RosterJob),
}

/// A pubsub request on its way to the writer.
#[derive(Debug)]
pub struct PubSubJob {
    /// Who asks.
    pub asker: FullJid,
    /// What.
    pub request: pubsub::Request,
    /// Where the answer goes; it comes when the changes are durable.
    pub answer: oneshot::Sender<Result<pubsub::Reply, pubsub::Refusal>>,
}

/// Whom a notice goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every available session.
    Everyone,
    /// The sessions of these addresses, in the states in which they want it; one that is meant
    /// twice gets it once, at its full JID.
    These(Arc<[Reader]>),
}

/// A session's place in the hub.
#[derive(Debug)]
pub struct Seat {
    /// The address.
    pub jid: FullJid,
    /// The key.
    pub id: SessionId,
    /// The session's mailbox.
    pub mailbox: Arc<Mailbox>,
}

/// The hub.
pub struct Hub {
    realm: Realm,
    questions: mpsc::Sender<Question>,
    answer_wait: Duration,
    presence: RwLock<Presence>,
    observers: Arc<Observers>,
    acquaintance: OnceLock<Acquaintance>,
    returns: Returns,
    paces: Paces,
    is_greeting: AtomicBool,
}

/// Who is there, and whether the contact centre is.
struct Presence {
    directory: Directory,
    seats: Seats,
    roster: Roster,
    sights: Sights,
    is_in_service: bool,
    /// Since when accounts are gone that were available; each only until somebody asks for it.
    gone: HashMap<BareJid, Moment>,
}

impl Presence {
    /// Notes that an account went, if no session of it is available any more, or that it came.
    fn note_absence(&mut self, jid: &FullJid, was_available: bool) {
        let is_available = self.directory.is_available(jid);
        if is_available {
            self.gone.remove(&jid.to_bare());
        } else if was_available {
            self.gone.insert(jid.to_bare(), clock::moment());
        }
    }
}

impl Hub {
    /// A hub where nobody is, of a contact centre in service.
    ///
    /// `questions` leads to the writer; it is bounded.
    pub fn new(realm: Realm, questions: mpsc::Sender<Question>) -> Arc<Self> {
        let presence = RwLock::new(Presence {
            directory: Directory::default(),
            seats: Seats::default(),
            roster: Roster::default(),
            sights: Sights::default(),
            is_in_service: true,
            gone: HashMap::new(),
        });
        let answer_wait = Duration::from_secs(WRITE_WAIT_SECS);
        let (observers, acquaintance) = (Arc::default(), OnceLock::new());
        let (returns, paces) = (Returns::new(), Paces::default());
        let is_greeting = AtomicBool::new(false);
        Arc::new(Self {
            realm,
            questions,
            answer_wait,
            presence,
            observers,
            acquaintance,
            returns,
            paces,
            is_greeting,
        })
    }

    /// Those who follow nodes without a seat.
    pub const fn observers(&self) -> &Arc<Observers> {
        &self.observers
    }

    /// The bare address of an account, if its name can be part of one.
    pub fn address_of(&self, account: &str) -> Option<BareJid> {
        jid::user_jid(account, &self.realm.domain).ok()
    }

    /// Seats a session. The one that had the address before is told `conflict`.
    ///
    /// - Errors: the account has too many sessions (RFC 6120 §7.6.2.1).
    pub fn bind(&self, jid: FullJid, mailbox: Arc<Mailbox>) -> Result<Seat, StanzaError> {
        let mut presence = self.presence.write();
        let has = presence.directory.sessions_of(&jid).count();
        if has >= SESSIONS_PER_ACCOUNT_MAX && !presence.directory.is_taken(&jid) {
            let text = format!("this account has {has} sessions already; end one first");
            return Err(StanzaError::new(Condition::ResourceConstraint).with_text(text));
        }
        let id = presence.seats.add(Arc::clone(&mailbox));
        let was_available = presence.directory.is_available(&jid);
        let old = presence.directory.join(&jid, id);
        presence.note_absence(&jid, was_available);
        if let Some(old) = &old
            && let Some(mailbox) = presence.seats.remove(old.session)
        {
            put(&mailbox, Letter::End(EndReason::Conflict));
        }
        if let Some(left) = old {
            Self::show_left(&RwLockWriteGuard::downgrade(presence), &jid, &left);
        }
        Ok(Seat { jid, id, mailbox })
    }

    /// Takes a session away.
    pub fn leave(&self, seat: &Seat) {
        let mut presence = self.presence.write();
        let was_available = presence.directory.is_available(&seat.jid);
        let left = presence.directory.leave(&seat.jid, seat.id);
        presence.seats.remove(seat.id);
        presence.note_absence(&seat.jid, was_available);
        if let Some(left) = left {
            Self::show_left(&RwLockWriteGuard::downgrade(presence), &seat.jid, &left);
        }
    }

    /// Handles a stanza of a bound session and performs its effects; returns what is to be sent
    /// to the session itself. The presence of `finesse@domain` comes by the mailbox.
    pub async fn receive(&self, seat: &Seat, stanza: Stanza) -> Vec<Element> {
        let mut replies = Vec::new();
        for effect in self.realm.handle(&seat.jid, stanza, clock::now()) {
            if effect.is_paced() {
                self.keep_pace(seat).await;
            }
            match effect {
                Effect::Reply(reply) => replies.push(reply),
                Effect::FinessePresence => self.show_finesse(seat),
                Effect::PubSub { iq, request } => {
                    let outcome = self.ask(&seat.jid, request).await;
                    replies.push(self.realm.pubsub_answer(&iq, outcome));
                }
                Effect::PubSubMessage { message, request } => {
                    if let Err(refusal) = self.ask(&seat.jid, request).await {
                        replies.push(self.realm.pubsub_refused(*message, &refusal));
                    }
                }
                Effect::Request { to, id, stanza, otherwise } => {
                    replies.extend(self.pass_request(seat, (&to, &id), &stanza, otherwise));
                }
                Effect::Answer { to, id, stanza } => self.pass_answer(seat, (&to, &id), &stanza),
                Effect::Message { to, reach, stanza, otherwise, is_copied } => {
                    let message = Message { to, reach, stanza, otherwise, is_copied };
                    replies.extend(self.carry(seat, message));
                }
                Effect::Carbons { is_on } => self.set_carbons(seat, is_on),
                Effect::Present(shown) => {
                    let was_there = self.is_there(seat);
                    self.present(seat, &shown);
                    self.greet(seat, was_there).await;
                }
                Effect::Direct { to, shown, otherwise } => {
                    if !self.show_directly(seat, &to, &shown) {
                        replies.push(otherwise);
                    }
                }
                Effect::Probe(to) => self.probe(seat, &to),
                Effect::Contacts(iq) => replies.push(self.roster_of(seat, &iq)),
                Effect::Roster { stanza, request } => {
                    let outcome = self.change_roster(seat, request).await;
                    replies.extend(self.realm.roster_reply(*stanza, outcome));
                }
            }
        }
        replies
    }

    /// The accounts that went before `moment` and did not come back. Each is told once.
    pub fn gone_before(&self, moment: Moment) -> Vec<BareJid> {
        let mut presence = self.presence.write();
        presence.gone.extract_if(|_, since| *since < moment).map(|(account, _)| account).collect()
    }

    /// Under the lock, so that it is in order with [`Hub::set_in_service`].
    fn show_finesse(&self, seat: &Seat) {
        let presence = self.presence.read();
        let shown = self.realm.finesse_presence(&seat.jid, presence.is_in_service);
        put(&seat.mailbox, Letter::Stanza(Arc::new(shown)));
    }

    /// Has the writer answer a question. A question that waited too long may be answered with a
    /// refusal and happen nevertheless, as with any server that one loses sight of.
    pub async fn ask(
        &self,
        asker: &FullJid,
        request: pubsub::Request,
    ) -> Result<pubsub::Reply, pubsub::Refusal> {
        let (answer, answered) = oneshot::channel();
        let job = PubSubJob { asker: asker.clone(), request, answer };
        let outcome = self.ask_writer(Question::PubSub(Box::new(job)), answered).await;
        outcome.unwrap_or(Err(pubsub::Refusal::Unavailable))
    }

    async fn ask_writer<T>(&self, question: Question, answered: oneshot::Receiver<T>) -> Option<T> {
        let asked = async {
            self.questions.send(question).await.ok()?;
            answered.await.ok()
        };
        timeout(self.answer_wait, asked).await.ok().flatten()
    }

    /// Puts a notice into the mailboxes of its audience; returns how many.
    pub fn publish(&self, notice: &Arc<Notice>, audience: &Audience) -> usize {
        let presence = self.presence.read();
        let mut count = 0;
        let mut tell = |session, to_full| {
            if let Some(mailbox) = presence.seats.get(session) {
                put(mailbox, Letter::Notice { notice: Arc::clone(notice), to_full });
                count += 1;
            }
        };
        match audience {
            Audience::Everyone => presence.directory.everyone(|session| tell(session, false)),
            Audience::These(readers) => {
                let meant = sessions_of(&presence.directory, readers);
                meant.into_iter().for_each(|(session, to_full)| tell(session, to_full));
            }
        }
        count
    }

    /// Tells one person of a node, as far as he is there.
    pub fn tell(&self, tidings: &Tidings) {
        let message = Arc::new(self.realm.told(tidings));
        let presence = self.presence.read();
        presence.directory.recipients(&tidings.to, |desk| {
            if let Some(mailbox) = presence.seats.get(desk.session()) {
                put(mailbox, Letter::Stanza(Arc::clone(&message)));
            }
        });
    }

    /// Tells everybody whether the contact centre is in service, as `finesse@domain`'s presence.
    pub fn set_in_service(&self, is_in_service: bool) {
        let mut presence = self.presence.write();
        if presence.is_in_service == is_in_service {
            return;
        }
        presence.is_in_service = is_in_service;
        presence.directory.available(|account, resource, session| {
            let jid = FullJid::new(&format!("{account}/{resource}"));
            let jid = jid.expect("the directory holds addresses");
            let shown = self.realm.finesse_presence(&jid, is_in_service);
            if let Some(mailbox) = presence.seats.get(session) {
                put(mailbox, Letter::Stanza(Arc::new(shown)));
            }
        });
    }

    /// Ends the sessions and feeds of one account, or of all.
    pub fn end(&self, account: Option<&str>, reason: EndReason) {
        let person = account.and_then(|account| self.address_of(account));
        if account.is_none() || person.is_some() {
            self.observers.end(person.as_ref(), reason);
        }
        let presence = self.presence.read();
        let tell = |mailbox: &Arc<Mailbox>| put(mailbox, Letter::End(reason));
        match account {
            None => presence.seats.iter().for_each(tell),
            Some(_) => {
                let Some(jid) = person else { return };
                let sessions = presence.directory.sessions_of(&jid);
                sessions.filter_map(|session| presence.seats.get(session)).for_each(tell);
            }
        }
    }

    /// Whether a session has this full address, available or not.
    pub fn is_taken(&self, jid: &Jid) -> bool {
        self.presence.read().directory.is_taken(jid)
    }

    /// How many sessions are seated.
    pub fn sessions(&self) -> usize {
        self.presence.read().seats.len()
    }
}

/// Each session once, at its full address if that is subscribed.
fn sessions_of(directory: &Directory, readers: &[Reader]) -> Vec<(SessionId, bool)> {
    let mut meant = Vec::with_capacity(readers.len());
    for Reader { jid, shows } in readers {
        let is_full = jid.is_full();
        directory.recipients(jid, |desk| {
            let show = || desk.shown().and_then(|shown| shown.show.name());
            // Nearly everybody takes events in every state, and an event may be for thousands.
            if *shows == Shows::ALL || show().is_some_and(|show| shows.has(show)) {
                meant.push((desk.session(), is_full));
            }
        });
    }
    meant.sort_unstable_by_key(|(session, is_full)| (*session, !is_full));
    meant.dedup_by_key(|(session, _)| *session);
    meant
}

/// A mailbox that is full ends its session by itself; that is all there is to do about it.
fn put(mailbox: &Mailbox, letter: Letter) {
    let _ = mailbox.push(letter);
}

#[cfg(test)]
mod tests;
