//! From an element to a stanza.

use super::{Condition, Iq, IqKind, Message, Presence, PresenceKind, Stanza, StanzaError};
use crate::jid::Jid;
use crate::ns;
use crate::xml::Element;

/// Why an element is no stanza.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadStanza {
    /// Not `iq`, `message` or `presence`: the stream ends (RFC 6120 §4.9.3.24).
    NotAStanza,
    /// A stanza that cannot be read; the error that its sender is told (RFC 6120 §8.3).
    Refused(StanzaError),
}

impl Stanza {
    /// Reads a stanza.
    ///
    /// - Errors: see [`BadStanza`].
    /// - Source: RFC 6120 §8.1 to §8.2.
    pub fn parse(element: Element) -> Result<Self, BadStanza> {
        if element.ns() != ns::CLIENT {
            return Err(BadStanza::NotAStanza);
        }
        let from = address(&element, "from")?;
        let to = address(&element, "to")?;
        match element.name() {
            "iq" => iq(element, from, to).map(Self::Iq),
            "message" => Ok(Self::Message(message(element, from, to))),
            "presence" => presence(element, from, to).map(Self::Presence),
            _ => Err(BadStanza::NotAStanza),
        }
    }
}

fn address(element: &Element, name: &str) -> Result<Option<Jid>, BadStanza> {
    let parse = |text| Jid::new(text).map_err(|_| refused(Condition::JidMalformed));
    element.attr(name).map(parse).transpose()
}

fn refused(condition: Condition) -> BadStanza {
    BadStanza::Refused(StanzaError::new(condition))
}

fn iq(element: Element, from: Option<Jid>, to: Option<Jid>) -> Result<Iq, BadStanza> {
    let id = element.attr("id").ok_or_else(|| refused(Condition::BadRequest))?.to_owned();
    let kind = element.attr("type").unwrap_or_default().to_owned();
    let mut payload = element.into_children();
    let (first, second) = (payload.next(), payload.next());
    let kind = match (kind.as_str(), first, second) {
        ("get", Some(request), None) => IqKind::Get(request),
        ("set", Some(request), None) => IqKind::Set(request),
        ("result", payload, None) => IqKind::Result(payload),
        ("error", first, second) => error(first, second)?,
        _ => return Err(refused(Condition::BadRequest)),
    };
    Ok(Iq { from, to, id, kind })
}

fn error(first: Option<Element>, second: Option<Element>) -> Result<IqKind, BadStanza> {
    let is_error = |element: &Element| element.is(ns::CLIENT, "error");
    let (errors, others): (Vec<_>, Vec<_>) = first.into_iter().chain(second).partition(is_error);
    let error = errors.first().ok_or_else(|| refused(Condition::BadRequest))?;
    Ok(IqKind::Error {
        error: StanzaError::from_element(error),
        request: others.into_iter().next(),
    })
}

fn message(element: Element, from: Option<Jid>, to: Option<Jid>) -> Message {
    Message {
        from,
        to,
        id: element.attr("id").map(str::to_owned),
        kind: element.attr("type").map(str::to_owned),
        lang: element.attr_in(ns::XML, "lang").map(str::to_owned),
        payload: element.into_children().collect(),
    }
}

fn presence(element: Element, from: Option<Jid>, to: Option<Jid>) -> Result<Presence, BadStanza> {
    let kind = match element.attr("type") {
        None => PresenceKind::Available,
        Some(name) => PresenceKind::named(name).ok_or_else(|| refused(Condition::BadRequest))?,
    };
    let id = element.attr("id").map(str::to_owned);
    let priority = match element.child(ns::CLIENT, "priority") {
        None => 0,
        Some(element) => {
            element.text().trim().parse().map_err(|_| refused(Condition::BadRequest))?
        }
    };
    let payload = element.into_children().filter(|c| !c.is(ns::CLIENT, "priority")).collect();
    Ok(Presence { from, to, id, kind, priority, payload })
}

impl PresenceKind {
    /// The value of the `type` attribute; none when available.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Available => None,
            Self::Unavailable => Some("unavailable"),
            Self::Subscribe => Some("subscribe"),
            Self::Subscribed => Some("subscribed"),
            Self::Unsubscribe => Some("unsubscribe"),
            Self::Unsubscribed => Some("unsubscribed"),
            Self::Probe => Some("probe"),
            Self::Error => Some("error"),
        }
    }

    /// The type whose attribute has this value.
    pub fn named(name: &str) -> Option<Self> {
        let named = [
            Self::Unavailable,
            Self::Subscribe,
            Self::Subscribed,
            Self::Unsubscribe,
            Self::Unsubscribed,
            Self::Probe,
            Self::Error,
        ];
        named.into_iter().find(|kind| kind.name() == Some(name))
    }
}
