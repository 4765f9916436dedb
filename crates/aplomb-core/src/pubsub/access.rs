//! Who may do what with a node.

use crate::jid::FullJid;

/// Who asks, and what the rest of the server says about his rights to the node in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The address.
    pub jid: FullJid,
    /// The standing.
    pub standing: Standing,
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
