//! What a stanza brings about.

use crate::pubsub;
use crate::stanza::Iq;
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
    /// The asker is available with this priority.
    Available {
        /// −128 to 127.
        priority: i8,
    },
    /// The asker is here no more for others, though its stream lives.
    Unavailable,
}
