//! What passes between a client's stream and its driver.

use crate::framing::{StreamCondition, StreamError};
use crate::jid::FullJid;
use crate::limits::ANSWER_SECS_MAX;
use crate::sasl::Failure;
use crate::sasl::binding::Bindings;
use crate::sasl::fast::{Agent, FastMechanism};
use crate::sasl::scram::Distrust;
use crate::secret::Secret;
use crate::stanza::StanzaError;
use crate::stream::milestone::Milestone;
use crate::stream::phase::{Side, Violation};
use crate::xml::Element;

/// What a client wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The XMPP domain.
    pub domain: String,
    /// The account: the local part of its JID, unescaped.
    pub user: String,
    /// Its password.
    pub password: Secret<String>,
    /// The resource; none lets the server choose.
    pub resource: Option<String>,
    /// Whether the password may be sent as it is: over TLS, or where somebody said so.
    pub allows_plain: bool,
    /// What a login can be bound to: that of the TLS connection, if there is one already.
    pub bindings: Bindings,
    /// How to log in where the server has SASL2; none keeps to the words of RFC 6120.
    pub sasl2: Option<Sasl2Wish>,
    /// Whether a stream in clear text is to become one over TLS.
    pub starttls: StartTls,
    /// The client's part of a SCRAM nonce: random, made by the caller.
    pub nonce: String,
}

/// How a client logs in in the words of SASL2.
#[derive(Debug, Clone)]
pub struct Sasl2Wish {
    /// Which client this is: the same each time it comes.
    pub agent: Agent,
    /// What it is called, as the first part of its resource; none asks for a resource as of old.
    pub tag: Option<String>,
    /// What it was given the last time.
    pub token: Option<Held>,
}

/// A token that a client holds.
#[derive(Debug, Clone)]
pub struct Held {
    /// What it is good for.
    pub mechanism: FastMechanism,
    /// The token.
    pub text: Secret<String>,
    /// How often it is shown with this time; counted by the caller.
    pub count: u32,
}

/// What a client wants of STARTTLS (RFC 6120 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    /// Nothing: the stream is over TLS already, or on a carrier that has TLS of its own.
    Never,
    /// TLS if the server offers it.
    IfOffered,
    /// No login without it.
    Always,
}

/// What the caller must do, in order.
#[derive(Debug)]
pub enum Output {
    /// Send this unit.
    Transmit(Vec<u8>),
    /// Something happened.
    Event(Event),
    /// Flush, do the TLS handshake, then call [`super::Initiator::encrypted`].
    StartTls,
    /// Flush, then end the carrier. `None` is an orderly end; no output follows.
    Hangup(Option<Trouble>),
}

/// What the stream tells its driver.
#[derive(Debug)]
pub enum Event {
    /// A frame of the way to [`Event::Ready`] or of the stream's end went out or came in.
    Passed(Passage),
    /// The client has a token for next time; or the one it had is worth nothing any more.
    Token(Option<Held>),
    /// The client has its address and may send stanzas.
    Ready(FullJid),
    /// A stanza came.
    Stanza(Element),
}

/// A frame on its way, fit to be shown: what SASL carries is dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Who sent it.
    pub from: Side,
    /// What, as people read it: an element indented, a header or an end as on the wire.
    pub text: String,
    /// What it means.
    pub milestone: Option<Milestone>,
}

/// Why there is no stream, or no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No mechanism that both sides know and that is allowed here.
    #[error("the server offers no login that may be used here; it offers: {}", .0.join(", "))]
    NoMechanism(Vec<String>),
    /// TLS is wanted and the server does not have it, or somebody between took it away.
    #[error("the server offers no TLS on this connection (no <starttls/> in its features)")]
    NoTls,
    /// The server refused the login; the condition and its words.
    #[error("the login was refused: {0}")]
    Login(String, Option<String>),
    /// The server's part of the login was not right.
    #[error("{0}")]
    Distrust(#[from] Distrust),
    /// The server does not offer to bind.
    #[error("the server offers no address (no <bind/> in its features)")]
    NoBind,
    /// The server refused the resource.
    #[error("the resource was refused: {}", .0.condition.name())]
    Bind(StanzaError),
    /// The server ended the stream with an error.
    #[error("the server ended the stream: {}", .0.condition.name())]
    Stream(StreamError),
    /// The server did what it may not do now.
    #[error("{0}")]
    Violation(Violation),
    /// The server sent what is no frame.
    #[error("the server sent what is no XMPP: {}", .0.text.as_deref().unwrap_or_default())]
    Malformed(StreamError),
    /// The server did not answer in time.
    #[error("the server did not answer for {ANSWER_SECS_MAX} s")]
    Silent,
}

impl Trouble {
    /// Whether another try would end alike, or would fight with somebody.
    ///
    /// COMPAT: Cisco's desktop does not come back after a conflict: two would throw each other out
    /// for ever.
    pub fn is_final(&self) -> bool {
        use StreamCondition::{Conflict, HostGone, HostUnknown};
        match self {
            Self::Stream(error) => matches!(error.condition, Conflict | HostGone | HostUnknown),
            Self::Login(condition, _) => condition != Failure::TemporaryAuthFailure.name(),
            Self::NoMechanism(_)
            | Self::NoTls
            | Self::Distrust(_)
            | Self::NoBind
            | Self::Bind(_) => true,
            Self::Violation(_) | Self::Malformed(_) | Self::Silent => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_happen_again_is_not_tried_again() {
        let stream = |condition| Trouble::Stream(StreamError::new(condition)).is_final();
        assert!(stream(StreamCondition::Conflict) && stream(StreamCondition::HostUnknown));
        assert!(!stream(StreamCondition::SystemShutdown));
        assert!(!stream(StreamCondition::ConnectionTimeout));
        let login = |condition: &str| Trouble::Login(condition.to_owned(), None).is_final();
        assert!(login("not-authorized") && !login("temporary-auth-failure"));
        assert!(!Trouble::Silent.is_final());
    }
}
