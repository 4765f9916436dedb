//! The single writer: plans, commits, adopts, publishes; several commands per transaction.
//!
//! One thread owns the store and a working copy of everything that is kept. It takes all jobs that
//! wait, plans each on the working copy, writes all their changes in one transaction, and only then
//! shows them: in the published contact centre, in the accounts, in mailboxes, in the answers. So
//! what was answered is durable, and what is durable was planned in one order. Source: design §6.

mod audiences;
mod people;
mod plan;
mod run;
mod standing;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use aplomb_core::domain::{Command, Domain, Refusal};
use aplomb_core::finesse::people::are_colleagues;
use aplomb_core::pubsub::Bounds;
use aplomb_core::sasl::{KeyRing, MoreKeys};
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::accounts::{Accounts, Fast, FastJob, Keep, Policy};
use crate::config::Config;
use crate::hub::{Hub, Question};
use crate::limits::{
    CREATED_NODES_MAX, PAYLOAD_BYTES_MAX, SUBSCRIPTIONS_OF_ONE_MAX, WRITE_WAIT_SECS,
    WRITER_QUEUE_MAX,
};
use crate::store::{Store, StoreError};
use crate::watch::Metrics;

/// Why a command did not happen.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The contact centre refuses it.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The queue is full; try again later.
    #[error("too many changes are waiting; try again later")]
    Busy,
    /// The store failed; nothing changed.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// The store took too long; the change may still happen.
    #[error("the store did not answer in time; look whether the change happened")]
    Late,
    /// The writer has stopped.
    #[error("the server is stopping")]
    Stopped,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the contact centre.
    Command(Command),
    /// To a user's password.
    Keys {
        /// The user's id or login name.
        user: String,
        /// The new keys; none shuts the user out.
        keys: Option<KeyRing>,
    },
}

/// Why a list of steps did not happen; nothing of it did.
#[derive(Debug, thiserror::Error)]
#[error("step {step}: {error}")]
pub struct StepError {
    /// The place of the refused step in the list, from 0; 0 when it was none of them.
    pub step: usize,
    /// What is wrong.
    pub error: WriteError,
}

/// A handle to the writer; cheap to clone.
#[derive(Clone)]
pub struct Writer {
    domain: Arc<RwLock<Domain>>,
    jobs: mpsc::Sender<Job>,
    is_in_service: Arc<AtomicBool>,
    scram_iterations: NonZeroU32,
}

/// A writer that runs.
pub struct Started {
    /// Leads to it.
    pub writer: Writer,
    /// The accounts it keeps.
    pub accounts: Arc<Accounts>,
    /// Its thread, to be joined after [`Writer::stop`].
    pub thread: JoinHandle<()>,
}

/// Loads what `store` holds and starts the writer's thread.
///
/// `questions` are the requests that `hub` sends; commits and derivations are counted in
/// `metrics`.
///
/// - Errors: the store cannot be read, or the system gives no thread.
pub fn start(
    mut store: Box<dyn Store>,
    config: &Config,
    hub: Arc<Hub>,
    questions: mpsc::Receiver<Question>,
    metrics: &Metrics,
) -> Result<Started, StoreError> {
    let setup = plan::Setup {
        host: config.domain.to_string(),
        flavour: config.flavour,
        bounds: Bounds {
            items_max: config.history_items,
            age_max: config.history_age,
            bytes_max: config.history_bytes,
            payload_bytes_max: PAYLOAD_BYTES_MAX,
            nodes_max: CREATED_NODES_MAX,
            subscriptions_max: SUBSCRIPTIONS_OF_ONE_MAX,
        },
        observers: Arc::clone(hub.observers()),
    };
    let snapshot = store.load()?;
    let working = plan::Working::new(&setup, &snapshot);
    let domain = Arc::new(RwLock::new(working.domain().clone()));
    let known = Arc::clone(&domain);
    hub.ask_about_people(Box::new(move |one, other| are_colleagues(&known.read(), one, other)));
    let (roster, sights) = working.people();
    hub.open_rosters(roster, &sights);
    let policy = Policy::from(config);
    let derivations = metrics.derivations.clone();
    let (jobs, waiting) = mpsc::channel(WRITER_QUEUE_MAX);
    let (fast_jobs, tokens) = mpsc::channel(WRITER_QUEUE_MAX);
    let fast = Fast::new(snapshot.token_key, config.fast_token_life, fast_jobs);
    let (decoy_key, keep) = (snapshot.decoy_key, keep_by(&jobs));
    let accounts = Accounts::new(&policy, decoy_key, domain.clone(), derivations, keep, fast);
    let accounts = Arc::new(accounts);
    snapshot.changes.into_iter().for_each(|change| run::show_login(&accounts, change));
    accounts.shorten_tokens();
    accounts.tell_what_is_lacking();
    let queues = run::Queues { jobs: waiting, questions, tokens };
    let is_in_service = Arc::new(AtomicBool::new(true));
    let run = run::Run::new(
        store,
        setup,
        working,
        run::Shown {
            domain: domain.clone(),
            accounts: accounts.clone(),
            hub,
            is_in_service: is_in_service.clone(),
            metrics: metrics.clone(),
        },
    );
    let thread = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || run.until_stopped(queues))
        .map_err(StoreError::NoThread)?;
    let scram_iterations = policy.scram_iterations;
    let writer = Writer { domain, jobs, is_in_service, scram_iterations };
    Ok(Started { writer, accounts, thread })
}

/// Has keys kept by the writer, if it has time; the next login brings those that it has none for.
fn keep_by(jobs: &mpsc::Sender<Job>) -> Keep {
    let jobs = jobs.downgrade();
    Arc::new(move |more| {
        if let Some(jobs) = jobs.upgrade() {
            let _ = jobs.try_send(Job::MoreKeys(more));
        }
    })
}

impl Writer {
    /// Has a command done; returns when it and its events are durable and delivered to mailboxes.
    pub async fn command(&self, command: Command, request_id: &str) -> Result<(), WriteError> {
        let steps = vec![Step::Command(command)];
        self.send(steps, request_id, false).await.map_err(|failed| failed.error)
    }

    /// Sets or removes a user's keys. What was remembered of the old password is forgotten;
    /// sessions that are logged in stay.
    pub async fn set_keys(&self, user: &str, keys: Option<KeyRing>) -> Result<(), WriteError> {
        let steps = vec![Step::Keys { user: user.to_owned(), keys }];
        self.send(steps, "", false).await.map_err(|failed| failed.error)
    }

    /// Has all the steps done, in order and in one transaction, or none of them.
    pub async fn apply(&self, steps: Vec<Step>) -> Result<(), StepError> {
        self.send(steps, "", false).await
    }

    /// As [`Writer::apply`], and tells nobody: for a contact centre that nobody watches yet.
    pub async fn seed(&self, steps: Vec<Step>) -> Result<(), StepError> {
        self.send(steps, "", true).await
    }

    /// Reads the contact centre as it was last committed. Do not hold it across an await.
    pub fn read<T>(&self, look: impl FnOnce(&Domain) -> T) -> T {
        look(&self.domain.read())
    }

    /// Whether changes can be made: false while the store fails.
    pub fn is_in_service(&self) -> bool {
        self.is_in_service.load(Ordering::Relaxed)
    }

    /// Rounds of PBKDF2 for new passwords.
    pub const fn scram_iterations(&self) -> NonZeroU32 {
        self.scram_iterations
    }

    /// Lets the writer finish what waits, and end. Join [`Started::thread`] afterwards.
    pub async fn stop(&self) {
        // A writer that has stopped already takes no job, which is what is wanted.
        let _ = self.jobs.send(Job::Stop).await;
    }

    async fn send(
        &self,
        steps: Vec<Step>,
        request_id: &str,
        is_quiet: bool,
    ) -> Result<(), StepError> {
        let (answer, answered) = oneshot::channel();
        let request_id = request_id.to_owned();
        let job = Job::Steps(Steps { steps, request_id, is_quiet, answer });
        let wait = Duration::from_secs(WRITE_WAIT_SECS);
        match timeout(wait, self.jobs.send(job)).await {
            Err(_) => return Err(WriteError::Busy.into()),
            Ok(Err(_)) => return Err(WriteError::Stopped.into()),
            Ok(Ok(())) => {}
        }
        match timeout(wait, answered).await {
            Err(_) => Err(WriteError::Late.into()),
            Ok(Err(_)) => Err(WriteError::Stopped.into()),
            Ok(Ok(outcome)) => outcome,
        }
    }
}

impl From<WriteError> for StepError {
    fn from(error: WriteError) -> Self {
        Self { step: 0, error }
    }
}

/// What waits for the writer.
enum Job {
    Steps(Steps),
    Question(Question),
    MoreKeys(MoreKeys),
    Token(FastJob),
    Stop,
}

struct Steps {
    steps: Vec<Step>,
    request_id: String,
    is_quiet: bool,
    answer: oneshot::Sender<Result<(), StepError>>,
}

#[cfg(test)]
pub(crate) mod tests;
