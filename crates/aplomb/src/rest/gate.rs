//! What holds for every request: a readable path, the echoed `requestId`, and the answers for
//! paths and methods that do not exist.

use aplomb_core::finesse::errors::ApiError;
use axum::extract::{MatchedPath, Request};
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Problem;
use crate::limits::REQUEST_ID_BYTES_MAX;

/// Refuses a path that cannot be read, and echoes the client's `requestId`.
pub(super) async fn pass(request: Request, next: Next) -> Response {
    let id = request_id(request.headers()).cloned();
    let mut response = match is_readable(request.uri().path()) {
        true => next.run(request).await,
        false => Problem(ApiError::bad_request("The path is wrongly encoded")).into_response(),
    };
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The client's name for the request, if it is one that an event can carry.
///
/// COMPAT: a Go client sends `RequestId`; header names have no case.
pub(super) fn request_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    let is_fit = |id: &&HeaderValue| id.to_str().is_ok() && id.len() <= REQUEST_ID_BYTES_MAX;
    headers.get(REQUEST_ID).filter(is_fit)
}

/// Answers for a path that does not exist.
pub(super) async fn unknown_path(uri: Uri) -> Problem {
    Problem(ApiError::not_found(uri.path()))
}

/// Answers for a method that the path does not take; `OPTIONS` is told what it does take.
pub(super) async fn other_method(method: Method, path: Option<MatchedPath>) -> Response {
    let takes_put = path.is_some_and(|path| path.as_str() == super::users::USER_PATH);
    let allow = if takes_put { ALLOW_WITH_PUT } else { ALLOW_WITHOUT };
    let response = match method {
        Method::OPTIONS => StatusCode::OK.into_response(),
        other => Problem(ApiError::method_not_allowed(other.as_str())).into_response(),
    };
    ([(ALLOW, allow)], response).into_response()
}

/// Whether every `%` is followed by two hexadecimal digits, and what they mean is text without
/// control characters (RFC 3986 §2.1).
fn is_readable(path: &str) -> bool {
    let mut plain = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return false };
        plain.extend(u8::try_from(high * 16 + low));
    }
    String::from_utf8(plain).is_ok_and(|text| !text.contains(char::is_control))
}

/// Header of the client's name for a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("requestid");

/// As Finesse answers for `/User/{id}`.
const ALLOW_WITH_PUT: HeaderValue = HeaderValue::from_static("GET,OPTIONS,HEAD,PUT");
const ALLOW_WITHOUT: HeaderValue = HeaderValue::from_static("GET,OPTIONS,HEAD");
