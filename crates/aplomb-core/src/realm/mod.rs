//! The XMPP side of the server: presence, routing, and one file per feature.
//!
//! `handle(asker, stanza, now)` returns effects; somebody else performs them. It never blocks, and
//! it keeps no state but who is online, which is [`Directory`].

pub mod directory;
mod effect;
mod features;
mod place;
mod shown;
mod sights;

pub use directory::{Desk, Directory, Left, Reach, SessionId};
pub use effect::Effect;
pub use features::{Carbon, announced, are_carbons_wanted, carbon, pushed_contact, standards};
pub use shown::{Show, Shown};
pub use sights::{Sight, Sights};

use crate::jid::{FullJid, Jid};
use crate::ns;
use crate::pubsub;
use crate::stanza::{Iq, IqKind, Message, Presence, PresenceKind, Stanza};
use crate::time::{Moment, WallTime};
use crate::xml::Element;
use features::{Answer, Ask, Speaks};
use place::Place;

/// What time it is, on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For ages.
    pub moment: Moment,
    /// For people.
    pub wall: WallTime,
}

/// What holds for a stream, before its login or after it.
#[derive(Debug, Clone, Copy)]
pub struct StreamFacts {
    /// Bytes of the longest element that a client may send.
    pub element_bytes_max: usize,
    /// Seconds of silence after which a client is asked for a sign of life, or its stream ends.
    pub idle_secs: u64,
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
    ///
    /// Nobody learns who else exists: what is not the server, its services or the asker's own
    /// account is answered the same whether or not it is there.
    pub fn handle(&self, asker: &FullJid, stanza: Stanza, now: Now) -> Vec<Effect> {
        match stanza {
            Stanza::Iq(iq) => self.iq(asker, iq, now),
            Stanza::Message(message) => self.message(asker, message),
            Stanza::Presence(presence) => self.presence(asker, presence),
        }
    }

    /// Answers one request, or passes on what is for a session of somebody. Answers to what we
    /// never asked are dropped (RFC 6120 §8.2.3).
    fn iq(&self, asker: &FullJid, mut iq: Iq, now: Now) -> Vec<Effect> {
        if let Some(to) = iq.to.clone().filter(|to| to.is_full() && self.is_person(to)) {
            iq.from = Some(Jid::from(asker.clone()));
            return features::pass_on(iq, to);
        }
        let (IqKind::Get(payload) | IqKind::Set(payload)) = &iq.kind else { return Vec::new() };
        let is_set = matches!(iq.kind, IqKind::Set(_));
        let answered = self.place(asker, iq.to.as_ref()).and_then(|place| {
            let ask = Ask { realm: self, place, is_set, payload, now };
            features::answer(&ask)
        });
        iq.from = Some(Jid::from(asker.clone()));
        match answered {
            Ok(Answer::Result(payload)) => vec![reply(iq.result(payload))],
            Ok(Answer::After(effect)) => vec![effect, reply(iq.result(None))],
            Ok(Answer::PubSub(request)) => vec![Effect::PubSub { iq: Box::new(iq), request }],
            Ok(Answer::Contacts) => vec![Effect::Contacts(Box::new(iq))],
            Ok(Answer::Roster(request)) => {
                vec![Effect::Roster { stanza: Box::new(Stanza::Iq(iq)), request }]
            }
            Err(error) => vec![reply(iq.error(error))],
        }
    }

    fn message(&self, asker: &FullJid, mut message: Message) -> Vec<Effect> {
        message.from = Some(asker.clone().into());
        let form = message.payload.iter().find(|child| child.is(ns::DATA_FORMS, "x"));
        if let (Ok(Place::PubSub), Some(form)) = (self.place(asker, message.to.as_ref()), form)
            && message.kind.as_deref() != Some("error")
        {
            return match features::decision(form) {
                Ok(Some(request)) => {
                    vec![Effect::PubSubMessage { message: Box::new(message), request }]
                }
                // An owner who leaves it open says nothing.
                Ok(None) => Vec::new(),
                Err(error) => vec![Effect::Reply(message.refused(&error).into_element())],
            };
        }
        let taker = features::FEATURES.iter().find_map(|feature| match feature.speaks {
            Speaks::Message(take) => Some(take),
            Speaks::Iq { .. } | Speaks::Presence(_) | Speaks::Nothing => None,
        });
        taker.map_or_else(Vec::new, |take| take(self, asker, message))
    }

    fn presence(&self, asker: &FullJid, mut presence: Presence) -> Vec<Effect> {
        presence.from = Some(Jid::from(asker.clone()));
        let takers = features::FEATURES.iter().filter_map(|feature| match feature.speaks {
            Speaks::Presence(take) => Some(take),
            Speaks::Iq { .. } | Speaks::Message(_) | Speaks::Nothing => None,
        });
        takers.flat_map(|take| take(self, asker, &presence)).collect()
    }

    /// Writes the answer to a pubsub request that [`Effect::PubSub`] asked for.
    pub fn pubsub_answer(
        &self,
        request: &Iq,
        outcome: Result<pubsub::Reply, pubsub::Refusal>,
    ) -> Element {
        let answer = match outcome {
            Ok(reply) => request.result(features::written(request, reply)),
            Err(refusal) => request.error(features::stanza_error(&refusal)),
        };
        answer.into_element()
    }

    /// Writes the answer to a message that [`Effect::PubSubMessage`] told of, if it is refused.
    pub fn pubsub_refused(&self, message: Message, refusal: &pubsub::Refusal) -> Element {
        message.refused(&features::stanza_error(refusal)).into_element()
    }

    /// Writes the message that tells one person of a node.
    pub fn told(&self, tidings: &pubsub::Tidings) -> Element {
        let service = Jid::new(&format!("pubsub.{}", self.domain));
        features::told_message(service.expect("our domain is one"), tidings)
    }

    /// The features that a stream offers: caps (XEP-0115 §6.3), roster versioning, limits.
    pub fn stream_features(&self, facts: StreamFacts) -> Vec<Element> {
        let makers = features::FEATURES.iter().filter_map(|feature| feature.stream);
        makers.map(|make| make(facts)).collect()
    }

    /// The presence of `finesse@domain`, without which Cisco's desktop waits for ever.
    ///
    /// COMPAT: Finesse's EventTunnel: it reports `connected` only after an available presence of
    /// the user `finesse`, and takes its `unavailable` for a server that is out of service. The
    /// resource is not known; `publisher` is ours.
    pub fn finesse_presence(&self, to: &FullJid, is_in_service: bool) -> Element {
        let from = format!("{FINESSE_USER}@{}/publisher", self.domain);
        let kind = if is_in_service { PresenceKind::Available } else { PresenceKind::Unavailable };
        let caps = is_in_service.then(features::finesse_caps);
        let presence = Element::new(ns::CLIENT, "presence").with_attr("from", from);
        let presence = presence.with_attr("to", to.as_str());
        match kind.name() {
            Some(kind) => presence.with_attr("type", kind),
            None => presence.with_children(caps),
        }
    }
}

fn reply(iq: Iq) -> Effect {
    Effect::Reply(iq.into_element())
}

/// The local part of the user in whose name Finesse's events come.
const FINESSE_USER: &str = "finesse";

#[cfg(test)]
mod tests;
