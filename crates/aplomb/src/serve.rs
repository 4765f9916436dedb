//! Builds the parts, joins the tasks, stops in order.
//!
//! The order of a stop: the listeners close and requests get their answers; every stream is told
//! and closed after its mailbox is empty; the writer finishes what it has; the store closes. Each
//! step has a part of the configured time, and what is not done by then is cut off.

mod banner;
mod doors;
mod features;
mod feeds;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use aplomb_core::domain::Domain;
use aplomb_core::finesse::system_info::{Status, SystemInfo};
use aplomb_core::realm::Realm;
use aplomb_core::sasl::{KeyRing, Mechanism};
use aplomb_core::secret::Secret;
use aplomb_core::stream::Sasl2;
use aplomb_core::stream::responder::{Policy, StartTls};
use aplomb_core::time::Moment;
use axum::Router;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::{info, warn};

use self::doors::Doors;
use self::features::Features;
use crate::accounts::Accounts;
use crate::config::{Config, Lab};
use crate::hub::Hub;
use crate::limits::{GENERATED_PASSWORD_CHARS, PUBSUB_QUEUE_MAX};
use crate::listen::{Binds, Permits, Site, Upgrades, Watchers, binds, discovery, pages, upgrades};
use crate::mailbox::EndReason;
use crate::office::{Made, Office, Password};
use crate::rest::{self, Rest};
use crate::session::{Shared, Tickets};
use crate::store::{Memory, Sqlite, Store, StoreError};
use crate::tls::{Identity, TlsError};
use crate::watch::Metrics;
use crate::writer::{self, StepError, Writer};
use crate::{clock, control, departure, lab, random};

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An address cannot be used.
    #[error("cannot listen on {address}: {error}; choose another address with --{setting}")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// The setting that holds it.
        setting: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The control socket cannot be made.
    #[error("the control socket in the data directory cannot be made: {0}")]
    Control(io::Error),
    /// The first people could not be made.
    #[error("the contact centre could not be filled: {0}")]
    Seed(#[from] StepError),
    /// The lab's password cannot be a password.
    #[error("lab-password: {0}")]
    LabPassword(#[from] aplomb_core::sasl::keys::BadPassword),
    /// The system gives us no signals.
    #[error("cannot wait for Ctrl-C and SIGTERM: {0}")]
    Signals(io::Error),
}

/// A server that runs. Dropping it without [`Running::stop`] ends it like a crash would.
pub struct Running {
    /// Where HTTPS listens, with the real port.
    pub https: SocketAddr,
    /// Where clear-text HTTP listens, if it does.
    pub insecure_http: Option<SocketAddr>,
    /// Where XMPP over TCP listens, if it does.
    pub xmpp: Option<SocketAddr>,
    /// Where XMPP over TLS listens, if it does.
    pub xmpps: Option<SocketAddr>,
    /// The XMPP domain.
    pub domain: String,
    /// The SHA-256 of the certificate.
    pub fingerprint: String,
    /// Whether clients must be told to trust the certificate.
    pub is_self_signed: bool,
    /// A password made at this start, to be told once: the administrator's, or all of the lab's.
    pub made: Option<Made>,
    drain: Duration,
    site: Arc<Site>,
    pub(crate) sessions: Arc<Shared>,
    session_tasks: TaskTracker,
    writer: Writer,
    writer_thread: JoinHandle<()>,
    _control: Option<AbortOnDropHandle<()>>,
    departures: Option<AbortOnDropHandle<()>>,
    _returns: AbortOnDropHandle<()>,
}

/// Runs the server until Ctrl-C or SIGTERM. `greet` shows a person what [`start`] brought about.
pub async fn run(config: Config, greet: impl FnOnce(&str)) -> Result<(), ServeError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    let is_lab = config.lab;
    if config.insecure_http.is_some() {
        warn!("the clear-text listener is on: passwords cross the network readable");
    }
    let running = start(config).await?;
    let Running { https, insecure_http, xmpp, xmpps, domain, fingerprint, .. } = &running;
    let [insecure_http, xmpp, xmpps] =
        [insecure_http, xmpp, xmpps].map(|at| at.map(tracing::field::display));
    info!(%https, insecure_http, xmpp, xmpps, domain, fingerprint, "listening");
    greet(&banner::text(&running, is_lab));
    tokio::select! {
        _ = interrupt.recv() => info!("stopping: interrupted"),
        _ = terminate.recv() => info!("stopping: told to terminate"),
    }
    running.stop().await;
    info!("stopped");
    Ok(())
}

/// Starts the server; when it returns, a login works.
pub async fn start(mut config: Config) -> Result<Running, ServeError> {
    raise_file_limit();
    let store = open_store(&mut config)?;
    let identity = Identity::of(&config)?;
    let (fingerprint, is_self_signed) = (identity.fingerprint(), identity.is_self_signed);
    let mut doors = Doors::open(&config, identity)?;
    let realm =
        Realm { domain: config.domain.to_string(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let features = Features::of(&realm, &config);
    let (questions, waiting) = mpsc::channel(PUBSUB_QUEUE_MAX);
    let hub = Hub::new(realm, questions);
    let metrics = Metrics::new();
    let writer::Started { writer, accounts, thread } =
        writer::start(store, &config, Arc::clone(&hub), waiting, &metrics)?;
    let office = Office::new(writer.clone());
    let made = match config.laboratory() {
        Some(lab) => furnish(&lab, &writer).await?,
        None => office.open_for_the_first_time().await?,
    };

    let departures = watch_departures(&config, &hub, &writer);
    let returns = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&hub).carry_back()));
    let (stopping, changes) = (CancellationToken::new(), writer.clone());
    let parts = Parts { config: &config, hub, accounts, metrics, writer: changes, stopping };
    let session_tasks = TaskTracker::new();
    let sessions = parts.sessions(&features, &doors, &session_tasks);
    let router = parts.router(doors.https.port(), &sessions, &session_tasks);
    let site = Arc::new(Site {
        router,
        permits: Permits::new(config.connections, config.connections_per_address),
        metrics: sessions.metrics.clone(),
        stopping: parts.stopping,
        tasks: TaskTracker::new(),
        requests: TaskTracker::new(),
        sessions: Arc::clone(&sessions),
        session_tasks: session_tasks.clone(),
    });
    let control = config.data_dir.as_deref().map(|dir| attend(dir, office)).transpose()?;
    doors.accept(&site);
    Ok(Running {
        https: doors.https,
        insecure_http: doors.insecure_http,
        xmpp: doors.xmpp,
        xmpps: doors.xmpps,
        domain: config.domain.to_string(),
        fingerprint,
        is_self_signed,
        made,
        drain: config.drain,
        site,
        sessions,
        session_tasks,
        writer,
        writer_thread: thread,
        _control: control,
        departures,
        _returns: returns,
    })
}

impl Running {
    /// Stops in order, within the configured time for draining and a second for the store.
    pub async fn stop(self) {
        let start = clock::moment();
        // Who is disconnected because the server stops is not absent.
        drop(self.departures);
        self.site.stopping.cancel();
        self.site.tasks.close();
        self.site.requests.close();
        // Requests first: what they change is still to be told to sessions.
        if timeout_at(at(start + self.drain / 2), self.site.requests.wait()).await.is_err() {
            warn!("some requests were cut off");
        }
        self.sessions.stopping.cancel();
        self.sessions.hub.end(None, EndReason::Shutdown);
        self.session_tasks.close();
        if timeout_at(at(start + self.drain), self.session_tasks.wait()).await.is_err() {
            warn!(sessions = self.session_tasks.len(), "some sessions were cut off");
        }
        if timeout_at(at(start + self.drain), self.site.tasks.wait()).await.is_err() {
            warn!(connections = self.site.tasks.len(), "some connections were cut off");
        }
        let writing = async {
            self.writer.stop().await;
            spawn_blocking(move || self.writer_thread.join()).await
        };
        match timeout(STORE_WAIT, writing).await {
            Ok(Ok(Ok(()))) => {}
            Ok(_) => warn!("the writer had failed"),
            Err(_) => warn!("the store did not finish in time"),
        }
    }

    /// How many sessions are bound.
    pub fn sessions(&self) -> usize {
        self.sessions.hub.sessions()
    }
}

/// Opens the store; one that was started before decides the domain.
///
/// - Errors: [`StoreError::OtherDomain`] when the configuration names another one than it has.
fn open_store(config: &mut Config) -> Result<Box<dyn Store>, StoreError> {
    let Some(dir) = &config.data_dir else { return Ok(Box::new(Memory::new()?)) };
    let mut store = Sqlite::open(dir)?;
    match store.domain()? {
        None => store.keep_domain(&config.domain)?,
        Some(kept) if kept != config.domain && config.is_set("domain") => {
            let [kept, asked] = [&kept, &config.domain].map(ToString::to_string);
            return Err(StoreError::OtherDomain { dir: dir.display().to_string(), kept, asked });
        }
        Some(kept) => config.domain = kept,
    }
    Ok(Box::new(store))
}

/// Signs agents out whose desktop is lost, if the configuration wants it.
fn watch_departures(
    config: &Config,
    hub: &Arc<Hub>,
    writer: &Writer,
) -> Option<AbortOnDropHandle<()>> {
    let grace = config.forced_logout_after;
    let watch = departure::watch(Arc::clone(hub), writer.clone(), grace);
    (!grace.is_zero()).then(|| AbortOnDropHandle::new(tokio::spawn(watch)))
}

/// What the routes and the sessions are made of.
struct Parts<'a> {
    config: &'a Config,
    hub: Arc<Hub>,
    accounts: Arc<Accounts>,
    metrics: Metrics,
    writer: Writer,
    /// Cancelled when requests are to end.
    stopping: CancellationToken,
}

impl Parts<'_> {
    fn sessions(&self, features: &Features, doors: &Doors, tasks: &TaskTracker) -> Arc<Shared> {
        let config = self.config;
        let policy = |mechanisms: &[Mechanism], starttls, sasl2| {
            Arc::new(Policy {
                domain: config.domain.to_string(),
                mechanisms: mechanisms.to_vec(),
                starttls,
                strict_host: config.strict_host,
                features_before_login: features.before_login.clone(),
                features: features.after_login.clone(),
                management: config.stream_management,
                sasl2,
                inline: features.inline.clone(),
            })
        };
        let all = &config.sasl_mechanisms;
        let clear = all.iter().copied().filter(|mechanism| match mechanism {
            Mechanism::Plain => config.plain_without_tls,
            Mechanism::Scram(_) => true,
            // There is nothing to bind to.
            Mechanism::ScramPlus(_) => false,
        });
        let clear = &clear.collect::<Vec<_>>();
        let starttls = match config.plain_without_tls {
            true => StartTls::Offered,
            false => StartTls::Required,
        };
        // Not where a password may not be sent: a token without binding could be overheard alike.
        let sasl2_clear = if config.plain_without_tls { config.sasl2 } else { Sasl2::Off };
        Arc::new(Shared {
            accounts: Arc::clone(&self.accounts),
            hub: Arc::clone(&self.hub),
            metrics: self.metrics.clone(),
            policy_tls: policy(all, StartTls::Absent, config.sasl2),
            policy_clear: policy(clear, StartTls::Absent, sasl2_clear),
            policy_starttls: policy(clear, starttls, sasl2_clear),
            tls: Arc::clone(&doors.starttls),
            server_end_point: doors.server_end_point.clone(),
            ping_after: config.ping_after,
            dead_after: config.dead_after,
            mailbox_letters: config.mailbox_letters,
            mailbox_bytes: config.mailbox_bytes,
            resume_within: config.resume_within,
            tickets: Tickets::new(),
            tasks: tasks.clone(),
            stopping: CancellationToken::new(),
        })
    }

    fn router(&self, https_port: u16, sessions: &Arc<Shared>, tasks: &TaskTracker) -> Router {
        let config = self.config;
        let allowed = config.allowed_origins.clone();
        let system = SystemInfo {
            xmpp_domain: config.domain.to_string(),
            host: config.domain.to_string(),
            https_port,
            flavour: config.flavour,
            status: Status::InService,
        };
        let (feeds, described) = self.feeds(&allowed, tasks);
        let rest = rest::router(
            Rest {
                writer: self.writer.clone(),
                accounts: Arc::clone(&self.accounts),
                system: Arc::new(system),
                allowed_origins: allowed.clone().into(),
                plain_without_tls: config.plain_without_tls,
            },
            described,
        );
        let watchers = Watchers {
            accounts: Arc::clone(&self.accounts),
            writer: self.writer.clone(),
            metrics: sessions.metrics.clone(),
            plain_without_tls: config.plain_without_tls,
        };
        let bosh_permits = Permits::new(config.connections, config.connections_per_address);
        let bosh = Binds::new(Arc::clone(sessions), tasks.clone(), &allowed, bosh_permits);
        let ways = Upgrades { allowed, sessions: Arc::clone(sessions), tasks: tasks.clone() };
        let pages = pages(Arc::new(watchers)).merge(discovery(&config.domain));
        let upgrades = upgrades(Arc::new(ways));
        rest.merge(feeds).merge(pages).merge(upgrades).merge(binds(bosh))
    }
}

/// Fills the laboratory; tells its password if nobody chose one.
async fn furnish(lab: &Lab, writer: &Writer) -> Result<Option<Made>, ServeError> {
    let made = lab.password.is_none().then(|| random::name(GENERATED_PASSWORD_CHARS));
    let password = lab.password.clone().or_else(|| made.clone().map(Secret::new));
    let password = password.expect("chosen or made");
    let keys = KeyRing::derive(&password, random::bytes, writer.scram_iterations())?;
    writer.seed(writer.read(|domain: &Domain| lab::seed(lab, domain, &keys))).await?;
    let told = Made { user: "everybody".to_owned(), password: Password(password) };
    Ok(made.map(|_| told))
}

/// Answers the commands that manage people on a running server.
fn attend(dir: &Path, office: Office) -> Result<AbortOnDropHandle<()>, ServeError> {
    let socket = control::bind(dir).map_err(ServeError::Control)?;
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        if let Err(error) = control::serve(socket, office).await {
            warn!(%error, "the control socket is closed");
        }
    })))
}

/// The instant of the runtime's timers.
fn at(moment: Moment) -> Instant {
    clock::instant_of(moment).into()
}

/// Lets the process have as many sockets as the system allows it; the usual start is 1,024.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        warn!(%error, "the limit of open files stays; see `ulimit -n`");
    }
}

/// How long the writer may take for what it has.
const STORE_WAIT: Duration = Duration::from_secs(5);
