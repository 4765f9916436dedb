//! Runs every conversation of `talks/` against the server's side of a stream.
//!
//! A line begins with who acts; a line that begins with a space goes on with the one before.
//!
//! - `given   domain NAME | password of USER is WORD | JID is online | only PLAIN | strict host`
//! - `given   offers NAME NAME` (mechanisms), `binds by tls-exporter` (whose data are 32 times 1)
//! - `given   STARTTLS offered | STARTTLS required | only over WebSocket | only over TCP`,
//!   `only outside HTTP`, `only in one piece` (of what the client sends over TCP)
//! - `given   management is off | management is offered | lost ID of JID sent N handled N`
//! - `given   SASL2 is offered`, `given   token N of USER for AGENT by MECHANISM for D days`
//! - `client  XML`: the client sends one message. `client  repeats N TEXT`: a long one.
//! - `server  XML`: the server's next message is this; `…` stands for anything.
//! - `server  starts TLS`; from then on the talk is inside.
//! - `server  hangs up` or `server  hangs up for CONDITION`.
//! - `driver  TEXT`: the driver was told this next. `driver  sends XML`, `driver  closes`,
//!   `driver  closes for CONDITION`: it acts.
//! - `witness TEXT`: the witness reports this, among other words, of the client's last message; of
//!   the server it never reports anything.
//! - `wait    N s`.
//!
//! A talk is written in the words of WebSocket and runs over every carrier: over TCP an `<open/>`
//! is a `<stream:stream>`, and what is no message goes as it is. There it runs twice, the second
//! time in pieces of one byte.
//!
//! Nothing may be left over at the end: no message unexpected, no report unannounced.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aplomb_core::framing::ws::Messages;
use aplomb_core::framing::{Frame, Framing, StreamCondition};
use aplomb_core::ns;
use aplomb_core::sasl::Mechanism;
use aplomb_core::sasl::fast::{Agent, FastMechanism, FastToken};
use aplomb_core::secret::Secret;
use aplomb_core::stream::responder::StartTls;
use aplomb_core::stream::{Management, Report, Sasl2, Side, Witness};
use aplomb_core::time::WallTime;
use aplomb_core::xml::{Prologue, read_element};

use crate::desk::{Carrier, Desk, Held, Lost, Seen, TODAY, World};

#[test]
fn every_talk_goes_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../talks");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut talks: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "talk")).collect();
    talks.sort();
    assert!(talks.len() >= 10, "only {} talks in {}", talks.len(), folder.display());
    let mut failed = Vec::new();
    for (carrier, bytes) in CARRIERS {
        let results: Vec<_> = talks.iter().map(|path| run(path, carrier, bytes)).collect();
        let ran = results.iter().filter(|result| !matches!(result, Ok(Ran::Elsewhere))).count();
        assert!(ran >= 30, "only {ran} talks over {carrier:?}");
        failed.extend(results.into_iter().filter_map(Result::err));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn a_talk_that_is_wrong_fails() {
    let right = "client  <presence/>\nserver  <open …/>\nserver  …\nserver  <close …/>\n\
                 witness presence\n";
    assert_eq!(play(right), Ok(Ran::Whole));
    for wrong in [
        right.replace("server  <open …/>\n", ""),
        right.replace("<open …/>", "<open/>"),
        right.replace("server  <close …/>\n", ""),
        right.replace("witness presence\n", ""),
        right.replace("witness presence", "witness iq"),
        format!("{right}server  hangs up\n"),
        format!("{right}driver  somebody logged in\n"),
        format!("{right}nobody  does anything\n"),
    ] {
        assert!(play(&wrong).is_err(), "{wrong}");
    }
}

/// Each carrier, and into how many bytes it breaks what a client sends.
const CARRIERS: [(Carrier, Option<usize>); 4] = [
    (Carrier::WebSocket, None),
    (Carrier::Tcp, None),
    (Carrier::Tcp, Some(1)),
    (Carrier::Http, None),
];

/// How far a talk went.
#[derive(Debug, PartialEq, Eq)]
enum Ran {
    Whole,
    /// It is not about this carrier.
    Elsewhere,
}

fn play(text: &str) -> Result<Ran, String> {
    Talk::play(text, Carrier::WebSocket, None)
}

fn run(path: &Path, carrier: Carrier, bytes: Option<usize>) -> Result<Ran, String> {
    let text = std::fs::read_to_string(path).unwrap();
    Talk::play(&text, carrier, bytes)
        .map_err(|why| format!("{} over {carrier:?} by {bytes:?}: {why}", path.display()))
}

struct Talk {
    world: World,
    desk: Option<Desk>,
    witness: Witness,
    /// How the client reads and writes.
    framing: Box<dyn Framing>,
    /// Bytes of the pieces that the client sends.
    bytes: Option<usize>,
    seen: VecDeque<Seen>,
    told: VecDeque<String>,
    reports: VecDeque<String>,
}

impl Talk {
    fn play(text: &str, carrier: Carrier, bytes: Option<usize>) -> Result<Ran, String> {
        let mut talk = Self {
            world: World { carrier, ..World::default() },
            desk: None,
            witness: Witness::new(carrier.framing(), carrier.framing_of_answers()),
            framing: carrier.framing_of_answers(),
            bytes,
            seen: VecDeque::new(),
            told: VecDeque::new(),
            reports: VecDeque::new(),
        };
        for line in lines(text) {
            match (carrier, bytes, line.as_str()) {
                (Carrier::Tcp | Carrier::Http, _, "given   only over WebSocket")
                | (Carrier::WebSocket | Carrier::Http, _, "given   only over TCP")
                | (Carrier::Http, _, "given   only outside HTTP")
                | (_, Some(_), "given   only in one piece") => return Ok(Ran::Elsewhere),
                _ => {}
            }
            let (who, what) = line.split_once(' ').unwrap_or((&line, ""));
            talk.line(who, what.trim()).map_err(|why| format!("{line}\n  {why}"))?;
        }
        let left = (talk.seen, talk.told, talk.reports);
        let is_done = left.0.is_empty() && left.1.is_empty() && left.2.is_empty();
        if is_done { Ok(Ran::Whole) } else { Err(format!("at the end there is left: {left:?}")) }
    }

    fn line(&mut self, who: &str, what: &str) -> Result<(), String> {
        match who {
            "given" => self.given(what),
            "client" => {
                let unit = match what.strip_prefix("repeats ").and_then(|w| w.split_once(' ')) {
                    Some((times, text)) => text.repeat(times.parse().unwrap()),
                    None => what.to_owned(),
                };
                let sent = self.world.carrier.bytes_of(&unit);
                for piece in sent.chunks(self.bytes.unwrap_or(usize::MAX)) {
                    self.see(Side::Client, piece)?;
                    self.act(|desk| desk.receive(piece))?;
                }
                Ok(())
            }
            "server" => self.server(what),
            "driver" => self.driver(what),
            "witness" => match self.reports.pop_front() {
                Some(report) if report.replace('"', "'").contains(what) => Ok(()),
                report => Err(format!("it reported {report:?}")),
            },
            "wait" => {
                let secs = what.trim_end_matches(" s").parse().map_err(|_| "not N s")?;
                self.act(|desk| desk.wait(Duration::from_secs(secs)))
            }
            other => Err(format!("nobody is called {other}")),
        }
    }

    fn given(&mut self, what: &str) -> Result<(), String> {
        let words: Vec<&str> = what.split(' ').collect();
        match words.as_slice() {
            ["domain", name] => (*name).clone_into(&mut self.world.domain),
            ["password", "of", user, "is", word] => {
                self.world.passwords.push(((*user).to_owned(), (*word).to_owned()));
            }
            [jid, "is", "online"] => self.world.online.push((*jid).to_owned()),
            ["only", name] => {
                self.world.mechanisms = vec![Mechanism::named(name).ok_or("no mechanism")?];
            }
            ["offers", names @ ..] => {
                let all = names.iter().map(|name| Mechanism::named(name));
                self.world.mechanisms = all.collect::<Option<_>>().ok_or("no mechanism")?;
            }
            ["binds", "by", "tls-exporter"] => {
                self.world.bindings.exporter = Some(Secret::new([1; 32]));
            }
            ["STARTTLS", "offered"] => self.world.starttls = StartTls::Offered,
            ["STARTTLS", "required"] => self.world.starttls = StartTls::Required,
            ["only", "over" | "in" | "outside", ..] => {}
            ["strict", "host"] => self.world.is_strict_host = true,
            ["management", "is", word] => {
                self.world.management = match *word {
                    "off" => Management::Off,
                    "on-request" => Management::OnRequest,
                    "offered" => Management::Offered,
                    _ => return Err("no such management".to_owned()),
                };
            }
            ["SASL2", "is", "offered"] => self.world.sasl2 = Sasl2::Offered,
            ["token", seed, "of", account, "for", agent, "by", name, "for", days, "days"] => {
                let days: i64 = days.parse().unwrap();
                let token = FastToken {
                    agent: Agent::parse(agent).ok_or("no agent")?,
                    mechanism: FastMechanism::named(name).ok_or("no mechanism")?,
                    seed: [seed.parse().unwrap(); 16],
                    expires: WallTime(TODAY.0 + days * 24 * 3_600_000),
                    is_used: true,
                    count: 0,
                };
                self.world.tokens.push(Held { account: (*account).to_owned(), token });
            }
            ["lost", id, "of", jid, "sent", sent, "handled", handled] => {
                let (sent, handled) = (sent.parse().unwrap(), handled.parse().unwrap());
                let (id, jid) = ((*id).to_owned(), (*jid).to_owned());
                self.world.lost.push(Lost { id, jid, sent, handled });
            }
            other => return Err(format!("not understood: {other:?}")),
        }
        Ok(())
    }

    fn server(&mut self, what: &str) -> Result<(), String> {
        let seen = self.seen.pop_front();
        match (what, seen) {
            ("hangs up", Some(Seen::HangUp(None))) => Ok(()),
            ("starts TLS", Some(Seen::StartTls)) => Ok(()),
            ("hangs up", seen) => Err(format!("it did {seen:?}")),
            (what, Some(Seen::HangUp(Some(condition)))) => {
                fits(what, Some(format!("hangs up for {}", condition.name())))
            }
            (what, Some(Seen::Unit(unit))) => fits(what, Some(unit)),
            (_, seen) => Err(format!("it did {seen:?}")),
        }
    }

    fn driver(&mut self, what: &str) -> Result<(), String> {
        if let Some(xml) = what.strip_prefix("sends ") {
            let stanza = read_element(xml, Prologue::Forbidden).map_err(|e| e.to_string())?;
            self.act(|desk| desk.push(&stanza))
        } else if what == "closes" {
            self.act(|desk| desk.close(None))
        } else if let Some(name) = what.strip_prefix("closes for ") {
            let condition = StreamCondition::named(name).ok_or("no such condition")?;
            self.act(|desk| desk.close(Some(condition)))
        } else {
            fits(what, self.told.pop_front())
        }
    }

    fn act(&mut self, act: impl FnOnce(&mut Desk) -> Vec<Seen>) -> Result<(), String> {
        let world = &self.world;
        let desk = self.desk.get_or_insert_with(|| Desk::new(world));
        let seen = act(desk);
        self.told.extend(desk.told.drain(..));
        for seen in seen {
            match seen {
                Seen::Unit(unit) => {
                    self.see(Side::Server, unit.as_bytes())?;
                    let heard = self.heard(&unit)?;
                    self.seen.extend(heard);
                }
                Seen::StartTls => {
                    self.framing.restart();
                    self.seen.push_back(Seen::StartTls);
                }
                Seen::HangUp(_) => self.seen.push_back(seen),
            }
        }
        Ok(())
    }

    /// What the carrier has as the text of a talk.
    fn heard(&mut self, unit: &str) -> Result<Vec<Seen>, String> {
        let (mut heard, mut input) = (Vec::new(), unit.as_bytes());
        while !input.is_empty() {
            let frame = self.framing.read(&mut input, usize::MAX);
            let frame = frame.map_err(|error| format!("the server wrote {unit}: {error:?}"))?;
            let Some(frame) = frame else { return Err(format!("the server wrote half: {unit}")) };
            if matches!(&frame, Frame::Element(element) if element.is(ns::SASL, "success")) {
                self.framing.restart();
            }
            heard.push(Seen::Unit(String::from_utf8(Messages.write(&frame)).unwrap()));
        }
        Ok(heard)
    }

    fn see(&mut self, from: Side, unit: &[u8]) -> Result<(), String> {
        for report in self.witness.see(from, unit) {
            match (from, report) {
                (_, Report::Milestone(_)) => {}
                (Side::Client, Report::Violation(v)) => self.reports.push_back(v.to_string()),
                (Side::Client, Report::Malformed(_, error)) => {
                    self.reports.push_back(error.condition.name().to_owned());
                }
                (Side::Server, report) => return Err(format!("the server: {report:?}")),
            }
        }
        Ok(())
    }
}

/// Lines with their continuations, without comments.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        match lines.last_mut() {
            Some(last) if line.starts_with(' ') => last.push_str(line.trim()),
            _ => lines.push(line.trim_end().to_owned()),
        }
    }
    lines
}

/// Whether `what` happened: `expected` with `…` for anything, in either kind of quotes.
fn fits(expected: &str, what: Option<String>) -> Result<(), String> {
    let Some(what) = what.map(|what| what.replace('"', "'")) else {
        return Err("nothing happened".to_owned());
    };
    let pieces: Vec<&str> = expected.split('…').map(str::trim).collect();
    let mut rest = what.as_str();
    for (at, piece) in pieces.iter().enumerate() {
        let found = match at {
            0 if !piece.starts_with('<') => rest.find(piece),
            0 => rest.starts_with(piece).then_some(0),
            _ if at + 1 == pieces.len() && !piece.is_empty() => {
                rest.ends_with(piece).then(|| rest.len() - piece.len())
            }
            _ => rest.find(piece),
        };
        let Some(found) = found else { return Err(format!("but: {what}")) };
        rest = &rest[found + piece.len()..];
    }
    let is_whole = rest.is_empty() || pieces.len() > 1 || !expected.starts_with('<');
    if is_whole { Ok(()) } else { Err(format!("but: {what}")) }
}
