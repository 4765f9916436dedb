//! What an administrator may have done to people and teams: the requests, and one place that does
//! them, whether they come over the control socket or the command works on the data directory.

mod words;

use aplomb_core::domain::{self, Command, Desk, Domain, Role, TeamId, User};
use aplomb_core::sasl::ScramKeys;
use aplomb_core::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::limits::GENERATED_PASSWORD_CHARS;
use crate::writer::{Step, StepError, WriteError, Writer};
use crate::{lab, random};

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

/// Does requests, by way of the writer.
#[derive(Clone)]
pub struct Office {
    writer: Writer,
}

impl Office {
    /// An office whose decisions `writer` carries out.
    pub const fn new(writer: Writer) -> Self {
        Self { writer }
    }

    /// Does a request. Nothing is done of one that is refused.
    pub async fn perform(&self, request: Request) -> Reply {
        match request {
            Request::ListUsers => Reply::Users(self.writer.read(people)),
            Request::ListTeams => Reply::Teams(self.writer.read(teams)),
            Request::AddUser { person, .. } if self.is_known(&person.id) => {
                refused(Some("id"), format!("there is a user {} already", person.id))
            }
            Request::AddUser { person, password } => self.put(vec![(person, password)]).await,
            Request::ImportUsers { people } => self.put(people).await,
            Request::SetPassword { user, password } => self.set_password(user, password).await,
            Request::RemoveUser { user } => {
                self.command(Command::RemoveUser(user.as_str().into())).await
            }
            Request::PutTeam(team) => {
                let team = domain::Team { id: team.id.as_str().into(), name: team.name };
                self.command(Command::PutTeam(team)).await
            }
            Request::RemoveTeam { team } => {
                self.command(Command::RemoveTeam(team.as_str().into())).await
            }
        }
    }

    /// Puts the first administrator and the usual reasons into a contact centre that has nobody.
    ///
    /// Gives his password, to be printed once; none when there is somebody already.
    pub async fn open_for_the_first_time(&self) -> Result<Option<Made>, StepError> {
        if self.writer.read(|domain| domain.users().next().is_some()) {
            return Ok(None);
        }
        let made = made(lab::ADMINISTRATOR);
        let keys = self.keys(vec![made.password.0.clone()]).await;
        let keys = keys.expect("letters and digits are a password").remove(0);
        self.writer.seed(self.writer.read(|domain| lab::found(domain, &keys))).await?;
        Ok(Some(made))
    }

    async fn put(&self, people: Vec<(Person, NewPassword)>) -> Reply {
        let (mut steps, mut of_step, mut generated) = (Vec::new(), Vec::new(), Vec::new());
        let mut passwords = Vec::new();
        for (place, (person, password)) in people.into_iter().enumerate() {
            let password = match password {
                NewPassword::Is(Password(password)) => Some(password),
                NewPassword::Keep if self.is_known(&person.id) => None,
                NewPassword::Keep | NewPassword::Generate => {
                    generated.push(made(&person.id));
                    generated.last().map(|made| made.password.0.clone())
                }
            };
            passwords.extend(password.map(|password| (place, person.id.clone(), password)));
            steps.push(person.into_step());
            of_step.push(place);
        }
        let secrets = passwords.iter().map(|(_, _, password)| password.clone()).collect();
        let keys = match self.keys(secrets).await {
            Ok(keys) => keys,
            Err(at) => {
                return refused_at(passwords[at].0, Some("password"), BAD_PASSWORD.to_owned());
            }
        };
        for ((place, user, _), keys) in passwords.into_iter().zip(keys) {
            steps.push(Step::Keys { user, keys: Some(keys) });
            of_step.push(place);
        }
        match self.writer.apply(steps).await {
            Ok(()) => Reply::Done(generated),
            Err(failed) => complaint(of_step.get(failed.step).copied().unwrap_or(0), &failed.error),
        }
    }

    async fn set_password(&self, user: String, password: NewPassword) -> Reply {
        let (password, generated) = match password {
            NewPassword::Is(Password(password)) => (password, Vec::new()),
            NewPassword::Keep | NewPassword::Generate => {
                let made = made(&user);
                (made.password.0.clone(), vec![made])
            }
        };
        let Ok(keys) = self.keys(vec![password]).await else {
            return refused(Some("password"), BAD_PASSWORD.to_owned());
        };
        match self.writer.set_keys(&user, keys.into_iter().next()).await {
            Ok(()) => Reply::Done(generated),
            Err(error) => complaint(0, &error),
        }
    }

    async fn command(&self, command: Command) -> Reply {
        match self.writer.command(command, "").await {
            Ok(()) => Reply::Done(Vec::new()),
            Err(error) => complaint(0, &error),
        }
    }

    fn is_known(&self, id: &str) -> bool {
        self.writer.read(|domain| domain.user(id).is_some())
    }

    /// Derives the keys of every password on the blocking pool.
    ///
    /// - Errors: the place of the first password that cannot be one.
    async fn keys(&self, passwords: Vec<Secret<String>>) -> Result<Vec<ScramKeys>, usize> {
        let iterations = self.writer.scram_iterations();
        let derive = move || {
            let keys = passwords.iter().enumerate().map(|(at, password)| {
                let salt: [u8; SALT_BYTES] = random::bytes();
                ScramKeys::derive(password, &salt, iterations).map_err(|_| at)
            });
            keys.collect()
        };
        tokio::task::spawn_blocking(derive).await.expect("deriving keys does not panic")
    }
}

impl Person {
    fn into_step(self) -> Step {
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

    fn of(user: &User) -> Self {
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

fn people(domain: &Domain) -> Vec<Person> {
    domain.users().map(|user| Person::of(user)).collect()
}

fn teams(domain: &Domain) -> Vec<TeamLine> {
    let line = |team: &domain::Team| TeamLine {
        id: team.id.to_string(),
        name: team.name.clone(),
        members: domain.members(&team.id).count(),
    };
    domain.teams().map(|team| line(team)).collect()
}

fn made(user: &str) -> Made {
    let password = Password(Secret::new(random::name(GENERATED_PASSWORD_CHARS)));
    Made { user: user.to_owned(), password }
}

fn complaint(person: usize, error: &WriteError) -> Reply {
    match error {
        WriteError::Refused(refusal) => {
            let (field, words) = words::of(refusal);
            refused_at(person, field, words)
        }
        other => refused_at(person, None, other.to_string()),
    }
}

fn refused(field: Option<&str>, words: String) -> Reply {
    refused_at(0, field, words)
}

fn refused_at(person: usize, field: Option<&str>, words: String) -> Reply {
    Reply::Refused(Complaint { person, field: field.map(str::to_owned), words })
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

const BAD_PASSWORD: &str = "the password is empty or holds characters that no password may hold";

/// Random bytes that make two equal passwords unequal keys; RFC 5802 leaves the number open.
const SALT_BYTES: usize = 16;
