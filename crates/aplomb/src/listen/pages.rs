//! `/healthz` and `/metrics`: for this machine, or for an administrator.

use std::net::SocketAddr;
use std::sync::Arc;

use aplomb_core::domain::Role;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router, http};
use http::{HeaderMap, StatusCode, header};

use crate::accounts::Accounts;
use crate::link::Peer;
use crate::watch::Metrics;
use crate::web;
use crate::writer::Writer;

/// What the pages need.
pub struct Watchers {
    /// Who may look from elsewhere.
    pub accounts: Arc<Accounts>,
    /// Who is an administrator.
    pub writer: Writer,
    /// What is shown.
    pub metrics: Metrics,
    /// Whether a password may come over a connection without TLS.
    pub plain_without_tls: bool,
}

/// The routes.
pub fn routes(watchers: Arc<Watchers>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state(Arc::clone(&watchers), guard))
        .with_state(watchers)
}

/// A login would work from the first answer on; whether changes do is what it tells.
async fn health(State(watchers): State<Arc<Watchers>>) -> (StatusCode, &'static str) {
    if watchers.writer.is_in_service() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "out of service: the store takes no changes\n")
    }
}

async fn metrics(State(watchers): State<Arc<Watchers>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], watchers.metrics.to_text())
}

async fn guard(
    State(watchers): State<Arc<Watchers>>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if is_local(peer.address, request.headers()) {
        return next.run(request).await;
    }
    if !web::takes_passwords(peer, watchers.plain_without_tls) {
        let words = format!("{}, or ask from the server itself\n", web::ONLY_OVER_TLS);
        return (StatusCode::FORBIDDEN, words).into_response();
    }
    let Some((name, password)) = web::basic(request.headers()) else {
        return refuse("log in as an administrator, or ask from the server itself\n");
    };
    match watchers.accounts.verify(&name, &password, peer.address.ip()).await {
        Ok(login) if watchers.is_administrator(login.name()) => next.run(request).await,
        Ok(_) => (StatusCode::FORBIDDEN, "for administrators\n").into_response(),
        Err(_) => refuse("the name or the password is wrong\n"),
    }
}

impl Watchers {
    fn is_administrator(&self, name: &str) -> bool {
        self.writer.read(|domain| {
            domain.user(name).is_some_and(|user| user.roles.contains(&Role::Administrator))
        })
    }
}

/// A proxy on this machine speaks for others, so what it forwards is not local.
fn is_local(peer: SocketAddr, headers: &HeaderMap) -> bool {
    let is_forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "x-client-ip", "via"]
        .iter()
        .any(|name| headers.contains_key(*name));
    peer.ip().to_canonical().is_loopback() && !is_forwarded
}

fn refuse(words: &'static str) -> Response {
    let ask = [(header::WWW_AUTHENTICATE, r#"Basic realm="aplomb", charset="UTF-8""#)];
    (StatusCode::UNAUTHORIZED, ask, words).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proxy_forwards_is_not_local() {
        let with = |name: &'static str| {
            HeaderMap::from_iter([(
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static("x"),
            )])
        };
        let at = |address: &str| address.parse::<SocketAddr>().unwrap();
        assert!(is_local(at("127.0.0.1:1"), &HeaderMap::new()));
        assert!(is_local(at("[::ffff:127.0.0.1]:1"), &with("host")));
        assert!(!is_local(at("127.0.0.1:1"), &with("x-forwarded-for")));
        assert!(!is_local(at("127.0.0.1:1"), &with("x-real-ip")));
        assert!(!is_local(at("192.0.2.1:1"), &HeaderMap::new()));
    }
}
