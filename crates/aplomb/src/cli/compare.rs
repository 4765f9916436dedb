//! `aplomb compare`: every way to follow an agent, measured side by side.

mod progress;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::credentials::{Credentials, UsageError};
use super::{USAGE, fail, interrupted, print};
use crate::compare::agent::AgentError;
use crate::compare::findings::Findings;
use crate::compare::{self, Failure, Given, Settings, page, table};
use crate::limits::{COMPARE_FOREIGN_RATE_MAX, COMPARE_RATE_MAX, COMPARE_SECS_MAX};
use crate::link::dial::{ConnectError, Over, Target};
use crate::random;
use progress::Shown;

/// Measures every way to follow an agent, side by side: delay, requests, bytes, connections, CPU.
///
/// One agent's state is changed again and again, and all follow at once: polls over HTTP/1.0 and
/// 1.1, the long poll, server-sent events, WebSockets, XMPP over every carrier. Without an address
/// it starts a server of its own, and stops it at the end.
///
/// On a server that is given, the agent changes between NOT_READY with one reason and with another,
/// and is given back as found. The password comes from --password-file, from the variable
/// APLOMB_PASSWORD, or is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Compare {
    /// A server that runs: https://finesse.example:8445 [default: one of its own].
    #[arg(value_parser = web_server, requires = "user")]
    url: Option<Target>,

    /// The agent to follow: an id or login name.
    #[arg(long, short, requires = "url")]
    user: Option<String>,

    /// Events a second, one measurement for each [default: 1,10,100; on a given server 1,5].
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = rate)]
    rates: Vec<f64>,

    /// Seconds between two questions of the short polls, one poll for each.
    #[arg(long, value_name = "SECS,…", value_delimiter = ',', value_parser = interval,
        default_value = "0.1,0.5,1")]
    poll: Vec<Duration>,

    /// Seconds that measuring takes, about.
    #[arg(long, value_name = "SECS", default_value_t = 50,
        value_parser = clap::value_parser!(u64).range(1..=COMPARE_SECS_MAX))]
    seconds: u64,

    /// As short as it makes sense: --seconds 8 --rates 5,50 --poll 0.1,0.3; on a given server
    /// --rates 5.
    #[arg(long, conflicts_with_all = ["seconds", "rates", "poll"])]
    quick: bool,

    /// Makes the events come at the same moments as in the run that printed this seed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Writes everything as JSON; `-` is standard output, and the table goes to standard error.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Writes a report with plots, one page of HTML that needs nothing besides; `-` is standard
    /// output, and the table goes to standard error.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// The agent's phone: if signed out, the agent is signed in with it, and out at the end.
    #[arg(long, value_name = "PHONE", requires = "url")]
    extension: Option<String>,

    /// The XMPP domain [default: what SystemInfo says, else the host].
    #[arg(long, requires = "url")]
    domain: Option<String>,

    /// The port of XMPP over TCP with STARTTLS.
    #[arg(long, value_name = "PORT", default_value_t = 5222)]
    xmpp: u16,

    /// The port of XMPP over TCP in TLS.
    #[arg(long, value_name = "PORT", default_value_t = 5223)]
    xmpps: u16,

    /// Seconds that each step of connecting may take.
    #[arg(long, value_name = "SECS", default_value_t = 10)]
    timeout: u64,

    #[command(flatten)]
    credentials: Credentials,
}

const EXAMPLES: &str = "\
Exit codes:
  0  every way saw every event once            6  the login was refused
  1  it broke off                              7  nothing can be compared there: the agent is busy
  2  the command line is wrong                    or signed out, or there is no way to follow
  3  no connection: name, TCP, TLS, time       8  events were missed, doubled or out of order
  4  the certificate is not trusted            9  stopped by Ctrl-C: every measurement that was
                                                  over is printed, the one under way is not

Examples:
  aplomb compare --html report.html
  aplomb compare --quick --json -
  aplomb compare https://finesse.example:8445 --user 1001 --extension 1001 --ca site.pem";

impl Compare {
    pub(super) fn run(&self) -> ExitCode {
        let settings = match self.settings() {
            Ok(settings) => settings,
            Err(error) => return fail(&error, USAGE),
        };
        // Files that cannot be written are found before anything is measured.
        let (json, html) = match self.places() {
            Ok(places) => places,
            Err(error) => return fail(&error, USAGE),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let outcome = match runtime {
            Ok(runtime) => runtime.block_on(measure(&settings)),
            Err(error) => return fail(&error, 1),
        };
        match outcome {
            Ok(findings) => tell(&findings, json, html),
            Err(failure) => fail(&failure, exit_code(&failure)),
        }
    }

    fn settings(&self) -> Result<Settings, Wrong> {
        let server = self.url.as_ref().zip(self.user.as_ref());
        let server = server.map(|(url, user)| self.given(url, user)).transpose()?;
        let rates = match (&self.rates[..], self.quick, server.is_some()) {
            (&[], true, false) => vec![5.0, 50.0],
            (&[], true, true) => vec![5.0],
            (&[], false, false) => vec![1.0, 10.0, 100.0],
            (&[], false, true) => vec![1.0, 5.0],
            (rates, ..) => ascending(rates.to_vec(), f64::total_cmp),
        };
        if server.is_some() && rates.iter().any(|rate| *rate > COMPARE_FOREIGN_RATE_MAX) {
            return Err(Wrong::Rate);
        }
        let quick = [100, 300].map(Duration::from_millis).to_vec();
        let intervals = if self.quick { quick } else { ascending(self.poll.clone(), Ord::cmp) };
        let seed = self.seed.unwrap_or_else(|| u32::from_ne_bytes(random::bytes()).into());
        Ok(Settings {
            server,
            rates,
            intervals,
            whole: Duration::from_secs(if self.quick { 8 } else { self.seconds }),
            seed,
            wait: Duration::from_secs(self.timeout),
        })
    }

    fn given(&self, url: &Target, user: &str) -> Result<Given, Wrong> {
        if !url.is_tls && !self.credentials.plain_without_tls {
            return Err(Wrong::NoTls);
        }
        Ok(Given {
            web: url.clone(),
            trust: self.credentials.trust()?,
            domain: self.domain.clone(),
            user: user.to_owned(),
            password: self.credentials.password(user)?,
            extension: self.extension.clone(),
            xmpp: self.xmpp,
            xmpps: self.xmpps,
            plain_without_tls: self.credentials.plain_without_tls,
        })
    }

    /// Where the document and the page go.
    fn places(&self) -> Result<(Option<Place>, Option<Place>), Wrong> {
        if let (Some(json), Some(html)) = (&self.json, &self.html)
            && resolved(json) == resolved(html)
        {
            return Err(Wrong::SamePlace(json.clone()));
        }
        let open = |path: &Option<PathBuf>| path.as_deref().map(Place::open).transpose();
        Ok((open(&self.json)?, open(&self.html)?))
    }
}

/// Writes what was found wherever it is wanted. The table comes first, whatever becomes of a file.
fn tell(findings: &Findings, json: Option<Place>, html: Option<Place>) -> ExitCode {
    let text = table::text(findings);
    if [&json, &html].into_iter().flatten().any(|place| matches!(place, Place::Stdout)) {
        anstream::eprint!("{text}");
    } else {
        print(&text);
    }
    let document = || serde_json::to_string_pretty(findings).expect("findings are JSON") + "\n";
    let written = json
        .map_or(Ok(()), |place| place.write(&document()))
        .and_then(|()| html.map_or(Ok(()), |place| place.write(&page::html(findings))));
    if let Err(error) = written {
        return fail(&error, 1);
    }
    match (&findings.stopped, findings.faults().is_empty()) {
        (_, false) => ExitCode::from(8),
        (Some(words), true) if words == compare::INTERRUPTED => ExitCode::from(9),
        (Some(_), true) => ExitCode::from(1),
        (None, true) => ExitCode::SUCCESS,
    }
}

/// Measures until it is done or somebody interrupts.
async fn measure(settings: &Settings) -> Result<Findings, Failure> {
    let stop = CancellationToken::new();
    let shown = Shown::begin();
    let mut tell = |progress| shown.tell(&progress);
    let outcome = {
        let running = compare::run(settings, &stop, &mut tell);
        tokio::pin!(running);
        tokio::select! {
            outcome = &mut running => outcome,
            () = interrupted() => {
                stop.cancel();
                running.await
            }
        }
    };
    shown.end();
    outcome
}

/// What is wrong with the command line.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    Usage(#[from] UsageError),
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    #[error("--json and --html both name {0}, and one would overwrite the other; name two places")]
    SamePlace(PathBuf),
    #[error(
        "on a server that it did not start, `aplomb compare` causes at most \
         {COMPARE_FOREIGN_RATE_MAX} events a second: each is a change of an agent's state there"
    )]
    Rate,
    #[error("http:// sends the password readable; --plain-without-tls allows that in a laboratory")]
    NoTls,
}

/// Where something is written.
#[derive(Debug)]
enum Place {
    /// Standard output, asked for as `-`.
    Stdout,
    /// A file that can be written to, and its path.
    File(PathBuf, File),
}

impl Place {
    fn open(path: &Path) -> Result<Self, Wrong> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let wrong = |error| Wrong::File(path.to_owned(), error);
        Ok(Self::File(path.to_owned(), File::create(path).map_err(wrong)?))
    }

    fn write(self, text: &str) -> Result<(), Wrong> {
        match self {
            Self::Stdout => {
                print(text);
                Ok(())
            }
            Self::File(path, mut file) => {
                file.write_all(text.as_bytes()).map_err(|error| Wrong::File(path, error))
            }
        }
    }
}

/// The path without links, also of a file that is not there yet: two ways to write it are one.
fn resolved(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let in_folder = || {
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(in_folder).unwrap_or_else(|| path.to_owned())
}

fn ascending<T: PartialEq>(mut all: Vec<T>, order: fn(&T, &T) -> std::cmp::Ordering) -> Vec<T> {
    all.sort_by(order);
    all.dedup();
    all
}

/// Reads the address of a web server; what carries XMPP there is found out.
fn web_server(text: &str) -> Result<Target, String> {
    let target: Option<Target> = text.parse().ok();
    let web = target.filter(|target| target.over == Over::Bosh && target.path == "/http-bind/");
    let web = web.map(|target| Target { path: String::new(), ..target });
    web.ok_or_else(|| "write it like https://finesse.example:8445".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.trim().parse().ok().filter(|rate| (0.1..=COMPARE_RATE_MAX).contains(rate));
    rate.ok_or_else(|| format!("a rate is 0.1 to {COMPARE_RATE_MAX} events a second"))
}

fn interval(text: &str) -> Result<Duration, String> {
    let secs = text.trim().parse().ok().filter(|secs| (0.01..=60.0).contains(secs));
    secs.map(Duration::from_secs_f64).ok_or_else(|| "0.01 to 60 seconds".to_owned())
}

const fn exit_code(failure: &Failure) -> u8 {
    match failure {
        Failure::Connect(error) | Failure::Agent(AgentError::Connect(error)) => match error {
            ConnectError::Untrusted { .. } => 4,
            _ => 3,
        },
        Failure::Agent(AgentError::Login(_)) => 6,
        Failure::Agent(
            AgentError::Busy { .. } | AgentError::SignedOut(_) | AgentError::Refused { .. },
        )
        | Failure::NoWay { .. } => 7,
        Failure::Stopped => 9,
        Failure::Agent(_) | Failure::Server(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        compare: Compare,
    }

    fn settings(flags: &str) -> Result<Settings, String> {
        let line = format!("compare {flags}");
        let line = Line::try_parse_from(line.split_whitespace()).map_err(|e| e.to_string())?;
        line.compare.settings().map_err(|error| error.to_string())
    }

    #[test]
    fn rates_and_intervals_are_sorted_and_bounded() {
        let all = settings("--rates 50,2,50 --poll 2,0.25 --seconds 5 --seed 9").unwrap();
        assert_eq!(all.rates, [2.0, 50.0]);
        assert_eq!(all.intervals, [250, 2_000].map(Duration::from_millis));
        assert_eq!((all.seed, all.whole), (9, Duration::from_secs(5)));
        for wrong in
            ["--rates 0", "--rates x", "--rates 5000", "--poll 0", "--poll 61", "--seconds 0"]
        {
            assert!(settings(wrong).is_err(), "{wrong}");
        }
        assert!(settings("--quick --rates 5").is_err());
    }

    #[test]
    fn two_documents_do_not_go_to_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("old"), "kept").unwrap();
        std::os::unix::fs::symlink(path("old"), path("link")).unwrap();
        let places = |json: &str, html: &str| {
            let line = Line::try_parse_from(["compare", "--json", json, "--html", html]).unwrap();
            line.compare.places().map(drop).map_err(|error| error.to_string())
        };
        let (new, old) = (path("new"), path("old"));
        for (json, html) in
            [("-", "-"), (&new, &new), (&new, &path("./new")), (&old, &path("link"))]
        {
            let error = places(json, html).unwrap_err();
            assert!(error.contains("name two places"), "{json} {html}: {error}");
        }
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "kept");
        for (json, html) in [("-", &*new), (&*new, "-"), (&*new, &*old)] {
            assert_eq!(places(json, html), Ok(()), "{json} {html}");
        }
    }

    #[test]
    fn a_server_is_given_with_its_user_and_treated_with_care() {
        let password = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(password.path(), "pencil\n").unwrap();
        let file = format!("--password-file {}", password.path().display());
        let given = settings(&format!("https://cc.test:8445 --user 1001 {file}")).unwrap();
        assert_eq!(given.rates, [1.0, 5.0]);
        assert_eq!(given.server.unwrap().web.to_string(), "https://cc.test:8445");
        for (flags, words) in [
            ("https://cc.test --user 1001 --rates 50", "at most 10"),
            ("http://cc.test --user 1001", "--plain-without-tls"),
            ("https://cc.test", "--user"),
            ("--user 1001", "URL"),
            ("wss://cc.test/ws/ --user 1001", "https://finesse.example:8445"),
            ("https://cc.test/desktop --user 1001", "https://finesse.example:8445"),
        ] {
            let error = settings(&format!("{flags} {file}")).unwrap_err();
            assert!(error.contains(words), "{flags}: {error}");
        }
    }
}
