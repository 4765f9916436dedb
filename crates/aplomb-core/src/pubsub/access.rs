//! Who may do what with a node.

use crate::jid::FullJid;

/// Who asks, and what the rest of the server says about him and the node in question, which is
/// [`super::Request::node`], or the empty name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The address.
    pub jid: FullJid,
    /// The standing.
    pub standing: Standing,
    /// Whether the node exists without having been created, as Finesse's nodes do.
    pub is_served: bool,
    /// The nodes that the asker's bare JID is subscribed to without asking.
    pub automatic: Vec<String>,
}

/// What somebody may do with one node, as told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Everything: administrators, publishers, the server itself.
    Owner,
    /// Subscribe and read.
    Reader,
    /// Nothing; and the refusal does not tell whether the node exists.
    Stranger,
    /// Whatever the node's own affiliations say; a stranger if they say nothing.
    ByAffiliation,
}

/// A lasting right to one node (XEP-0060 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Affiliation {
    /// Everything.
    Owner,
    /// Publish, subscribe and read.
    Publisher,
    /// Subscribe and read.
    Member,
    /// No right.
    None,
    /// Shut out.
    Outcast,
}

/// What somebody may do with a node that exists; each right holds the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Right {
    Member,
    Publisher,
    Owner,
}

impl Right {
    /// Weighs what the server says against what the node says; `None` may not know of the node.
    pub(super) const fn of(standing: Standing, affiliation: Affiliation) -> Option<Self> {
        match (standing, affiliation) {
            (Standing::Owner, _) => Some(Self::Owner),
            (Standing::Stranger, _) | (_, Affiliation::Outcast) => None,
            (Standing::Reader | Standing::ByAffiliation, Affiliation::Owner) => Some(Self::Owner),
            (Standing::Reader | Standing::ByAffiliation, Affiliation::Publisher) => {
                Some(Self::Publisher)
            }
            (Standing::Reader, _) | (Standing::ByAffiliation, Affiliation::Member) => {
                Some(Self::Member)
            }
            (Standing::ByAffiliation, Affiliation::None) => None,
        }
    }

    /// The affiliation that says the same.
    pub(super) const fn as_affiliation(self) -> Affiliation {
        match self {
            Self::Member => Affiliation::Member,
            Self::Publisher => Affiliation::Publisher,
            Self::Owner => Affiliation::Owner,
        }
    }
}
