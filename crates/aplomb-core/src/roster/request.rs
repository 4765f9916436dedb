//! What may be asked of a roster, and what comes of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Change, Contact};
use crate::jid::BareJid;

/// A request of a roster's owner, without its XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Lists a contact, or names and groups it anew (RFC 6121 §2.3, §2.4).
    Set {
        /// Who.
        contact: BareJid,
        /// What he is to be called.
        name: Option<String>,
        /// The groups he is to be in, and no others.
        groups: BTreeSet<String>,
    },
    /// Takes a contact out, and ends all subscriptions with him (RFC 6121 §2.5).
    Remove {
        /// Who.
        contact: BareJid,
    },
    /// Says something about a subscription (RFC 6121 §3).
    Say {
        /// What.
        word: Word,
        /// To whom.
        to: BareJid,
        /// The stanza that says it, which he gets.
        stanza: Arc<str>,
    },
}

/// What people say to each other about subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Word {
    /// May I see you? (RFC 6121 §3.1)
    Subscribe,
    /// Yes (RFC 6121 §3.1.4).
    Subscribed,
    /// I do not want to see you any more (RFC 6121 §3.3).
    Unsubscribe,
    /// No, or no more (RFC 6121 §3.2).
    Unsubscribed,
}

/// What is to be told, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// To the owner's sessions: a contact is as told (RFC 6121 §2.1.6).
    Push {
        /// Whose roster.
        owner: BareJid,
        /// The contact; it is out of the roster when it is not listed.
        contact: Arc<Contact>,
        /// The roster's version.
        version: u64,
    },
    /// To the sessions of `to`: what `from` says.
    Say {
        /// What.
        word: Word,
        /// Who says it.
        from: BareJid,
        /// To whom.
        to: BareJid,
        /// The stanza that says it; without one the server says it for him.
        stanza: Option<Arc<str>>,
    },
}

/// A planned request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What changes.
    pub changes: Vec<Change>,
    /// What to tell when the changes are durable.
    pub deliveries: Vec<Delivery>,
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody is his own contact.
    Oneself,
    /// There is no such contact.
    Unknown,
    /// A name or the name of a group is empty where it must not be, or too long; or there are too
    /// many groups.
    NotAcceptable,
    /// The roster is full.
    Full,
    /// The server cannot keep it just now.
    Unavailable,
}
