//! Cross-origin requests (Fetch standard, CORS protocol): pages of the allowed origins may read
//! answers. For other pages the headers are absent, and the browser keeps the answer from them.

use std::sync::Arc;

use aplomb_core::handshake::Origin;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::link::Peer;

/// Which pages may read the answers of some paths, and with which methods they may ask.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Origins besides the server's own.
    pub allowed: Arc<[Origin]>,
    /// For pre-flight requests.
    pub methods: &'static str,
}

/// Answers pre-flight requests, and adds the headers to all other answers.
pub async fn allow(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let origin = pages.allowed_origin(&request);
    let is_preflight = *request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match is_preflight {
        true => StatusCode::OK.into_response(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return response };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    if is_preflight {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(pages.methods));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECS);
    } else {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("requestId"));
    }
    response
}

impl Pages {
    /// Whether a page asks that may not read the answer.
    pub fn is_foreign(&self, request: &Request) -> bool {
        request.headers().contains_key(ORIGIN) && self.allowed_origin(request).is_none()
    }

    /// The request's origin as it was sent, if its page may read the answer.
    fn allowed_origin(&self, request: &Request) -> Option<HeaderValue> {
        let sent = request.headers().get(ORIGIN)?;
        let origin: Origin = sent.to_str().ok()?.parse().ok()?;
        let is_tls = request.extensions().get::<Peer>().is_some_and(|peer| peer.is_tls);
        let host = match request.uri().authority() {
            Some(authority) => authority.as_str(),
            None => request.headers().get(HOST)?.to_str().ok()?,
        };
        let is_allowed = self.allowed.contains(&origin) || origin.is_same_host(host, is_tls);
        is_allowed.then(|| sent.clone())
    }
}

/// The headers that Finesse allows by default (Finesse administration guide, CORS), and that of a
/// feed's reader who comes back.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Content-Type, X-Requested-With, accept, Origin, Authorization, \
     Access-Control-Request-Method, Access-Control-Request-Headers, requestId, Range, \
     Last-Event-ID",
);

/// Seconds for which a browser need not ask again.
const MAX_AGE_SECS: HeaderValue = HeaderValue::from_static("600");
