//! `kill -9` at random moments loses nothing that was answered, tells nothing twice, and leaves no
//! hole in the numbers: the real program, real sockets, a real data directory.
//!
//! `CRASH_ROUNDS=100 cargo test -p aplomb --test crash` runs more rounds than the default;
//! `CRASH_SEED=…` runs the same moments again, as far as the machine lets it.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod desk;
mod rest;
mod rosters;
mod server;

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use desk::{Desk, Item};
use rest::Rest;
use server::Server;

#[test]
fn what_was_answered_survives_a_kill_at_any_moment() {
    let rounds: u32 = setting("CRASH_ROUNDS").unwrap_or(12);
    let seed = setting("CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("CRASH_ROUNDS={rounds} CRASH_SEED={seed}");
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(seed | 1);
    let mut agents: Vec<Agent> = (0..AGENTS).map(|at| Agent::new(1001 + at)).collect();
    let mut feed = Agent::new(0);
    let mut answered = 0;
    for round in 0..rounds {
        if random.below(6) == 0 {
            Server::start(dir.path()).kill_within(Duration::from_millis(random.below(400)));
        }
        let server = Server::start(dir.path()).until_it_listens();
        check(&server, &mut agents, &mut feed);
        let before = answered;
        answered += kill_while_publishing(server, round, &mut agents, &mut feed, &mut random);
        println!("round {round}: {} answered before the kill", answered - before);
    }
    let server = Server::start(dir.path()).until_it_listens();
    check(&server, &mut agents, &mut feed);
    println!("{answered} answered in {rounds} rounds, and all of them are there");
}

#[test]
fn a_full_disk_is_told_as_an_error_keeps_nothing_half_done_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut agents: Vec<Agent> = (0..AGENTS).map(|at| Agent::new(1001 + at)).collect();
    let mut feed = Agent::new(0);
    let (told, _answers) = mpsc::channel();
    let server = Server::start_on_a_disk_of(1_000_000, dir.path()).until_it_listens();
    thread::scope(|scope| {
        for agent in &mut agents {
            let (told, address) = (told.clone(), &server.address);
            // Each goes on until an answer is 503, which it takes for "it did not happen".
            scope.spawn(move || agent.work(address, 0, &told));
        }
    });
    assert!(agents.iter().all(|agent| agent.pending.is_none()), "the server is there still");
    for _ in 0..3 {
        agents[0].work(&server.address, 1, &told);
    }
    assert_eq!(rest::service(&server.address).as_deref(), Some("OUT_OF_SERVICE"));
    server.make_room();
    server.until_it_says("the store takes changes again");
    assert_eq!(rest::service(&server.address).as_deref(), Some("IN_SERVICE"));
    check(&server, &mut agents, &mut feed);
    let (body, done) = agents[0].next(2, 0);
    let mut rest = Rest::to(&server.address, agents[0].id);
    assert_eq!(rest.put(&body, &done.request), Some(202));
    agents[0].answered.push(done);
    server.kill_within(Duration::ZERO);
    let server = Server::start(dir.path()).until_it_listens();
    check(&server, &mut agents, &mut feed);
}

/// Somebody whose doing is written down: an agent, or the publisher of the feed node.
struct Agent {
    id: u32,
    state: String,
    /// The number and the request id of the last item that was checked.
    seq: u64,
    last: Option<String>,
    /// Request ids that were answered since, with the state they lead to.
    answered: Vec<Done>,
    /// The one that was on its way when the server was killed.
    pending: Option<Done>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Done {
    request: String,
    state: String,
}

impl Agent {
    fn new(id: u32) -> Self {
        Self {
            id,
            state: "LOGOUT".to_owned(),
            seq: 0,
            last: None,
            answered: Vec::new(),
            pending: None,
        }
    }

    /// Numbers items that carry the publisher's own ids: on from the last one that was checked.
    fn number(&self, items: &mut Vec<Item>) {
        let known = items.iter().position(|item| Some(&item.request) == self.last.as_ref());
        items.drain(..known.map_or(0, |at| at + 1));
        for (seq, item) in (self.seq + 1..).zip(items) {
            item.seq = seq;
        }
    }

    /// Holds what the server has against what it answered.
    fn check(&mut self, items: &[Item], state: Option<String>) {
        let items: Vec<_> = items.iter().filter(|item| item.seq > self.seq).collect();
        let is = |item: &&Item| Done { request: item.request.clone(), state: item.state.clone() };
        let there: Vec<_> = items.iter().map(is).collect();
        let mut with_pending = self.answered.clone();
        with_pending.extend(self.pending.clone());
        assert!(
            there == self.answered || there == with_pending,
            "agent {}: answered {:#?}, on its way {:?}, there {there:#?}",
            self.id,
            self.answered,
            self.pending,
        );
        let seqs: Vec<_> = items.iter().map(|item| item.seq).collect();
        let gapless: Vec<_> = (self.seq + 1..).take(seqs.len()).collect();
        assert_eq!(seqs, gapless, "agent {}: the numbers after {}", self.id, self.seq);
        if let Some(last) = there.last() {
            self.state.clone_from(&last.state);
            self.last = Some(last.request.clone());
        }
        assert_eq!(state.as_ref().unwrap_or(&self.state), &self.state, "agent {}", self.id);
        self.seq += seqs.len() as u64;
        self.answered.clear();
        self.pending = None;
    }

    /// What to do next: sign in, or change between ready and not ready.
    fn next(&self, round: u32, count: usize) -> (String, Done) {
        let (body, state) = match self.state.as_str() {
            "LOGOUT" => (format!("LOGIN</state><extension>{}</extension>", self.id), "NOT_READY"),
            "READY" => ("NOT_READY</state>".to_owned(), "NOT_READY"),
            _ => ("READY</state>".to_owned(), "READY"),
        };
        let request = format!("r{round}-{}-{count}", self.id);
        (format!("<User><state>{body}</User>"), Done { request, state: state.to_owned() })
    }

    /// Changes state as fast as the server answers, until it is gone or says that it cannot.
    fn work(&mut self, server: &str, round: u32, told: &Sender<()>) {
        let mut rest = Rest::to(server, self.id);
        for count in 0.. {
            let (body, done) = self.next(round, count);
            self.pending = Some(done);
            match rest.put(&body, &self.pending.as_ref().unwrap().request) {
                Some(202) => {}
                Some(503) => {
                    self.pending = None;
                    return;
                }
                Some(status) => panic!("agent {}: {body} was answered {status}", self.id),
                None => return,
            }
            self.note(told);
        }
    }

    /// Publishes to the feed node as fast as the server answers, until it is gone.
    fn feed(&mut self, server: &str, round: u32, told: &Sender<()>) {
        let Some(mut desk) = Desk::open(server, "publisher") else { return };
        for count in 0.. {
            let request = format!("f{round}-{count}");
            self.pending = Some(Done { request: request.clone(), state: "FED".to_owned() });
            if desk.publish(FEED, &request).is_none() {
                return;
            }
            self.note(told);
        }
    }

    fn note(&mut self, told: &Sender<()>) {
        let done = self.pending.take().expect("it was set above");
        self.state.clone_from(&done.state);
        self.answered.push(done);
        // The test stops counting once it kills.
        let _ = told.send(());
    }
}

/// Everything that was answered is there, once, in order; and nothing else but what was pending.
fn check(server: &Server, agents: &mut [Agent], feed: &mut Agent) {
    let mut desk = Desk::open(&server.address, "publisher").expect("the publisher logs in");
    for agent in agents {
        let node = format!("/finesse/api/User/{}", agent.id);
        let newest = agent.answered.len() + 2;
        let items = desk.items(&node, newest).expect("items are told");
        let state = Rest::to(&server.address, agent.id).state().expect("the state is told");
        agent.check(&items, Some(state));
    }
    desk.create(FEED).expect("the node is there, or is made");
    let mut items = desk.items(FEED, feed.answered.len() + 2).expect("items are told");
    feed.number(&mut items);
    feed.check(&items, None);
}

/// Lets everybody work, and kills the server after a random number of answers; returns how many
/// were answered.
fn kill_while_publishing(
    server: Server,
    round: u32,
    agents: &mut [Agent],
    feed: &mut Agent,
    random: &mut Random,
) -> usize {
    let (told, answers) = mpsc::channel();
    let address = server.address.clone();
    thread::scope(|scope| {
        for agent in agents.iter_mut() {
            let (told, address) = (told.clone(), &address);
            scope.spawn(move || agent.work(address, round, &told));
        }
        let (told, address, feed) = (told.clone(), &address, &mut *feed);
        scope.spawn(move || feed.feed(address, round, &told));
        wait_for(&answers, 1 + random.below(600));
        server.kill_within(Duration::from_micros(random.below(3_000)));
    });
    agents.iter().map(|agent| agent.answered.len()).sum::<usize>() + feed.answered.len()
}

fn wait_for(answers: &Receiver<()>, count: u64) {
    let deadline = Instant::now() + WAIT;
    for _ in 0..count {
        let left = deadline.saturating_duration_since(Instant::now());
        answers.recv_timeout(left).expect("the server answers");
    }
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// Numbers that follow from a seed (xorshift64, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Agents at work at a time.
const AGENTS: u32 = 16;

/// A node of the publisher's own.
const FEED: &str = "crash-feed";

/// How long anything may take on a busy machine.
const WAIT: Duration = Duration::from_secs(30);

/// The XMPP domain.
const DOMAIN: &str = "cc.test";

/// Everybody's password.
const PASSWORD: &str = "opensesame";
