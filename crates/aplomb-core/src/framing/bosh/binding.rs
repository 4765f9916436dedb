//! The requests of one client: their order, their answers, and how long they are held.
//!
//! Source: XEP-0124 §8 to §15 and §17.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;

use super::{Condition, Head, body_of};
use crate::limits::{
    BOSH_HOLD_MAX, BOSH_INACTIVITY_SECS, BOSH_PAUSE_SECS_MAX, BOSH_POLLER_INACTIVITY_SECS,
    BOSH_POLLING_SECS, BOSH_WAIT_SECS_MAX,
};
use crate::ns;
use crate::time::Moment;

/// The session layer of one client. `T` is whatever the caller needs to answer a request.
///
/// A request is received when it comes, taken when it is due, and answered when the stream has
/// dealt with it: see [`Binding::settle`]. After each call, give the answers of [`Binding::poll`].
pub struct Binding<T> {
    sid: String,
    domain: String,
    terms: Terms,
    /// The number of the request whose turn it is.
    next: u64,
    /// Requests that came before their turn, and the due one.
    early: BTreeMap<u64, Request<T>>,
    /// Requests that were taken and not answered, in order.
    held: VecDeque<Held<T>>,
    /// The last answers, for clients to whom they got lost.
    answered: VecDeque<Answered>,
    /// What the next request's key must hash to.
    key: Option<String>,
    /// When the last request was taken, and whether it was empty.
    last: Option<(Moment, bool)>,
    was_last_answer_empty: bool,
    is_created: bool,
    /// Since when no request is held, and how long that may be.
    quiet: (Moment, Duration),
    is_pausing: bool,
    payload: Vec<u8>,
    answers: VecDeque<(T, Answer)>,
    end: Option<Option<Condition>>,
}

/// What both sides agreed on (XEP-0124 §7.2).
#[derive(Debug, Clone, Copy)]
struct Terms {
    is_tls: bool,
    is_of_old: bool,
    wait_secs: u64,
    hold: u64,
    inactivity_secs: u64,
}

struct Request<T> {
    head: Head,
    unit: Vec<u8>,
    askers: Vec<T>,
}

struct Held<T> {
    rid: u64,
    key: Option<String>,
    /// The connections that wait: none when they are lost, several when the client lost patience.
    askers: Vec<T>,
    since: Moment,
}

struct Answered {
    rid: u64,
    key: Option<String>,
    body: Arc<[u8]>,
}

/// What goes back to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The wrapper.
    pub body: Arc<[u8]>,
}

impl<T> Binding<T> {
    /// The session that `head` asks for; it is itself the first request to be received.
    pub fn new(now: Moment, sid: String, domain: &str, is_tls: bool, head: &Head) -> Self {
        let wait_secs = head.wait_secs.unwrap_or(BOSH_WAIT_SECS_MAX).min(BOSH_WAIT_SECS_MAX);
        let hold = head.hold.unwrap_or(BOSH_HOLD_MAX).min(BOSH_HOLD_MAX);
        let is_poller = wait_secs == 0 || hold == 0;
        let terms = Terms {
            is_tls,
            is_of_old: head.version.is_none(),
            wait_secs,
            hold: if is_poller { 0 } else { hold },
            inactivity_secs: match is_poller {
                true => BOSH_POLLER_INACTIVITY_SECS,
                false => BOSH_INACTIVITY_SECS,
            },
        };
        Self {
            sid,
            domain: domain.to_owned(),
            terms,
            next: head.rid,
            early: BTreeMap::new(),
            held: VecDeque::new(),
            answered: VecDeque::new(),
            key: None,
            last: None,
            was_last_answer_empty: false,
            is_created: false,
            quiet: (now, Duration::from_secs(terms.inactivity_secs)),
            is_pausing: false,
            payload: Vec::new(),
            answers: VecDeque::new(),
            end: None,
        }
    }

    /// Notes a request, whether it is due or not.
    pub fn receive(&mut self, now: Moment, head: Head, unit: Vec<u8>, asker: T) {
        self.quiet = (now, Duration::from_secs(self.terms.inactivity_secs));
        let rid = head.rid;
        let is_extra = head.pause_secs.is_some() || head.is_terminate;
        let window = self.terms.requests() + u64::from(is_extra);
        if self.end.is_some() {
            self.deny(asker);
        } else if rid < self.next {
            self.repeat(&head, asker);
        } else if rid >= self.next + window {
            self.refuse(Condition::ItemNotFound, asker);
        } else {
            let new = || Request { head, unit, askers: Vec::new() };
            add(&mut self.early.entry(rid).or_insert_with(new).askers, asker);
        }
    }

    /// Takes the request whose turn it is; what it carries is for the stream.
    pub fn take(&mut self, now: Moment) -> Option<Vec<u8>> {
        let Request { head, unit, askers } = self.early.remove(&self.next)?;
        if let Some(condition) = self.objection(now, &head) {
            self.end(Some(condition));
            askers.into_iter().for_each(|asker| self.tell_end(asker));
            return None;
        }
        self.next += 1;
        self.last = Some((now, head.is_empty && !head.opens_stream()));
        self.is_pausing = head.pause_secs.is_some();
        if let Some(secs) = head.pause_secs {
            self.quiet.1 = Duration::from_secs(secs);
        }
        self.held.push_back(Held { rid: head.rid, key: head.key, askers, since: now });
        Some(unit)
    }

    /// Adds what there is to say to the next answer.
    pub fn say(&mut self) -> &mut Vec<u8> {
        &mut self.payload
    }

    /// Whether there is a request to be answered with more than waits to be said already.
    pub fn has_room(&self, bytes_max: usize) -> bool {
        self.payload.len() < bytes_max && self.held.iter().any(Held::is_awaited)
    }

    /// Answers what is to be answered once the stream has dealt with all that was taken.
    pub fn settle(&mut self, now: Moment) {
        if self.is_pausing {
            while let Some(held) = self.held.pop_front() {
                self.release(now, held, Vec::new());
            }
            return;
        }
        let is_anybody_there = self.held.iter().any(Held::is_awaited);
        while !self.payload.is_empty() && is_anybody_there {
            let held = self.held.pop_front().expect("somebody is there");
            let payload = match held.is_awaited() {
                true => std::mem::take(&mut self.payload),
                false => Vec::new(),
            };
            self.release(now, held, payload);
        }
        let wait = Duration::from_secs(self.terms.wait_secs);
        while let Some(first) = self.held.front()
            && (self.held.len() as u64 > self.terms.hold || now.since(first.since) >= wait)
        {
            let held = self.held.pop_front().expect("it was looked at");
            self.release(now, held, Vec::new());
        }
    }

    /// Ends the session; a client that has a request held is told at once, else the next request.
    pub fn end(&mut self, condition: Option<Condition>) {
        self.end = Some(condition);
        let early = std::mem::take(&mut self.early).into_values().flat_map(|early| early.askers);
        let askers: Vec<T> = self.held.drain(..).flat_map(|h| h.askers).chain(early).collect();
        for asker in askers {
            self.tell_end(asker);
        }
    }

    /// Tells a request of the end; the first one also what was left to say.
    pub fn tell_end(&mut self, asker: T) {
        let condition = self.end.flatten().map(|condition| ("condition", condition.name()));
        let attributes: Vec<_> = [("type", "terminate")].into_iter().chain(condition).collect();
        let body = body_of(&attributes, &std::mem::take(&mut self.payload));
        self.answer(asker, body);
    }

    /// Whether the session is over because of what the client did.
    pub fn refused(&self) -> Option<Condition> {
        self.end.flatten()
    }

    /// Whether the client is gone: it has no request held and sends none.
    pub fn is_gone(&self, now: Moment) -> bool {
        !self.held.iter().any(Held::is_awaited) && now.since(self.quiet.0) >= self.quiet.1
    }

    /// When [`Binding::settle`] and [`Binding::is_gone`] may say something new.
    pub fn deadline(&self) -> Moment {
        let wait = Duration::from_secs(self.terms.wait_secs);
        let held = self.held.iter().find(|held| held.is_awaited());
        held.map_or(self.quiet.0 + self.quiet.1, |held| held.since + wait)
    }

    /// Those who wait for an answer, so that the caller notices who does so no more.
    pub fn askers(&mut self) -> impl Iterator<Item = &mut T> {
        self.held.iter_mut().flat_map(|held| &mut held.askers)
    }

    /// Forgets the connections that are lost; their requests may come again.
    pub fn forget(&mut self, now: Moment, is_lost: impl Fn(&T) -> bool) {
        for held in &mut self.held {
            let before = held.askers.len();
            held.askers.retain(|asker| !is_lost(asker));
            if held.askers.len() < before {
                self.quiet.0 = now;
            }
        }
    }

    /// The next answer to give, and to whom.
    pub fn poll(&mut self) -> Option<(T, Answer)> {
        self.answers.pop_front()
    }

    /// Why the due request may not be.
    fn objection(&mut self, now: Moment, head: &Head) -> Option<Condition> {
        if let Some(expected) = self.key.take()
            && !head.key.as_deref().is_some_and(|key| hash(key).eq_ignore_ascii_case(&expected))
        {
            return Some(Condition::ItemNotFound);
        }
        self.key = head.new_key.clone().or_else(|| head.key.clone());
        if head.pause_secs.is_some_and(|secs| secs > BOSH_PAUSE_SECS_MAX) {
            return Some(Condition::PolicyViolation);
        }
        self.is_too_often(now, head).then_some(Condition::PolicyViolation)
    }

    /// An empty request that nobody needs, soon after another one (XEP-0124 §11 and §12).
    fn is_too_often(&self, now: Moment, head: &Head) -> bool {
        let is_needed =
            !head.is_empty || head.opens_stream() || head.is_terminate || head.pause_secs.is_some();
        let Some((last, was_empty)) = self.last else { return false };
        let is_soon = now.since(last) < Duration::from_secs(BOSH_POLLING_SECS);
        let waiting = self.held.iter().filter(|held| held.is_awaited()).count() as u64;
        let is_pointless = match self.terms.hold {
            0 => was_empty && self.was_last_answer_empty,
            _ => waiting + 1 >= self.terms.requests(),
        };
        !is_needed && is_soon && is_pointless
    }

    /// A request that came before: the client missed the answer, or lost patience.
    ///
    /// One that is too old to be answered does not end the session, though whoever sent it must
    /// think so: it may be a copy that was under way for long, or somebody else's.
    fn repeat(&mut self, head: &Head, asker: T) {
        let answered = self.answered.iter().find(|answered| answered.rid == head.rid);
        if let Some(answered) = answered.filter(|answered| answered.key == head.key) {
            let body = Arc::clone(&answered.body);
            return self.answers.push_back((asker, Answer { status: 200, body }));
        }
        let mut held = self.held.iter_mut();
        match held.find(|held| held.rid == head.rid && held.key == head.key) {
            // Which of them the client still listens to is not known here.
            Some(held) => add(&mut held.askers, asker),
            None => self.deny(asker),
        }
    }

    fn refuse(&mut self, condition: Condition, asker: T) {
        self.end(Some(condition));
        self.tell_end(asker);
    }

    fn deny(&mut self, asker: T) {
        let condition = Condition::ItemNotFound;
        let status = if self.terms.is_of_old { condition.status() } else { 200 };
        self.answers.push_back((asker, Answer { status, body: condition.body().into() }));
    }

    fn release(&mut self, now: Moment, held: Held<T>, payload: Vec<u8>) {
        let Held { rid, key, askers, .. } = held;
        self.was_last_answer_empty = payload.is_empty();
        let body: Arc<[u8]> = self.body(rid, &payload).into();
        while self.answered.len() as u64 > self.terms.requests() {
            self.answered.pop_front();
        }
        self.answered.push_back(Answered { rid, key, body: Arc::clone(&body) });
        self.quiet.0 = now;
        let answer = Answer { status: 200, body };
        self.answers.extend(askers.into_iter().map(|asker| (asker, answer.clone())));
    }

    fn body(&mut self, rid: u64, payload: &[u8]) -> Vec<u8> {
        if !std::mem::replace(&mut self.is_created, true) {
            return self.first_body(rid, payload);
        }
        let ack = (self.next - 1).to_string();
        match self.next - 1 == rid {
            true => body_of(&[], payload),
            false => body_of(&[("ack", &ack)], payload),
        }
    }

    /// COMPAT: Openfire 4: the attributes of its first answer, and their order.
    fn first_body(&self, rid: u64, payload: &[u8]) -> Vec<u8> {
        let text = |number: u64| number.to_string();
        let Terms { is_tls, wait_secs, hold, inactivity_secs, .. } = self.terms;
        let (wait, hold, rid) = (text(wait_secs), text(hold), text(rid));
        let (requests, inactivity) = (text(self.terms.requests()), text(inactivity_secs));
        let (polling, pause) = (text(BOSH_POLLING_SECS), text(BOSH_PAUSE_SECS_MAX));
        let sid = self.sid.as_str();
        let mut attributes = vec![
            ("xmlns:stream", ns::STREAMS),
            ("xmlns:xmpp", ns::XBOSH),
            ("from", &self.domain),
            ("authid", sid),
            ("sid", sid),
        ];
        attributes.extend(is_tls.then_some(("secure", "true")));
        attributes.extend([
            ("requests", requests.as_str()),
            ("inactivity", &inactivity),
            ("polling", &polling),
            ("wait", &wait),
            ("hold", &hold),
            ("ack", &rid),
            ("maxpause", &pause),
            ("ver", "1.6"),
            ("xmpp:version", "1.0"),
            ("xmpp:restartlogic", "true"),
        ]);
        body_of(&attributes, payload)
    }

    fn answer(&mut self, asker: T, body: Vec<u8>) {
        let refused = self.refused().filter(|_| self.terms.is_of_old);
        let status = refused.map_or(200, Condition::status);
        self.answers.push_back((asker, Answer { status, body: body.into() }));
    }
}

impl<T> Held<T> {
    fn is_awaited(&self) -> bool {
        !self.askers.is_empty()
    }
}

/// Adds a connection; of too many, the first is given up.
fn add<T>(askers: &mut Vec<T>, asker: T) {
    if askers.len() == ASKERS_MAX {
        askers.remove(0);
    }
    askers.push(asker);
}

impl Terms {
    /// Requests that the client may have open at a time.
    const fn requests(self) -> u64 {
        self.hold + 1
    }
}

/// The hash of a key, in hexadecimal digits (XEP-0124 §15.3). SHA-1 is what the standard says.
fn hash(key: &str) -> String {
    let hashed = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    hashed.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Connections on which one request is awaited; a client has one, and lost ones before it.
const ASKERS_MAX: usize = 4;
