//! One connection, from its beginning to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aplomb_core::framing::{Framing, bosh, tcp, ws};
use aplomb_core::jid::FullJid;
use aplomb_core::sasl::binding::Bindings;
use aplomb_core::stanza::StanzaError;
use aplomb_core::stream::initiator::{self, Output, Passage, StartTls, Wish};
use aplomb_core::stream::{Initiator, Side};
use aplomb_core::time::Moment;
use aplomb_core::xml::Element;
use tokio_util::sync::CancellationToken;

use super::memory::Memory;
use super::news::{Event, Loss, News, Step, What};
use super::position::Positions;
use super::requests::{self, Asked};
use super::{Failure, Settings};
use crate::limits::{CLIENT_ANSWER_SECS_MAX, CLIENT_PING_SECS, CLIENT_PINGS_UNANSWERED_MAX};
use crate::link::dial::{self, Bosh, Over, Security, Socket, Web, Wire};
use crate::{clock, random};

/// How a connection ended.
pub(super) enum Ended {
    /// As we wished.
    Stopped,
    /// It may be tried again.
    Lost(Loss),
    /// Trying again would not help.
    Failed(Failure),
}

/// What outlives a connection.
pub(super) struct Traveller<'a> {
    pub(super) settings: &'a Settings,
    pub(super) domain: &'a str,
    pub(super) positions: &'a mut Positions,
    pub(super) memory: &'a mut Memory,
    pub(super) tell: &'a mut (dyn FnMut(News) + Send),
    /// Whether a connection before this one was ready.
    pub(super) has_been_ready: bool,
    /// Whether this one was.
    pub(super) is_ready: bool,
}

impl Traveller<'_> {
    fn tell(&mut self, what: What) {
        (self.tell)(News { at: clock::moment().since_start(), what });
    }

    /// Connects, upgrades, and stays until the end.
    pub(super) async fn visit(&mut self, stop: &CancellationToken) -> Ended {
        let (socket, bindings) = tokio::select! {
            () = stop.cancelled() => return Ended::Stopped,
            connected = self.connect() => match connected {
                Ok(connected) => connected,
                Err(error) if self.has_been_ready => return Ended::Lost(error.into()),
                Err(error) => return Ended::Failed(Failure::Connect(error)),
            },
        };
        let framing: Box<dyn Framing> = match self.settings.target.over {
            Over::WebSocket => Box::new(ws::Messages),
            Over::Tcp => Box::new(tcp::Document::new()),
            Over::Bosh => Box::new(bosh::Answers::new()),
        };
        let wish = self.wish(bindings);
        let initiator = Initiator::new(clock::moment(), framing, wish);
        let visit = Visit {
            traveller: self,
            socket,
            initiator,
            jid: None,
            asked: BTreeMap::new(),
            requests: 0,
            pings_unanswered: 0,
            next_ping: None,
            is_leaving: false,
            failure: None,
        };
        visit.stay(stop).await
    }

    fn wish(&mut self, bindings: Bindings) -> Wish {
        let Settings { target, allows_plain_without_tls, .. } = self.settings;
        let starttls = match (target.over, target.is_tls) {
            (Over::WebSocket | Over::Bosh, _) | (Over::Tcp, true) => StartTls::Never,
            (Over::Tcp, false) if *allows_plain_without_tls => StartTls::IfOffered,
            (Over::Tcp, false) => StartTls::Always,
        };
        Wish {
            domain: self.domain.to_owned(),
            user: self.settings.user.clone(),
            password: self.settings.password.clone(),
            resource: Some(self.settings.resource.clone()),
            allows_plain: target.is_tls || *allows_plain_without_tls,
            bindings,
            sasl2: Some(self.memory.wish(self.settings.tag.clone())),
            starttls,
            nonce: random::name(NONCE_CHARS),
        }
    }

    /// Connects; says too what a login can be bound to.
    async fn connect(&mut self) -> Result<(Wire, Bindings), dial::ConnectError> {
        let Settings { target, trust, wait, meter, .. } = self.settings;
        if target.over == Over::Bosh {
            let web = Arc::new(Web::new(target.clone(), trust, *wait, meter)?);
            let bosh = Bosh::open(Arc::clone(&web)).await?;
            return Ok((Wire::Bosh(bosh), web.bindings()));
        }
        let security = Security::of_stream(target, self.domain, trust);
        let (bytes, bindings) = {
            let mut tell = |line| self.tell(What::Link(line));
            dial::open(target, security, *wait, meter, &mut tell).await?
        };
        if target.over == Over::Tcp {
            return Ok((Wire::Socket(Socket::bare(bytes)), bindings));
        }
        meter.asked();
        let upgraded = dial::upgrade(bytes, target, *wait).await?;
        let pair = [
            (Side::Client, &upgraded.request, "The client asks for XMPP over WebSocket."),
            (Side::Server, &upgraded.answer, "The server switches to it."),
        ];
        for (from, text, meaning) in pair {
            let text = text.trim_end().replace("\r\n", "\n");
            self.tell(What::Step(Step { from, text, meaning: Some(meaning.to_owned()) }));
        }
        Ok((Wire::Socket(Socket::new(upgraded)), bindings))
    }
}

/// One connection that has been made.
struct Visit<'t, 'a> {
    traveller: &'t mut Traveller<'a>,
    socket: Wire,
    initiator: Initiator,
    jid: Option<FullJid>,
    /// Requests that wait for their answers, by id, and since when.
    asked: BTreeMap<String, (Asked, Moment)>,
    requests: u64,
    pings_unanswered: u32,
    next_ping: Option<Moment>,
    is_leaving: bool,
    /// What ends the visit for good.
    failure: Option<Failure>,
}

impl Visit<'_, '_> {
    async fn stay(mut self, stop: &CancellationToken) -> Ended {
        loop {
            if let Some(ended) = self.drain().await {
                return ended;
            }
            let wake = clock::instant_of(self.wake());
            let outcome = tokio::select! {
                message = self.socket.next() => self.take(message),
                () = tokio::time::sleep_until(wake.into()) => self.tick(clock::moment()),
                () = stop.cancelled(), if !self.is_leaving => {
                    self.leave(clock::moment());
                    Ok(())
                }
            };
            if let Err(loss) = outcome {
                self.socket.hang_up().await;
                return self.end(Some(loss));
            }
        }
    }

    /// Does what the stream says, until it says no more.
    async fn drain(&mut self) -> Option<Ended> {
        while let Some(output) = self.initiator.poll() {
            match output {
                Output::Transmit(unit) => {
                    if let Err(why) = self.socket.send(&unit).await {
                        return Some(self.end(Some(Loss::Broken(why))));
                    }
                }
                Output::Event(initiator::Event::Passed(passage)) => self.tell_passage(&passage),
                Output::Event(initiator::Event::Token(held)) => {
                    self.traveller.memory.keep(held);
                }
                Output::Event(initiator::Event::Ready(jid)) => self.ready(jid),
                Output::Event(initiator::Event::Stanza(stanza)) => self.take_stanza(stanza),
                Output::StartTls => {
                    if let Err(error) = self.secure().await {
                        return Some(match self.was_ready() {
                            true => Ended::Lost(error.into()),
                            false => Ended::Failed(Failure::Connect(error)),
                        });
                    }
                }
                Output::Hangup(trouble) => {
                    self.socket.hang_up().await;
                    let loss = trouble.map_or(Loss::Closed, Loss::Stream);
                    return Some(self.end(Some(loss)));
                }
            }
        }
        None
    }

    /// Goes on over TLS, in which the stream begins anew.
    async fn secure(&mut self) -> Result<(), dial::ConnectError> {
        let Settings { target, trust, wait, .. } = self.traveller.settings;
        let security = Security::of_stream(target, self.traveller.domain, trust);
        let mut tell = |line| self.traveller.tell(What::Link(line));
        let bindings = self.socket.secure(security, *wait, &mut tell).await?;
        self.initiator.encrypted(clock::moment(), bindings);
        Ok(())
    }

    fn take(&mut self, unit: Result<Vec<u8>, String>) -> Result<(), Loss> {
        let unit = unit.map_err(Loss::Broken)?;
        self.initiator.receive(clock::moment(), &unit);
        Ok(())
    }

    /// Says how the visit ended: what the stream knows goes before what the wire saw.
    fn end(&mut self, loss: Option<Loss>) -> Ended {
        if let Some(failure) = self.failure.take() {
            return Ended::Failed(failure);
        }
        if self.is_leaving {
            return Ended::Stopped;
        }
        let told = self.initiator.trouble().cloned().map(Loss::Stream);
        let loss = told.or(loss).unwrap_or(Loss::Closed);
        match loss {
            Loss::Stream(trouble) if !self.was_ready() || trouble.is_final() => {
                Ended::Failed(Failure::Stream(trouble))
            }
            loss if !self.was_ready() => Ended::Failed(Failure::Lost(loss)),
            loss => Ended::Lost(loss),
        }
    }

    fn was_ready(&self) -> bool {
        self.traveller.is_ready || self.traveller.has_been_ready
    }

    /// When something must be done at the latest.
    fn wake(&self) -> Moment {
        let waits = self.asked.values().map(|(_, since)| *since + ANSWER_WAIT);
        let wakes = waits.chain(self.initiator.deadline()).chain(self.next_ping);
        wakes.min().unwrap_or_else(|| clock::moment() + ANSWER_WAIT)
    }

    fn tick(&mut self, now: Moment) -> Result<(), Loss> {
        self.initiator.tick(now);
        if self.next_ping.is_some_and(|at| at <= now) && !self.is_leaving {
            if self.pings_unanswered >= CLIENT_PINGS_UNANSWERED_MAX {
                return Err(Loss::Dead(CLIENT_PING_SECS));
            }
            self.pings_unanswered += 1;
            self.next_ping = Some(now + PING_EVERY);
            self.ask(now, Asked::Ping);
        }
        let is_late = |since: Moment| since + ANSWER_WAIT <= now;
        let late: Vec<String> =
            self.asked.iter().filter(|(_, (_, s))| is_late(*s)).map(|(id, _)| id.clone()).collect();
        for id in late {
            match self.asked.remove(&id) {
                Some((Asked::Items(node), _)) => self.cannot_tell(&node, "no answer"),
                Some((Asked::Subscribe(node), _)) => {
                    let words = format!("no answer to the subscription of {node}");
                    return Err(Loss::Broken(words));
                }
                // Pings have their own count; a client that leaves waits for a close only.
                Some((Asked::Ping | Asked::Unsubscribe(_), _)) | None => {}
            }
        }
        Ok(())
    }

    fn ready(&mut self, jid: FullJid) {
        let now = clock::moment();
        self.traveller.is_ready = true;
        self.jid = Some(jid);
        self.next_ping = Some(now + PING_EVERY);
        self.send_step(now, &requests::presence(), "The client is here, with priority 0.");
        for node in self.traveller.settings.nodes.clone() {
            self.ask(now, Asked::Subscribe(node));
        }
        for node in self.traveller.positions.nodes() {
            self.ask(now, Asked::Items(node));
        }
    }

    fn ask(&mut self, now: Moment, asked: Asked) {
        let Some(jid) = &self.jid else { return };
        self.requests += 1;
        let id = format!("{}-{}", asked.name(), self.requests);
        let stanza = asked.to_element(&id, jid, self.traveller.domain);
        match &asked {
            Asked::Subscribe(node) => {
                self.send_step(now, &stanza, &format!("The client wants the events of {node}."));
            }
            Asked::Unsubscribe(node) => {
                self.send_step(now, &stanza, &format!("The client gives {node} back."));
            }
            Asked::Items(_) | Asked::Ping => self.initiator.send(now, &stanza),
        }
        self.asked.insert(id, (asked, now));
    }

    fn send_step(&mut self, now: Moment, stanza: &Element, meaning: &str) {
        let (text, meaning) = (stanza.to_indented_xml(), Some(meaning.to_owned()));
        self.traveller.tell(What::Step(Step { from: Side::Client, text, meaning }));
        self.initiator.send(now, stanza);
    }

    fn take_stanza(&mut self, stanza: Element) {
        let is_answer = matches!(stanza.attr("type"), Some("result" | "error"));
        let asked = stanza.attr("id").filter(|_| is_answer && stanza.name() == "iq");
        if let Some((asked, _)) = asked.and_then(|id| self.asked.remove(id)) {
            return self.take_answer(asked, &stanza);
        }
        if let Some(answer) = requests::answer(&stanza) {
            return self.initiator.send(clock::moment(), &answer);
        }
        match requests::events(&stanza, self.traveller.domain) {
            Some(events) => events.into_iter().for_each(|event| self.tell_event(event)),
            None => self.traveller.tell(What::Stanza(stanza)),
        }
    }

    fn take_answer(&mut self, asked: Asked, answer: &Element) {
        let refusal = requests::refusal(answer);
        match (asked, refusal) {
            (Asked::Ping, _) => self.pings_unanswered = 0,
            (Asked::Subscribe(node), None) => {
                self.tell_answer(answer, format!("Subscribed to {node}."));
            }
            (Asked::Unsubscribe(node), refusal) => {
                let how = refusal.map_or("Given back", |_| "Not given back");
                self.tell_answer(answer, format!("{how}: {node}."));
            }
            (Asked::Subscribe(node), Some(error)) => self.subscription_refused(node, answer, error),
            (Asked::Items(node), None) => {
                let kept = requests::items(answer);
                if let Some(missed) = self.traveller.positions.compare(&node, kept) {
                    self.traveller.tell(What::Missed(missed));
                }
            }
            (Asked::Items(node), Some(error)) => self.cannot_tell(&node, error.condition.name()),
        }
    }

    fn subscription_refused(&mut self, node: String, answer: &Element, error: StanzaError) {
        let condition = error.condition.name();
        self.tell_answer(answer, format!("The subscription was refused: {condition}."));
        self.failure = Some(Failure::Subscription { node, error: Box::new(error) });
        self.initiator.close(clock::moment());
    }

    fn tell_answer(&mut self, answer: &Element, meaning: String) {
        let (text, meaning) = (answer.to_indented_xml(), Some(meaning));
        self.traveller.tell(What::Step(Step { from: Side::Server, text, meaning }));
    }

    fn cannot_tell(&mut self, node: &str, why: &str) {
        if let Some(missed) = self.traveller.positions.refused(node, why) {
            self.traveller.tell(What::Missed(missed));
        }
    }

    fn tell_event(&mut self, event: Event) {
        self.traveller.positions.saw(&event);
        self.traveller.tell(What::Event(event));
    }

    fn tell_passage(&mut self, passage: &Passage) {
        let text = passage.text.clone();
        let meaning = passage.milestone.as_ref().map(ToString::to_string);
        self.traveller.tell(What::Step(Step { from: passage.from, text, meaning }));
    }

    /// Goes in order: subscriptions of a full JID would stay behind (Cisco's guide asks for it).
    fn leave(&mut self, now: Moment) {
        self.is_leaving = true;
        for node in self.traveller.settings.nodes.clone() {
            self.ask(now, Asked::Unsubscribe(node));
        }
        self.initiator.close(now);
    }
}

/// Characters of our part of a SCRAM nonce: over 128 bits.
const NONCE_CHARS: usize = 26;

const PING_EVERY: Duration = Duration::from_secs(CLIENT_PING_SECS);
const ANSWER_WAIT: Duration = Duration::from_secs(CLIENT_ANSWER_SECS_MAX);

#[cfg(test)]
mod tests {
    use aplomb_core::secret::Secret;

    use super::*;
    use crate::link::dial::{Meter, Trust, Upgraded};

    fn settings() -> Settings {
        Settings {
            target: "ws://127.0.0.1/ws/".parse().unwrap(),
            trust: Trust::System,
            domain: None,
            user: "1001".to_owned(),
            password: Secret::new("pencil".to_owned()),
            resource: "desk".to_owned(),
            tag: None,
            allows_plain_without_tls: false,
            nodes: Vec::new(),
            wait: Duration::from_secs(1),
            meter: Meter::default(),
        }
    }

    /// A visit that is ready, to a server that says nothing more.
    fn with_ready_visit(check: impl FnOnce(&mut Visit<'_, '_>)) {
        let settings = settings();
        let (bytes, _server) = tokio::io::duplex(1024);
        let (early, request, answer) = (Vec::new(), String::new(), String::new());
        let mut traveller = Traveller {
            settings: &settings,
            domain: "cc.test",
            positions: &mut Positions::default(),
            memory: &mut Memory::new(),
            tell: &mut |_| {},
            has_been_ready: false,
            is_ready: false,
        };
        let wish = traveller.wish(Bindings::default());
        let mut visit = Visit {
            traveller: &mut traveller,
            socket: Wire::Socket(Socket::new(Upgraded {
                bytes: Box::new(bytes),
                early,
                request,
                answer,
            })),
            initiator: Initiator::new(clock::moment(), Box::new(ws::Messages), wish),
            jid: None,
            asked: BTreeMap::new(),
            requests: 0,
            pings_unanswered: 0,
            next_ping: None,
            is_leaving: false,
            failure: None,
        };
        visit.ready(FullJid::new("1001@cc.test/desk").unwrap());
        check(&mut visit);
    }

    fn pong(visit: &Visit<'_, '_>) -> Element {
        let id = visit.asked.keys().next_back().unwrap().clone();
        Element::new("jabber:client", "iq").with_attr("type", "result").with_attr("id", id)
    }

    #[test]
    fn a_server_that_answers_no_two_pings_is_dead() {
        with_ready_visit(|visit| {
            let mut now = clock::moment();
            for _ in 0..CLIENT_PINGS_UNANSWERED_MAX {
                now = now + PING_EVERY;
                assert!(visit.tick(now).is_ok());
            }
            assert!(matches!(visit.tick(now + PING_EVERY), Err(Loss::Dead(_))));
        });
    }

    #[test]
    fn a_server_that_answers_lives() {
        with_ready_visit(|visit| {
            let mut now = clock::moment();
            for _ in 0..10 {
                now = now + PING_EVERY;
                assert!(visit.tick(now).is_ok());
                let pong = pong(visit);
                visit.take_stanza(pong);
            }
        });
    }
}
