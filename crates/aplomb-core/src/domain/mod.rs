//! The contact centre: users, teams, reason codes, and what they may do.
//!
//! It knows neither XML nor addresses. A [`Command`] is planned into [`Change`]s, which the caller
//! makes durable and then adopts.

mod change;
mod command;
mod index;
mod machine;
mod model;
mod plan;
mod reasons;
#[cfg(test)]
pub(crate) mod sample;

pub use change::Change;
pub use command::{Command, Decision, Fault, Refusal, Wanted};
pub use model::{
    AgentState, Category, Desk, Flavour, Profile, Reason, ReasonId, ReasonShown, Role, Team,
    TeamId, User, UserId,
};
pub use reasons::default_reasons;

use std::collections::BTreeMap;
use std::sync::Arc;

use index::Index;

/// The whole contact centre, in memory.
#[derive(Debug, Clone)]
pub struct Domain {
    flavour: Flavour,
    users: BTreeMap<UserId, Arc<User>>,
    teams: BTreeMap<TeamId, Arc<Team>>,
    reasons: BTreeMap<ReasonId, Arc<Reason>>,
    index: Index,
}

impl Domain {
    /// An empty contact centre.
    pub fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            users: BTreeMap::new(),
            teams: BTreeMap::new(),
            reasons: BTreeMap::new(),
            index: Index::default(),
        }
    }

    /// Which of Cisco's two products it behaves like.
    pub const fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The user of that id, exactly.
    pub fn user(&self, id: &str) -> Option<&Arc<User>> {
        self.users.get(id)
    }

    /// The user of that id or login name, in whatever case: a JID carries names in lower case.
    pub fn named(&self, name: &str) -> Option<&Arc<User>> {
        self.users.get(self.index.named(name)?)
    }

    /// All users, by id.
    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.values()
    }

    /// The team of that id.
    pub fn team(&self, id: &str) -> Option<&Arc<Team>> {
        self.teams.get(id)
    }

    /// All teams, by id.
    pub fn teams(&self) -> impl Iterator<Item = &Arc<Team>> {
        self.teams.values()
    }

    /// The users who work in a team, by id.
    pub fn members(&self, team: &TeamId) -> impl Iterator<Item = &Arc<User>> {
        self.index.members(team).filter_map(|id| self.users.get(id))
    }

    /// Whether `supervisor` supervises the team that `user` works in.
    pub fn supervises(&self, supervisor: &User, user: &User) -> bool {
        supervisor.has_role(Role::Supervisor)
            && user.team.as_ref().is_some_and(|team| supervisor.supervises.contains(team))
    }

    /// The reason of that id.
    pub fn reason(&self, id: ReasonId) -> Option<&Arc<Reason>> {
        self.reasons.get(&id)
    }

    /// All reasons, by id.
    pub fn reasons(&self) -> impl Iterator<Item = &Arc<Reason>> {
        self.reasons.values()
    }

    /// The reasons of a category that a person may give, by id.
    pub fn reasons_to_give(&self, category: Category) -> impl Iterator<Item = &Arc<Reason>> {
        self.reasons().filter(move |r| r.category == category && r.may_be_given())
    }

    /// A user with everything that his description refers to.
    pub fn profile(&self, user: &Arc<User>) -> Profile {
        let team_of = |id: &TeamId| self.teams.get(id).cloned();
        Profile {
            team: user.team.as_ref().and_then(team_of),
            supervised: user.supervises.iter().filter_map(team_of).collect(),
            reason: match user.desk.reason {
                ReasonShown::Given(id) => self.reasons.get(&id).cloned(),
                ReasonShown::Absent | ReasonShown::NotGiven => None,
            },
            user: Arc::clone(user),
        }
    }

    /// Makes a change that is durable by now, or that comes from the store.
    pub fn adopt(&mut self, change: &Change) {
        match change {
            Change::UserSet(user) => {
                self.forget_user(&user.id);
                self.index.add(user);
                self.users.insert(user.id.clone(), Arc::clone(user));
            }
            Change::UserRemoved(id) => self.forget_user(id),
            Change::TeamSet(team) => {
                self.teams.insert(team.id.clone(), Arc::clone(team));
            }
            Change::TeamRemoved(id) => {
                self.teams.remove(id);
            }
            Change::ReasonSet(reason) => {
                self.reasons.insert(reason.id, Arc::clone(reason));
            }
            Change::ReasonRemoved(id) => {
                self.reasons.remove(id);
            }
        }
    }

    fn forget_user(&mut self, id: &UserId) {
        if let Some(old) = self.users.remove(id) {
            self.index.remove(&old);
        }
    }
}
