//! Presence, as far as Finesse uses it (RFC 6121 §4).
//!
//! People do not see each other: their state is told on the nodes of users and teams. Only the
//! user `finesse` is seen, by everybody.

use super::{Effect, Feature, Speaks};
use crate::jid::{FullJid, Jid};
use crate::realm::Realm;
use crate::realm::place::Place;
use crate::standard::Sample;
use crate::stanza::{Presence, PresenceKind};

pub(super) const FEATURE: Feature = Feature {
    name: "Presence",
    source: "RFC 6121 §4",
    what: "A client gets events after its first presence, at its bare address with a priority of \
           0 or more. Each presence of its own is followed by that of `finesse@domain`, without \
           which Cisco's desktop reports `connecting` for ever. Presence is not echoed and not \
           shown to others; who asks for another's gets `unsubscribed`.",
    samples: &[
        Sample::unanswered("<presence><priority>1</priority><status>here</status></presence>"),
        Sample::unanswered("<presence to='finesse@cc.test' type='probe'/>"),
        Sample::unanswered("<presence to='1002@cc.test' type='subscribe'/>"),
    ],
    announces: &[],
    stream: None,
    speaks: Speaks::Presence(take),
};

/// COMPAT: Finesse 11 to 15: own presence is not echoed, as in the tech note's walk, where only
/// the presence of service users follows (RFC 6121 §4.2.2 would have it echoed).
fn take(realm: &Realm, asker: &FullJid, presence: &Presence) -> Vec<Effect> {
    match (presence.kind, &presence.to) {
        (PresenceKind::Available, None) => {
            vec![Effect::Present(Box::new(presence.clone())), Effect::FinessePresence]
        }
        (PresenceKind::Unavailable, None) => vec![Effect::Present(Box::new(presence.clone()))],
        (PresenceKind::Subscribe, Some(to)) => subscribe(realm, asker, to),
        (PresenceKind::Probe, Some(to)) if is_finesse(realm, asker, to) => {
            vec![Effect::FinessePresence]
        }
        // Directed presence has nobody to go to, and the rest answers what nobody asked.
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

/// Everybody sees `finesse` anyway; of the others nobody learns whether they exist
/// (RFC 6121 §3.1.3).
fn subscribe(realm: &Realm, asker: &FullJid, to: &Jid) -> Vec<Effect> {
    let answer = |kind| {
        let (from, to) = (Some(to.to_bare().into()), Some(asker.to_bare().into()));
        let presence = Presence { from, to, id: None, kind, priority: 0, payload: Vec::new() };
        Effect::Reply(crate::stanza::Stanza::Presence(presence).into_element())
    };
    match is_finesse(realm, asker, to) {
        true => vec![answer(PresenceKind::Subscribed), Effect::FinessePresence],
        false => vec![answer(PresenceKind::Unsubscribed)],
    }
}

fn is_finesse(realm: &Realm, asker: &FullJid, to: &Jid) -> bool {
    realm.place(asker, Some(to)) == Ok(Place::Finesse)
}
