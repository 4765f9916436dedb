//! `aplomb user`: people, on a running server or on its data directory.

mod import;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aplomb_core::secret::Secret;
use clap::{Args, Subcommand};

use super::place::{Place, Refused, done, table, words};
use super::{USAGE, fail};
use crate::office::{NewPassword, Password, Person, Reply, Request, RoleName};

/// Manages people, on a running server or on its data directory.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct User {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Adds somebody.
    #[command(after_help = ADD_EXAMPLES)]
    Add(Add),
    /// Lists everybody.
    List,
    /// Changes a password. Who is logged in stays so; the old password is worth nothing at once.
    Passwd {
        /// The id or login name.
        user: String,
        #[command(flatten)]
        source: PasswordSource,
    },
    /// Removes somebody, with password and subscriptions; sessions end.
    Remove {
        /// The id.
        user: String,
    },
    /// Adds people from a CSV file, or changes those who are there: all of them or none.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// The file; its first line names the columns.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// The id, as in /finesse/api/User/{id}: 1 to 64 letters, digits and -._~!$&'()*+,;=@ but not
    /// `finesse`. Cisco's have at most 12 letters and digits.
    id: String,
    /// Another name to log in by.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    login_name: String,
    /// Given name.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    first_name: String,
    /// Family name.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    last_name: String,
    /// What the user may do; may be given more than once.
    #[arg(long = "role", value_name = "ROLE", default_value = "agent")]
    roles: Vec<RoleName>,
    /// The team the user works in.
    #[arg(long, value_name = "ID")]
    team: Option<String>,
    /// Teams the user supervises, with commas.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    supervises: Vec<String>,
    /// The extension of the user's phone, which signing in needs.
    #[arg(long, value_name = "EXTENSION")]
    phone: Option<String>,
    #[command(flatten)]
    source: PasswordSource,
}

/// Where a new password is from.
#[derive(Debug, Args)]
struct PasswordSource {
    /// Read the password from the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with = "generate_password")]
    password_file: Option<PathBuf>,
    /// Make a random password and print it once.
    #[arg(long)]
    generate_password: bool,
}

const EXAMPLES: &str = "\
Examples:
  aplomb team add 1                  a new data directory has no team yet
  aplomb user add 1001 --first-name Ada --team 1 --phone 1001
  aplomb user list --json
  aplomb user passwd 1001
  aplomb user import people.csv --data-dir /var/lib/aplomb";

const ADD_EXAMPLES: &str = "\
Without --password-file or --generate-password the terminal is asked for a password.

Examples, where the teams 1 and 2 are there (`aplomb team add 1`):
  aplomb user add 1001 --first-name Ada --last-name Lovelace --team 1 --phone 1001
  aplomb user add sup1 --role agent --role supervisor --team 1 --supervises 1,2
  aplomb user add bridge --role publisher --generate-password";

const IMPORT_EXAMPLES: &str = "\
Columns, of which only id must be there: id, login_name, first_name, last_name, roles, team,
supervises, phone, password. Several roles or teams stand in one field with semicolons. A column
that is not there leaves what is known of somebody as it is, and so does an empty password; somebody
new without a password gets a random one, printed once.

Example:
  id,first_name,last_name,roles,team,supervises,phone,password
  1001,Ada,Lovelace,agent,1,,1001,
  sup1,Grace,Hopper,agent;supervisor,1,1;2,2001,correct horse battery";

impl User {
    pub(super) fn run(&self) -> ExitCode {
        match &self.action {
            Action::Add(add) => self.add(add),
            Action::List => self.place.ask(&Request::ListUsers, words, listed),
            Action::Passwd { user, source } => match source.read(user) {
                Err(error) => fail(&error, USAGE),
                Ok(password) => {
                    let request = Request::SetPassword { user: user.clone(), password };
                    let show = |reply: &Reply| done(&format!("password of {user} changed"), reply);
                    self.place.ask(&request, words, show)
                }
            },
            Action::Remove { user } => {
                let request = Request::RemoveUser { user: user.clone() };
                let show = |reply: &Reply| done(&format!("user {user} removed"), reply);
                self.place.ask(&request, words, show)
            }
            Action::Import { file } => self.import(file),
        }
    }

    fn add(&self, add: &Add) -> ExitCode {
        let password = match add.source.read(&add.id) {
            Ok(password) => password,
            Err(error) => return fail(&error, USAGE),
        };
        let person = Person {
            id: add.id.clone(),
            login_name: add.login_name.clone(),
            first_name: add.first_name.clone(),
            last_name: add.last_name.clone(),
            roles: add.roles.clone(),
            team: add.team.clone(),
            supervises: add.supervises.clone(),
            phone: add.phone.clone(),
        };
        let show = |reply: &Reply| done(&format!("user {} added", add.id), reply);
        self.place.ask(&Request::AddUser { person, password }, words, show)
    }

    fn import(&self, file: &Path) -> ExitCode {
        if let Err(error) = std::fs::File::open(file) {
            return fail(&Refused(format!("{}: {error}", file.display())), USAGE);
        }
        let sheet = match import::read(file) {
            Ok(sheet) => sheet,
            Err(error) => return fail(&error, 1),
        };
        let people = sheet.people.clone();
        let line = match people.len() {
            1 => "1 person imported".to_owned(),
            n => format!("{n} people imported"),
        };
        let fields = sheet.columns.iter().map(|column| (*column).to_owned()).collect();
        let request = Request::ImportUsers { people, fields };
        self.place.ask(&request, |complaint| sheet.place(complaint), |reply| done(&line, reply))
    }
}

impl PasswordSource {
    fn read(&self, user: &str) -> Result<NewPassword, Refused> {
        if self.generate_password {
            return Ok(NewPassword::Generate);
        }
        let text = match &self.password_file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| Refused(format!("{}: {error}", path.display())))?;
                text.lines().next().unwrap_or_default().to_owned()
            }
            None if !std::io::stdin().is_terminal() => {
                let advice = "give --password-file FILE or --generate-password";
                return Err(Refused(format!(
                    "there is no terminal to ask for a password; {advice}"
                )));
            }
            None => {
                let ask = |prompt: String| {
                    rpassword::prompt_password(prompt).map_err(|error| Refused(error.to_string()))
                };
                let text = ask(format!("New password of {user}: "))?;
                if ask("The same again: ".to_owned())? != text {
                    return Err(Refused("the two passwords differ".to_owned()));
                }
                text
            }
        };
        Ok(NewPassword::Is(Password(Secret::new(text))))
    }
}

fn listed(reply: &Reply) -> String {
    let people: &[Person] = match reply {
        Reply::Users(people) => people,
        Reply::Done(_) | Reply::Teams(_) | Reply::Refused(_) => &[],
    };
    let rows: Vec<_> = people.iter().map(row).collect();
    table(["ID", "LOGIN NAME", "NAME", "ROLES", "TEAM", "SUPERVISES", "PHONE"], &rows)
}

fn row(person: &Person) -> [String; 7] {
    let roles: Vec<_> = person.roles.iter().map(|role| import::name_of(*role)).collect();
    [
        person.id.clone(),
        person.login_name.clone(),
        format!("{} {}", person.first_name, person.last_name).trim().to_owned(),
        roles.join(";"),
        person.team.clone().unwrap_or_default(),
        person.supervises.join(";"),
        person.phone.clone().unwrap_or_default(),
    ]
}
