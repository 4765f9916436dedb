//! Whom the notices of a node go to, remembered until something that decides it changes.
//!
//! To ask the rights of a thousand subscribers costs a millisecond, and each event of a large node
//! would ask them again, though states change all day and rights hardly ever.

use std::collections::HashMap;
use std::sync::Arc;

use aplomb_core::domain::{self, Domain, User};
use aplomb_core::pubsub::{self, Reader};

use crate::limits::AUDIENCE_REMEMBERED_MIN;

/// The large audiences of late.
#[derive(Debug, Default)]
pub(super) struct Audiences {
    by_node: HashMap<Arc<str>, Arc<[Reader]>>,
}

impl Audiences {
    /// The audience of a node: what is remembered, or what `find` finds.
    pub(super) fn of(
        &mut self,
        node: &Arc<str>,
        find: impl FnOnce() -> Vec<Reader>,
    ) -> Arc<[Reader]> {
        if let Some(known) = self.by_node.get(node) {
            return Arc::clone(known);
        }
        let found: Arc<[Reader]> = find().into();
        if found.len() >= AUDIENCE_REMEMBERED_MIN {
            self.by_node.insert(Arc::clone(node), Arc::clone(&found));
        }
        found
    }

    /// Forgets what a change of subscriptions or of rights to one node makes untrue.
    pub(super) fn note_pubsub(&mut self, change: &pubsub::Change) {
        match change {
            pubsub::Change::Subscribed { node, .. }
            | pubsub::Change::Unsubscribed { node, .. }
            | pubsub::Change::Affiliated { node, .. }
            | pubsub::Change::NodeSet { node, .. }
            | pubsub::Change::NodeRemoved { node } => {
                self.by_node.remove(node);
            }
            pubsub::Change::NodeMade { .. }
            | pubsub::Change::Published { .. }
            | pubsub::Change::Retracted { .. }
            | pubsub::Change::Trimmed { .. }
            | pubsub::Change::Counted { .. }
            | pubsub::Change::Retired { .. } => {}
        }
    }

    /// Forgets everything when people or teams change in what decides rights. `before` is the
    /// contact centre as it was.
    pub(super) fn note_domain(&mut self, before: &Domain, change: &domain::Change) {
        let is_harmless = match change {
            domain::Change::UserSet(user) => {
                before.user(user.id.as_str()).is_some_and(|old| has_same_rights(old, user))
            }
            domain::Change::ReasonSet(_) | domain::Change::ReasonRemoved(_) => true,
            domain::Change::UserRemoved(_)
            | domain::Change::TeamSet(_)
            | domain::Change::TeamRemoved(_) => false,
        };
        if !is_harmless {
            self.forget_all();
        }
    }

    /// Forgets everything: who may read a node changed in another way.
    pub(super) fn forget_all(&mut self) {
        self.by_node.clear();
    }
}

fn has_same_rights(old: &User, new: &User) -> bool {
    old.login_name == new.login_name
        && old.roles == new.roles
        && old.team == new.team
        && old.supervises == new.supervises
}
