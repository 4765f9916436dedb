//! What an administrator may have done to people and teams: the requests, and one place that does
//! them, whether they come over the control socket or the command works on the data directory.

mod request;
mod words;

use aplomb_core::domain::{self, Command, Domain};
use aplomb_core::sasl::KeyRing;
use aplomb_core::secret::Secret;

pub use request::{
    Complaint, Made, NewPassword, Password, Person, Reply, Request, RoleName, TeamLine,
};

use crate::limits::GENERATED_PASSWORD_CHARS;
use crate::writer::{Step, StepError, WriteError, Writer};
use crate::{lab, random};

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
            Request::ImportUsers { people, fields } => {
                let merge = |(told, password): (Person, _)| (self.merged(told, &fields), password);
                self.put(people.into_iter().map(merge).collect()).await
            }
            Request::SetPassword { user, password } => self.set_password(user, password).await,
            Request::RemoveUser { user } => {
                self.command(Command::RemoveUser(user.as_str().into())).await
            }
            Request::PutTeam(team) => {
                let team = domain::Team { id: team.id.as_str().into(), name: team.name };
                self.command(Command::PutTeam(team)).await
            }
            Request::RemoveTeam { team } if self.writer.read(|all| all.team(&team).is_none()) => {
                refused(None, format!("there is no team {team}"))
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

    /// What is told of a person, over what is known of him.
    fn merged(&self, told: Person, fields: &[String]) -> Person {
        let known = self.writer.read(|domain| domain.user(&told.id).map(|user| Person::of(user)));
        let Some(mut all) = known else { return told };
        for field in fields {
            match field.as_str() {
                "login_name" => all.login_name.clone_from(&told.login_name),
                "first_name" => all.first_name.clone_from(&told.first_name),
                "last_name" => all.last_name.clone_from(&told.last_name),
                "roles" => all.roles.clone_from(&told.roles),
                "team" => all.team.clone_from(&told.team),
                "supervises" => all.supervises.clone_from(&told.supervises),
                "phone" => all.phone.clone_from(&told.phone),
                // The id says who it is, and passwords travel beside the person.
                _ => {}
            }
        }
        all
    }

    fn is_known(&self, id: &str) -> bool {
        self.writer.read(|domain| domain.user(id).is_some())
    }

    /// Derives the keys of every password on the blocking pool.
    ///
    /// - Errors: the place of the first password that cannot be one.
    async fn keys(&self, passwords: Vec<Secret<String>>) -> Result<Vec<KeyRing>, usize> {
        let iterations = self.writer.scram_iterations();
        let derive = move || {
            let keys = passwords.iter().enumerate().map(|(at, password)| {
                KeyRing::derive(password, random::bytes, iterations).map_err(|_| at)
            });
            keys.collect()
        };
        tokio::task::spawn_blocking(derive).await.expect("deriving keys does not panic")
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

const BAD_PASSWORD: &str = "the password is empty or holds characters that no password may hold";
