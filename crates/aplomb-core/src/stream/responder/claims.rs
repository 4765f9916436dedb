//! What a client's stanza claims before anybody else sees it, and what a violation deserves.

use super::super::phase::{Phase, Step, Violation};
use crate::framing::StreamCondition;
use crate::jid::{FullJid, Jid};
use crate::ns;
use crate::xml::Element;

/// Whether a stanza names its own sender or none (RFC 6120 §8.1.2.1).
pub(super) fn is_from(stanza: &Element, jid: &FullJid) -> bool {
    let Some(from) = stanza.attr("from") else { return true };
    from == jid.as_str()
        || Jid::new(from).is_ok_and(|from| match from.try_into_full() {
            Ok(full) => full == *jid,
            Err(bare) => bare == jid.to_bare(),
        })
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
        | (_, Step::Enable | Step::Resume | Step::Acknowledge) => StreamCondition::NotAuthorized,
        (_, Step::Open) => StreamCondition::BadFormat,
        (_, Step::Auth | Step::Response) => StreamCondition::PolicyViolation,
        (
            _,
            Step::Features
            | Step::StartTls
            | Step::Proceed
            | Step::TlsFailure
            | Step::Challenge
            | Step::Success
            | Step::Failure
            | Step::Enabled
            | Step::Resumed
            | Step::Unmanaged
            | Step::Unknown,
        ) => StreamCondition::UnsupportedStanzaType,
        (_, Step::Error | Step::Close) => StreamCondition::UndefinedCondition,
    }
}
