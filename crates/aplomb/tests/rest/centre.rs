//! A contact centre in this process, and a script of requests to it.
//!
//! A line is `who METHOD path [name=value…] → status [text]`. The path is below `/finesse/api`; the
//! names and values become the children of a `User` body. The text must be in the answer's body,
//! where the space between tags does not count. `node path → text` looks at the newest event.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use aplomb::config::{Config, Lab};
use aplomb::hub::{Hub, PubSubJob, Question};
use aplomb::lab;
use aplomb::link::Peer;
use aplomb::rest::{Rest, router};
use aplomb::store::{Change, Memory, Snapshot, Store, StoreError};
use aplomb::watch::Metrics;
use aplomb::writer::{self, Writer};
use aplomb_core::domain::Flavour;
use aplomb_core::finesse::system_info::{Status, SystemInfo};
use aplomb_core::handshake::Origin;
use aplomb_core::jid::FullJid;
use aplomb_core::pubsub::{self, ItemsWish, Reply};
use aplomb_core::realm::Realm;
use aplomb_core::sasl::KeyRing;
use aplomb_core::secret::Secret;
use aplomb_core::xml::{Prologue, read_element};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt;
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt;
use utoipa::openapi::OpenApi;

/// Where the tests' requests come from.
pub(crate) const TLS: Peer = Peer { address: address(), is_tls: true };

/// The password of everybody.
pub(crate) const PASSWORD: &str = "secret";

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// A header's value, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body without the space between tags.
    pub(crate) fn compact(&self) -> String {
        compact(&self.body)
    }
}

/// Agents 1001 to 1004, teams 1 and 2, sup1 and sup2, admin and publisher.
pub(crate) struct Centre {
    pub(crate) router: Router,
    pub(crate) writer: Writer,
    questions: mpsc::Sender<Question>,
}

impl Centre {
    /// One that keeps its state in memory.
    pub(crate) async fn new(flavour: Flavour) -> Self {
        Self::on(Box::new(Memory::new().unwrap()), flavour).await
    }

    /// One on a store of the test's choice.
    pub(crate) async fn on(store: Box<dyn Store>, flavour: Flavour) -> Self {
        let flavour_name = if flavour == Flavour::Ucce { "ucce" } else { "uccx" };
        let config = Config::of(&[("lab", "true"), ("flavour", flavour_name)]).unwrap();
        let (questions, waiting) = mpsc::channel(16);
        let realm = Realm { domain: config.domain.to_string(), version: "test".to_owned() };
        let hub = Hub::new(realm, questions.clone());
        let started = writer::start(store, &config, hub, waiting, &Metrics::new()).unwrap();
        let small = Lab { agents: 4, teams: 2, password: None };
        let password = Secret::new(PASSWORD.to_owned());
        let keys = KeyRing::derive(&password, || *b"salt of sixteen.", NonZeroU32::MIN).unwrap();
        let steps = started.writer.read(|domain| lab::seed(&small, domain, &keys));
        started.writer.seed(steps).await.unwrap();
        let system = SystemInfo {
            xmpp_domain: config.domain.to_string(),
            host: "cc.test".to_owned(),
            https_port: 8445,
            flavour,
            status: Status::InService,
        };
        let origin: Origin = "https://crm.example".parse().unwrap();
        let rest = Rest {
            writer: started.writer.clone(),
            accounts: started.accounts,
            system: Arc::new(system),
            allowed_origins: Arc::new([origin]),
            plain_without_tls: false,
        };
        Self { router: router(rest, OpenApi::default()), writer: started.writer, questions }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(TLS);
        }
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.into()).unwrap();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// Plays a script.
    pub(crate) async fn play(&self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (asked, expected) = line.split_once('→').unwrap_or_else(|| panic!("no →: {line}"));
            let expected = expected.trim();
            if let Some(node) = asked.trim().strip_prefix("node ") {
                let event = self.newest_event(&format!("/finesse/api{node}")).await;
                assert!(event.contains(expected), "{line}\ncame: {event}");
                continue;
            }
            let answer = self.send(read_request(asked)).await;
            let (status, text) = expected.split_once(' ').unwrap_or((expected, ""));
            let came = format!("{} {}", answer.status.as_u16(), answer.compact());
            assert!(came.starts_with(status), "{line}\ncame: {came}");
            assert!(answer.compact().contains(text), "{line}\ncame: {came}");
        }
    }

    /// The update in the newest item of a node, without the space between its tags.
    pub(crate) async fn newest_event(&self, node: &str) -> String {
        self.events(node).await.pop().unwrap_or_default()
    }

    /// The updates of a node, oldest first.
    pub(crate) async fn events(&self, node: &str) -> Vec<String> {
        let asker = FullJid::new("admin@localhost/test").unwrap();
        let wish = ItemsWish::default();
        let request = pubsub::Request::Items { node: node.to_owned(), wish };
        let (answer, answered) = oneshot::channel();
        let job = PubSubJob { asker, request, answer };
        self.questions.send(Question::PubSub(Box::new(job))).await.unwrap();
        let Ok(Reply::Items { items, .. }) = answered.await.unwrap() else { return Vec::new() };
        let update =
            |payload: &str| compact(&read_element(payload, Prologue::Forbidden).unwrap().text());
        items.iter().filter_map(|item| item.payload.as_deref().map(update)).collect()
    }
}

/// A store that works until it is told not to.
pub(crate) struct Fragile {
    pub(crate) inside: Memory,
    pub(crate) is_broken: Arc<std::sync::atomic::AtomicBool>,
}

impl Store for Fragile {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.inside.load()
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        if self.is_broken.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(StoreError::Corrupt("a broken disk".to_owned()));
        }
        self.inside.commit(batch)
    }
}

/// Plays a script in a new contact centre.
pub(crate) async fn check(flavour: Flavour, script: &str) {
    Centre::new(flavour).await.play(script).await;
}

/// `Authorization` of a user with the right password, or with `name:password`.
pub(crate) fn basic(who: &str) -> String {
    let pair = if who.contains(':') { who.to_owned() } else { format!("{who}:{PASSWORD}") };
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

fn read_request(line: &str) -> Request<Body> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [who, method, path, ref fields @ ..] = words[..] else { panic!("no request: {line}") };
    let mut request = Request::builder().method(method).uri(format!("/finesse/api{path}"));
    if who != "nobody" {
        request = request.header("Authorization", basic(who));
    }
    if method == "PUT" {
        request = request.header("Content-Type", "application/xml");
    }
    let children: String = fields
        .iter()
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap();
            format!("<{name}>{value}</{name}>")
        })
        .collect();
    let body = if method == "PUT" { format!("<User>{children}</User>") } else { String::new() };
    request.body(Body::from(body)).unwrap()
}

fn compact(xml: &str) -> String {
    xml.lines().map(str::trim).collect()
}

const fn address() -> SocketAddr {
    SocketAddr::V4(std::net::SocketAddrV4::new(Ipv4Addr::LOCALHOST, 50_000))
}
