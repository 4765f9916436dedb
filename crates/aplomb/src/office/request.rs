//! What may be asked of the office, and how it answers; as JSON on the control socket.

use aplomb_core::domain::{Command, Desk, Role, TeamId, User};
use aplomb_core::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::writer::Step;

/// One person, as the command line tells of him.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// The id.
    pub id: String,
    /// Another name to log in by; the id when it is empty.
    pub login_name: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What he may do; agent when it is empty.
    pub roles: Vec<RoleName>,
    /// The team he works in.
    pub team: Option<String>,
    /// The teams he supervises.
    pub supervises: Vec<String>,
    /// The extension of his phone.
    pub phone: Option<String>,
}

/// A role as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// Takes calls.
    Agent,
    /// Watches and steers teams.
    Supervisor,
    /// Sees and configures everything.
    Administrator,
    /// A service that publishes to any node.
    Publisher,
}

/// One team, as the command line tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamLine {
    /// The id.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// How many work in it; not read.
    #[serde(default)]
    pub members: usize,
}

/// A password on its way to be made into keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password(#[serde(with = "plain")] pub Secret<String>);

/// What to do with a person's password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewPassword {
    /// This one.
    Is(Password),
    /// A random one, which the answer tells.
    Generate,
    /// None if he has one; a random one if he is new.
    Keep,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Request {
    /// Add somebody who is not there yet.
    AddUser {
        /// Who.
        person: Person,
        /// With which password.
        password: NewPassword,
    },
    /// Change a password.
    SetPassword {
        /// Whose: an id or login name.
        user: String,
        /// To what.
        password: NewPassword,
    },
    /// Remove somebody, with his keys, subscriptions and sessions.
    RemoveUser {
        /// Whom: an id.
        user: String,
    },
    /// Add these, or change those who are there; all of them or none.
    ImportUsers {
        /// Whom, and with which password.
        people: Vec<(Person, NewPassword)>,
        /// The fields that are told, by their names in [`Person`]. What is not told of somebody
        /// who is there stays as it is.
        fields: Vec<String>,
    },
    /// Tell of everybody.
    ListUsers,
    /// Add a team, or change its name.
    PutTeam(TeamLine),
    /// Remove a team that nobody is in.
    RemoveTeam {
        /// Which.
        team: String,
    },
    /// Tell of every team.
    ListTeams,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Done; these passwords were made, and are told only now.
    Done(Vec<Made>),
    /// Everybody, by id.
    Users(Vec<Person>),
    /// Every team, by id.
    Teams(Vec<TeamLine>),
    /// Not done, and nothing of it.
    Refused(Complaint),
}

/// A password that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Whose.
    pub user: String,
    /// The password.
    pub password: Password,
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// The place of the person in an import, from 0.
    pub person: usize,
    /// The field that is wrong, by its name in [`Person`], if it is one.
    pub field: Option<String>,
    /// What is wrong, for people.
    pub words: String,
}

impl Person {
    pub(super) fn into_step(self) -> Step {
        let login_name = if self.login_name.is_empty() { self.id.clone() } else { self.login_name };
        let roles = match self.roles.is_empty() {
            true => vec![Role::Agent],
            false => self.roles.into_iter().map(Role::from).collect(),
        };
        Step::Command(Command::PutUser(Box::new(User {
            id: self.id.as_str().into(),
            login_name,
            first_name: self.first_name,
            last_name: self.last_name,
            roles,
            team: self.team.map(|id| TeamId(id.into())),
            supervises: self.supervises.into_iter().map(|id| TeamId(id.into())).collect(),
            phone: self.phone,
            desk: Desk::signed_out(),
        })))
    }

    pub(super) fn of(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            login_name: user.login_name.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            roles: user.roles.iter().copied().map(RoleName::from).collect(),
            team: user.team.as_ref().map(ToString::to_string),
            supervises: user.supervises.iter().map(ToString::to_string).collect(),
            phone: user.phone.clone(),
        }
    }
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Agent => Self::Agent,
            RoleName::Supervisor => Self::Supervisor,
            RoleName::Administrator => Self::Administrator,
            RoleName::Publisher => Self::Publisher,
        }
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Agent => Self::Agent,
            Role::Supervisor => Self::Supervisor,
            Role::Administrator => Self::Administrator,
            Role::Publisher => Self::Publisher,
        }
    }
}

/// A password as text, where it must travel: on the control socket, which only its owner reads,
/// and to who asked for a new one.
mod plain {
    use aplomb_core::secret::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        secret: &Secret<String>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Secret<String>, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}
