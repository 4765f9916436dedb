//! `aplomb watch`: logs in as a client, and prints every step and every event.

mod print;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use aplomb_core::framing::StreamCondition;
use aplomb_core::stream::initiator::Trouble;
use tokio_util::sync::CancellationToken;

use super::credentials::{Credentials, UsageError};
use super::{USAGE, fail, interrupted};
use crate::client::news::{Loss, News, What};
use crate::client::{self, Failure, Settings};
use crate::link::dial::{ConnectError, Meter, Target};
use crate::random;
use print::Voice;

/// Logs in as a client, prints each step as it happens, then every event.
///
/// It speaks to aplomb, to Cisco Finesse and to any XMPP server, over WebSocket, TCP or HTTP. The
/// password comes from --password-file, from the variable APLOMB_PASSWORD, or is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Watch {
    /// Where the service is: wss://finesse.example:8445/ws/, xmpps://finesse.example:5223, or
    /// https://finesse.example:8445/http-bind/ for BOSH.
    url: Target,

    /// Whom to log in as: an agent's id or login name.
    #[arg(long, short)]
    user: String,

    /// A node to subscribe to: /finesse/api/User/1001, or User/1001 for short. May be repeated.
    #[arg(long, value_name = "NODE", value_parser = whole_node)]
    node: Vec<String>,

    /// A team whose agents to watch: the node Team/T/Users. May be repeated.
    #[arg(long, value_name = "T")]
    team: Vec<String>,

    /// Prints one JSON object a line, with a `kind` in each.
    #[arg(long)]
    json: bool,

    /// Ends after so many events.
    #[arg(long, value_name = "N")]
    events: Option<u64>,

    /// The resource to bind; `desktop` would throw the agent's own desktop out [default:
    /// watch-<random>].
    #[arg(long)]
    resource: Option<String>,

    /// The XMPP domain [default: what SystemInfo says, else the host].
    #[arg(long)]
    domain: Option<String>,

    /// Seconds that each step of connecting may take.
    #[arg(long, value_name = "SECS", default_value_t = 10)]
    timeout: u64,

    #[command(flatten)]
    credentials: Credentials,
}

const EXAMPLES: &str = "\
Exit codes:
  0  ended by Ctrl-C, SIGTERM or --events      5  the upgrade to WebSocket failed
  1  the stream broke before it was ready      6  the login was refused
  2  the command line is wrong                 7  the server ended the stream for good
  3  no connection: name, TCP, TLS, time       8  a subscription was refused
  4  the certificate is not trusted

Examples:
  aplomb watch wss://localhost:8445/ws/ --user 1001 --insecure
  aplomb watch wss://finesse.example:8445/ws/ --user sup1 --team 1 --ca site.pem
  aplomb watch xmpps://finesse.example --user 1001 --domain finesse.example
  aplomb watch ws://localhost:8080/ws/ --user 1001 --json | jq 'select(.kind == \"event\")'";

impl Watch {
    pub(super) fn run(&self) -> ExitCode {
        let settings = match self.settings() {
            Ok(settings) => settings,
            Err(error) => return fail(&error, USAGE),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let outcome = match runtime {
            Ok(runtime) => runtime.block_on(self.watch(&settings)),
            Err(error) => return fail(&error, 1),
        };
        let Err(failure) = outcome else { return ExitCode::SUCCESS };
        let code = exit_code(&failure);
        let code = fail(&failure, code);
        if let Some(remedy) = remedy(&failure, &settings) {
            anstream::eprintln!("{remedy}");
        }
        code
    }

    async fn watch(&self, settings: &Settings) -> Result<(), Failure> {
        let stop = CancellationToken::new();
        let voice = if self.json { Voice::Json } else { Voice::Text };
        let mut events_left = self.events;
        let stop_too = stop.clone();
        let mut tell = move |news: News| {
            let mut out = anstream::stdout().lock();
            let written = writeln!(out, "{}", voice.say(&news)).and_then(|()| out.flush());
            // A reader that has gone away needs no more.
            if written.is_err() || is_last(&news.what, &mut events_left) {
                stop_too.cancel();
            }
        };
        let watching = client::run(settings, &stop, &mut tell);
        tokio::pin!(watching);
        tokio::select! {
            outcome = &mut watching => return outcome,
            () = interrupted() => stop.cancel(),
        }
        watching.await
    }

    fn settings(&self) -> Result<Settings, UsageError> {
        let teams = self.team.iter().map(|team| format!("/finesse/api/Team/{team}/Users"));
        let resource = self.resource.clone();
        Ok(Settings {
            target: self.url.clone(),
            trust: self.credentials.trust()?,
            domain: self.domain.clone(),
            user: self.user.clone(),
            password: self.credentials.password(&self.user)?,
            // Who chooses a resource wants that one and no other.
            tag: resource.is_none().then(|| "watch".to_owned()),
            resource: resource.unwrap_or_else(|| format!("watch-{}", random::name(6))),
            allows_plain_without_tls: self.credentials.plain_without_tls,
            nodes: self.node.iter().cloned().chain(teams).collect(),
            wait: Duration::from_secs(self.timeout),
            meter: Meter::default(),
        })
    }
}

fn whole_node(text: &str) -> Result<String, String> {
    match text {
        "" => Err("a node has a name, such as User/1001".to_owned()),
        node if node.starts_with('/') => Ok(node.to_owned()),
        node => Ok(format!("/finesse/api/{node}")),
    }
}

/// Counts events down; whether this was the last one wanted.
fn is_last(what: &What, events_left: &mut Option<u64>) -> bool {
    let count = match what {
        What::Event(_) => 1,
        What::Missed(missed) => missed.events.len() as u64,
        What::Link(_) | What::Step(_) | What::Stanza(_) | What::Lost { .. } => 0,
    };
    let Some(left) = events_left else { return false };
    *left = left.saturating_sub(count);
    *left == 0
}

const fn exit_code(failure: &Failure) -> u8 {
    match failure {
        Failure::Connect(ConnectError::Untrusted { .. }) => 4,
        Failure::Connect(ConnectError::Upgrade(_) | ConnectError::NotHttp(_)) => 5,
        Failure::Connect(_) | Failure::Stream(Trouble::NoTls) => 3,
        Failure::Stream(Trouble::Login(..) | Trouble::NoMechanism(_) | Trouble::Distrust(_)) => 6,
        Failure::Stream(_) => 7,
        Failure::Lost(_) => 1,
        Failure::Subscription { .. } => 8,
    }
}

/// What to do next, where the error itself does not say it.
fn remedy(failure: &Failure, settings: &Settings) -> Option<String> {
    let remedy = match failure {
        Failure::Stream(Trouble::Login(condition, words)) => {
            let words = words.as_ref().map(|words| format!("The server says: {words}\n"));
            let what = match condition.as_str() {
                "temporary-auth-failure" => "The server cannot check it just now; try again later.",
                _ => {
                    "Check --user and the password. Five wrong ones in a row lock an account for \
                     five minutes, on Finesse as on aplomb."
                }
            };
            format!("{}{what}", words.unwrap_or_default())
        }
        Failure::Stream(Trouble::NoMechanism(offered)) if offered.iter().any(|m| m == "PLAIN") => {
            "PLAIN sends the password as it is. Use wss://, or --plain-without-tls in a laboratory."
                .to_owned()
        }
        Failure::Stream(Trouble::NoTls) => {
            "Use xmpps:// where the server has it, or --plain-without-tls in a laboratory."
                .to_owned()
        }
        Failure::Stream(Trouble::Bind(_)) => {
            format!("Choose another --resource than {}.", settings.resource)
        }
        Failure::Stream(Trouble::Stream(error)) => match error.condition {
            StreamCondition::Conflict => format!(
                "Another session took the resource {}. Choose another with --resource.",
                settings.resource
            ),
            StreamCondition::HostUnknown => {
                "Name the server's XMPP domain with --domain; SystemInfo shows it as xmppDomain."
                    .to_owned()
            }
            _ => error.text.clone()?,
        },
        Failure::Lost(Loss::Broken(_)) => {
            "Something between here and the server, or the server itself, cut the connection; its \
             log says which."
                .to_owned()
        }
        Failure::Subscription { .. } => {
            "An agent may watch the own nodes, a supervisor the own teams, an administrator all. \
             Check the spelling: /finesse/api/User/1001, /finesse/api/Team/1/Users."
                .to_owned()
        }
        Failure::Connect(_) | Failure::Stream(_) | Failure::Lost(_) => return None,
    };
    Some(remedy)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        watch: Watch,
    }

    fn parse(flags: &str) -> Result<Watch, clap::Error> {
        let line = format!("watch wss://cc.test:8445/ws/ --user 1001 {flags}");
        Line::try_parse_from(line.split_whitespace()).map(|line| line.watch)
    }

    #[test]
    fn a_node_may_be_named_in_short_and_a_team_by_its_number() {
        let watch = parse("--node User/1002 --node /finesse/api/User/1003 --team 5").unwrap();
        assert_eq!(watch.node, ["/finesse/api/User/1002", "/finesse/api/User/1003"]);
        assert_eq!(watch.team, ["5"]);
    }

    #[test]
    fn there_is_one_way_to_trust_at_a_time() {
        assert!(parse("--insecure").is_ok());
        let print = "AB:".repeat(31) + "AB";
        assert!(parse(&format!("--fingerprint {print}")).is_ok());
        assert!(parse(&format!("--insecure --fingerprint {print}")).is_err());
        assert!(parse("--fingerprint AB").is_err());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_before_anything_is_connected() {
        for (flags, words) in [
            ("--ca /nope/ca.pem", "--ca /nope/ca.pem: "),
            ("--ca Cargo.toml", "--ca Cargo.toml holds no certificate"),
            ("--password-file /nope/word", "--password-file /nope/word: "),
        ] {
            let error = parse(flags).unwrap().settings().unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }

    #[test]
    fn so_many_events_are_counted_down() {
        let event = What::Event(crate::client::news::Event {
            node: "n".to_owned(),
            id: None,
            payload: None,
            is_late: false,
        });
        let mut left = Some(2);
        assert!(!is_last(&event, &mut left));
        assert!(!is_last(&What::Link(String::new()), &mut left));
        assert!(is_last(&event, &mut left));
        assert!(!is_last(&event, &mut None));
    }
}
