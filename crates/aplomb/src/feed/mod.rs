//! Feeds without XMPP: the same notices by the same rights, over plain HTTP.
//!
//! A feed is one file with its path and its way to answer, and one line in [`FEEDS`], from which
//! come the routes, the OpenAPI description and the table of `docs/feeds.md`. All of them read
//! through [`reader`], which tells everything once and in order, or says what it cannot tell.

mod answer;
mod caller;
mod long_poll;
mod plain_ws;
mod problem;
mod question;
mod reader;
mod rendered;
mod short_poll;
mod sse;
mod token;

use std::sync::Arc;
use std::time::Duration;

use aplomb_core::handshake::Origin;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::accounts::Accounts;
use crate::hub::Hub;
use crate::watch::Metrics;
use crate::web::{Pages, cors};
use problem::Problem;
use rendered::Rendered;

/// One way to read.
pub struct Feed {
    /// The path.
    pub path: &'static str,
    /// The method.
    pub method: &'static str,
    /// What it is good for, in a sentence.
    pub what: &'static str,
    /// How a reader gets events from it.
    pub reads: Reads,
    routes: fn() -> OpenApiRouter<Arc<Feeds>>,
}

/// How events come to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Each request is answered at once.
    AtOnce,
    /// Each request is answered when there is something.
    WhenSomethingComes,
    /// One answer never ends: server-sent events.
    AsStream,
    /// As messages of a WebSocket.
    AsMessages,
    /// Not at all: it opens the others.
    Nothing,
}

/// Every feed, and the token that opens them.
pub const FEEDS: &[Feed] =
    &[short_poll::FEED, long_poll::FEED, sse::FEED, plain_ws::FEED, token::FEED];

/// What all feeds of one server share.
pub struct Feeds {
    hub: Arc<Hub>,
    accounts: Arc<Accounts>,
    metrics: Metrics,
    setup: Setup,
    rendered: Rendered,
}

/// How feeds are to be.
pub struct Setup {
    /// Origins besides the server's own whose pages may read.
    pub allowed_origins: Arc<[Origin]>,
    /// Whether a password or a token may come over a connection without TLS.
    pub plain_without_tls: bool,
    /// Silence after which a reader gets a sign of life.
    pub ping_after: Duration,
    /// Silence after which the reader at a WebSocket is dead.
    pub dead_after: Duration,
    /// Letters in one mailbox.
    pub mailbox_letters: usize,
    /// Bytes in one mailbox.
    pub mailbox_bytes: usize,
    /// Cancelled when requests are to end.
    pub stopping: CancellationToken,
    /// The WebSockets, so that somebody waits for their end.
    pub tasks: TaskTracker,
}

impl Feeds {
    /// Feeds of what `hub` is told.
    pub fn new(
        hub: Arc<Hub>,
        accounts: Arc<Accounts>,
        metrics: Metrics,
        setup: Setup,
    ) -> Arc<Self> {
        Arc::new(Self { hub, accounts, metrics, setup, rendered: Rendered::default() })
    }
}

/// The routes, and their description.
pub fn router(feeds: Arc<Feeds>) -> (Router, OpenApi) {
    let each = FEEDS.iter().map(|feed| (feed.routes)());
    let all = each.fold(OpenApiRouter::new(), OpenApiRouter::merge);
    let pages = Pages { allowed: Arc::clone(&feeds.setup.allowed_origins), methods: METHODS };
    let (router, mut api) = all.with_state(feeds).split_for_parts();
    caller::describe(&mut api);
    let router = router
        .layer(middleware::from_fn_with_state(pages.clone(), guard))
        .layer(middleware::from_fn_with_state(pages, cors::allow));
    (router, api)
}

/// Turns pages of foreign origins away before they cost anything, and keeps every answer out of
/// caches and every URL, which may hold a token, out of referrers.
async fn guard(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let mut response = match pages.is_foreign(&request) {
        true => Problem::foreign_page().into_response(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(NO_BUFFER, HeaderValue::from_static("no"));
    response
}

/// Tells nginx, if one is in between, to pass events on at once.
const NO_BUFFER: HeaderName = HeaderName::from_static("x-accel-buffering");
const METHODS: &str = "GET, HEAD, OPTIONS, POST";
