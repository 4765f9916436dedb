//! The server's side of a stream: policy over the grammar.
//!
//! Drain [`Responder::poll`] before you feed again.

mod arrival;
mod claims;
mod deadlines;
mod driver;
mod management;
mod tls;

pub use driver::{Answer, Event, Fresh, Output, Policy, Question, StartTls, WaysIn};

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrival::Newcomer;
use claims::{Head, asks_for_session, condition, give_language, is_from};

use super::auth::{self, Auth, Move};
use super::bind;
use super::client_state;
use super::phase::{Phase, Profile, Side, Step};
use crate::framing::{Close, Frame, Framing, Open, StreamCondition, StreamError};
use crate::jid::FullJid;
use crate::limits::{
    CLOSE_SECS_MAX, LOGIN_ATTEMPTS_MAX, LOGIN_SECS_MAX, STANZA_BYTES_BEFORE_LOGIN_MAX,
    STANZA_BYTES_MAX,
};
use crate::ns;
use crate::sasl::binding::Bindings;
use crate::sasl::{Login, Mechanism};
use crate::stanza::{BadStanza, Condition, Stanza, StanzaError};
use crate::time::Moment;
use crate::xml::Element;

/// A server's side of one stream.
pub struct Responder {
    framing: Box<dyn Framing>,
    policy: Arc<Policy>,
    fresh: Fresh,
    phase: Phase,
    auth: Auth,
    /// How the client may log in; nothing once it has.
    ways_in: Box<WaysIn>,
    login: Option<Login>,
    /// Until it is in: what a client of SASL2 said of itself and wants.
    newcomer: Option<Box<Newcomer>>,
    /// The `id` of the bind that is being answered.
    bind_id: Option<String>,
    jid: Option<FullJid>,
    /// The language of what the client writes, if it said so.
    lang: Option<String>,
    /// How many stanzas of the client were handled, if the stream is managed.
    handled: Option<u32>,
    deadline: Option<Moment>,
    /// What the stream ends with.
    error: Option<StreamError>,
    outputs: VecDeque<Output>,
}

impl Responder {
    /// A stream that waits for its `open`. It must be bound in [`LOGIN_SECS_MAX`].
    pub fn new(now: Moment, framing: Box<dyn Framing>, policy: Arc<Policy>, fresh: Fresh) -> Self {
        Self {
            ways_in: Box::new(WaysIn::new(&policy, policy.mechanisms.clone(), Bindings::default())),
            framing,
            policy,
            fresh,
            phase: Phase::START,
            auth: Auth::default(),
            login: None,
            newcomer: None,
            bind_id: None,
            jid: None,
            lang: None,
            handled: None,
            deadline: Some(now + Duration::from_secs(LOGIN_SECS_MAX)),
            error: None,
            outputs: VecDeque::new(),
        }
    }

    /// Offers these of the policy's mechanisms, on a connection that has `bindings`.
    #[must_use]
    pub fn offering(self, mechanisms: Vec<Mechanism>, bindings: Bindings) -> Self {
        let ways_in = Box::new(WaysIn::new(&self.policy, mechanisms, bindings));
        Self { ways_in, ..self }
    }

    /// Takes what came from the client from the front of `input`, up to the end of a frame.
    ///
    /// On a carrier of bytes something may be left: feed it again after the outputs are done.
    pub fn receive(&mut self, now: Moment, input: &mut &[u8]) {
        match self.framing.read(input, self.unit_bytes_max()) {
            Ok(Some(frame)) => self.take(now, frame, input),
            Ok(None) => {}
            Err(error) => {
                self.close(now, Some(error));
                if self.phase != Phase::Closed && !self.framing.survives_errors() {
                    self.hang_up();
                }
            }
        }
        self.set_end_of_stanza(now);
    }

    /// Takes the answer to the last question; nothing happens if the stream ended meanwhile.
    pub fn answer(&mut self, now: Moment, answer: Answer) {
        match self.phase {
            Phase::ExpectVerdict(_) if self.login.is_some() => self.answer_arrival(now, answer),
            Phase::ExpectVerdict(_) => {
                self.note_due(&answer);
                let step = self.auth.answer(answer, &self.fresh.nonce);
                self.make(now, step);
            }
            Phase::ExpectBound => match answer {
                Answer::Bound(jid) => self.bound(jid),
                Answer::BindRefused(error) => self.refuse_bind(&error),
                answer => unreachable!("a bind is not answered with {answer:?}"),
            },
            Phase::ExpectResumed | Phase::Bound => self.answer_management(now, answer),
            Phase::Closing(_) | Phase::Closed => {}
            phase => unreachable!("no question is open in {phase:?}"),
        }
    }

    /// Sends a stanza to a bound client; nothing happens if the stream is ending.
    pub fn send(&mut self, _now: Moment, stanza: &Element) {
        if self.is_bound() {
            let unit = self.framing.write_element(stanza);
            self.outputs.push_back(Output::Transmit(unit));
            if self.handled.is_some() {
                self.event(Event::Sent(stanza.clone()));
            }
        }
    }

    /// Ends the stream from our side: error if there is one, `<close/>`, then a hang-up when the
    /// client closed too or its time is over.
    pub fn close(&mut self, now: Moment, error: Option<StreamError>) {
        if matches!(self.phase, Phase::Closing(_) | Phase::Closed) {
            return;
        }
        // A stream that ends while it opens is opened first (RFC 6120 §4.9.1.2, RFC 7395 §3.5).
        if matches!(self.phase, Phase::ExpectOpen(_) | Phase::ExpectAnswer(_)) {
            self.transmit(Frame::Open(self.open()));
        }
        if let Some(error) = &error {
            self.transmit(Frame::Element(error.to_element()));
        }
        self.transmit(Frame::Close(Close::default()));
        self.error = error;
        self.deadline = Some(now + Duration::from_secs(CLOSE_SECS_MAX));
        if !self.framing.awaits_close() {
            self.hang_up();
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether stanzas may be sent.
    pub fn is_bound(&self) -> bool {
        self.phase == Phase::Bound
    }

    /// What the stream is ending with, while it waits for the client's close.
    pub const fn error(&self) -> Option<&StreamError> {
        self.error.as_ref()
    }

    /// The client's address, once it is bound.
    pub const fn jid(&self) -> Option<&FullJid> {
        self.jid.as_ref()
    }

    /// Bytes that the next unit may have; a carrier refuses a longer one by its header.
    pub const fn unit_bytes_max(&self) -> usize {
        if self.login.is_some() { STANZA_BYTES_MAX } else { STANZA_BYTES_BEFORE_LOGIN_MAX }
    }

    fn take(&mut self, now: Moment, frame: Frame, rest: &[u8]) {
        let before = self.phase;
        match before.step(Side::Client, &frame) {
            Ok(phase) => self.phase = phase,
            Err(violation) => {
                let condition = condition(&violation, Step::of(&frame));
                let error = StreamError::new(condition).with_text(violation.to_string());
                return self.close(now, Some(error));
            }
        }
        match (before, frame) {
            (Phase::Closing(_), _) if self.phase == Phase::Closed => self.hang_up(),
            (Phase::Closing(_), _) => {}
            (_, Frame::Open(open)) => self.answer_open(now, &open),
            (_, Frame::Close(_)) => self.answer_close(None),
            (_, Frame::Element(element)) => self.take_element(now, element, rest),
        }
    }

    fn take_element(&mut self, now: Moment, element: Element, rest: &[u8]) {
        match self.phase {
            Phase::ExpectTls => self.answer_starttls(rest),
            Phase::ExpectVerdict(_) if element.name() == "authenticate" => {
                self.authenticate(now, &element);
            }
            Phase::ExpectVerdict(_) => {
                let step = self.auth.receive(&element, self.policy.offer(&self.ways_in));
                self.make(now, step);
            }
            Phase::ExpectBound => self.ask_bind(&element),
            Phase::ExpectClose(Side::Client) => {
                self.answer_close(Some(StreamError::from_element(&element)));
            }
            Phase::ExpectBind | Phase::ExpectResumed => self.take_management(now, &element, false),
            Phase::Bound => match client_state::said(&element) {
                Some(is_active) => self.event(Event::ClientState { is_active }),
                None if element.ns() == ns::MANAGEMENT => {
                    self.take_management(now, &element, true);
                }
                None => self.take_stanza(now, element),
            },
            phase => unreachable!("no element of a client leads to {phase:?}"),
        }
    }

    fn open(&self) -> Open {
        Open {
            from: Some(self.policy.domain.clone()),
            id: Some(self.fresh.stream_id.clone()),
            lang: Some("en".to_owned()),
            version: Some("1.0".to_owned()),
            to: None,
        }
    }

    fn answer_open(&mut self, now: Moment, open: &Open) {
        if let Err(error) = self.check_open(open) {
            return self.close(now, Some(error));
        }
        self.lang.clone_from(&open.lang);
        self.transmit(Frame::Open(self.open()));
        let features = if self.login.is_none() {
            self.newcomer = Newcomer::of(open);
            Element::new(ns::STREAMS, "features")
                .with_children(self.policy.ways_in(&self.ways_in))
                .with_children(self.sasl2_offer())
                .with_children(self.policy.features_before_login.iter().cloned())
        } else {
            self.features_after_login(false)
        };
        self.transmit(Frame::Element(features));
    }

    /// COMPAT: Openfire: whom the client calls is checked only where the site wants it.
    fn check_open(&self, open: &Open) -> Result<(), StreamError> {
        let wanted = open.to.as_deref();
        if self.policy.strict_host
            && wanted.is_some_and(|to| !to.eq_ignore_ascii_case(&self.policy.domain))
        {
            let text = format!("this server is {}", self.policy.domain);
            return Err(StreamError::new(StreamCondition::HostUnknown).with_text(text));
        }
        // An open without a version would be of before 2004 (RFC 6120 §4.7.5); over WebSocket
        // there is none, so the client only forgot it.
        match open.version.as_deref().map(|v| v.split('.').next().map(str::parse::<u32>)) {
            None | Some(Some(Ok(1..))) => Ok(()),
            Some(_) => Err(StreamError::new(StreamCondition::UnsupportedVersion)
                .with_text("this server speaks XMPP 1.0")),
        }
    }

    /// Does what SASL says.
    fn make(&mut self, now: Moment, step: Move) {
        match step {
            Move::Challenge(challenge) => self.transmit(Frame::Element(challenge)),
            Move::Ask(question) => self.ask(now, question),
            Move::Succeed(proof, login) => {
                self.login = Some(login.clone());
                *self.ways_in = WaysIn::default();
                if self.auth.words() == Profile::Sasl2 {
                    self.event(Event::LoggedIn(login));
                    return self.arrive(proof);
                }
                self.transmit(Frame::Element(auth::element(Profile::Sasl, "success", proof)));
                self.framing.restart();
                self.newcomer = None;
                self.event(Event::LoggedIn(login));
            }
            Move::Fail(refusal, name, failure) => {
                self.transmit(Frame::Element(refusal));
                self.event(Event::LoginFailed { name, failure });
                if self.auth.failures() >= LOGIN_ATTEMPTS_MAX {
                    let error = StreamError::new(StreamCondition::PolicyViolation)
                        .with_text(format!("{LOGIN_ATTEMPTS_MAX} logins failed on this stream"));
                    self.close(now, Some(error));
                }
            }
        }
    }

    fn ask_bind(&mut self, iq: &Element) {
        self.bind_id = iq.attr("id").map(str::to_owned);
        let wanted = iq.child(ns::BIND, "bind").and_then(bind::wanted_resource);
        let login = self.login.as_ref().expect("a bind follows a login");
        match bind::pick_resource(wanted.as_deref(), &self.fresh.resource) {
            Ok(resource) => {
                let name = login.name().to_owned();
                self.event(Event::Ask(Question::Bind { name, resource }));
            }
            Err(error) => self.refuse_bind(&error.into()),
        }
    }

    fn refuse_bind(&mut self, error: &StanzaError) {
        let refusal = self.bind_answer("error").with_child(bind::request(None));
        self.transmit(Frame::Element(refusal.with_child(error.to_element())));
    }

    fn bound(&mut self, jid: FullJid) {
        let result = self.bind_answer("result").with_child(bind::result(&jid));
        self.transmit(Frame::Element(result));
        self.deadline = None;
        self.jid = Some(jid.clone());
        self.event(Event::Bound(jid));
    }

    fn bind_answer(&mut self, kind: &str) -> Element {
        let mut iq = Element::new(ns::CLIENT, "iq").with_attr("type", kind);
        if let Some(id) = self.bind_id.take() {
            iq.set_attr("id", id);
        }
        iq
    }

    /// Stamps a stanza with its sender, and answers what the stream itself must answer.
    fn take_stanza(&mut self, now: Moment, mut stanza: Element) {
        let jid = self.jid.clone().expect("a stanza follows a bind");
        if !is_from(&stanza, &jid) {
            let error =
                StreamError::new(StreamCondition::InvalidFrom).with_text(format!("you are {jid}"));
            return self.close(now, Some(error));
        }
        stanza.set_attr("from", jid.as_str());
        give_language(&mut stanza, self.lang.as_deref());
        self.handled = self.handled.map(|handled| handled.wrapping_add(1));
        let is_bind = Step::of_element(&stanza) == Step::Bind;
        let is_session = asks_for_session(&stanza, &self.policy.domain);
        let head = Head::of(&stanza);
        match Stanza::parse(stanza) {
            Err(BadStanza::Refused(error)) => self.refuse(now, head, &error),
            Err(BadStanza::NotAStanza) => {
                unreachable!("the grammar lets only stanzas through")
            }
            Ok(_) if is_bind => {
                let error = StanzaError::new(Condition::NotAllowed)
                    .with_text("this stream has its resource; open another one for another");
                self.refuse(now, head, &error);
            }
            Ok(_) if is_session => self.send(now, &head.answer("result")),
            Ok(stanza) => self.event(Event::Stanza(Box::new(stanza))),
        }
    }

    /// Sends a stanza back with an error, unless it is itself an answer (RFC 6120 §8.3.1).
    fn refuse(&mut self, now: Moment, stanza: Head, error: &StanzaError) {
        if !stanza.is_answer() {
            self.send(now, &stanza.answer("error").with_child(error.to_element()));
        }
    }

    fn answer_close(&mut self, error: Option<StreamError>) {
        self.transmit(Frame::Close(Close::default()));
        self.error = error;
        self.hang_up();
    }

    fn hang_up(&mut self) {
        self.phase = Phase::Closed;
        self.deadline = None;
        self.outputs.push_back(Output::Hangup(self.error.take()));
    }

    fn transmit(&mut self, frame: Frame) {
        let phase = self.phase.step(Side::Server, &frame);
        self.phase = phase.expect("the responder follows the grammar");
        let unit = self.framing.write(&frame);
        self.outputs.push_back(Output::Transmit(unit));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
