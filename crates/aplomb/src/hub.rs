//! Who is subscribed and online; performs effects; puts notices into mailboxes.

use std::sync::Arc;

use aplomb_core::jid::{FullJid, Jid};
use aplomb_core::pubsub::{self, Notice};
use aplomb_core::realm::{Realm, SessionId};
use aplomb_core::stanza::StanzaError;
use aplomb_core::xml::Element;
use tokio::sync::{mpsc, oneshot};

use crate::mailbox::Mailbox;

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
    /// The sessions of these addresses; one that is meant twice gets it once, at its full JID.
    These(Vec<Jid>),
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
pub struct Hub;

impl Hub {
    /// `questions` leads to the writer; it is bounded.
    pub fn new(_realm: Realm, _questions: mpsc::Sender<PubSubJob>) -> Arc<Self> {
        todo!()
    }

    /// Seats a session. The one that had the address before is told `conflict`.
    ///
    /// - Errors: the account has too many sessions.
    pub fn bind(&self, _jid: FullJid, _mailbox: Arc<Mailbox>) -> Result<Seat, StanzaError> {
        todo!()
    }

    /// Takes a session away.
    pub fn leave(&self, _seat: &Seat) {
        todo!()
    }

    /// Handles a stanza of a bound session and performs its effects; returns what is to be sent
    /// to the session itself.
    pub async fn receive(&self, _seat: &Seat, _stanza: Element) -> Vec<Element> {
        todo!()
    }

    /// Puts a notice into the mailboxes of its audience; returns how many.
    pub fn publish(&self, _notice: &Arc<Notice>, _audience: &Audience) -> usize {
        todo!()
    }

    /// Tells everybody whether the contact centre is in service, as `finesse@domain`'s presence.
    pub fn set_in_service(&self, _is_in_service: bool) {
        todo!()
    }

    /// Ends the sessions of one account, or of all.
    pub fn end(&self, _account: Option<&str>, _reason: crate::mailbox::EndReason) {
        todo!()
    }

    /// How many sessions are seated.
    pub fn sessions(&self) -> usize {
        todo!()
    }
}
