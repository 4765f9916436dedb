//! Presence: who is there, and how available (RFC 6121 §4).
//!
//! People see each other if they agreed to it. The user `finesse` is seen by everybody.

use std::sync::Arc;

use super::{Effect, Feature, Speaks, refused};
use crate::jid::{FullJid, Jid};
use crate::limits::PRESENCE_BYTES_MAX;
use crate::realm::place::Place;
use crate::realm::{Realm, Shown};
use crate::standard::Sample;
use crate::stanza::{Condition, Presence, PresenceKind, StanzaError};

pub(super) const FEATURE: Feature = Feature {
    name: "Presence",
    source: "RFC 6121 §4",
    what: "A client gets events after its first presence, at its bare address with a priority of \
           0 or more. Each presence of its own is followed by that of `finesse@domain`, without \
           which Cisco's desktop reports `connecting` for ever. It goes to everybody who may see \
           it and to the other sessions of the account, and is not echoed. It may be directed to \
           people of one's teams, and asked for.",
    samples: &[
        Sample::unanswered("<presence><priority>1</priority><show>away</show></presence>"),
        Sample::unanswered("<presence to='1002@cc.test'/>"),
        Sample::unanswered("<presence type='probe' to='1002@cc.test'/>"),
    ],
    announces: &[],
    stream: None,
    speaks: Speaks::Presence(take),
};

/// COMPAT: Finesse 11 to 15: own presence is not echoed, as in the tech note's walk, where only
/// the presence of service users follows (RFC 6121 §4.2.2 would have it echoed).
fn take(realm: &Realm, asker: &FullJid, presence: &Presence) -> Vec<Effect> {
    let is_available = presence.kind == PresenceKind::Available;
    match (presence.kind, &presence.to) {
        (PresenceKind::Available | PresenceKind::Unavailable, None) => {
            let Some(shown) = shown(asker, presence) else {
                return vec![refused(presence, too_long())];
            };
            let finesse = is_available.then_some(Effect::FinessePresence);
            [Effect::Present(shown)].into_iter().chain(finesse).collect()
        }
        (PresenceKind::Available | PresenceKind::Unavailable, Some(to)) if realm.is_person(to) => {
            let Some(shown) = shown(asker, presence) else {
                return vec![refused(presence, too_long())];
            };
            let error = StanzaError::new(Condition::PolicyViolation)
                .with_text("you showed yourself directly to too many; be unavailable to some");
            let otherwise = presence.error(error).into_element();
            vec![Effect::Direct { to: to.clone(), shown, otherwise }]
        }
        (PresenceKind::Probe, Some(to)) if is_finesse(realm, asker, to) => {
            vec![Effect::FinessePresence]
        }
        (PresenceKind::Probe, Some(to)) if realm.is_person(to) => vec![Effect::Probe(to.clone())],
        (PresenceKind::Available | PresenceKind::Probe, Some(to)) if !realm.is_ours(Some(to)) => {
            let error = StanzaError::new(Condition::RemoteServerNotFound);
            vec![refused(presence, error)]
        }
        // Services take no presence, subscriptions are a feature of their own, and the rest answers
        // what nobody asked.
        (
            PresenceKind::Available
            | PresenceKind::Unavailable
            | PresenceKind::Subscribe
            | PresenceKind::Subscribed
            | PresenceKind::Unsubscribe
            | PresenceKind::Unsubscribed
            | PresenceKind::Probe
            | PresenceKind::Error,
            _,
        ) => Vec::new(),
    }
}

/// What others get; none if it is too long for them.
fn shown(asker: &FullJid, presence: &Presence) -> Option<Arc<Shown>> {
    let shown = Shown::of(asker, presence);
    (shown.tail.len() <= PRESENCE_BYTES_MAX).then(|| Arc::new(shown))
}

fn too_long() -> StanzaError {
    let text = format!("a presence has at most {PRESENCE_BYTES_MAX} bytes");
    StanzaError::new(Condition::PolicyViolation).with_text(text)
}

fn is_finesse(realm: &Realm, asker: &FullJid, to: &Jid) -> bool {
    realm.place(asker, Some(to)) == Ok(Place::Finesse)
}
