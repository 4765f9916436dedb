//! A responder with a driver that knows a few accounts: what tests talk to.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aplomb_core::framing::{Frame, Framing, Open, StreamCondition, StreamError, bosh, tcp, ws};
use aplomb_core::jid::{self, FullJid};
use aplomb_core::ns;
use aplomb_core::sasl::binding::Bindings;
use aplomb_core::sasl::decoy::Decoys;
use aplomb_core::sasl::fast::{
    Agent, FastChange, FastMechanism, FastRequest, FastToken, FastTokens, Making, Shown,
};
use aplomb_core::sasl::{Failure, Hash, KeyRing, Mechanism};
use aplomb_core::secret::Secret;
use aplomb_core::stanza::{Condition, StanzaError};
use aplomb_core::stream::management::{Bounds, Unacknowledged};
use aplomb_core::stream::responder::{Answer, Event, Fresh, Output, Policy, Question, StartTls};
use aplomb_core::stream::{Management, Responder, Sasl2};
use aplomb_core::time::{Moment, WallTime};
use aplomb_core::xml::Element;

/// A responder, its driver, and a clock that moves when it is told to.
pub(crate) struct Desk {
    responder: Responder,
    world: World,
    keys: HashMap<String, KeyRing>,
    online: Vec<FullJid>,
    now: Moment,
    lost: Vec<Lost>,
    unacknowledged: Unacknowledged<Element>,
    tokens: FastTokens,
    /// What the driver was told, in words.
    pub(crate) told: Vec<String>,
}

/// What carries the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    WebSocket,
    Tcp,
    Http,
}

impl Carrier {
    /// Those on which our own client speaks.
    pub(crate) const ALL: [Self; 2] = [Self::WebSocket, Self::Tcp];

    /// How a server reads its clients and writes to them.
    pub(crate) fn framing(self) -> Box<dyn Framing> {
        match self {
            Self::WebSocket => Box::new(ws::Messages),
            Self::Tcp => Box::new(tcp::Document::new()),
            Self::Http => Box::new(Told(bosh::Bodies::default())),
        }
    }

    /// How what the server writes is read.
    pub(crate) fn framing_of_answers(self) -> Box<dyn Framing> {
        match self {
            Self::Http => Box::new(ws::Messages),
            Self::WebSocket | Self::Tcp => self.framing(),
        }
    }

    /// A WebSocket message as this carrier has it; what is no message stays as it is.
    pub(crate) fn bytes_of(self, message: &str) -> Vec<u8> {
        match (self, ws::Messages.read(&mut message.as_bytes(), usize::MAX)) {
            (Self::Tcp, Ok(Some(frame))) => self.framing().write(&frame),
            (Self::Http, Ok(Some(Frame::Open(open)))) => body_of(&open).into_bytes(),
            (Self::Http, Ok(Some(Frame::Close(_)))) => {
                format!("<body xmlns='{}' rid='1' sid='s' type='terminate'/>", ns::HTTP_BIND).into()
            }
            (Self::Http, _) => {
                format!("<body xmlns='{}' rid='1' sid='s'>{message}</body>", ns::HTTP_BIND).into()
            }
            (Self::WebSocket | Self::Tcp, _) => message.as_bytes().to_vec(),
        }
    }
}

fn body_of(open: &Open) -> String {
    let mut body = Element::new(ns::HTTP_BIND, "body").with_attr("rid", "1");
    if let Some(to) = &open.to {
        body.set_attr("to", to);
    }
    if let Some(version) = &open.version {
        body.set_attr_in(ns::XBOSH, "version", version);
    }
    body.to_xml()
}

/// Requests over HTTP, answered by a header and an end that can be seen.
struct Told(bosh::Bodies);

impl Framing for Told {
    fn read(&mut self, input: &mut &[u8], bytes_max: usize) -> Result<Option<Frame>, StreamError> {
        self.0.read(input, bytes_max)
    }

    fn write(&mut self, frame: &Frame) -> Vec<u8> {
        let written = self.0.write(frame);
        assert_eq!(written.is_empty(), !matches!(frame, Frame::Element(_)));
        if written.is_empty() { ws::Messages.write(frame) } else { written }
    }

    fn write_element(&mut self, element: &Element) -> Vec<u8> {
        self.0.write_element(element)
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    fn survives_errors(&self) -> bool {
        self.0.survives_errors()
    }

    fn awaits_close(&self) -> bool {
        self.0.awaits_close()
    }
}

/// What the world of a desk is like before the client comes.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) domain: String,
    pub(crate) passwords: Vec<(String, String)>,
    pub(crate) online: Vec<String>,
    pub(crate) mechanisms: Vec<Mechanism>,
    pub(crate) is_strict_host: bool,
    pub(crate) carrier: Carrier,
    pub(crate) starttls: StartTls,
    /// What logins can be bound to.
    pub(crate) bindings: Bindings,
    pub(crate) management: Management,
    pub(crate) sasl2: Sasl2,
    pub(crate) tokens: Vec<Held>,
    pub(crate) lost: Vec<Lost>,
}

/// A managed stream whose connection is gone.
#[derive(Debug, Clone)]
pub(crate) struct Lost {
    pub(crate) id: String,
    pub(crate) jid: String,
    /// The ids of messages that the server sent.
    pub(crate) sent: u32,
    /// How many stanzas it handled.
    pub(crate) handled: u32,
}

impl Default for World {
    fn default() -> Self {
        Self {
            domain: "cc.test".to_owned(),
            passwords: Vec::new(),
            online: Vec::new(),
            mechanisms: vec![Mechanism::Scram(Hash::Sha256), Mechanism::Plain],
            is_strict_host: false,
            carrier: Carrier::WebSocket,
            starttls: StartTls::Absent,
            bindings: Bindings::default(),
            management: Management::OnRequest,
            sasl2: Sasl2::Off,
            tokens: Vec::new(),
            lost: Vec::new(),
        }
    }
}

/// A token that somebody has.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) account: String,
    pub(crate) token: FastToken,
}

/// What a desk does, as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Unit(String),
    StartTls,
    HangUp(Option<StreamCondition>),
}

impl Desk {
    pub(crate) fn new(world: &World) -> Self {
        let derive = |password: &String| {
            let rounds = NonZeroU32::new(4096).unwrap();
            KeyRing::derive(&Secret::new(password.clone()), || *b"0123456789abcdef", rounds)
        };
        let keys = world.passwords.iter().map(|(n, p)| (n.clone(), derive(p).unwrap()));
        let now = Moment::new(Duration::from_secs(1000));
        Self {
            responder: responder(now, world),
            world: world.clone(),
            keys: keys.collect(),
            online: world.online.iter().map(|jid| FullJid::new(jid).unwrap()).collect(),
            now,
            lost: world.lost.clone(),
            unacknowledged: Unacknowledged::new(BOUNDS),
            tokens: kept(&world.tokens),
            told: Vec::new(),
        }
    }

    /// What the server does about what the client sent.
    pub(crate) fn receive(&mut self, unit: &[u8]) -> Vec<Seen> {
        let (mut input, mut seen) = (unit, Vec::new());
        loop {
            self.responder.receive(self.now, &mut input);
            seen.extend(self.drain());
            if input.is_empty() || seen.last() == Some(&Seen::StartTls) {
                return seen;
            }
        }
    }

    /// What the server does while time passes.
    pub(crate) fn wait(&mut self, time: Duration) -> Vec<Seen> {
        self.now = self.now + time;
        if self.responder.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.responder.tick(self.now);
        }
        self.drain()
    }

    /// What the client gets when the server sends it a stanza.
    pub(crate) fn push(&mut self, stanza: &Element) -> Vec<Seen> {
        self.responder.send(self.now, stanza);
        self.drain()
    }

    /// What the client gets when the server ends the stream.
    pub(crate) fn close(&mut self, condition: Option<StreamCondition>) -> Vec<Seen> {
        self.responder.close(self.now, condition.map(StreamError::new));
        self.drain()
    }

    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    fn drain(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some(output) = self.responder.poll() {
            match output {
                Output::Transmit(unit) => seen.push(Seen::Unit(String::from_utf8(unit).unwrap())),
                Output::StartTls => {
                    seen.push(Seen::StartTls);
                    let over_tls = World { starttls: StartTls::Absent, ..self.world.clone() };
                    self.responder = responder(self.now, &over_tls);
                }
                Output::Hangup(error) => seen.push(Seen::HangUp(error.map(|e| e.condition))),
                Output::Event(event) => self.hear(event),
            }
        }
        seen
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Ask(question) => {
                let answer = self.answer(question);
                self.responder.answer(self.now, answer);
            }
            Event::LoggedIn(login) => self.told.push(format!("{} logged in", login.name())),
            Event::LoginFailed { name, failure } => {
                let name = name.as_deref().unwrap_or("somebody");
                self.told.push(format!("{name} did not log in: {}", failure.name()));
            }
            Event::Bound(jid) => self.told.push(format!("{jid} is bound")),
            Event::Stanza(stanza) => {
                self.told.push(stanza.into_element().to_xml().replace('"', "'"))
            }
            Event::Sent(stanza) => self.unacknowledged.push(stanza, 1),
            Event::Wanted(wish) => self.told.push(format!("{} is wanted", wish.ns())),
            Event::ClientState { is_active } => {
                let state = if is_active { "active" } else { "inactive" };
                self.told.push(format!("the client is {state}"));
            }
            Event::Acknowledged(handled) => match self.unacknowledged.acknowledge(handled) {
                Ok(new) => self.told.push(format!("{new} more are acknowledged")),
                Err(lie) => self.responder.close(self.now, Some(lie.into())),
            },
        }
    }

    fn answer(&mut self, question: Question) -> Answer {
        let decoys = Decoys::new(Secret::new([7; 32]));
        let rounds = NonZeroU32::new(4096).unwrap();
        let keys = |name: &str, hash| {
            let keys = self.keys.get(name).and_then(|ring| ring.of(hash)).cloned();
            keys.unwrap_or_else(|| decoys.keys(name, hash, rounds))
        };
        match question {
            Question::Password { name, password } => {
                let login = keys(&name, Hash::Sha256).check(&name, &password);
                Answer::Verdict(login.ok_or(Failure::NotAuthorized))
            }
            Question::Keys { name, hash, .. } => {
                let keys = Box::new(keys(&name, hash));
                Answer::Keys { account: name, keys }
            }
            Question::Bind { name, resource } => {
                let bare = jid::user_jid(&name, &self.world.domain).unwrap();
                let jid = bare.with_resource_str(&resource).unwrap();
                if self.online.contains(&jid) {
                    Answer::BindRefused(StanzaError::new(Condition::Conflict))
                } else {
                    Answer::Bound(jid)
                }
            }
            Question::Manage { keep_secs } => {
                Answer::Managed(keep_secs.map(|secs| ("m1".to_owned(), secs.min(120))))
            }
            Question::Resume { name, id, handled } => self.resume(&name, &id, handled),
            Question::Token(shown) => {
                self.redeem(&shown).unwrap_or_else(|failure| Answer::Verdict(Err(failure)))
            }
            Question::Issue { name, agent, mechanism } => self.issue(&name, agent, mechanism),
        }
    }

    fn redeem(&mut self, shown: &Shown) -> Result<Answer, Failure> {
        let (name, with) = (&shown.proof.name, shown.with);
        let found = self.tokens.find(shown, &making(name), TODAY)?;
        self.change(name, &FastRequest::Use { seed: found.token.seed, with })?;
        let is_due = found.token.expires.0 - TODAY.0 < TOKEN_LIFE_MS / 2 && !with.is_last;
        Ok(Answer::Redeemed { login: found.login, proof: found.answer, is_due })
    }

    fn issue(&mut self, account: &str, agent: Agent, mechanism: FastMechanism) -> Answer {
        let expires = WallTime(TODAY.0 + TOKEN_LIFE_MS);
        // The next one after those that the world has.
        let seed = [u8::try_from(self.world.tokens.len()).unwrap() + 1; 16];
        let token = FastToken { agent, mechanism, seed, expires, is_used: false, count: 0 };
        self.change(account, &FastRequest::Issue(token.clone())).unwrap();
        Answer::Issued(Some((token.text(&making(account)), expires)))
    }

    fn change(&mut self, account: &str, request: &FastRequest) -> Result<(), Failure> {
        let changes = self.tokens.plan(account, request, TODAY);
        for change in changes.map_err(|_| Failure::NotAuthorized)? {
            self.tokens.adopt(&change);
        }
        Ok(())
    }

    fn resume(&mut self, name: &str, id: &str, handled: u32) -> Answer {
        let is_meant = |lost: &Lost| lost.id == id && lost.jid.starts_with(&format!("{name}@"));
        let Some(at) = self.lost.iter().position(is_meant) else { return Answer::NotResumed };
        let lost = self.lost.remove(at);
        for _ in 0..lost.sent {
            self.unacknowledged.push(Element::new("jabber:client", "message"), 1);
        }
        if let Err(lie) = self.unacknowledged.acknowledge(handled) {
            return Answer::Lied(lie);
        }
        let jid = FullJid::new(&lost.jid).unwrap();
        Answer::Resumed { id: lost.id, jid, handled: lost.handled }
    }
}

fn responder(now: Moment, world: &World) -> Responder {
    let features = vec![Element::new("urn:xmpp:features:rosterver", "ver")];
    let policy = Policy {
        domain: world.domain.clone(),
        mechanisms: world.mechanisms.clone(),
        starttls: world.starttls,
        strict_host: world.is_strict_host,
        features_before_login: features.clone(),
        features,
        management: world.management,
        sasl2: world.sasl2,
        inline: vec!["urn:example:inline"],
    };
    let fresh = Fresh {
        stream_id: "8x2m9k0q1".to_owned(),
        resource: "fresh".to_owned(),
        nonce: "server-nonce".to_owned(),
    };
    Responder::new(now, world.carrier.framing(), Arc::new(policy), fresh)
        .offering(world.mechanisms.clone(), world.bindings.clone())
}
const BOUNDS: Bounds = Bounds { stanzas: 100, bytes: 100 };

/// What makes the tokens of a world secret.
pub(crate) fn making(account: &str) -> Making<'_> {
    Making { key: &TOKEN_KEY, account, password_mark: &PASSWORD_MARK }
}

fn kept(held: &[Held]) -> FastTokens {
    let mut tokens = FastTokens::default();
    for Held { account, token } in held.iter().cloned() {
        tokens.adopt(&FastChange::Set { account, token });
    }
    tokens
}

static TOKEN_KEY: Secret<[u8; 32]> = Secret::new([3; 32]);
static PASSWORD_MARK: LazyLock<Secret<Vec<u8>>> = LazyLock::new(|| Secret::new(b"mark".to_vec()));

/// The date of every world: 2026-11-20.
pub(crate) const TODAY: WallTime = WallTime(1_795_132_800_000);

/// How long a token is good.
pub(crate) const TOKEN_LIFE_MS: i64 = 7 * 24 * 3_600_000;
