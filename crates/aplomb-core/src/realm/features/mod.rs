//! One file per feature, and the list that dispatch, service discovery, docs and tests read.

mod caps;
mod carbons;
mod commands;
mod disco;
mod limits;
mod message;
mod ping;
mod presence;
mod pubsub;
mod request;
mod roster;
mod rsm;
mod session;
mod subscription;
mod time;
mod version;

pub(super) use caps::finesse_caps;
pub use carbons::{Carbon, are_carbons_wanted, carbon};
pub(super) use pubsub::{decision, stanza_error, told_message};
pub(super) use request::pass_on;
pub use roster::pushed_contact;

use super::place::Place;
use super::{Effect, Now, Realm, StreamFacts};
use crate::jid::FullJid;
use crate::pubsub::{Reply, Request};
use crate::standard::{Sample, Standard};
use crate::stanza::{Condition, Iq, Message, Presence, StanzaError};
use crate::xml::Element;

/// Everything that the server can do beyond the stream.
pub(super) const FEATURES: &[Feature] = &[
    session::FEATURE,
    roster::FEATURE,
    subscription::FEATURE,
    presence::FEATURE,
    message::FEATURE,
    request::FEATURE,
    carbons::FEATURE,
    carbons::FORWARDING,
    carbons::HINTS,
    disco::FEATURE,
    pubsub::FEATURE,
    rsm::FEATURE,
    pubsub::FORMS,
    pubsub::FORM_TYPES,
    pubsub::DELAY,
    commands::FEATURE,
    version::FEATURE,
    caps::FEATURE,
    ping::FEATURE,
    time::FEATURE,
    time::PROFILES,
    limits::FEATURE,
];

/// One feature.
pub(super) struct Feature {
    /// Its name in its standard.
    pub(super) name: &'static str,
    /// The standard.
    pub(super) source: &'static str,
    /// What we do of it, in a sentence or two.
    pub(super) what: &'static str,
    /// What a client says to it, from which malformed requests are made. A feature that only others
    /// speak of has none.
    pub(super) samples: &'static [Sample],
    /// What service discovery says where.
    pub(super) announces: &'static [(Place, &'static [&'static str])],
    /// What it adds to the stream's features.
    pub(super) stream: Option<fn(StreamFacts) -> Element>,
    /// What it listens to.
    pub(super) speaks: Speaks,
}

/// What a feature listens to.
pub(super) enum Speaks {
    /// Requests whose payload is in one of `namespaces`.
    Iq {
        namespaces: &'static [&'static str],
        answer: fn(&Ask<'_>) -> Answered,
        /// Writes what the pubsub service replied, if the feature asks it anything.
        write: Option<fn(&Iq, Reply) -> Option<Element>>,
    },
    /// Presence.
    Presence(fn(&Realm, &FullJid, &Presence) -> Vec<Effect>),
    /// Messages.
    Message(fn(&Realm, &FullJid, Message) -> Vec<Effect>),
    /// Nothing: others speak of it.
    Nothing,
}

/// A request on its way to a feature.
pub(super) struct Ask<'a> {
    pub(super) realm: &'a Realm,
    pub(super) place: Place,
    pub(super) is_set: bool,
    pub(super) payload: &'a Element,
    pub(super) now: Now,
}

/// What a feature says.
pub(super) enum Answer {
    /// The payload of the result.
    Result(Option<Element>),
    /// An empty result, after this has happened.
    After(Effect),
    /// Let the pubsub service say.
    PubSub(Request),
    /// Let the asker's roster be told.
    Contacts,
    /// Let the asker's roster be changed.
    Roster(crate::roster::Request),
}

pub(super) type Answered = Result<Answer, StanzaError>;

/// Has a request answered by the feature that speaks its namespace.
///
/// - Errors: `service-unavailable` when there is none (RFC 6120 §8.4).
pub(super) fn answer(ask: &Ask<'_>) -> Answered {
    let found = FEATURES.iter().find_map(|feature| match &feature.speaks {
        Speaks::Iq { namespaces, answer, .. } => {
            namespaces.contains(&ask.payload.ns()).then_some(answer)
        }
        Speaks::Presence(_) | Speaks::Message(_) | Speaks::Nothing => None,
    });
    found.map_or_else(|| Err(not_here()), |answer| answer(ask))
}

/// Writes a reply of the pubsub service in the form of the feature that asked.
pub(super) fn written(request: &Iq, reply: Reply) -> Option<Element> {
    let payload = request.request()?;
    let write = FEATURES.iter().find_map(|feature| match &feature.speaks {
        Speaks::Iq { namespaces, write, .. } if namespaces.contains(&payload.ns()) => *write,
        Speaks::Iq { .. } | Speaks::Presence(_) | Speaks::Message(_) | Speaks::Nothing => None,
    });
    write.and_then(|write| write(request, reply))
}

/// What service discovery says at a place, sorted.
fn announced_at(place: Place) -> Vec<&'static str> {
    let announces = FEATURES.iter().flat_map(|feature| feature.announces);
    let mut here: Vec<_> =
        announces.filter(|(at, _)| *at == place).flat_map(|(_, names)| *names).copied().collect();
    here.sort_unstable();
    here
}

/// Sends a presence back with an error.
fn refused(presence: &Presence, error: StanzaError) -> Effect {
    Effect::Reply(presence.error(error).into_element())
}

/// The answer to what nobody here understands.
pub(super) const fn not_here() -> StanzaError {
    StanzaError::new(Condition::ServiceUnavailable)
}

/// What each feature says of itself.
pub fn standards() -> impl Iterator<Item = Standard> {
    FEATURES.iter().map(|Feature { source, name, what, samples, .. }| Standard {
        source,
        name,
        what,
        samples,
    })
}

/// What service discovery says of a feature: the name of each place, and what is said there.
pub fn announced(source: &str) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let found = FEATURES.iter().find(|feature| feature.source == source);
    let announces = found.map_or(&[][..], |feature| feature.announces);
    announces.iter().map(|(place, names)| (place.name(), *names))
}
