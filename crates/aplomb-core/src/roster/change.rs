//! Changes: facts that the store keeps and the rosters adopt.

use std::sync::Arc;

use super::Contact;
use crate::jid::BareJid;

/// One change of somebody's roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A contact is as told.
    Set {
        /// Whose roster.
        owner: BareJid,
        /// The contact.
        contact: Arc<Contact>,
    },
    /// Nothing is known of a contact any more.
    Removed {
        /// Whose roster.
        owner: BareJid,
        /// Who was in it.
        contact: BareJid,
    },
    /// The roster has this version.
    Versioned {
        /// Whose roster.
        owner: BareJid,
        /// Its version, higher than any before.
        version: u64,
    },
    /// The account is gone, and its roster with it.
    Forgotten {
        /// Whose roster.
        owner: BareJid,
    },
}
