//! Messages from one person to another (RFC 6121 §5, §8.5).

use std::sync::Arc;

use super::{Effect, Feature, Speaks, carbons, not_here};
use crate::jid::FullJid;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::ns;
use crate::realm::{Reach, Realm};
use crate::standard::{Hears, Sample};
use crate::stanza::{Condition, Message, StanzaError};
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Messages",
    source: "RFC 6121 §5",
    what: "One to one, between people who work in or supervise one team; everybody else is \
           answered like an address that does not exist. Nothing is kept for who is absent: the \
           sender gets `service-unavailable`, and knows that it was not read. See `people.md`.",
    samples: &[
        Sample {
            says: "<message to='1002@cc.test' type='chat'><body>hello</body></message>",
            hears: Hears::Answer("<service-unavailable"),
        },
        Sample {
            says: "<message to='nobody@cc.test'><subject>s</subject><body>hello</body></message>",
            hears: Hears::Answer("<service-unavailable"),
        },
        Sample::unanswered("<message to='1002@cc.test/desk' type='headline'/>"),
    ],
    announces: &[],
    stream: None,
    speaks: Speaks::Message(take),
};

/// The types of a message; one that is not known means `normal` (RFC 6121 §5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Chat,
    GroupChat,
    Headline,
    Error,
}

impl Kind {
    pub(super) fn of(message: &Message) -> Self {
        match message.kind.as_deref() {
            Some("chat") => Self::Chat,
            Some("groupchat") => Self::GroupChat,
            Some("headline") => Self::Headline,
            Some("error") => Self::Error,
            Some(_) | None => Self::Normal,
        }
    }
}

fn take(realm: &Realm, asker: &FullJid, mut message: Message) -> Vec<Effect> {
    let kind = Kind::of(&message);
    // Without an addressee it is for one's own account (RFC 6120 §10.3.1).
    let to = message.to.clone().unwrap_or_else(|| asker.to_bare().into());
    message.to = Some(to.clone());
    let element = message.clone().into_element();
    if element.to_xml().len() > MESSAGE_BYTES_MAX {
        message.payload.clear();
        return refuse(message, kind, &too_big());
    }
    if !realm.is_person(&to) {
        let error = realm.place(asker, Some(&to)).err().unwrap_or_else(not_here);
        return refuse(message, kind, &error);
    }
    let reach = match (kind, to.is_full()) {
        (Kind::Chat, _) | (Kind::Normal | Kind::Headline, false) => Reach::Message,
        (Kind::Normal | Kind::Headline | Kind::GroupChat | Kind::Error, true) => Reach::Session,
        // There are no rooms here, and an error is for the session that caused it
        // (RFC 6121 §8.5.2.1.1).
        (Kind::GroupChat, false) => return refuse(message, kind, &not_here()),
        (Kind::Error, false) => return Vec::new(),
    };
    let is_copied = carbons::is_copied(&message, kind);
    let stanza = Arc::new(carbons::without_mark(message.clone()).into_element());
    let otherwise = refusal(message, kind, &not_here());
    vec![Effect::Message { to, reach, stanza, otherwise, is_copied }]
}

fn refuse(message: Message, kind: Kind, error: &StanzaError) -> Vec<Effect> {
    refusal(message, kind, error).map(Effect::Reply).into_iter().collect()
}

/// Sends a message back. Nobody is told of an error that could not be told, which would go round in
/// circles (RFC 6120 §8.3.1), nor of a headline (RFC 6121 §8.5.2.2.1).
fn refusal(message: Message, kind: Kind, error: &StanzaError) -> Option<Element> {
    if matches!(kind, Kind::Error | Kind::Headline) {
        return None;
    }
    Some(message.refused(error).into_element())
}

/// What is said of a stanza to a person that is longer than one may be.
pub(super) fn too_big() -> StanzaError {
    let application = Element::new(ns::ERRORS, "stanza-too-big");
    StanzaError::new(Condition::PolicyViolation)
        .with_text(format!("a stanza to a person may have {MESSAGE_BYTES_MAX} bytes"))
        .with_application(application)
}
