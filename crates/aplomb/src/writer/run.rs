//! The writer's thread: takes jobs, commits what they come to, shows it, answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aplomb_core::domain::Domain;
use aplomb_core::sasl::Failure;
use aplomb_core::time::WallTime;
use aplomb_core::{pubsub, roster};
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::plan::{Asked, Batch, Delivery, Setup, Working};
use super::{Job, StepError, Steps, WriteError};
use crate::accounts::{Accounts, FastJob};
use crate::clock;
use crate::hub::{Hub, PubSubJob, Question, RosterJob};
use crate::limits::{BATCH_JOBS_MAX, FAILURES_OUT_OF_SERVICE, STORE_PROBE_SECS};
use crate::mailbox::EndReason;
use crate::store::{Change, Store, StoreError};
use crate::watch::Metrics;

/// Where durable changes are shown.
pub(super) struct Shown {
    pub(super) domain: Arc<RwLock<Domain>>,
    pub(super) accounts: Arc<Accounts>,
    pub(super) hub: Arc<Hub>,
    pub(super) is_in_service: Arc<AtomicBool>,
    pub(super) metrics: Metrics,
}

/// The thread's state.
pub(super) struct Run {
    store: Box<dyn Store>,
    setup: Setup,
    /// None after a failed commit, until it was read from the store again.
    working: Option<Working>,
    shown: Shown,
    /// Commits that failed in a row.
    failures: u32,
}

impl Run {
    pub(super) fn new(store: Box<dyn Store>, setup: Setup, working: Working, shown: Shown) -> Self {
        shown.hub.set_greeting(working.is_greeting());
        Self { store, setup, working: Some(working), shown, failures: 0 }
    }

    /// Works until it is told to stop, or nobody can ask any more.
    pub(super) fn until_stopped(mut self, mut queues: Queues) {
        // Only for waiting on two queues: this thread blocks whenever the store does.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "the writer cannot wait, so it ends"),
        };
        loop {
            let is_broken = !self.shown.is_in_service.load(Ordering::Relaxed);
            let due = self.working.as_ref().and_then(Working::next_lapse).map(until);
            let first = runtime.block_on(queues.next(is_broken, due));
            let mut taken = match first {
                Next::Job(job) => vec![*job],
                Next::Probe | Next::Lapse => Vec::new(),
                Next::Nobody => return,
            };
            while taken.len() < BATCH_JOBS_MAX {
                let Some(job) = queues.try_next() else { break };
                taken.push(job);
            }
            let is_last = taken.iter().any(|job| matches!(job, Job::Stop));
            self.work(taken);
            if is_last {
                return;
            }
        }
    }

    /// Plans all jobs, commits, shows, answers.
    fn work(&mut self, jobs: Vec<Job>) {
        self.shown.metrics.writes.inc_by(jobs.len() as u64);
        let (batch, answers) = match self.plan(jobs) {
            Ok(planned) => planned,
            Err((error, answers)) => return self.failed(error, answers),
        };
        // A store that fails is tried with every batch, so that it is noticed when it works again.
        let is_broken = !self.shown.is_in_service.load(Ordering::Relaxed);
        let is_idle = batch.changes.is_empty() && !is_broken;
        if !is_idle {
            let start = clock::moment();
            if let Err(error) = self.store.commit(&batch.changes) {
                return self.failed(error, answers);
            }
            self.succeeded(clock::moment().since(start));
        }
        self.show(batch);
        answers.into_iter().for_each(|answer| answer.send(None));
    }

    fn plan(&mut self, jobs: Vec<Job>) -> Result<(Batch, Vec<Answer>), (StoreError, Vec<Answer>)> {
        let mut working = match self.working.take() {
            Some(working) => working,
            None => match self.store.load() {
                Ok(snapshot) => Working::new(&self.setup, &snapshot),
                Err(error) => {
                    return Err((error, jobs.into_iter().map(Answer::unplanned).collect()));
                }
            },
        };
        let mut batch = Batch::default();
        working.lapse(clock::wall(), &mut batch);
        let hub = Arc::clone(&self.shown.hub);
        let plan = |job| plan_job(&mut working, job, &hub, &mut batch);
        let answers = jobs.into_iter().map(plan).collect();
        self.working = Some(working);
        Ok((batch, answers))
    }

    /// Shows what is durable now: to readers, to logins, to mailboxes.
    fn show(&self, batch: Batch) {
        if !batch.changes.is_empty() {
            let mut domain = self.shown.domain.write();
            for change in &batch.changes {
                if let Change::Domain(change) = change {
                    domain.adopt(change);
                }
            }
        }
        let mut rosters = Vec::new();
        for change in batch.changes {
            match change {
                Change::Roster(change) => rosters.push(change),
                change => show_login(&self.shown.accounts, change),
            }
        }
        self.shown.hub.tell_people(&rosters, &batch.said, &batch.sights);
        if let Some(working) = &self.working {
            self.shown.hub.set_greeting(working.is_greeting());
        }
        for delivery in &batch.deliveries {
            match delivery {
                Delivery::Notice(notice, audience) => {
                    let mailboxes = self.shown.hub.publish(notice, audience);
                    tracing::trace!(node = &*notice.node, seq = notice.seq, mailboxes, "published");
                }
                Delivery::Tidings(tidings) => self.shown.hub.tell(tidings),
            }
        }
        for (notice, observer) in batch.observed {
            observer.tell(notice);
        }
        for user in batch.gone {
            self.shown.hub.end(Some(user.as_str()), EndReason::AccountChanged);
        }
    }

    fn failed(&mut self, error: StoreError, answers: Vec<Answer>) {
        self.working = None;
        self.failures += 1;
        self.shown.metrics.commit_failures.inc();
        tracing::error!(%error, jobs = answers.len(), failures = self.failures, "commit failed");
        let error = Arc::new(error);
        if self.failures == FAILURES_OUT_OF_SERVICE {
            self.shown.is_in_service.store(false, Ordering::Relaxed);
            self.shown.hub.set_in_service(false);
        }
        answers.into_iter().for_each(|answer| answer.send(Some(&error)));
    }

    fn succeeded(&mut self, took: Duration) {
        self.failures = 0;
        self.shown.metrics.commit_secs.observe(took.as_secs_f64());
        if !self.shown.is_in_service.swap(true, Ordering::Relaxed) {
            tracing::info!("the store takes changes again");
            self.shown.hub.set_in_service(true);
        }
    }
}

impl Drop for Run {
    /// However the thread ends, nothing can be changed any more, and readers are told so.
    fn drop(&mut self) {
        self.shown.is_in_service.store(false, Ordering::Relaxed);
    }
}

/// Shows a durable change to those who log in, if it is about that.
pub(super) fn show_login(accounts: &Accounts, change: Change) {
    match change {
        Change::Keys { user, keys } => accounts.adopt(&user, keys),
        Change::MoreKeys(more) => accounts.adopt_more(&more),
        Change::Token(change) => accounts.adopt_token(&change),
        Change::Domain(_) | Change::PubSub(_) | Change::Roster(_) => {}
    }
}

/// What comes next.
enum Next {
    Job(Box<Job>),
    /// Nothing came while the store is broken: try whether it works.
    Probe,
    /// Something ends by itself now.
    Lapse,
    /// Every handle is gone.
    Nobody,
}

/// Where work comes from.
pub(super) struct Queues {
    /// From REST and from commands.
    pub(super) jobs: mpsc::Receiver<Job>,
    /// From the hub.
    pub(super) questions: mpsc::Receiver<Question>,
    /// From logins.
    pub(super) tokens: mpsc::Receiver<FastJob>,
}

impl Queues {
    async fn next(&mut self, is_broken: bool, due: Option<Duration>) -> Next {
        tokio::select! {
            job = self.next_job() => job.map_or(Next::Nobody, |job| Next::Job(job.into())),
            () = sleep(Duration::from_secs(STORE_PROBE_SECS)), if is_broken => Next::Probe,
            () = sleep(due.unwrap_or_default()), if due.is_some() => Next::Lapse,
        }
    }

    /// The next job of any queue; none when every handle is gone.
    async fn next_job(&mut self) -> Option<Job> {
        let Self { jobs, questions, tokens } = self;
        tokio::select! {
            Some(job) = jobs.recv() => Some(job),
            Some(question) = questions.recv() => Some(Job::Question(question)),
            Some(token) = tokens.recv() => Some(Job::Token(token)),
            else => None,
        }
    }

    fn try_next(&mut self) -> Option<Job> {
        let Self { jobs, questions, tokens } = self;
        let job = jobs.try_recv().ok();
        job.or_else(|| questions.try_recv().ok().map(Job::Question))
            .or_else(|| tokens.try_recv().ok().map(Job::Token))
    }
}

/// How long it is until then. A wall clock that is set meanwhile is noticed with the next job.
fn until(at: WallTime) -> Duration {
    let millis = at.0.saturating_sub(clock::wall().0);
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

fn plan_job(working: &mut Working, job: Job, hub: &Hub, batch: &mut Batch) -> Answer {
    let now = clock::wall();
    match job {
        Job::Stop => Answer::Nobody,
        Job::MoreKeys(more) => {
            working.more_keys(more, batch);
            Answer::Nobody
        }
        Job::Question(Question::Roster(RosterJob { owner, request, answer })) => {
            Answer::Roster(answer, working.ask_roster(&owner, &request, now, batch))
        }
        Job::Question(Question::PubSub(job)) => {
            let PubSubJob { asker, request, answer } = *job;
            let mut reply = working.ask(&asker, &request, now, batch);
            if reply == Err(pubsub::Refusal::TooManySubscriptions) {
                working.forget_absent(&asker, |jid| hub.is_taken(jid), batch);
                reply = working.ask(&asker, &request, now, batch);
            }
            Answer::PubSub(answer, reply)
        }
        Job::Token(FastJob { account, request, answer }) => {
            Answer::Token(answer, working.token(&account, &request, now, batch))
        }
        Job::Steps(Steps { steps, request_id, is_quiet, answer }) => {
            let asked = Asked { request_id: &request_id, is_quiet, now };
            let done = working.steps(&steps, &asked, batch).map_err(|refused| StepError {
                step: refused.step,
                error: WriteError::Refused(refused.refusal),
            });
            Answer::Steps(answer, done)
        }
    }
}

/// An answer that waits until the batch is durable.
enum Answer {
    Steps(oneshot::Sender<Result<(), StepError>>, Result<(), StepError>),
    PubSub(
        oneshot::Sender<Result<pubsub::Reply, pubsub::Refusal>>,
        Result<pubsub::Reply, pubsub::Refusal>,
    ),
    Roster(oneshot::Sender<Result<(), roster::Refusal>>, Result<(), roster::Refusal>),
    Token(oneshot::Sender<Result<(), Failure>>, Result<(), Failure>),
    Nobody,
}

impl Answer {
    /// The answer to a job that could not even be planned.
    fn unplanned(job: Job) -> Self {
        match job {
            Job::Steps(steps) => Self::Steps(steps.answer, Err(WriteError::Stopped.into())),
            Job::Question(Question::PubSub(job)) => {
                Self::PubSub(job.answer, Err(pubsub::Refusal::Unavailable))
            }
            Job::Question(Question::Roster(job)) => {
                Self::Roster(job.answer, Err(roster::Refusal::Unavailable))
            }
            Job::Token(job) => Self::Token(job.answer, Err(Failure::TemporaryAuthFailure)),
            Job::MoreKeys(_) | Job::Stop => Self::Nobody,
        }
    }

    /// Sends it; when the store failed, everybody in the batch is told that. Who went away
    /// meanwhile does not hear it, though it happened.
    fn send(self, failed: Option<&Arc<StoreError>>) {
        match (self, failed) {
            (Self::Steps(to, done), None) => drop(to.send(done)),
            (Self::Steps(to, _), Some(error)) => {
                drop(to.send(Err(WriteError::Store(Arc::clone(error)).into())));
            }
            (Self::PubSub(to, reply), None) => drop(to.send(reply)),
            (Self::PubSub(to, _), Some(_)) => {
                drop(to.send(Err(pubsub::Refusal::Unavailable)));
            }
            (Self::Roster(to, done), None) => drop(to.send(done)),
            (Self::Roster(to, _), Some(_)) => drop(to.send(Err(roster::Refusal::Unavailable))),
            (Self::Token(to, done), None) => drop(to.send(done)),
            (Self::Token(to, _), Some(_)) => drop(to.send(Err(Failure::TemporaryAuthFailure))),
            (Self::Nobody, _) => {}
        }
    }
}
