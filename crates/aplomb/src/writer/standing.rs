//! What somebody may do with a node, by all that the writer knows: roles and teams, then rosters
//! where the node's access model asks for them (XEP-0060 §4.5).

use aplomb_core::domain::Domain;
use aplomb_core::finesse::nodes;
use aplomb_core::finesse::people::are_colleagues;
use aplomb_core::jid::BareJid;
use aplomb_core::pubsub::{Acquaintance, PubSub, RosterTerms, Standing};
use aplomb_core::roster::Roster;

use super::plan::account_of;

/// Everything that a standing follows from.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) domain: &'a Domain,
    pub(super) pubsub: &'a PubSub,
    pub(super) roster: &'a Roster,
}

impl Known<'_> {
    /// What `person` may do with `node`, as told from outside the pubsub service.
    pub(super) fn standing(&self, person: &BareJid, node: &str) -> Standing {
        let standing = nodes::standing(self.domain, &account_of(person), node);
        match (standing, self.pubsub.roster_terms(node)) {
            (Standing::ByNode(_), Some(terms)) => {
                Standing::ByNode(self.acquaintance(person, &terms))
            }
            _ => standing,
        }
    }

    /// Presence is seen as long as two are in one team; a group is the owner's word alone.
    fn acquaintance(&self, person: &BareJid, terms: &RosterTerms<'_>) -> Acquaintance {
        let is_shown = |owner: &&BareJid| {
            self.roster.lets_see(owner, person) && are_colleagues(self.domain, owner, person)
        };
        let is_grouped = |owner: &&BareJid| {
            let mut groups = self.roster.groups(owner, person);
            groups.any(|group| terms.groups.iter().any(|named| named == group))
        };
        let owners = || terms.owners.iter().copied();
        Acquaintance {
            sees_presence: owners().any(|owner| is_shown(&owner)),
            is_in_group: owners().any(|owner| is_grouped(&owner)),
        }
    }
}
