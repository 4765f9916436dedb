//! Addresses: `user@domain/resource` (RFC 7622), and the escaping of user names (XEP-0106).
//!
//! The parts are normalised by the `jid` crate, so two spellings of one address are one value.

pub use ::jid::{BareJid, DomainPart, FullJid, Jid};

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an XMPP address: {0}")]
pub struct NotAJid(pub String);

/// Makes the bare JID of a Finesse user.
///
/// - Shape: `1001@uccxpub.prabhat.com`; the id is lower-cased, as Cisco's tunnel does.
/// - Errors: an id that is empty or over 1,023 bytes once escaped, or a malformed domain.
/// - Source: XEP-0106 §3 for characters that a local part must not hold.
pub fn user_jid(id: &str, domain: &str) -> Result<BareJid, NotAJid> {
    let text = format!("{}@{domain}", escape(id));
    BareJid::new(&text).map_err(|error| NotAJid(error.to_string()))
}

/// Gives the one spelling of an account's name under which everybody looks it up.
///
/// Escapes are undone, letters are lower-cased and look-alikes folded as in a JID, so `ADMIN`,
/// `ⓐdmin` and `admin` are one account.
///
/// - Errors: as for [`user_jid`].
/// - Source: RFC 7622 §3.3, XEP-0106 §3.
pub fn account_name(name: &str) -> Result<String, NotAJid> {
    let jid = user_jid(&unescape(name), "domain.invalid")?;
    Ok(jid.node().map(|node| unescape(node.as_str())).unwrap_or_default())
}

/// Escapes what a local part must not hold: `d'arc@x` becomes `d\27arc\40x` (XEP-0106 §3).
pub fn escape(local: &str) -> String {
    let mut escaped = String::with_capacity(local.len());
    for (at, c) in local.char_indices() {
        match ESCAPES.iter().find(|(plain, _)| *plain == c) {
            Some(('\\', code)) if !begins_with_escape(&local[at..]) => {
                debug_assert_eq!(*code, "\\5c");
                escaped.push('\\');
            }
            Some((_, code)) => escaped.push_str(code),
            None => escaped.push(c),
        }
    }
    escaped
}

/// Gives back what [`escape`] took: `d\27arc\40x` becomes `d'arc@x` (XEP-0106 §3).
pub fn unescape(local: &str) -> String {
    let mut plain = String::with_capacity(local.len());
    let mut rest = local;
    while let Some(c) = rest.chars().next() {
        if let Some((original, code)) = ESCAPES.iter().find(|(_, code)| rest.starts_with(code)) {
            plain.push(*original);
            rest = &rest[code.len()..];
        } else {
            plain.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    plain
}

fn begins_with_escape(text: &str) -> bool {
    ESCAPES.iter().any(|(_, code)| text.starts_with(code))
}

const ESCAPES: [(char, &str); 10] = [
    (' ', "\\20"),
    ('"', "\\22"),
    ('&', "\\26"),
    ('\'', "\\27"),
    ('/', "\\2f"),
    (':', "\\3a"),
    ('<', "\\3c"),
    ('>', "\\3e"),
    ('@', "\\40"),
    ('\\', "\\5c"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_with_an_at_sign_is_escaped_and_comes_back() {
        let jid = user_jid("Ada@site", "cc.test").unwrap();
        assert_eq!(jid.as_str(), "ada\\40site@cc.test");
        assert_eq!(unescape(jid.node().unwrap().as_str()), "ada@site");
    }

    #[test]
    fn a_backslash_is_escaped_only_where_it_would_read_as_an_escape() {
        assert_eq!(escape("c\\d"), "c\\d");
        assert_eq!(escape("c\\40"), "c\\5c40");
        assert_eq!(unescape("c\\5c40"), "c\\40");
    }

    #[test]
    fn an_account_has_one_name() {
        for name in ["D'Arc@Site", "d\\27arc\\40site", "D\\27ARC@site"] {
            assert_eq!(account_name(name).unwrap(), "d'arc@site", "{name}");
        }
        assert_eq!(account_name("ⓐdmin").unwrap(), "admin");
        assert!(account_name("").is_err());
        assert!(account_name("a\0b").is_err());
    }

    #[test]
    fn an_empty_id_is_no_address() {
        assert!(user_jid("", "cc.test").is_err());
    }
}
