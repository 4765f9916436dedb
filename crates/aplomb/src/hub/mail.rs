//! Messages from one person to another, their copies, and those that go back.

use std::sync::Arc;

use aplomb_core::jid::{FullJid, Jid};
use aplomb_core::realm::{Carbon, Reach, SessionId, carbon};
use aplomb_core::stanza::{Condition, StanzaError};
use aplomb_core::xml::Element;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{Hub, Presence, Seat, put};
use crate::clock;
use crate::limits::RETURNS_MAX;
use crate::mailbox::{Letter, Mail, Parcel};

/// A message on its way.
#[derive(Debug)]
pub(super) struct Message {
    /// Whose sessions.
    pub(super) to: Jid,
    /// Which of them.
    pub(super) reach: Reach,
    /// The message.
    pub(super) stanza: Arc<Element>,
    /// What the sender is sent if nobody takes it.
    pub(super) otherwise: Option<Element>,
    /// Whether other sessions of both get a carbon.
    pub(super) is_copied: bool,
}

/// What did not arrive, and somebody who carries it back.
#[derive(Debug)]
pub(super) struct Returns {
    pub(super) come_in: mpsc::Sender<Arc<Element>>,
    go_out: Mutex<Option<mpsc::Receiver<Arc<Element>>>>,
}

impl Returns {
    pub(super) fn new() -> Self {
        let (come_in, go_out) = mpsc::channel(RETURNS_MAX);
        Self { come_in, go_out: Mutex::new(Some(go_out)) }
    }
}

/// What came of putting a stanza into mailboxes.
#[derive(Debug, Default)]
pub(super) struct Reached {
    sessions: Vec<SessionId>,
    /// Whether some mailbox had no room for more of this sender.
    pub(super) is_full: bool,
}

impl Reached {
    pub(super) const fn count(&self) -> usize {
        self.sessions.len()
    }
}

impl Hub {
    /// Carries a message to its sessions, and copies of it to others of both people; returns what
    /// the sender is told.
    pub(super) fn carry(&self, asker: &Seat, message: Message) -> Option<Element> {
        let Message { to, reach, stanza, otherwise, is_copied } = message;
        if !self.are_acquainted(&asker.jid.to_bare(), &to.to_bare()) {
            return otherwise;
        }
        let presence = self.presence.read();
        let reached = self.hand_out(&presence, &asker.jid, &to, reach, &stanza);
        if reached.sessions.is_empty() {
            return if reached.is_full { is_full(&stanza) } else { otherwise };
        }
        if is_copied {
            copy(&presence, &asker.jid, Some(asker.id), &to, &stanza, &reached.sessions);
        }
        None
    }

    /// Puts a stanza into the mailboxes of those whom it reaches, as far as they have room.
    pub(super) fn hand_out(
        &self,
        presence: &Presence,
        from: &FullJid,
        to: &Jid,
        reach: Reach,
        stanza: &Arc<Element>,
    ) -> Reached {
        let mail = Mail::new(Arc::clone(stanza), self.returns.come_in.clone());
        let (sender, bytes) = (from.to_bare(), stanza.weight());
        let mut reached = Reached::default();
        presence.directory.reached(to, reach, |session| {
            let mailbox = presence.seats.get(session).filter(|mailbox| !mailbox.is_ended());
            let Some(mailbox) = mailbox else { return };
            match mailbox.room().place(sender.as_str(), bytes) {
                None => reached.is_full = true,
                Some(place) => {
                    let parcel = Parcel::new(Arc::clone(stanza), Some(Arc::clone(&mail)), place);
                    put(mailbox, Letter::Parcel(Arc::new(parcel)));
                    reached.sessions.push(session);
                }
            }
        });
        if reached.sessions.is_empty() {
            // Who sent it is told at once.
            mail.settle();
        }
        reached
    }

    /// Carries back what did not arrive, for as long as the hub is there. Only the first call does.
    pub async fn carry_back(self: Arc<Self>) {
        let Some(mut returned) = self.returns.go_out.lock().take() else { return };
        while let Some(stanza) = returned.recv().await {
            self.give_back(&stanza);
        }
    }

    /// Tries a chat's other sessions, as for an address that is gone (RFC 6121 §8.5.3.2.1); else
    /// tells the sender.
    fn give_back(&self, stanza: &Arc<Element>) {
        let address = |name| stanza.attr(name).and_then(|jid| Jid::new(jid).ok());
        let (Some(Ok(from)), Some(to)) = (address("from").map(Jid::try_into_full), address("to"))
        else {
            return;
        };
        if stanza.name() == "presence" || stanza.attr("type") == Some("headline") {
            return;
        }
        let (sender, reader) = (from.to_bare(), to.to_bare());
        let is_chat = stanza.attr("type") == Some("chat");
        let may_try = is_chat && self.are_acquainted(&sender, &reader);
        let presence = self.presence.read();
        let reach = Reach::Message;
        if may_try && self.hand_out(&presence, &from, &to, reach, stanza).count() > 0 {
            return;
        }
        let unread = StanzaError::new(Condition::ServiceUnavailable)
            .with_text("the session ended before it could take this");
        let Some(refusal) = unread.refuse(stanza).map(Arc::new) else { return };
        let bytes = refusal.weight();
        presence.directory.reached(&from, Reach::Session, |session| {
            let Some(mailbox) = presence.seats.get(session) else { return };
            if let Some(place) = mailbox.room().place(reader.as_str(), bytes) {
                let parcel = Parcel::new(Arc::clone(&refusal), None, place);
                put(mailbox, Letter::Parcel(Arc::new(parcel)));
            }
        });
    }

    /// Lets a session have carbons, or no more.
    pub fn set_carbons(&self, seat: &Seat, is_on: bool) {
        self.presence.write().directory.set_carbons(&seat.jid, seat.id, is_on);
    }

    /// Waits until the person of a session may send one more stanza to others.
    pub(super) async fn keep_pace(&self, seat: &Seat) {
        let wait = self.paces.wait(seat.jid.to_bare(), clock::moment());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

impl Presence {
    /// Puts what somebody wants to say into a mailbox, if it has room for more of it. A wish to
    /// see somebody comes again at his next presence.
    pub(super) fn put_from(&self, sender: &Jid, session: SessionId, stanza: &Arc<Element>) {
        let Some(mailbox) = self.seats.get(session) else { return };
        if let Some(place) = mailbox.room().place(sender.as_str(), stanza.weight()) {
            let parcel = Parcel::new(Arc::clone(stanza), None, place);
            put(mailbox, Letter::Parcel(Arc::new(parcel)));
        }
    }
}

/// Gives carbons to the sessions of both people that want them and have not got the message itself.
/// A mailbox without room goes without: the message is elsewhere.
fn copy(
    presence: &Presence,
    from: &FullJid,
    sender: Option<SessionId>,
    to: &Jid,
    stanza: &Arc<Element>,
    reached: &[SessionId],
) {
    let own = from.to_bare();
    let give = |side, account: &Jid| {
        for desk in presence.directory.desks_of(account).filter(|desk| desk.has_carbons()) {
            let session = desk.session();
            let has_it = reached.contains(&session) || sender == Some(session);
            let Some(mailbox) = presence.seats.get(session).filter(|_| !has_it) else { continue };
            let jid = account.to_bare().with_resource_str(desk.resource());
            let jid = jid.expect("the directory holds addresses");
            let copied = Arc::new(carbon(side, &jid, stanza));
            if let Some(place) = mailbox.room().place(own.as_str(), copied.weight()) {
                put(mailbox, Letter::Parcel(Arc::new(Parcel::new(copied, None, place))));
            }
        }
    };
    give(Carbon::Sent, &Jid::from(own.clone()));
    // What somebody sends to himself is a thing that he sent.
    if own != to.to_bare() {
        give(Carbon::Received, to);
    }
}

pub(super) fn is_full(stanza: &Element) -> Option<Element> {
    let full = StanzaError::new(Condition::ResourceConstraint)
        .with_text("too much of what you sent is not read yet; try again later");
    full.refuse(stanza)
}
