//! What goes wrong, as `application/problem+json` (RFC 9457).

use aplomb_core::pubsub::Refusal;
use aplomb_core::sasl::Failure;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::limits::FEEDS_OF_ONE_MAX;

/// A request that is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    /// The word for programs.
    code: &'static str,
    /// What to do, for people.
    detail: String,
    challenge: Option<&'static str>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), challenge: None }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// One answer for a node that is not there and one that is not the reader's.
    pub(super) fn unknown_node(node: &str) -> Self {
        let detail = format!("there is no node {node:?} that you may read");
        Self::new(StatusCode::NOT_FOUND, "node-unknown", detail)
    }

    pub(super) fn too_many() -> Self {
        let detail = format!("this account has {FEEDS_OF_ONE_MAX} feeds already; close one first");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-feeds", detail)
    }

    pub(super) fn foreign_page() -> Self {
        let detail = "pages of this origin may not read here; see the setting allowed-origins";
        Self::new(StatusCode::FORBIDDEN, "origin-not-allowed", detail)
    }

    pub(super) fn needs_tls() -> Self {
        let detail = "passwords and tokens are taken over HTTPS";
        Self::new(StatusCode::FORBIDDEN, "needs-tls", detail)
    }

    /// No password, or a wrong one.
    pub(super) fn unauthorized() -> Self {
        let detail = "give the right name and password, or a token of POST /feeds/token";
        let challenge = Some("Basic realm=\"aplomb\", charset=\"UTF-8\"");
        Self { challenge, ..Self::new(StatusCode::UNAUTHORIZED, "not-authorized", detail) }
    }

    /// A token that is over or never was. Asking for Basic here would make a browser ask a
    /// person for a password whenever a page's token ends.
    pub(super) fn bad_token() -> Self {
        let detail = "the token is not good any more; get a new one with POST /feeds/token";
        let challenge = Some("Bearer realm=\"aplomb\", error=\"invalid_token\"");
        Self { challenge, ..Self::new(StatusCode::UNAUTHORIZED, "bad-token", detail) }
    }

    pub(super) fn of_login(failure: Failure) -> Self {
        match failure {
            Failure::TemporaryAuthFailure => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-logins",
                "too many logins just now; try again in a second",
            ),
            Failure::Aborted
            | Failure::CredentialsExpired
            | Failure::EncryptionRequired
            | Failure::IncorrectEncoding
            | Failure::InvalidAuthzid
            | Failure::InvalidMechanism
            | Failure::MalformedRequest
            | Failure::NotAuthorized
            | Failure::Downgraded
            | Failure::UnknownBinding
            | Failure::WrongBinding => Self::unauthorized(),
        }
    }

    pub(super) fn unavailable() -> Self {
        let detail = "the server cannot look this up just now; try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// Why a node is not read.
    pub(super) fn of_refusal(node: &str, refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Unavailable => Self::unavailable(),
            _ => Self::unknown_node(node),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let body = json!({
            "status": self.status.as_u16(),
            "title": title,
            "code": self.code,
            "detail": self.detail,
        });
        let kind = [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (self.status, kind, body.to_string()).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        let is_soon = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        if is_soon.contains(&self.status) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
