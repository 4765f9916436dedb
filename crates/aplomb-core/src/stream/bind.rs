//! Resource binding: a logged-in client gets its full address.
//!
//! Pure: no I/O, no clock, no randomness. Source: RFC 6120 §7.

use jid::ResourcePart;

use crate::jid::FullJid;
use crate::ns;
use crate::stanza::{Condition, StanzaError};
use crate::xml::Element;

/// Why a wanted resource cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Longer than 1,023 bytes, or with characters that no resource may hold.
    #[error("this is no resource: it is longer than 1,023 bytes or holds forbidden characters")]
    BadResource,
}

impl From<BindError> for StanzaError {
    /// COMPAT: Openfire: a resource that is none is answered `jid-malformed`, where RFC 6120
    /// §7.7.2.1 has `bad-request`.
    fn from(error: BindError) -> Self {
        match error {
            BindError::BadResource => {
                Self::new(Condition::JidMalformed).with_text(error.to_string())
            }
        }
    }
}

/// Picks the resource of a new session, in its one spelling.
///
/// `wanted` is the client's choice, `fresh` the name to use when it has none. Whether somebody
/// has it already is for the caller to find out.
///
/// - Units: a resource is 1 to 1023 bytes of UTF-8.
/// - Errors: see [`BindError`].
/// - Source: RFC 6120 §7.6 and §7.7, RFC 7622 §3.4.
pub fn pick_resource(wanted: Option<&str>, fresh: &str) -> Result<String, BindError> {
    let wanted = wanted.filter(|wanted| !wanted.is_empty());
    let part = ResourcePart::new(wanted.unwrap_or(fresh)).map_err(|_| BindError::BadResource)?;
    Ok(part.as_str().to_owned())
}

/// The resource that a `<bind/>` asks for.
pub fn wanted_resource(bind: &Element) -> Option<String> {
    bind.child(ns::BIND, "resource").map(Element::text)
}

/// Writes `<bind><resource>desktop</resource></bind>`; no resource lets the server choose.
pub fn request(wanted: Option<&str>) -> Element {
    let resource = wanted.map(|wanted| Element::new(ns::BIND, "resource").with_text(wanted));
    Element::new(ns::BIND, "bind").with_children(resource)
}

/// Writes `<bind><jid>1001@cc.test/desktop</jid></bind>`.
pub fn result(jid: &FullJid) -> Element {
    let jid = Element::new(ns::BIND, "jid").with_text(jid.as_str());
    Element::new(ns::BIND, "bind").with_child(jid)
}

/// Reads the address that a server gave.
pub fn bound_jid(bind: &Element) -> Option<FullJid> {
    FullJid::new(&bind.child(ns::BIND, "jid")?.text()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: Option<&str>, expected: Result<&str, BindError>) {
        assert_eq!(pick_resource(wanted, "fresh"), expected.map(str::to_owned), "{wanted:?}");
    }

    #[test]
    fn a_client_gets_what_it_wants_or_a_fresh_name() {
        check(Some("desktop"), Ok("desktop"));
        check(Some("Mein Tisch/2"), Ok("Mein Tisch/2"));
        check(None, Ok("fresh"));
        check(Some(""), Ok("fresh"));
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        check(Some("a\u{7}"), Err(BindError::BadResource));
        check(Some(&"a".repeat(1024)), Err(BindError::BadResource));
        check(Some(&"a".repeat(1023)), Ok(&"a".repeat(1023)));
    }

    #[test]
    fn a_result_is_read_as_it_was_written() {
        let jid = FullJid::new("1001@cc.test/desktop").unwrap();
        assert_eq!(bound_jid(&result(&jid)), Some(jid));
        assert_eq!(bound_jid(&request(Some("desktop"))), None);
        assert_eq!(wanted_resource(&request(Some("desktop"))).as_deref(), Some("desktop"));
    }
}
