//! Who may see whose presence: asked, allowed, denied, ended (RFC 6121 §3).

use super::{Effect, Feature, Speaks, refused};
use crate::jid::{BareJid, FullJid, Jid};
use crate::limits::WISH_BYTES_MAX;
use crate::ns;
use crate::realm::place::Place;
use crate::realm::{Realm, StreamFacts};
use crate::roster::{Refusal, Request, Word};
use crate::standard::Sample;
use crate::stanza::{Condition, Presence, PresenceKind, Stanza, StanzaError};
use crate::xml::{Element, Prologue, read_element};

pub(super) const FEATURE: Feature = Feature {
    name: "Presence Subscriptions",
    source: "RFC 6121 §3",
    what: "People of one team may ask to see each other's presence, and allow it, also \
           beforehand. Who asks somebody of another team, or who does not exist, waits for ever. \
           Everybody sees `finesse@domain`.",
    samples: &[
        Sample::unanswered("<presence type='subscribe' to='1002@cc.test'/>"),
        Sample::unanswered("<presence type='unsubscribed' to='nobody@cc.test'/>"),
    ],
    announces: &[],
    stream: Some(approval),
    speaks: Speaks::Presence(take),
};

fn approval(_: StreamFacts) -> Element {
    Element::new(ns::PRE_APPROVAL, "sub")
}

fn take(realm: &Realm, asker: &FullJid, presence: &Presence) -> Vec<Effect> {
    let Some(word) = word_of(presence.kind) else { return Vec::new() };
    let refuse = |condition| vec![refused(presence, StanzaError::new(condition))];
    let Some(to) = &presence.to else { return refuse(Condition::BadRequest) };
    match (realm.place(asker, Some(to)), word) {
        (Ok(Place::Finesse), Word::Subscribe) => {
            vec![answered(asker, to, PresenceKind::Subscribed), Effect::FinessePresence]
        }
        (Ok(Place::Server | Place::PubSub), Word::Subscribe) => {
            vec![answered(asker, to, PresenceKind::Unsubscribed)]
        }
        (Ok(Place::Finesse | Place::Server | Place::PubSub), _) => Vec::new(),
        (Ok(Place::Account), _) => say(asker, presence, word, to.to_bare()),
        (Err(_), _) if realm.is_person(to) => say(asker, presence, word, to.to_bare()),
        (Err(error), Word::Subscribe) => refuse(error.condition),
        (Err(_), _) => Vec::new(),
    }
}

fn say(asker: &FullJid, presence: &Presence, word: Word, to: BareJid) -> Vec<Effect> {
    let (from, kind) = (asker.to_bare(), presence.kind);
    let (id, payload) = (presence.id.clone(), presence.payload.clone());
    let stanza = written(&from, &to, kind, id, payload).to_xml();
    if stanza.len() > WISH_BYTES_MAX {
        let error = StanzaError::new(Condition::NotAcceptable);
        let text = format!("this has {} bytes; at most {WISH_BYTES_MAX} are kept", stanza.len());
        return vec![refused(presence, error.with_text(text))];
    }
    let request = Request::Say { word, to, stanza: stanza.into() };
    vec![Effect::Roster { stanza: Box::new(Stanza::Presence(presence.clone())), request }]
}

/// Everybody sees `finesse` anyway, and the services have no presence.
fn answered(asker: &FullJid, to: &Jid, kind: PresenceKind) -> Effect {
    Effect::Reply(written(&to.to_bare(), &asker.to_bare(), kind, None, Vec::new()))
}

impl Realm {
    /// Writes what `from` says to `to` about a subscription: his own stanza, or ours for him.
    pub fn said(&self, word: Word, from: &BareJid, to: &BareJid, own: Option<&str>) -> Element {
        let own = own.and_then(|text| read_element(text, Prologue::Forbidden).ok());
        own.unwrap_or_else(|| written(from, to, kind_of(word), None, Vec::new()))
    }

    /// Writes the answer to a change that [`Effect::Roster`] asked for, if one is due.
    pub fn roster_reply(&self, stanza: Stanza, outcome: Result<(), Refusal>) -> Option<Element> {
        match (stanza, outcome) {
            (Stanza::Iq(iq), Ok(())) => Some(iq.result(None).into_element()),
            (Stanza::Iq(iq), Err(refusal)) => Some(iq.error(error_of(refusal)).into_element()),
            (Stanza::Presence(presence), Err(refusal)) => {
                Some(presence.error(error_of(refusal)).into_element())
            }
            (Stanza::Presence(_) | Stanza::Message(_), _) => None,
        }
    }
}

fn written(
    from: &BareJid,
    to: &BareJid,
    kind: PresenceKind,
    id: Option<String>,
    payload: Vec<Element>,
) -> Element {
    let (from, to) = (Some(Jid::from(from.clone())), Some(Jid::from(to.clone())));
    Presence { from, to, id, kind, priority: 0, payload }.into_element()
}

const fn word_of(kind: PresenceKind) -> Option<Word> {
    match kind {
        PresenceKind::Subscribe => Some(Word::Subscribe),
        PresenceKind::Subscribed => Some(Word::Subscribed),
        PresenceKind::Unsubscribe => Some(Word::Unsubscribe),
        PresenceKind::Unsubscribed => Some(Word::Unsubscribed),
        PresenceKind::Available
        | PresenceKind::Unavailable
        | PresenceKind::Probe
        | PresenceKind::Error => None,
    }
}

const fn kind_of(word: Word) -> PresenceKind {
    match word {
        Word::Subscribe => PresenceKind::Subscribe,
        Word::Subscribed => PresenceKind::Subscribed,
        Word::Unsubscribe => PresenceKind::Unsubscribe,
        Word::Unsubscribed => PresenceKind::Unsubscribed,
    }
}

fn error_of(refusal: Refusal) -> StanzaError {
    let (condition, text) = match refusal {
        Refusal::Oneself => (Condition::NotAllowed, "nobody is his own contact"),
        Refusal::Unknown => (Condition::ItemNotFound, "there is no such contact"),
        Refusal::NotAcceptable => {
            (Condition::NotAcceptable, "a name is too long, a group's empty, or groups too many")
        }
        Refusal::Full => (
            Condition::PolicyViolation,
            "the roster is full; remove a contact, or shorten names, first",
        ),
        Refusal::Unavailable => (Condition::ResourceConstraint, "try again later"),
    };
    StanzaError::new(condition).with_text(text)
}
