//! What a client's stanza claims before anybody else sees it.

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
