//! `/ws` and `/ws/`: from an HTTP request to a session on the bare connection.

use std::sync::Arc;
use std::time::Duration;

use aplomb_core::handshake::{self, Carries, Header, Origin, Refusal, check_request};
use aplomb_core::limits::STANZA_BYTES_BEFORE_LOGIN_MAX;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{StatusCode, Version};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::Permit;
use crate::limits::UPGRADE_SECS_MAX;
use crate::link::ws::WebSocket;
use crate::link::{Carrier, Link, Peer};
use crate::session;

/// What upgrades need.
pub struct Upgrades {
    /// Origins besides the server's own.
    pub allowed: Vec<Origin>,
    /// What the sessions need.
    pub sessions: Arc<session::Shared>,
    /// The sessions, so that somebody waits for their end.
    pub tasks: TaskTracker,
}

/// The routes. Both spellings answer alike: a redirect would break browsers.
pub fn routes(upgrades: Arc<Upgrades>) -> Router {
    Router::new().route("/ws", any(upgrade)).route("/ws/", any(upgrade)).with_state(upgrades)
}

async fn upgrade(State(upgrades): State<Arc<Upgrades>>, mut request: Request) -> Response {
    let extensions = request.extensions();
    let peer = *extensions.get::<Peer>().expect("the listener names the peer");
    let permit = Arc::clone(extensions.get::<Arc<Permit>>().expect("the listener permits"));
    match accept(&request, peer, &upgrades.allowed, Carries::Xmpp) {
        Ok(response) => {
            let upgrade = hyper::upgrade::on(&mut request);
            upgrades.tasks.spawn(run(upgrade, peer, permit, Arc::clone(&upgrades.sessions)));
            response
        }
        Err(refusal) => {
            upgrades.sessions.metrics.refused("upgrade");
            debug!(peer = %peer.address, ?refusal, "upgrade refused");
            refuse(refusal, request.version())
        }
    }
}

/// The answer 101 to a request that may become a WebSocket.
pub(crate) fn accept(
    request: &Request,
    peer: Peer,
    allowed: &[Origin],
    carries: Carries,
) -> Result<Response, Refusal> {
    let headers: Vec<Header<'_>> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let asked = handshake::Request {
        method: request.method().as_str(),
        is_http_1_1: request.version() == Version::HTTP_11,
        is_tls: peer.is_tls,
        headers: &headers,
    };
    let accepted = check_request(&asked, allowed, carries)?;
    let mut response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    for (name, value) in accepted.headers() {
        response = response.header(name, value);
    }
    Ok(response.body(Body::empty()).expect("the headers are well-formed"))
}

/// The answer to any other request.
pub(crate) fn refuse(refusal: Refusal, version: Version) -> Response {
    let status = StatusCode::from_u16(refusal.status()).expect("a status");
    let mut response = (status, format!("{refusal}\n")).into_response();
    for &(name, value) in refusal.headers() {
        // HTTP/2 has no headers about the connection (RFC 9113 §8.2.2).
        if version != Version::HTTP_2 || !matches!(name, "connection" | "upgrade") {
            let value = http::HeaderValue::from_static(value);
            response.headers_mut().insert(http::HeaderName::from_static(name), value);
        }
    }
    response
}

async fn run(upgrade: OnUpgrade, peer: Peer, permit: Arc<Permit>, shared: Arc<session::Shared>) {
    if let Some(link) = take_over(upgrade, peer).await {
        session::run(shared, link, peer).await;
    }
    drop(permit);
}

/// Waits until HTTP lets go of the connection; none when it does not.
pub(crate) async fn take_over(upgrade: OnUpgrade, peer: Peer) -> Option<Link> {
    let wait = Duration::from_secs(UPGRADE_SECS_MAX);
    match timeout(wait, Box::pin(upgrade)).await {
        Ok(Ok(upgraded)) => return Some(bare(upgraded)),
        Ok(Err(error)) => debug!(peer = %peer.address, %error, "upgrade failed"),
        Err(_) => debug!(peer = %peer.address, "upgrade took too long"),
    }
    None
}

/// Gets the connection itself back, so that nothing of HTTP stays in memory.
fn bare(upgraded: Upgraded) -> Link {
    let (carrier, early) = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => (Carrier::Tcp(parts.io.into_inner()), parts.read_buf),
        Err(upgraded) => {
            let parts = upgraded
                .downcast::<TokioIo<TlsStream<TcpStream>>>()
                .expect("there are only these two kinds of connection");
            (Carrier::Tls(Box::new(parts.io.into_inner())), parts.read_buf)
        }
    };
    Link::WebSocket(WebSocket::new(carrier, &early, STANZA_BYTES_BEFORE_LOGIN_MAX))
}
