//! The writer's thread over a store that can be made to fail or to wait.

use std::sync::atomic::AtomicUsize;

use aplomb_core::domain::{AgentState, Flavour, Team, TeamId, Wanted, default_reasons};
use aplomb_core::realm::Realm;
use aplomb_core::sasl::Failure;
use aplomb_core::sasl::fast::{self, Agent, FastMechanism, FastProof, Shown, Use};
use aplomb_core::secret::Secret;
use parking_lot::Mutex;
use tokio::task::{JoinHandle, JoinSet};

use super::*;
use crate::lab;
use crate::store::{Change, Memory, Snapshot};

/// What a test holds of its store.
#[derive(Clone)]
pub(crate) struct Hand {
    /// Whether commits fail, as on a full disk.
    pub(crate) is_full: Arc<AtomicBool>,
    /// Commits that succeeded.
    pub(crate) commits: Arc<AtomicUsize>,
    /// While this is held, a commit waits.
    pub(crate) gate: Arc<tokio::sync::Mutex<()>>,
    /// Commits that came to the gate.
    arrived: Arc<AtomicUsize>,
    kept: Arc<Mutex<Memory>>,
}

impl Hand {
    pub(crate) fn new() -> Self {
        Self {
            is_full: Arc::default(),
            commits: Arc::default(),
            gate: Arc::default(),
            arrived: Arc::default(),
            kept: Arc::new(Mutex::new(Memory::new().unwrap())),
        }
    }

    fn store(&self) -> Box<dyn Store> {
        Box::new(Obedient(self.clone()))
    }

    fn kept(&self) -> Vec<Change> {
        self.kept.lock().load().unwrap().changes
    }
}

/// A store that does what the test says.
struct Obedient(Hand);

impl Store for Obedient {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.0.kept.lock().load()
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        self.0.arrived.fetch_add(1, Ordering::SeqCst);
        drop(self.0.gate.blocking_lock());
        if self.0.is_full.load(Ordering::SeqCst) {
            let error = std::io::ErrorKind::StorageFull.into();
            return Err(StoreError::Io { path: "aplomb.db".into(), error });
        }
        self.0.commits.fetch_add(1, Ordering::SeqCst);
        self.0.kept.lock().commit(batch)
    }
}

/// A writer over `hand`'s store, with agents 1001 to 1100 in team 1.
pub(crate) async fn centre(hand: &Hand) -> Started {
    let (questions, asked) = mpsc::channel(1);
    let realm = Realm { domain: "cc.test".into(), version: String::new() };
    let hub = Hub::new(realm, questions);
    let started = start(hand.store(), &config(), hub, asked, &Metrics::new()).unwrap();
    let domain = Domain::new(Flavour::Uccx);
    let lab = crate::config::Lab { agents: 100, teams: 1, password: None };
    started.writer.seed(lab::seed(&lab, &domain, &keys("secret"))).await.unwrap();
    started
}

fn config() -> Config {
    Config::of(&[("lab", "true"), ("domain", "cc.test"), ("scram-iterations", "4096")]).unwrap()
}

fn keys(password: &str) -> KeyRing {
    let password = Secret::new(password.to_owned());
    KeyRing::derive(&password, || [1; 16], NonZeroU32::new(4096).unwrap()).unwrap()
}

fn login(id: &str) -> Command {
    let to = Wanted::Login { extension: Some(id.to_owned()) };
    Command::SetState { by: id.into(), user: id.into(), to, reason: None }
}

fn state(writer: &Writer, id: &str) -> AgentState {
    writer.read(|domain| domain.user(id).unwrap().desk.state)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_is_kept_with_its_event() {
    let hand = Hand::new();
    let Started { writer, .. } = centre(&hand).await;
    writer.command(login("1001"), "r-1").await.unwrap();
    assert_eq!(state(&writer, "1001"), AgentState::NotReady);
    let kept = hand.kept();
    let has_event = kept.iter().any(|change| {
        let text = format!("{change:?}");
        text.contains("Published") && text.contains("User/1001") && text.contains("r-1")
    });
    assert!(has_event);
    let user = writer.read(|domain| domain.user("1001").unwrap().clone());
    assert!(kept.contains(&Change::Domain(aplomb_core::domain::Change::UserSet(user))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_share_a_transaction() {
    let hand = Hand::new();
    let Started { writer, .. } = centre(&hand).await;
    let before = hand.commits.load(Ordering::SeqCst);
    let all = log_in_behind_the_gate(&hand, &writer).await;
    assert!(all.into_iter().all(|done| done.is_ok()));
    assert_eq!(hand.commits.load(Ordering::SeqCst) - before, 2);
    assert!((1001..=1100).all(|id| state(&writer, &id.to_string()) == AgentState::NotReady));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_fails_everybody_in_the_batch_and_leaves_nothing_half_done() {
    let hand = Hand::new();
    let Started { writer, .. } = centre(&hand).await;
    let before = hand.kept();
    hand.is_full.store(true, Ordering::SeqCst);
    let all = log_in_behind_the_gate(&hand, &writer).await;
    assert!(all.iter().all(|done| matches!(done, Err(WriteError::Store(_)))), "{all:?}");
    assert_eq!(hand.kept(), before);
    assert!((1001..=1100).all(|id| state(&writer, &id.to_string()) == AgentState::Logout));
    hand.is_full.store(false, Ordering::SeqCst);
    writer.command(login("1001"), "").await.unwrap();
    assert_eq!(state(&writer, "1001"), AgentState::NotReady);
    // The first number of the node, though others were planned before.
    assert!(hand.kept().iter().any(|change| {
        let text = format!("{change:?}");
        text.contains("User/1001\"") && text.contains("seq: 1,")
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn desktops_are_told_when_the_store_fails_for_good_and_when_it_works_again() {
    let hand = Hand::new();
    let Started { writer, .. } = centre(&hand).await;
    hand.is_full.store(true, Ordering::SeqCst);
    for failures in 1..=crate::limits::FAILURES_OUT_OF_SERVICE {
        assert!(writer.is_in_service(), "after {} failures", failures - 1);
        writer.command(login("1001"), "").await.unwrap_err();
    }
    assert!(!writer.is_in_service());
    hand.is_full.store(false, Ordering::SeqCst);
    writer.command(login("1001"), "").await.unwrap();
    assert!(writer.is_in_service());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_counts_when_it_is_kept_and_goes_with_the_user() {
    let hand = Hand::new();
    let Started { writer, accounts, .. } = centre(&hand).await;
    let login = async |password: &str| {
        let password = Secret::new(password.to_owned());
        accounts.verify("1001", &password, [192, 0, 2, 1].into()).await.is_ok()
    };
    assert!(login("secret").await);
    writer.set_keys("1001", Some(keys("changed"))).await.unwrap();
    assert!(!login("secret").await && login("changed").await);
    writer.command(Command::RemoveUser("1001".into()), "").await.unwrap();
    assert!(!login("changed").await);
    // What his colleagues were told of him is theirs.
    let kept = hand.kept().into_iter().map(|change| format!("{change:?}"));
    let of_him: Vec<_> = kept.filter(|it| it.contains("1001") && !it.contains("Team/1")).collect();
    assert_eq!(of_him, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_list_names_the_step() {
    let Started { writer, .. } = centre(&Hand::new()).await;
    let steps = vec![
        Step::Command(Command::PutTeam(Team { id: "9".into(), name: "Nine".into() })),
        Step::Command(Command::RemoveTeam("1".into())),
    ];
    let failed = writer.apply(steps).await.unwrap_err();
    assert_eq!(failed.step, 1);
    assert!(matches!(failed.error, WriteError::Refused(Refusal::TeamNotEmpty(_))));
    assert!(writer.read(|domain| domain.team("9").is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_finishes_what_waits() {
    let hand = Hand::new();
    let Started { writer, thread, .. } = centre(&hand).await;
    let closed = hand.gate.lock().await;
    let asked = ask_and_arrive(&hand, &writer).await;
    drop(closed);
    asked.await.unwrap().unwrap();
    writer.stop().await;
    thread.join().unwrap();
    let late = writer.command(login("1002"), "").await;
    assert!(matches!(late, Err(WriteError::Stopped)), "{late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_finds_everything() {
    let hand = Hand::new();
    let Started { writer, thread, .. } = centre(&hand).await;
    writer.command(login("1001"), "").await.unwrap();
    let before = writer.read(|domain| domain.users().cloned().collect::<Vec<_>>());
    writer.stop().await;
    thread.join().unwrap();
    let (_, asked) = mpsc::channel(1);
    let realm = Realm { domain: "cc.test".into(), version: String::new() };
    let hub = Hub::new(realm, mpsc::channel(1).0);
    let again = start(hand.store(), &config(), hub, asked, &Metrics::new()).unwrap();
    assert_eq!(again.writer.read(|domain| domain.users().cloned().collect::<Vec<_>>()), before);
    assert_eq!(
        again.writer.read(|domain| domain.reasons().count()),
        default_reasons(Flavour::Uccx).len()
    );
    assert!(again.writer.read(|domain| domain.team(TeamId::from("1").as_str()).is_some()));
}

/// A hundred logins; the first is at the gate and the others in the queue before it opens.
async fn log_in_behind_the_gate(hand: &Hand, writer: &Writer) -> Vec<Result<(), WriteError>> {
    let closed = hand.gate.lock().await;
    let first = ask_and_arrive(hand, writer).await;
    let mut others = JoinSet::new();
    for id in 1002..=1100 {
        let writer = writer.clone();
        others.spawn(async move { writer.command(login(&id.to_string()), "").await });
    }
    while writer.jobs.max_capacity() - writer.jobs.capacity() < 99 {
        tokio::task::yield_now().await;
    }
    drop(closed);
    let mut all = others.join_all().await;
    all.push(first.await.unwrap());
    all
}

/// Asks for a login, whose commit is at the gate when this returns.
async fn ask_and_arrive(hand: &Hand, writer: &Writer) -> JoinHandle<Result<(), WriteError>> {
    let before = hand.arrived.load(Ordering::SeqCst);
    let writer = writer.clone();
    let asked = tokio::spawn(async move { writer.command(login("1001"), "").await });
    while hand.arrived.load(Ordering::SeqCst) == before {
        tokio::task::yield_now().await;
    }
    asked
}

const AGENT: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";

fn client() -> (Agent, FastMechanism) {
    (Agent::parse(AGENT).unwrap(), FastMechanism::Unbound)
}

/// Logs 1001 in by a token; gives its name, or why not.
async fn come_back(
    accounts: &Accounts,
    token: &Secret<String>,
    count: Option<u32>,
) -> Result<String, Failure> {
    let message = fast::initiator_message("1001", token, b"");
    let proof = FastProof::read(message.expose()).unwrap();
    let with = Use { count, is_last: false };
    let peer = [192, 0, 2, 1].into();
    let ((agent, mechanism), binding) = (client(), Secret::new(Vec::new()));
    let shown = Shown { proof, agent, mechanism, binding, with };
    let (redeemed, _) = accounts.redeem_fast(&shown, peer).await?;
    assert_eq!(redeemed.proof, fast::responder_message(token, b""));
    assert!(!redeemed.is_due, "it is new");
    Ok(redeemed.login.name().to_owned())
}

fn tokens_in(hand: &Hand) -> usize {
    hand.kept().iter().filter(|change| matches!(change, Change::Token(_))).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_outlives_the_server_and_not_its_password() {
    let hand = Hand::new();
    let Started { accounts, .. } = centre(&hand).await;
    let era = accounts.era("1001");
    let (token, _) = accounts.issue_fast(client(), &era).await.unwrap();
    assert_eq!(come_back(&accounts, &token, None).await, Ok("1001".to_owned()));

    let (questions, asked) = mpsc::channel(1);
    let realm = Realm { domain: "cc.test".into(), version: String::new() };
    let hub = Hub::new(realm, questions);
    let again = start(hand.store(), &config(), hub, asked, &Metrics::new()).unwrap();
    assert_eq!(come_back(&again.accounts, &token, None).await, Ok("1001".to_owned()));

    let era = again.accounts.era("1001");
    again.writer.set_keys("1001", Some(keys("changed"))).await.unwrap();
    assert_eq!(come_back(&again.accounts, &token, None).await, Err(Failure::NotAuthorized));
    assert_eq!(tokens_in(&hand), 0);
    // Who logged in by the old password a moment ago gets nothing that opens anything.
    let (late, _) = again.accounts.issue_fast(client(), &era).await.unwrap();
    assert_eq!(come_back(&again.accounts, &late, None).await, Err(Failure::NotAuthorized));
    again.writer.set_keys("1001", None).await.unwrap();
    assert_eq!(tokens_in(&hand), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_show_one_message_at_once_one_is_let_in() {
    let hand = Hand::new();
    let Started { accounts, .. } = centre(&hand).await;
    let era = accounts.era("1001");
    let (token, _) = accounts.issue_fast(client(), &era).await.unwrap();
    // Fewer than the failures of one name that an address may cause at once.
    for count in 1..=8 {
        let (one, other) = tokio::join!(
            come_back(&accounts, &token, Some(count)),
            come_back(&accounts, &token, Some(count))
        );
        let outcomes = [one.is_ok(), other.is_ok()];
        assert_ne!(outcomes[0], outcomes[1], "{count}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_lets_in_by_token_whoever_leaves_no_mark() {
    let hand = Hand::new();
    let Started { accounts, .. } = centre(&hand).await;
    let era = accounts.era("1001");
    let (token, _) = accounts.issue_fast(client(), &era).await.unwrap();
    assert!(come_back(&accounts, &token, None).await.is_ok());
    hand.is_full.store(true, Ordering::SeqCst);
    assert!(come_back(&accounts, &token, None).await.is_ok());
    assert!(accounts.issue_fast(client(), &era).await.is_none());
    let counted = come_back(&accounts, &token, Some(1)).await;
    assert_eq!(counted, Err(Failure::TemporaryAuthFailure));
    hand.is_full.store(false, Ordering::SeqCst);
    assert!(come_back(&accounts, &token, Some(1)).await.is_ok());
    assert!(come_back(&accounts, &token, Some(1)).await.is_err(), "it was counted this time");
}
