//! Finesse paths: parse to a command, answer, nothing else.
//!
//! The handlers of `/finesse/api/…` log the caller in, hand what he wants to the writer, and write
//! what the core says. Source: Finesse REST guide.

mod answer;
mod body;
mod caller;
mod document;
mod gate;
mod reasons;
mod system;
mod teams;
mod users;

use std::sync::Arc;

use aplomb_core::finesse::system_info::SystemInfo;
use aplomb_core::handshake::Origin;
use axum::{Extension, Router, middleware};
use utoipa::openapi::OpenApi;

use crate::accounts::Accounts;
use crate::web::{Pages, cors};
use crate::writer::Writer;
use document::Document;

/// What the handlers work with.
#[derive(Clone)]
pub struct Rest {
    /// Has commands done, and shows the contact centre.
    pub writer: Writer,
    /// Logs callers in.
    pub accounts: Arc<Accounts>,
    /// What `SystemInfo` tells; the status is the writer's.
    pub system: Arc<SystemInfo>,
    /// Origins besides the server's own whose pages may read answers.
    pub allowed_origins: Arc<[Origin]>,
    /// Whether a password may come over a connection without TLS.
    pub plain_without_tls: bool,
}

/// The router of all REST paths and of `/openapi.json`, which describes them and `others`.
pub fn router(rest: Rest, others: OpenApi) -> Router {
    let (router, mut api) = document::routes().split_for_parts();
    document::add_common_answers(&mut api);
    api.merge(others);
    let pages = Pages { allowed: Arc::clone(&rest.allowed_origins), methods: METHODS };
    router
        .fallback(gate::unknown_path)
        .method_not_allowed_fallback(gate::other_method)
        .layer(Extension(Document::of(&api)))
        .layer(middleware::from_fn(gate::pass))
        .layer(middleware::from_fn_with_state(pages, cors::allow))
        .with_state(rest)
}

/// As in `Allow` of a path that takes all of them.
const METHODS: &str = "GET,OPTIONS,HEAD,PUT";
