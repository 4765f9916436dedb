//! Stanzas: `iq`, `message`, `presence`, and the table of their errors (RFC 6120 §8).

mod error;
mod parse;
mod write;

pub use error::{Condition, ErrorType, StanzaError};
pub use parse::BadStanza;

use crate::jid::Jid;
use crate::limits::ECHOED_BYTES_MAX;
use crate::xml::Element;

/// One stanza (RFC 6120 §8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stanza {
    /// A request or its answer.
    Iq(Iq),
    /// A push without an answer.
    Message(Message),
    /// Availability.
    Presence(Presence),
}

/// A request or its answer (RFC 6120 §8.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iq {
    /// The sender.
    pub from: Option<Jid>,
    /// The addressee; none means the sender's own account (RFC 6120 §8.1.1.1).
    pub to: Option<Jid>,
    /// Pairs an answer with its request.
    pub id: String,
    /// What is asked or answered.
    pub kind: IqKind,
}

/// The four types of iq (RFC 6120 §8.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IqKind {
    /// Asks for something.
    Get(Element),
    /// Asks to change something.
    Set(Element),
    /// Answers; the payload may be empty.
    Result(Option<Element>),
    /// Refuses; the request's payload may be sent back with it.
    Error {
        /// Why.
        error: StanzaError,
        /// The payload of the request.
        request: Option<Element>,
    },
}

/// A push without an answer (RFC 6121 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender.
    pub from: Option<Jid>,
    /// The addressee.
    pub to: Option<Jid>,
    /// The sender's own name for it.
    pub id: Option<String>,
    /// The type as written: none means `normal`.
    pub kind: Option<String>,
    /// The language of what people read in it (RFC 6120 §8.1.5).
    pub lang: Option<String>,
    /// The content.
    pub payload: Vec<Element>,
}

/// Availability (RFC 6121 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The sender.
    pub from: Option<Jid>,
    /// The addressee; none means everybody who may know.
    pub to: Option<Jid>,
    /// The sender's own name for it.
    pub id: Option<String>,
    /// The type.
    pub kind: PresenceKind,
    /// Wish to be served before other resources, −128 to 127 (RFC 6121 §4.7.2.3).
    pub priority: i8,
    /// The content, without the priority.
    pub payload: Vec<Element>,
}

/// The types of presence (RFC 6121 §4.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceKind {
    /// No `type`: here.
    Available,
    /// Gone.
    Unavailable,
    /// Asks to see the other's presence.
    Subscribe,
    /// Allows it.
    Subscribed,
    /// Wants to see it no more.
    Unsubscribe,
    /// Allows it no more.
    Unsubscribed,
    /// Asks for the present state.
    Probe,
    /// Answers a presence that could not be handled.
    Error,
}

impl Presence {
    /// The refusal of this presence, with its content copied back unless it is large.
    pub fn error(&self, error: StanzaError) -> Self {
        let echoed = echoed(&self.payload).iter().cloned();
        let payload = echoed.chain([error.to_element()]).collect();
        let (from, to, id) = (self.to.clone(), self.from.clone(), self.id.clone());
        Self { from, to, id, kind: PresenceKind::Error, priority: 0, payload }
    }
}

impl Message {
    /// The message sent back to its sender with an error, and with its content unless it is large.
    #[must_use]
    pub fn refused(self, error: &StanzaError) -> Self {
        let Self { from, to, id, lang, mut payload, .. } = self;
        payload.truncate(echoed(&payload).len());
        payload.push(error.to_element());
        Self { from: to, to: from, id, kind: Some("error".to_owned()), lang, payload }
    }
}

impl Iq {
    /// The empty or full answer to this request, sent back to who asked.
    pub fn result(&self, payload: Option<Element>) -> Self {
        self.answer(IqKind::Result(payload))
    }

    /// The refusal of this request, with the request's own payload copied back unless it is large.
    pub fn error(&self, error: StanzaError) -> Self {
        let request = self.request().filter(|request| request.weight() <= ECHOED_BYTES_MAX);
        let request = request.cloned();
        self.answer(IqKind::Error { error, request })
    }

    /// The payload of a request; none for an answer.
    pub const fn request(&self) -> Option<&Element> {
        match &self.kind {
            IqKind::Get(payload) | IqKind::Set(payload) => Some(payload),
            IqKind::Result(_) | IqKind::Error { .. } => None,
        }
    }

    fn answer(&self, kind: IqKind) -> Self {
        Self { from: self.to.clone(), to: self.from.clone(), id: self.id.clone(), kind }
    }
}

/// What of a content goes back with an error: all or nothing.
fn echoed(payload: &[Element]) -> &[Element] {
    let weight: usize = payload.iter().map(Element::weight).sum();
    if weight <= ECHOED_BYTES_MAX { payload } else { &[] }
}
