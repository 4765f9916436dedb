//! The XMPP side of the server: presence, routing, and one file per feature.
//!
//! `handle(asker, stanza, now)` returns effects; somebody else performs them. It never blocks, and
//! it keeps no state but who is online, which is [`Directory`].

pub mod directory;
mod effect;
mod features;

pub use directory::{Directory, SessionId};
pub use effect::Effect;

use crate::jid::FullJid;
use crate::pubsub;
use crate::stanza::{Iq, Stanza};
use crate::time::{Moment, WallTime};
use crate::xml::Element;

/// What time it is, on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For ages.
    pub moment: Moment,
    /// For people.
    pub wall: WallTime,
}

/// The server's fixed facts.
#[derive(Debug, Clone)]
pub struct Realm {
    /// The XMPP domain.
    pub domain: String,
    /// Our own version, for XEP-0092.
    pub version: String,
}

impl Realm {
    /// Says what a bound client's stanza brings about.
    pub fn handle(&self, _asker: &FullJid, _stanza: Stanza, _now: Now) -> Vec<Effect> {
        todo!()
    }

    /// Writes the answer to a pubsub request that [`Effect::PubSub`] asked for.
    pub fn pubsub_answer(
        &self,
        _request: &Iq,
        _outcome: Result<pubsub::Reply, pubsub::Refusal>,
    ) -> Element {
        todo!()
    }

    /// The features that streams offer after login and before: caps (XEP-0115 §6.3), roster
    /// versioning.
    pub fn stream_features(&self) -> Vec<Element> {
        todo!()
    }

    /// The presence of `finesse@domain`, without which Cisco's desktop waits for ever.
    pub fn finesse_presence(&self, _to: &FullJid, _is_in_service: bool) -> Element {
        todo!()
    }
}
