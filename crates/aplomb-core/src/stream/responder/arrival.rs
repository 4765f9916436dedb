//! What a client gets along with its login, in the words of SASL2: its lost stream or an address, a
//! managed stream, a token for next time (XEP-0388 §2.6.1, XEP-0386 §3.2, XEP-0484 §3).
//!
//! All of it is found out before the client is told that it is in, in this order; what cannot be
//! had is refused alone, and the login stands.

use super::{Answer, Event, Question, Responder};
use crate::framing::{Frame, Open, StreamCondition, StreamError};
use crate::jid::{self, BareJid, FullJid};
use crate::ns;
use crate::sasl::Failure;
use crate::sasl::fast::FastMechanism;
use crate::stanza::Condition;
use crate::stream::bind;
use crate::stream::management::{self, Management};
use crate::stream::phase::Profile;
use crate::stream::sasl2::{self, Sasl2, Wants};
use crate::time::Moment;
use crate::xml::Element;

/// A client that is not in yet, or was not told so yet.
#[derive(Default)]
pub(super) struct Newcomer {
    /// Whom its header names.
    from: Option<String>,
    wants: Wants,
    /// What proves the server to it.
    proof: Vec<u8>,
    jid: Option<FullJid>,
    /// The answer to the wish for an address, while it is written.
    bound: Option<Element>,
    /// The answers to the other wishes.
    came: Vec<Element>,
}

impl Responder {
    /// The feature that offers it, where there is anything to log in by.
    pub(super) fn sasl2_offer(&self) -> Option<Element> {
        let offer = self.policy.offer(&self.ways_in);
        let names: Vec<_> = offer.mechanisms.iter().map(|mechanism| mechanism.name()).collect();
        let is_managed = self.policy.management != Management::Off;
        let is_offered = self.policy.sasl2 == Sasl2::Offered && !names.is_empty();
        let tokens = FastMechanism::possible(offer.bindings);
        is_offered.then(|| sasl2::offer(&names, &tokens, &self.policy.inline, is_managed))
    }

    /// Takes `<authenticate/>`.
    pub(super) fn authenticate(&mut self, now: Moment, element: &Element) {
        if self.policy.sasl2 == Sasl2::Off {
            let error = StreamError::new(StreamCondition::UnsupportedStanzaType)
                .with_text("logins in the words of SASL2 are not offered here");
            return self.close(now, Some(error));
        }
        let offer = self.policy.offer(&self.ways_in);
        let tokens = match offer.mechanisms {
            [] => Vec::new(),
            _ => FastMechanism::possible(offer.bindings),
        };
        let mut wants = Wants::read(element);
        // Who gives its token back wants no other.
        let is_last = wants.fast.is_some_and(|with| with.is_last);
        wants.token = wants.token.filter(|token| !is_last && tokens.contains(token));
        let step = self.auth.authenticate(element, &wants, offer, &tokens);
        self.newcomer.get_or_insert_default().wants = wants;
        self.make(now, step);
    }

    /// Asks the driver who the client is, unless its header names somebody else.
    pub(super) fn ask(&mut self, now: Moment, question: Question) {
        let is_sasl2 = self.auth.words() == Profile::Sasl2;
        match question.account().filter(|name| is_sasl2 && !self.is_from(name)) {
            None => self.event(Event::Ask(question)),
            Some(_) => {
                let step = self.auth.refuse(Failure::InvalidAuthzid);
                self.make(now, step);
            }
        }
    }

    /// Whether the client's header names nobody else: not another than the login (XEP-0388 §2.3).
    fn is_from(&self, name: &str) -> bool {
        let named = self.newcomer.as_ref().and_then(|newcomer| newcomer.from.as_deref());
        let named = named.and_then(|from| BareJid::new(from).ok());
        let named = named.as_ref().and_then(|from| from.node());
        named.is_none_or(|node| jid::unescape(node.as_str()) == name)
    }

    /// What a client that is logged in may ask for yet.
    pub(super) fn features_after_login(&self, has_address: bool) -> Element {
        let session =
            Element::new(ns::SESSION, "session").with_child(Element::new(ns::SESSION, "optional"));
        let address = (!has_address).then(|| [bind::request(None), session]);
        let is_managed = self.policy.management == Management::Offered && self.handled.is_none();
        Element::new(ns::STREAMS, "features")
            .with_children(self.policy.features.iter().cloned())
            .with_children(address.into_iter().flatten())
            .with_children(is_managed.then(|| Element::new(ns::MANAGEMENT, "sm")))
    }

    /// Notes that a token that is good should be followed by a new one.
    pub(super) fn note_due(&mut self, answer: &Answer) {
        if let (Answer::Redeemed { is_due: true, .. }, Some(newcomer)) =
            (answer, &mut self.newcomer)
        {
            newcomer.wants.token = newcomer.wants.token.or(newcomer.wants.by);
        }
    }

    /// Begins to find out what the client gets.
    pub(super) fn arrive(&mut self, proof: Vec<u8>) {
        self.newcomer.get_or_insert_default().proof = proof;
        self.find_out();
    }

    /// Takes the answer to one of the questions.
    pub(super) fn answer_arrival(&mut self, now: Moment, answer: Answer) {
        let newcomer = self.newcomer.as_mut().expect("it was not told yet");
        match answer {
            Answer::Resumed { id, jid, handled } => {
                newcomer.came.push(management::resumed(&id, handled));
                newcomer.jid = Some(jid);
                self.handled = Some(handled);
            }
            Answer::NotResumed => {
                newcomer.came.push(management::failed(Condition::ItemNotFound));
            }
            Answer::Lied(lie) => return self.close(now, Some(lie.into())),
            Answer::Bound(jid) => {
                newcomer.bound = Some(Element::new(ns::BIND2, "bound"));
                newcomer.jid = Some(jid);
            }
            // It may try in the words of RFC 6120, and is told there why not.
            Answer::BindRefused(_) => newcomer.wants.bind = None,
            Answer::Managed(resumption) => {
                let resumption = resumption.as_ref().map(|(id, secs)| (id.as_str(), *secs));
                newcomer.note_in_bound(management::enabled(resumption));
                self.handled = Some(0);
            }
            Answer::Issued(token) => newcomer.came.extend(token.map(sasl2::token)),
            Answer::Verdict(_) | Answer::Keys { .. } | Answer::Redeemed { .. } => {
                unreachable!("the login is over")
            }
        }
        self.find_out();
    }

    /// Asks the next question, or tells the client.
    fn find_out(&mut self) {
        let login = self.login.as_ref().expect("who arrives has logged in");
        let newcomer = self.newcomer.as_mut().expect("it was not told yet");
        let management = self.policy.management;
        match newcomer.question(login.name(), management, &self.fresh.resource) {
            Some(question) => self.event(Event::Ask(question)),
            None => self.welcome(),
        }
    }

    fn welcome(&mut self) {
        let newcomer = self.newcomer.take().expect("it was not told yet");
        let login = self.login.as_ref().expect("who arrives has logged in");
        let Newcomer { wants, proof, jid, bound, came, .. } = *newcomer;
        let identifier = match &jid {
            Some(jid) => jid.to_string(),
            None => jid::user_jid(login.name(), &self.policy.domain)
                .map_or_else(|_| login.name().to_owned(), |bare| bare.to_string()),
        };
        let is_new = bound.is_some();
        let came = bound.into_iter().chain(came);
        self.transmit(Frame::Element(sasl2::success(&identifier, &proof, came)));
        let features = self.features_after_login(jid.is_some());
        self.transmit(Frame::Element(features));
        let Some(jid) = jid else { return };
        self.deadline = None;
        self.jid = Some(jid.clone());
        self.event(Event::Bound(jid));
        let others = wants.bind.filter(|_| is_new).map(|bind| bind.others);
        for other in others.into_iter().flatten() {
            self.event(Event::Wanted(other));
        }
    }
}

impl Newcomer {
    /// Whoever opens the stream so; nothing if that says nothing.
    pub(super) fn of(open: &Open) -> Option<Box<Self>> {
        let from = open.from.clone();
        from.map(|from| Box::new(Self { from: Some(from), ..Self::default() }))
    }

    /// What is to be found out next.
    fn question(&mut self, name: &str, management: Management, fresh: &str) -> Option<Question> {
        let name = name.to_owned();
        let is_managed = management != Management::Off;
        if let Some(resume) = self.wants.resume.take() {
            match management::resumption(&resume).filter(|_| is_managed) {
                Some((id, handled)) => return Some(Question::Resume { name, id, handled }),
                None if is_managed => self.came.push(management::failed(Condition::BadRequest)),
                None => self.came.push(management::failed(Condition::FeatureNotImplemented)),
            }
        }
        let agent = self.wants.agent;
        if let Some(bind) = self.wants.bind.as_mut().filter(|_| self.jid.is_none()) {
            let resource = bind.resource(agent, fresh);
            return Some(Question::Bind { name, resource });
        }
        let enable = self.wants.bind.as_mut().and_then(|bind| bind.enable.take());
        if let Some(enable) = enable.filter(|_| self.bound.is_some()) {
            if is_managed {
                return Some(Question::Manage { keep_secs: management::keep_secs(&enable) });
            }
            self.note_in_bound(management::failed(Condition::FeatureNotImplemented));
        }
        let mechanism = self.wants.token.take()?;
        Some(Question::Issue { name, agent: agent?, mechanism })
    }

    fn note_in_bound(&mut self, came: Element) {
        self.bound = self.bound.take().map(|bound| bound.with_child(came));
    }
}
