//! `/http-bind` and `/http-bind/`: requests find their sessions (XEP-0124, XEP-0206).
//!
//! A request whose wrapper names no session begins one, which lives until it ends or the client
//! sends nothing for too long. The alternative script syntax of XEP-0124's past is not offered.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aplomb_core::framing::bosh::{Answer, Condition, Head};
use aplomb_core::limits::{STANZA_BYTES_BEFORE_LOGIN_MAX, STANZA_BYTES_MAX};
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Router, middleware};
use http::{HeaderName, StatusCode, header};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::Permits;
use crate::limits::REST_BODY_SECS_MAX;
use crate::link::bosh::{Bosh, Slot};
use crate::link::{Link, Peer};
use crate::session;
use crate::web::{Pages, cors};
use crate::{random, watch::Metrics};

/// The paths. Both spellings answer alike: a redirect would break browsers.
pub(super) const PATHS: [&str; 2] = ["/http-bind", "/http-bind/"];

/// The sessions over HTTP.
pub struct Binds {
    sessions: Arc<session::Shared>,
    tasks: TaskTracker,
    pages: Pages,
    /// How many sessions there may be; connections are counted by themselves.
    permits: Arc<Permits>,
    slots: Mutex<HashMap<String, (Slot, bool)>>,
}

impl Binds {
    /// None yet; for pages of the `allowed` origins, as many sessions as `permits` allows.
    pub fn new(
        sessions: Arc<session::Shared>,
        tasks: TaskTracker,
        allowed: &[aplomb_core::handshake::Origin],
        permits: Arc<Permits>,
    ) -> Arc<Self> {
        let pages = Pages { allowed: allowed.into(), methods: "POST, OPTIONS" };
        Arc::new(Self { sessions, tasks, pages, permits, slots: Mutex::default() })
    }

    /// The session of a request, if it comes over the kind of connection that it began on.
    fn find(&self, head: &Head, peer: Peer) -> Option<Slot> {
        let slots = self.slots.lock();
        let (slot, is_tls) = slots.get(head.sid.as_deref()?)?;
        (*is_tls == peer.is_tls).then(|| slot.clone())
    }

    /// Begins a session; none if there are too many.
    fn begin(self: &Arc<Self>, head: &Head, peer: Peer) -> Option<Slot> {
        let address: IpAddr = peer.address.ip();
        let permit = self.permits.take(address).ok()?;
        let (sid, domain) = (random::name(SID_CHARS), &self.sessions.policy_tls.domain);
        let (link, slot) = Bosh::new(sid.clone(), domain, peer.is_tls, head);
        self.slots.lock().insert(sid.clone(), (slot.clone(), peer.is_tls));
        let (binds, shared) = (Arc::clone(self), Arc::clone(&self.sessions));
        self.tasks.spawn(async move {
            session::run(shared, Link::Bosh(Box::new(link)), peer).await;
            binds.slots.lock().remove(&sid);
            drop(permit);
        });
        Some(slot)
    }

    fn metrics(&self) -> &Metrics {
        &self.sessions.metrics
    }
}

/// The routes.
pub fn routes(binds: Arc<Binds>) -> Router {
    let pages = binds.pages.clone();
    PATHS
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, post(ask)))
        .layer(middleware::from_fn_with_state(pages, cors::allow))
        .with_state(binds)
}

async fn ask(State(binds): State<Arc<Binds>>, request: Request) -> Response {
    // A page that may not read the answer may not ask either, as with the upgrade.
    if binds.pages.is_foreign(&request) {
        binds.metrics().refused("bosh-origin");
        return (StatusCode::FORBIDDEN, "pages of this origin may not connect\n").into_response();
    }
    let peer = *request.extensions().get::<Peer>().expect("the listener names the peer");
    let wait = Duration::from_secs(REST_BODY_SECS_MAX);
    // On the heap: it is over when the request begins to be held.
    let reading = Box::pin(read(&binds, peer, request.into_body()));
    let (head, body) = match timeout(wait, reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(status)) => return refuse(status, Condition::BadRequest),
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, Condition::BadRequest),
    };
    let slot = match head.sid {
        Some(_) => binds.find(&head, peer).ok_or(Condition::ItemNotFound),
        None => binds.begin(&head, peer).ok_or(Condition::PolicyViolation),
    };
    match slot {
        Ok(slot) => match slot.ask(head, body).await {
            Some(answer) => respond(answer),
            None => refuse(StatusCode::OK, Condition::ItemNotFound),
        },
        Err(condition) => {
            binds.metrics().refused("bosh");
            refuse(StatusCode::OK, condition)
        }
    }
}

/// Reads a request, as long as what is known of its session allows.
///
/// - Errors: the status of HTTP.
async fn read(binds: &Binds, peer: Peer, body: Body) -> Result<(Head, Vec<u8>), StatusCode> {
    // What is said to be too long for anybody is not waited for.
    if body.size_hint().lower() > STANZA_BYTES_MAX as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let (mut body, mut bytes, mut bytes_max) = (body, Vec::new(), STANZA_BYTES_BEFORE_LOGIN_MAX);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        if bytes.len() > bytes_max {
            let head = Head::read(&bytes).ok_or(StatusCode::BAD_REQUEST)?;
            let is_trusted = binds.find(&head, peer).is_some_and(|slot| slot.is_trusted());
            bytes_max = if is_trusted { STANZA_BYTES_MAX } else { 0 };
        }
        if bytes.len() > bytes_max {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
    }
    let head = Head::read(&bytes).ok_or(StatusCode::BAD_REQUEST)?;
    Ok((head, bytes))
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).expect("a status");
    (status, HEADERS, Body::from(bytes::Bytes::from_owner(answer.body))).into_response()
}

fn refuse(status: StatusCode, condition: Condition) -> Response {
    (status, HEADERS, condition.body()).into_response()
}

/// The type is ours and not what the client wants it to be: what it sends may come back to a page.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/xml; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Characters of a session's id: over 128 bits of chance, for who knows it has the session.
const SID_CHARS: usize = 26;
