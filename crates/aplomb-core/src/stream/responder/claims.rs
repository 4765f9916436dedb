//! What a client's stanza claims before anybody else sees it, and what a violation deserves.

use super::super::phase::{Phase, Step, Violation};
use crate::framing::StreamCondition;
use crate::jid::{FullJid, Jid};
use crate::ns;
use crate::xml::Element;

/// What an answer takes from a stanza, which is gone by the time that it is known to be bad.
pub(super) struct Head {
    name: String,
    kind: Option<String>,
    id: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

impl Head {
    pub(super) fn of(stanza: &Element) -> Self {
        let attr = |name| stanza.attr(name).map(str::to_owned);
        Self {
            name: stanza.name().to_owned(),
            kind: attr("type"),
            id: attr("id"),
            from: attr("from"),
            to: attr("to"),
        }
    }

    /// Whether the stanza answers another one.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self.kind.as_deref(), Some("error" | "result"))
    }

    /// An empty answer of this type, from where the stanza went, if that is an address.
    pub(super) fn answer(self, kind: &str) -> Element {
        let mut answer = Element::new(ns::CLIENT, self.name).with_attr("type", kind);
        let from = self.to.filter(|to| Jid::new(to).is_ok());
        for (name, value) in [("id", self.id), ("from", from), ("to", self.from)] {
            if let Some(value) = value {
                answer.set_attr(name, value);
            }
        }
        answer
    }
}

/// Whether a stanza names its own sender or none (RFC 6120 §8.1.2.1).
pub(super) fn is_from(stanza: &Element, jid: &FullJid) -> bool {
    let Some(from) = stanza.attr("from") else { return true };
    from == jid.as_str()
        || Jid::new(from).is_ok_and(|from| match from.try_into_full() {
            Ok(full) => full == *jid,
            Err(bare) => bare == jid.to_bare(),
        })
}

/// People read a message in the language of its stream, if it says no other (RFC 6120 §8.1.5).
pub(super) fn give_language(stanza: &mut Element, of_stream: Option<&str>) {
    if let Some(lang) = of_stream.filter(|_| stanza.name() == "message")
        && stanza.attr_in(ns::XML, "lang").is_none()
    {
        stanza.set_attr_in(ns::XML, "lang", lang);
    }
}

/// Whether this is the request of RFC 3921 §3, which every client of Openfire still sends.
pub(super) fn asks_for_session(stanza: &Element, domain: &str) -> bool {
    stanza.name() == "iq"
        && stanza.attr("type") == Some("set")
        && stanza.attr("to").is_none_or(|to| to == domain)
        && stanza.child(ns::SESSION, "session").is_some()
}

/// The stream error that a client's violation of the grammar is answered with.
pub(super) const fn condition(violation: &Violation, step: Step) -> StreamCondition {
    match (violation.phase, step) {
        // COMPAT: Openfire: whatever comes instead of an open is of an unsupported type.
        (Phase::ExpectOpen(_), _) => StreamCondition::UnsupportedStanzaType,
        // RFC 6120 §4.9.3.12 and §7.1.
        (_, Step::Bind | Step::Result | Step::Refusal | Step::Stanza)
        | (_, Step::Enable | Step::Resume | Step::Acknowledge | Step::ClientState) => {
            StreamCondition::NotAuthorized
        }
        (_, Step::Open) => StreamCondition::BadFormat,
        (_, Step::Auth(_) | Step::Response(_)) => StreamCondition::PolicyViolation,
        (
            _,
            Step::Features
            | Step::StartTls
            | Step::Proceed
            | Step::TlsFailure
            | Step::Challenge(_)
            | Step::Success(_)
            | Step::Arrival
            | Step::Failure(_)
            | Step::Enabled
            | Step::Resumed
            | Step::Unmanaged
            | Step::Unknown,
        ) => StreamCondition::UnsupportedStanzaType,
        (_, Step::Error | Step::Close) => StreamCondition::UndefinedCondition,
    }
}
