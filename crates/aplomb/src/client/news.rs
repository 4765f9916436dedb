//! What a client has to tell, as it happens.

use std::time::Duration;

use aplomb_core::stream::Side;
use aplomb_core::stream::initiator::Trouble;
use aplomb_core::xml::Element;

use super::position::Missed;
use crate::link::dial::ConnectError;

/// One thing that happened.
#[derive(Debug)]
pub struct News {
    /// When, since the client started.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// The kinds of news.
#[derive(Debug)]
pub enum What {
    /// Below XMPP: name, TCP, TLS, HTTP. A line to read.
    Link(String),
    /// A request or an answer of a step of the connection.
    Step(Step),
    /// An event of a node.
    Event(Event),
    /// Any other stanza that nobody asked for.
    Stanza(Element),
    /// What happened on a node between two connections.
    Missed(Missed),
    /// The connection is gone; the next attempt comes after this wait.
    Lost {
        /// Why.
        why: Loss,
        /// How long until the next attempt.
        wait: Duration,
    },
}

/// A request or an answer.
#[derive(Debug)]
pub struct Step {
    /// Who sent it.
    pub from: Side,
    /// As it may be shown: no secrets in it.
    pub text: String,
    /// What it means, in a sentence; the second half of a pair may have nothing to add.
    pub meaning: Option<String>,
}

/// An event of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The node.
    pub node: String,
    /// The item's id.
    pub id: Option<String>,
    /// The payload, unescaped; none for a retraction.
    pub payload: Option<String>,
    /// Whether it happened while the client was away.
    pub is_late: bool,
}

/// Why a connection ended that had been ready.
#[derive(Debug, thiserror::Error)]
pub enum Loss {
    /// It could not be made again.
    #[error("{0}")]
    NotConnected(#[from] ConnectError),
    /// The network or the server cut it.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Two pings were not answered.
    #[error("two pings in a row were not answered within {0} s")]
    Dead(u64),
    /// The stream ended.
    #[error("{0}")]
    Stream(#[from] Trouble),
    /// The server closed in order.
    #[error("the server closed the stream")]
    Closed,
}
