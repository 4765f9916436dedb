//! A client that keeps the rules over a network that breaks, delays and reorders: it is never
//! refused, and whatever either side says arrives once and in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use super::{Binding, Head};
use crate::ns;
use crate::time::Moment;

/// What happens next; the number chooses among what there is.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// The client sends something new, if it may.
    Send,
    /// A request reaches the server.
    Arrive(usize),
    /// A connection breaks, before the request came or while its answer is under way; the server
    /// may notice at once or never. The client sends the request again.
    Break(usize, bool),
    /// An answer reaches the client.
    Answer(usize),
    /// The server has something to say.
    Say,
    /// Time passes.
    Wait(u64),
}

/// A connection's number, for who waits on it.
type Line = u64;

struct World {
    binding: Binding<Line>,
    now: Moment,
    lines: u64,
    next_rid: u64,
    /// Requests under way: the connection, the number and the content.
    under_way: Vec<(Line, u64, Option<u64>)>,
    /// Answers under way.
    answers: Vec<(Line, String)>,
    /// What the client waits for: the connection and the content, by number.
    open: BTreeMap<u64, (Line, Option<u64>)>,
    broken: BTreeSet<Line>,
    /// Answers that came before their turn.
    early: BTreeMap<u64, String>,
    due_rid: u64,
    said: (u64, u64),
    heard: (Vec<u64>, Vec<u64>),
}

impl World {
    fn new() -> Self {
        let head = Head::read(body(1, None).as_bytes()).unwrap();
        let binding = Binding::new(Moment::default(), "s".to_owned(), "cc.test", true, &head);
        Self {
            binding,
            now: Moment::default(),
            lines: 0,
            next_rid: 1,
            under_way: Vec::new(),
            answers: Vec::new(),
            open: BTreeMap::new(),
            broken: BTreeSet::new(),
            early: BTreeMap::new(),
            due_rid: 1,
            said: (0, 0),
            heard: (Vec::new(), Vec::new()),
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Send if self.next_rid < self.due_rid + 2 => {
                // With a request open there is no need of an empty one.
                let content = (!self.open.is_empty()).then_some(self.said.0);
                self.said.0 += u64::from(content.is_some());
                let rid = self.next_rid;
                self.next_rid += 1;
                self.send(rid, content);
            }
            Act::Arrive(n) if !self.under_way.is_empty() => {
                let (line, rid, content) = self.under_way.remove(n % self.under_way.len());
                let text = body(rid, content);
                let head = Head::read(text.as_bytes()).unwrap();
                self.binding.receive(self.now, head, text.into_bytes(), line);
            }
            Act::Break(n, is_noticed) if !self.open.is_empty() => {
                let rid = *self.open.keys().nth(n % self.open.len()).unwrap();
                let (line, content) = self.open[&rid];
                self.broken.insert(line);
                self.answers.retain(|(other, _)| *other != line);
                self.under_way.retain(|(other, ..)| *other != line || n % 2 == 0);
                if is_noticed {
                    let broken = &self.broken;
                    self.binding.forget(self.now, |line| broken.contains(line));
                }
                self.send(rid, content);
            }
            Act::Answer(n) if !self.answers.is_empty() => {
                let (line, text) = self.answers.remove(n % self.answers.len());
                let (&rid, _) = self.open.iter().find(|(_, (open, _))| *open == line).unwrap();
                self.open.remove(&rid);
                self.early.insert(rid, text);
                while let Some(text) = self.early.remove(&self.due_rid) {
                    self.due_rid += 1;
                    self.heard.1.extend(numbers(&text, "<say>"));
                }
            }
            Act::Say => {
                let word = format!("<say>{}</say>", self.said.1);
                self.binding.say().extend_from_slice(word.as_bytes());
                self.said.1 += 1;
            }
            Act::Wait(secs) => self.now = self.now + Duration::from_secs(secs),
            Act::Send | Act::Arrive(_) | Act::Break(..) | Act::Answer(_) => {}
        }
        self.settle();
    }

    fn send(&mut self, rid: u64, content: Option<u64>) {
        self.lines += 1;
        self.open.insert(rid, (self.lines, content));
        self.under_way.push((self.lines, rid, content));
    }

    fn settle(&mut self) {
        loop {
            self.binding.settle(self.now);
            let taken = self.binding.take(self.now);
            while let Some((line, answer)) = self.binding.poll() {
                let text = String::from_utf8(answer.body.to_vec()).unwrap();
                if !self.broken.contains(&line) {
                    assert!(!text.contains("terminate"), "a good client is refused: {text}");
                    self.answers.push((line, text));
                }
            }
            let Some(unit) = taken else { return };
            self.heard.0.extend(numbers(&String::from_utf8(unit).unwrap(), "<ask>"));
        }
    }
}

fn body(rid: u64, content: Option<u64>) -> String {
    let content = content.map(|n| format!("<ask>{n}</ask>")).unwrap_or_default();
    let sid = if rid == 1 { "" } else { " sid='s'" };
    format!("<body xmlns='{}' rid='{rid}'{sid} ver='1.6'>{content}</body>", ns::HTTP_BIND)
}

/// The numbers that follow each `tag`.
fn numbers(text: &str, tag: &str) -> VecDeque<u64> {
    let number = |rest: &str| rest.split('<').next().unwrap().parse().unwrap();
    text.split(tag).skip(1).map(number).collect()
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Send),
        4 => (0_usize..9).prop_map(Act::Arrive),
        1 => (0_usize..9, any::<bool>()).prop_map(|(n, is_noticed)| Act::Break(n, is_noticed)),
        3 => (0_usize..9).prop_map(Act::Answer),
        2 => Just(Act::Say),
        1 => (0_u64..29).prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn what_is_said_arrives_once_and_in_order(acts in prop::collection::vec(act(), 0..120)) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
        }
        // The network recovers, and the client goes on until all is told.
        for _ in 0..20 {
            world.act(Act::Send);
            for _ in 0..4 {
                world.act(Act::Arrive(0));
            }
            for _ in 0..4 {
                world.act(Act::Answer(0));
            }
        }
        prop_assert_eq!(world.heard.1, (0..world.said.1).collect::<Vec<_>>());
        prop_assert_eq!(world.heard.0, (0..world.said.0).collect::<Vec<_>>());
    }
}
