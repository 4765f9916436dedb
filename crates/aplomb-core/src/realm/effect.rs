//! What a stanza brings about.

use std::sync::Arc;

use super::{Reach, Shown};
use crate::jid::Jid;
use crate::pubsub;
use crate::roster;
use crate::stanza::{Iq, Message, Stanza};
use crate::xml::Element;

/// One thing to do, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send this to who asked.
    Reply(Element),
    /// Send [`super::Realm::finesse_presence`] to who asked: only the caller knows whether the
    /// contact centre is in service.
    FinessePresence,
    /// Ask the pubsub service, then send what [`super::Realm::pubsub_answer`] makes of it.
    PubSub {
        /// The request as it came.
        iq: Box<Iq>,
        /// The request as it is meant.
        request: pubsub::Request,
    },
    /// Ask the pubsub service, then send what [`super::Realm::pubsub_refused`] makes of it, if it
    /// refuses.
    PubSubMessage {
        /// The message as it came.
        message: Box<Message>,
        /// What it asks for.
        request: pubsub::Request,
    },
    /// Pass a request on to a session of somebody of our domain, if the asker may know of him.
    Request {
        /// Which session.
        to: Jid,
        /// What pairs its answer with it.
        id: String,
        /// The request, with its sender and addressee.
        stanza: Arc<Element>,
        /// What the asker is sent if nobody takes it; the same if he may not know of the other.
        otherwise: Element,
    },
    /// Pass the answer to such a request back, if it waits for one.
    Answer {
        /// Which session asked.
        to: Jid,
        /// What pairs it with the request.
        id: String,
        /// The answer, with its sender and addressee.
        stanza: Arc<Element>,
    },
    /// Carry a message to sessions of somebody of our domain, if the asker may know of him.
    Message {
        /// Whose sessions.
        to: Jid,
        /// Which of them.
        reach: Reach,
        /// The message, with its sender and addressee.
        stanza: Arc<Element>,
        /// What the asker is sent if nobody takes it; the same if he may not know of the other.
        otherwise: Option<Element>,
        /// Whether other sessions of both get a [`super::carbon`].
        is_copied: bool,
    },
    /// The asker wants carbons, or no more.
    Carbons {
        /// Whether it wants them.
        is_on: bool,
    },
    /// The asker says to everybody who sees him whether and how he is available.
    Present(Arc<Shown>),
    /// The asker says it to one address alone.
    Direct {
        /// Whose sessions.
        to: Jid,
        /// What they are shown.
        shown: Arc<Shown>,
        /// What the asker is sent if he said it to too many.
        otherwise: Element,
    },
    /// Show the asker how available somebody is, if he may see him.
    Probe(Jid),
    /// Send [`super::Realm::roster_answer`] to this request for the asker's roster.
    Contacts(Box<Iq>),
    /// Change the asker's roster, then send what [`super::Realm::roster_reply`] makes of it.
    Roster {
        /// The stanza that asks for it.
        stanza: Box<Stanza>,
        /// What it asks for.
        request: roster::Request,
    },
}

impl Effect {
    /// Whether it counts against the pace of its sender: what puts something into mailboxes of
    /// others, and what costs as much. Not an answer: it is the asker whose pace was counted, and
    /// who is asked by many must not be slowed down for it.
    pub const fn is_paced(&self) -> bool {
        match self {
            Self::Request { .. }
            | Self::Message { .. }
            | Self::Present(_)
            | Self::Direct { .. }
            | Self::Probe(_)
            | Self::Contacts(_)
            | Self::Roster { .. } => true,
            Self::Reply(_)
            | Self::Answer { .. }
            | Self::FinessePresence
            | Self::PubSub { .. }
            | Self::PubSubMessage { .. }
            | Self::Carbons { .. } => false,
        }
    }
}
