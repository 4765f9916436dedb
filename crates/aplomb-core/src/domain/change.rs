//! Changes: facts that the store keeps and the domain adopts.

use std::sync::Arc;

use super::{Reason, ReasonId, Team, TeamId, User, UserId};

/// One change. Each carries the whole new value, so adopting is replacing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A user is new or different.
    UserSet(Arc<User>),
    /// A user is gone.
    UserRemoved(UserId),
    /// A team is new or different.
    TeamSet(Arc<Team>),
    /// A team is gone.
    TeamRemoved(TeamId),
    /// A reason is new or different.
    ReasonSet(Arc<Reason>),
    /// A reason is gone.
    ReasonRemoved(ReasonId),
}
