//! One agent, one stream of events, followed in every way at once: what each way costs and how fast
//! it is.
//!
//! First all ways follow together, at each rate; then, on a server of our own, each follows alone,
//! so that the server's CPU time is its. What is compared is read from the lists of feeds and of
//! carriers: see [`ways`].

pub mod agent;
pub mod findings;
pub mod ground;
pub mod page;
pub mod plan;
pub mod plot;
pub mod server;
pub mod table;
pub mod told;
pub mod ways;
pub mod words;

mod account;
mod board;
mod reader;
mod step;
mod survey;

use std::sync::Arc;
use std::time::Duration;

use aplomb_core::secret::Secret;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::link::dial::{ConnectError, Target, Trust};
use agent::{Agent, AgentError};
use findings::{Cpu, Findings, Lacking, ServerShown};
use ground::Ground;
use plan::Plan;
use server::{CpuClock, Own, ServerError};
use step::{Abandoned, Outcome, Step};
use ways::Way;

/// What is to be compared.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A server that runs; none starts one.
    pub server: Option<Given>,
    /// Events a second, ascending.
    pub rates: Vec<f64>,
    /// Times between two questions of short polls, ascending.
    pub intervals: Vec<Duration>,
    /// How long all of it should take.
    pub whole: Duration,
    /// The seed of the events' moments.
    pub seed: u64,
    /// How long each step of connecting may take.
    pub wait: Duration,
}

/// A server that runs already.
#[derive(Debug, Clone)]
pub struct Given {
    /// Its web server.
    pub web: Target,
    /// Which certificates are good enough.
    pub trust: Trust,
    /// The XMPP domain; none asks SystemInfo, and falls back on the host.
    pub domain: Option<String>,
    /// The agent.
    pub user: String,
    /// His password.
    pub password: Secret<String>,
    /// His phone, to sign in with if he is signed out.
    pub extension: Option<String>,
    /// The port of XMPP over TCP with STARTTLS.
    pub xmpp: u16,
    /// The port of XMPP over TLS.
    pub xmpps: u16,
    /// Whether the password may be sent without TLS.
    pub plain_without_tls: bool,
}

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Our own server does not run.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// No events can be caused.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The server cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server has nothing to follow an agent by.
    #[error("the server has no way to follow {user}:{ways}", ways = lines(.lacking))]
    NoWay {
        /// The agent.
        user: String,
        /// Each way, and why not.
        lacking: Vec<Lacking>,
    },
    /// It was stopped before the first measurement was over.
    #[error("stopped before the first measurement was over: nothing was found that could be told")]
    Stopped,
}

/// How far a comparison is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is done now.
    pub words: String,
    /// The share that is done, 0 to 1.
    pub done: f64,
    /// The share that will be done after this.
    pub next: f64,
    /// How long this takes.
    pub length: Duration,
}

/// Compares, until it is done or `stop` is cancelled; then what is found so far is told.
///
/// - Errors: see [`Failure`].
pub async fn run(
    settings: &Settings,
    stop: &CancellationToken,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<Findings, Failure> {
    tell(Progress { words: "starting".to_owned(), done: 0.0, next: 0.0, length: Duration::ZERO });
    let own = match &settings.server {
        Some(_) => None,
        None => tokio::select! {
            own = Own::start() => Some(own?),
            () = stop.cancelled() => return Err(Failure::Stopped),
        },
    };
    let found = tokio::select! {
        ground = survey::ground(settings, own.as_ref()) => ground,
        () = stop.cancelled() => Err(Failure::Stopped),
    };
    let outcome = match found {
        Ok(ground) => on(settings, &Arc::new(ground), own.as_ref(), stop, tell).await,
        Err(failure) => Err(failure),
    };
    if let Some(own) = own {
        own.stop().await;
    }
    outcome
}

/// Compares on a server that is known; the agent is given back whatever happens.
async fn on(
    settings: &Settings,
    ground: &Arc<Ground>,
    own: Option<&Own>,
    stop: &CancellationToken,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<Findings, Failure> {
    let extension = match &settings.server {
        Some(given) => given.extension.as_deref(),
        None => Some(LAB_AGENT),
    };
    let mut agent = Agent::take(ground, extension).await?;
    let clock = own.map(Own::clock);
    let measuring = Measuring { settings, ground, agent: &mut agent, clock, stop, tell };
    let outcome = measuring.all(own.is_some()).await;
    let given_back = agent.give_back().await;
    let mut findings = outcome?;
    // What was found is found; but whoever owns the agent must know.
    if let (Err(error), None) = (given_back, &findings.stopped) {
        findings.stopped = Some(format!("the agent could not be given back as found: {error}"));
    }
    Ok(findings)
}

/// A comparison under way.
struct Measuring<'a, 'g> {
    settings: &'a Settings,
    ground: &'g Arc<Ground>,
    agent: &'a mut Agent<'g>,
    clock: Option<CpuClock>,
    stop: &'a CancellationToken,
    tell: &'a mut (dyn FnMut(Progress) + Send),
}

impl Measuring<'_, '_> {
    async fn all(mut self, is_own: bool) -> Result<Findings, Failure> {
        let ways = ways::all(&self.settings.intervals, self.ground.web.is_tls);
        self.say("looking for what the server has", 0.0, 0.0, Duration::ZERO);
        let stopped = self.stop.clone();
        let (ways, lacking) = tokio::select! {
            found = step::find(self.ground, ways, self.agent) => found?,
            () = stopped.cancelled() => return Err(Failure::Stopped),
        };
        let mut findings = self.beginning(is_own, &ways, lacking);
        if ways.is_empty() {
            let (user, lacking) = (self.ground.user.clone(), findings.lacking);
            return Err(Failure::NoWay { user, lacking });
        }
        if self.clock.as_mut().is_some_and(|clock| clock.read().is_none()) {
            self.clock = None;
            findings.cpu.unknown = Some("this system does not tell it".to_owned());
        }
        match self.measure(&ways, &mut findings).await {
            Ok(()) => Ok(findings),
            Err(Abandoned::Stopped) if findings.together.is_empty() => Err(Failure::Stopped),
            Err(Abandoned::Stopped) => {
                findings.stopped = Some(INTERRUPTED.to_owned());
                Ok(findings)
            }
            Err(Abandoned::Agent(error)) if findings.together.is_empty() => Err(error.into()),
            Err(Abandoned::Agent(error)) => {
                findings.stopped = Some(error.to_string());
                Ok(findings)
            }
        }
    }

    fn beginning(&self, is_own: bool, ways: &[Way], lacking: Vec<(Way, String)>) -> Findings {
        let cpu_unknown = (!is_own).then(|| "the server was not started for this".to_owned());
        Findings {
            format: 1,
            program: format!("aplomb {}", env!("CARGO_PKG_VERSION")),
            at: clock::wall().to_iso(),
            server: ServerShown {
                url: self.ground.web.to_string().trim_end_matches('/').to_owned(),
                own: is_own,
                agent: self.ground.user.clone(),
            },
            seed: self.settings.seed,
            schedule: "poisson",
            stopped: None,
            ways: ways.iter().map(account::shown).collect(),
            lacking: lacking
                .into_iter()
                .map(|(Way { key, name, .. }, why)| Lacking { key, name, why })
                .collect(),
            together: Vec::new(),
            cpu: Cpu { unknown: cpu_unknown, rates: Vec::new() },
        }
    }

    /// Does every step of the plan, and adds what is found as it is.
    async fn measure(&mut self, ways: &[Way], found: &mut Findings) -> Result<(), Abandoned> {
        let alone = if self.clock.is_some() { ways.len() + 2 } else { 0 };
        let plan = Plan::new(self.settings.whole, &self.settings.rates, alone);
        let lengths = plan.together.iter().map(|(_, length)| *length);
        let alone_secs: Duration = plan.alone.iter().map(|(_, length)| *length).sum();
        let whole = lengths.sum::<Duration>() + alone_secs * u32::try_from(alone).unwrap_or(0);
        let mut done = Duration::ZERO;
        for (number, (rate, length)) in plan.together.iter().enumerate() {
            let words = format!("{} ways at once, {}", ways.len(), table::per_second(*rate));
            let seed = self.settings.seed.wrapping_add(number as u64);
            let share = |spent: Duration| spent.as_secs_f64() / whole.as_secs_f64();
            self.say(&words, share(done), share(done + *length), *length);
            done += *length;
            let outcome = self.step(ways, *rate, *length, seed, false).await?;
            found.together.push(account::together(*rate, ways, &outcome));
        }
        for (number, (rate, length)) in plan.alone.iter().enumerate() {
            let seed = self.settings.seed.wrapping_add(number as u64);
            let mut costs = Vec::new();
            let nobody = std::iter::once(None);
            for way in nobody.clone().chain(ways.iter().map(Some)).chain(nobody) {
                let name = way.map_or("nobody", |way| way.name.as_str());
                let words = format!("CPU time, {name} at {}", table::per_second(*rate));
                let share = |spent: Duration| spent.as_secs_f64() / whole.as_secs_f64();
                self.say(&words, share(done), share(done + *length), *length);
                done += *length;
                let one = way.map(std::slice::from_ref).unwrap_or_default();
                costs.push(self.step(one, *rate, *length, seed, true).await?);
            }
            found.cpu.rates.push(account::alone(*rate, ways, &costs));
        }
        Ok(())
    }

    async fn step(
        &mut self,
        ways: &[Way],
        rate: f64,
        length: Duration,
        seed: u64,
        is_alone: bool,
    ) -> Result<Outcome, Abandoned> {
        // A poll that comes once in a step would show its first question only.
        let slowest = ways.iter().filter_map(Way::every).max().unwrap_or_default();
        let length = length.max(2 * slowest);
        let moments = plan::moments(seed, rate, length);
        let step = Step { ground: self.ground, ways, moments, length };
        let clock = self.clock.as_mut().filter(|_| is_alone);
        step.run(self.agent, clock, self.stop).await
    }

    fn say(&mut self, words: &str, done: f64, next: f64, length: Duration) {
        (self.tell)(Progress { words: words.to_owned(), done, next, length });
    }
}

fn lines(lacking: &[Lacking]) -> String {
    lacking.iter().map(|way| format!("\n  {}: {}", way.name, way.why)).collect()
}

/// What [`Findings::stopped`] says when somebody stopped it.
pub const INTERRUPTED: &str = "stopped before its end";

/// The agent of the laboratory who is followed; his phone has the same number.
const LAB_AGENT: &str = "1001";
