//! The client's side of a stream: policy over the grammar.
//!
//! Drain [`Initiator::poll`] before you feed again.

mod driver;
mod login;

pub use driver::{Event, Held, Output, Passage, Sasl2Wish, StartTls, Trouble, Wish};

use std::collections::VecDeque;
use std::time::Duration;

use login::Login;

use super::bind;
use super::milestone::{self, Milestone};
use super::phase::{Phase, Profile, Side};
use super::sasl2;
use crate::framing::{Close, Frame, Framing, Open};
use crate::jid::FullJid;
use crate::limits::{ANSWER_SECS_MAX, CLOSE_SECS_MAX, STANZA_BYTES_MAX};
use crate::ns;
use crate::sasl::announced::Announced;
use crate::sasl::binding::Bindings;
use crate::sasl::fast::FastMechanism;
use crate::time::Moment;
use crate::xml::Element;

/// A client's side of one stream.
pub struct Initiator {
    framing: Box<dyn Framing>,
    wish: Wish,
    phase: Phase,
    login: Login,
    /// What the server announced for logins.
    announced: Announced,
    /// In whose words the login is made.
    words: Profile,
    /// The mechanisms for tokens that the server has.
    tokens: Vec<FastMechanism>,
    /// What a token that comes with the login is good for.
    token_for: Option<FastMechanism>,
    jid: Option<FullJid>,
    /// The `id` of the session request that waits for its answer.
    session: Option<&'static str>,
    is_session_offered: bool,
    is_ready: bool,
    deadline: Option<Moment>,
    trouble: Option<Trouble>,
    outputs: VecDeque<Output>,
}

impl Initiator {
    /// A stream that opens itself.
    pub fn new(now: Moment, framing: Box<dyn Framing>, wish: Wish) -> Self {
        let mut new = Self {
            framing,
            wish,
            phase: Phase::START,
            login: Login::Idle,
            announced: Announced::default(),
            words: Profile::Sasl,
            tokens: Vec::new(),
            token_for: None,
            jid: None,
            session: None,
            is_session_offered: false,
            is_ready: false,
            deadline: None,
            trouble: None,
            outputs: VecDeque::new(),
        };
        new.open(now);
        new
    }

    /// Takes what came from the server.
    pub fn receive(&mut self, now: Moment, unit: &[u8]) {
        let mut input = unit;
        loop {
            match self.framing.read(&mut input, STANZA_BYTES_MAX) {
                Ok(Some(frame)) => self.take(now, frame),
                Ok(None) => {}
                Err(error) => {
                    let is_over = self.phase == Phase::Closed;
                    self.give_up(now, Some(Trouble::Malformed(error)));
                    if !is_over && !self.framing.survives_errors() {
                        self.hang_up();
                    }
                }
            }
            // What came in clear text behind the answer to STARTTLS is nobody's.
            let is_tls_next = matches!(self.outputs.back(), Some(Output::StartTls));
            if input.is_empty() || is_tls_next {
                return;
            }
        }
    }

    /// Goes on over TLS, after [`Output::StartTls`]: everything begins anew, on a connection that
    /// has `bindings`.
    pub fn encrypted(&mut self, now: Moment, bindings: Bindings) {
        self.wish.bindings = bindings;
        self.wish.starttls = StartTls::Never;
        self.wish.allows_plain = true;
        self.framing.restart();
        self.open(now);
    }

    /// Sends a stanza; nothing happens before [`Event::Ready`] or after the end.
    pub fn send(&mut self, _now: Moment, stanza: &Element) {
        if self.is_ready && self.phase == Phase::Bound {
            let unit = self.framing.write_element(stanza);
            self.outputs.push_back(Output::Transmit(unit));
        }
    }

    /// Ends the stream in order: `<close/>`, then a hang-up when the server closed too or its
    /// time is over.
    pub fn close(&mut self, now: Moment) {
        self.give_up(now, None);
    }

    /// Lets deadlines pass.
    pub fn tick(&mut self, now: Moment) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        if matches!(self.phase, Phase::Closing(_)) {
            self.hang_up();
        } else {
            self.give_up(now, Some(Trouble::Silent));
        }
    }

    /// When [`Initiator::tick`] must be called at the latest.
    pub const fn deadline(&self) -> Option<Moment> {
        self.deadline
    }

    /// Why the stream is ending, while it is.
    pub const fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn open(&mut self, now: Moment) {
        let to = Some(self.wish.domain.clone());
        let from = self.header_from();
        let open = Open { to, from, version: Some("1.0".to_owned()), ..Open::default() };
        self.transmit(now, Frame::Open(open));
    }

    fn take(&mut self, now: Moment, frame: Frame) {
        let before = self.phase;
        match before.step(Side::Server, &frame) {
            Ok(phase) => self.phase = phase,
            Err(violation) => return self.give_up(now, Some(Trouble::Violation(violation))),
        }
        // After our close the server may still have stanzas on their way (RFC 6120 §4.4).
        let is_open = matches!(before, Phase::Bound | Phase::Closing(Side::Client));
        let frame = match frame {
            Frame::Element(element) if is_open && element.ns() == ns::CLIENT => {
                return self.take_stanza(element);
            }
            frame => frame,
        };
        let milestone = self.passed(before, Side::Server, &frame);
        self.deadline = Some(now + Duration::from_secs(ANSWER_SECS_MAX));
        match self.phase {
            Phase::Closed => self.hang_up(),
            Phase::Closing(Side::Server) => {
                self.transmit(now, Frame::Close(Close::default()));
                self.hang_up();
            }
            // The server's own close, or our deadline, ends it.
            Phase::Closing(Side::Client) => {}
            _ => {
                if let Err(trouble) = self.go_on(now, &frame, milestone) {
                    self.give_up(now, Some(trouble));
                }
            }
        }
    }

    /// Does what comes after a legal frame of the server.
    fn go_on(
        &mut self,
        now: Moment,
        frame: &Frame,
        milestone: Option<Milestone>,
    ) -> Result<(), Trouble> {
        let Frame::Element(element) = frame else { return Ok(()) };
        match milestone {
            Some(Milestone::MechanismsOffered(names)) => {
                self.choose_way_in(now, element, names)?;
            }
            Some(Milestone::TlsRefused) => return Err(Trouble::NoTls),
            Some(Milestone::TlsGranted) => self.outputs.push_back(Output::StartTls),
            Some(Milestone::Challenged) => self.respond(now, element)?,
            Some(Milestone::LoggedIn) => {
                self.check_success(element)?;
                if self.words == Profile::Sasl {
                    self.framing.restart();
                    self.open(now);
                }
            }
            Some(Milestone::Arrived { .. }) => {
                self.check_success(element)?;
                self.jid = Some(sasl2::arrived_as(element).ok_or(Trouble::NoBind)?);
            }
            Some(Milestone::Settled) => self.ready(),
            Some(Milestone::LoginRefused(condition, text)) => {
                self.try_again(now, condition, text)?;
            }
            Some(Milestone::BindOffered { has_session }) => {
                if element.child(ns::BIND, "bind").is_none() {
                    return Err(Trouble::NoBind);
                }
                self.is_session_offered = has_session;
                let bind = bind::request(self.wish.resource.as_deref());
                self.transmit(now, Frame::Element(request("bind", bind)));
            }
            Some(Milestone::Bound(_)) => {
                let bind = element.child(ns::BIND, "bind").and_then(bind::bound_jid);
                self.jid = Some(bind.ok_or(Trouble::NoBind)?);
                self.begin_session(now);
            }
            Some(Milestone::BindRefused(error)) => return Err(Trouble::Bind(error)),
            Some(Milestone::Failed(_, error)) => return Err(Trouble::Stream(error)),
            // What is ours, and an open, asks for nothing.
            Some(
                Milestone::Opening(..)
                | Milestone::Opened(..)
                | Milestone::TlsWanted
                | Milestone::LoginTried(..)
                | Milestone::Responded
                | Milestone::BindWanted(_)
                | Milestone::SessionWanted
                | Milestone::SessionGiven
                | Milestone::Closed(..),
            )
            | None => {}
        }
        Ok(())
    }

    fn take_stanza(&mut self, stanza: Element) {
        // Any answer will do: the session of RFC 3921 has no content.
        let is_session_given = self.session.is_some() && stanza.attr("id") == self.session;
        if is_session_given && self.phase == Phase::Bound {
            let (text, milestone) = (stanza.to_indented_xml(), Some(Milestone::SessionGiven));
            let passage = Passage { from: Side::Server, text, milestone };
            self.outputs.push_back(Output::Event(Event::Passed(passage)));
            self.ready();
        } else {
            self.outputs.push_back(Output::Event(Event::Stanza(stanza)));
        }
    }

    /// COMPAT: Cisco Finesse: the session is asked for wherever it is offered, as Strophe does.
    fn begin_session(&mut self, now: Moment) {
        if !self.is_session_offered {
            return self.ready();
        }
        self.session = Some("session");
        let session = Element::new(ns::SESSION, "session");
        self.transmit(now, Frame::Element(request("session", session)));
    }

    fn ready(&mut self) {
        let jid = self.jid.clone().expect("a stream is ready after its bind");
        self.session = None;
        self.is_ready = true;
        self.deadline = None;
        self.outputs.push_back(Output::Event(Event::Ready(jid)));
    }

    fn give_up(&mut self, now: Moment, trouble: Option<Trouble>) {
        if matches!(self.phase, Phase::Closing(_) | Phase::Closed) {
            return;
        }
        // A login that is not believed ends between two documents: the end needs a beginning.
        if matches!(self.phase, Phase::ExpectOpen(_)) {
            self.open(now);
        }
        self.trouble = trouble;
        self.transmit(now, Frame::Close(Close::default()));
        self.deadline = Some(now + Duration::from_secs(CLOSE_SECS_MAX));
    }

    fn hang_up(&mut self) {
        self.phase = Phase::Closed;
        self.deadline = None;
        self.outputs.push_back(Output::Hangup(self.trouble.take()));
    }

    fn transmit(&mut self, now: Moment, frame: Frame) {
        let before = self.phase;
        let phase = before.step(Side::Client, &frame);
        self.phase = phase.expect("the initiator follows the grammar");
        self.deadline = Some(now + Duration::from_secs(ANSWER_SECS_MAX));
        let unit = self.framing.write(&frame);
        self.passed(before, Side::Client, &frame);
        self.outputs.push_back(Output::Transmit(unit));
    }

    fn passed(&mut self, before: Phase, from: Side, frame: &Frame) -> Option<Milestone> {
        let milestone = Milestone::of(before, from, frame);
        let text = match milestone::redacted(frame) {
            Frame::Element(element) => element.to_indented_xml(),
            frame => String::from_utf8_lossy(&self.framing.write(&frame)).into_owned(),
        };
        let passage = Passage { from, text, milestone: milestone.clone() };
        self.outputs.push_back(Output::Event(Event::Passed(passage)));
        milestone
    }
}

fn request(id: &'static str, payload: Element) -> Element {
    let iq = Element::new(ns::CLIENT, "iq").with_attr("type", "set").with_attr("id", id);
    iq.with_child(payload)
}
