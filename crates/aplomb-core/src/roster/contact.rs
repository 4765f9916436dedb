//! One contact: how it is called, and who lets whom see his presence.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::jid::BareJid;

/// What a roster says of one contact. The nine states of RFC 6121 Appendix A are the pairs of its
/// two consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub jid: BareJid,
    /// What the owner calls him.
    pub name: Option<String>,
    /// The groups that the owner put him into.
    pub groups: BTreeSet<String>,
    /// Whether he is in the roster. Who only asked to see the owner is not (RFC 6121 §3.1.3).
    pub is_listed: bool,
    /// Whether the contact lets the owner see him.
    pub to: Consent,
    /// Whether the owner lets the contact see him.
    pub from: Consent,
    /// Whether the owner lets the contact see him as soon as he asks (RFC 6121 §3.4).
    pub is_approved: bool,
    /// The stanza by which the contact asked to see the owner, while it waits for an answer.
    pub wish: Option<Arc<str>>,
}

/// Whether one lets another see him.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consent {
    /// He does not.
    None,
    /// The other asked and has no answer.
    Pending,
    /// He does.
    Given,
}

impl Contact {
    /// Somebody of whom nothing is known.
    pub const fn unknown(jid: BareJid) -> Self {
        Self {
            jid,
            name: None,
            groups: BTreeSet::new(),
            is_listed: false,
            to: Consent::None,
            from: Consent::None,
            is_approved: false,
            wish: None,
        }
    }

    /// The word of RFC 6121 §2.1.2.5.
    pub fn subscription(&self) -> &'static str {
        match (self.to == Consent::Given, self.from == Consent::Given) {
            (false, false) => "none",
            (true, false) => "to",
            (false, true) => "from",
            (true, true) => "both",
        }
    }

    /// Bytes that it takes in its owner's roster as that is sent, at most.
    pub(super) fn bytes(&self) -> usize {
        if !self.is_listed {
            return 0;
        }
        let name = self.name.as_deref().map_or(0, escaped);
        let groups = self.groups.iter().map(|group| GROUP_BYTES + escaped(group));
        CONTACT_BYTES + escaped(self.jid.as_str()) + name + groups.sum::<usize>()
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_unknown(&self) -> bool {
        !self.is_listed && self.to == Consent::None && self.from == Consent::None
    }

    /// Whether the owner's clients see no difference.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let parts = |c: &Self| (c.is_listed, c.to, c.from == Consent::Given, c.is_approved);
        parts(self) == parts(other) && self.name == other.name && self.groups == other.groups
    }
}

/// Bytes of a text as it is sent, at most: what must be escaped becomes six.
fn escaped(text: &str) -> usize {
    let is_escaped = |byte: &u8| matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'' | 0..=31);
    text.len() + 5 * text.bytes().filter(is_escaped).count()
}

/// Bytes of an item with all its attributes, but for the address and the name.
const CONTACT_BYTES: usize = 128;

/// Bytes of a group, but for its name.
const GROUP_BYTES: usize = 16;
