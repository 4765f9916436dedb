//! Who may do what with a node (XEP-0060 §4.1, §4.5).

use super::node::Node;
use super::{AccessModel, PublishModel, Refusal};
use crate::jid::{BareJid, FullJid};

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
    /// Whatever the node says: its affiliations, then its access model.
    ByNode(Acquaintance),
}

/// How somebody stands in the rosters of a node's owners, see [`super::PubSub::roster_terms`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Acquaintance {
    /// Whether he sees the presence of one of them.
    pub sees_presence: bool,
    /// Whether he is in a group that the node names, in one of their rosters.
    pub is_in_group: bool,
}

/// Whose rosters decide about a node, and which groups in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterTerms<'a> {
    /// The owners by name.
    pub owners: Vec<&'a BareJid>,
    /// The groups that are let in.
    pub groups: &'a [String],
}

/// A lasting right to one node (XEP-0060 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Affiliation {
    /// Everything.
    Owner,
    /// Publish, subscribe and read.
    Publisher,
    /// Publish, and nothing else.
    PublishOnly,
    /// Subscribe and read.
    Member,
    /// No right.
    None,
    /// Shut out.
    Outcast,
}

impl Standing {
    /// That of somebody of whom nothing is known.
    pub const UNKNOWN: Self =
        Self::ByNode(Acquaintance { sees_presence: false, is_in_group: false });
}

impl AccessModel {
    /// Whether rosters decide.
    pub(super) const fn is_by_roster(self) -> bool {
        matches!(self, Self::Presence | Self::Roster)
    }
}

/// A right that a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Know that the node is there.
    Know,
    /// Subscribe and read.
    Member,
    /// Publish.
    Publisher,
    /// Take back what others published.
    Editor,
    /// All the rest.
    Owner,
}

/// What somebody may do with a node that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rights {
    /// The right by name, as far as it counts.
    pub(super) affiliation: Affiliation,
    knows: bool,
    pub(super) entry: Entry,
    publishes: bool,
}

/// Whether somebody may subscribe and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Free,
    /// By a right by name.
    Forbidden,
    /// By the access model.
    Closed(AccessModel),
}

impl Rights {
    pub(super) const OWNER: Self =
        Self { affiliation: Affiliation::Owner, knows: true, entry: Entry::Free, publishes: true };

    const STRANGER: Self = Self {
        affiliation: Affiliation::None,
        knows: false,
        entry: Entry::Closed(AccessModel::Whitelist),
        publishes: false,
    };

    /// Weighs what the server says against what the node says.
    ///
    /// A node is hidden from whom nothing lets in, unless its model gives him a way: to ask, to
    /// become a contact, to publish.
    pub(super) fn of(standing: Standing, node: &Node, person: &BareJid) -> Self {
        let acquaintance = match standing {
            Standing::Owner => return Self::OWNER,
            Standing::Stranger => return Self::STRANGER,
            Standing::Reader => None,
            Standing::ByNode(acquaintance) => Some(acquaintance),
        };
        let affiliation = node.affiliation(person);
        let (access, publish) = node.models();
        let entry = match (affiliation, acquaintance) {
            (Affiliation::Owner | Affiliation::Publisher | Affiliation::Member, _) => Entry::Free,
            (Affiliation::PublishOnly | Affiliation::Outcast, _) => Entry::Forbidden,
            (Affiliation::None, None) => Entry::Free,
            (Affiliation::None, Some(known)) => node.entry(access, known, person),
        };
        let is_open = acquaintance.is_some()
            && (access != AccessModel::Whitelist || publish == PublishModel::Open);
        let knows = is_open || entry == Entry::Free || affiliation == Affiliation::PublishOnly;
        let publishes = match affiliation {
            Affiliation::Owner | Affiliation::Publisher | Affiliation::PublishOnly => true,
            Affiliation::Outcast => false,
            Affiliation::Member | Affiliation::None => match publish {
                PublishModel::Publishers => false,
                PublishModel::Subscribers => entry == Entry::Free && node.has_subscriber(person),
                PublishModel::Open => true,
            },
        };
        Self { affiliation, knows, entry, publishes }
    }

    /// - Errors: [`Refusal::NodeUnknown`] for whom the node is hidden from, whatever he wants.
    pub(super) fn allow(&self, right: Right) -> Result<(), Refusal> {
        let is_allowed = match right {
            _ if !self.knows => return Err(Refusal::NodeUnknown),
            Right::Know => true,
            Right::Member => match self.entry {
                Entry::Closed(model) => return Err(Refusal::Closed(model)),
                entry => entry == Entry::Free,
            },
            Right::Publisher => self.publishes,
            Right::Editor => {
                matches!(self.affiliation, Affiliation::Owner | Affiliation::Publisher)
            }
            Right::Owner => self.affiliation == Affiliation::Owner,
        };
        if is_allowed { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// Whether he may subscribe and read.
    pub(super) fn may_read(&self) -> bool {
        self.knows && self.entry == Entry::Free
    }
}

impl Node {
    /// Whether the access model lets somebody in who has no right by name.
    fn entry(&self, access: AccessModel, known: Acquaintance, person: &BareJid) -> Entry {
        let is_in = match access {
            AccessModel::Open => true,
            AccessModel::Presence => known.sees_presence,
            AccessModel::Roster => known.is_in_group,
            AccessModel::Authorize => self.has_subscriber(person),
            AccessModel::Whitelist => false,
        };
        if is_in { Entry::Free } else { Entry::Closed(access) }
    }
}
