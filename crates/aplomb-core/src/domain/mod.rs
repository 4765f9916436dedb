//! The contact centre: users, teams, reason codes, and what they may do.
//!
//! It knows neither XML nor addresses. A [`Command`] is planned into [`Change`]s, which the caller
//! makes durable and then adopts.

mod change;
mod command;
mod machine;
mod model;

pub use change::Change;
pub use command::{Command, Decision, Fault, Refusal, Wanted};
pub use model::{
    AgentState, Category, Desk, Flavour, Reason, ReasonId, ReasonShown, Role, Team, TeamId, User,
    UserId,
};

use std::collections::BTreeMap;
use std::sync::Arc;

/// The whole contact centre, in memory.
#[derive(Debug, Clone)]
pub struct Domain {
    flavour: Flavour,
    users: BTreeMap<UserId, Arc<User>>,
    teams: BTreeMap<TeamId, Arc<Team>>,
    reasons: BTreeMap<ReasonId, Arc<Reason>>,
}

impl Domain {
    /// An empty contact centre.
    pub const fn new(flavour: Flavour) -> Self {
        Self { flavour, users: BTreeMap::new(), teams: BTreeMap::new(), reasons: BTreeMap::new() }
    }

    /// Which of Cisco's two products it behaves like.
    pub const fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The user of that id, exactly.
    pub fn user(&self, id: &str) -> Option<&Arc<User>> {
        self.users.get(id)
    }

    /// All users, by id.
    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.values()
    }
}
