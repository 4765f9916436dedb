//! The body of a PUT: XML, bounded in size and time.

use std::time::Duration;

use aplomb_core::finesse::errors::ApiError;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::time::timeout;

use super::Rest;
use super::answer::Problem;
use crate::limits::{REST_BODY_BYTES_MAX, REST_BODY_SECS_MAX};

/// The text of an XML body.
pub(super) struct XmlBody(pub(super) String);

impl FromRequest<Rest> for XmlBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Rest) -> Result<Self, Problem> {
        if !is_xml(request.headers()) {
            let message = "Send the body as Content-Type: application/xml";
            return Err(ApiError::new(415, "Unsupported Media Type", message, "").into());
        }
        if length(request.headers()).is_some_and(|bytes| bytes > REST_BODY_BYTES_MAX as u64) {
            return Err(too_large().into());
        }
        let wait = Duration::from_secs(REST_BODY_SECS_MAX);
        let body = timeout(wait, to_bytes(request.into_body(), REST_BODY_BYTES_MAX)).await;
        let body =
            body.map_err(|_| ApiError::new(408, "Bad Request", "The body took too long", ""))?;
        let bytes = body.map_err(|error| match is_length_error(&error) {
            true => too_large(),
            false => ApiError::bad_request("The body broke off"),
        })?;
        let text = String::from_utf8(bytes.into());
        let text = text.map_err(|_| ApiError::bad_request("The body must be UTF-8"))?;
        Ok(Self(text))
    }
}

/// Whether the body says that it is XML in UTF-8.
///
/// COMPAT: some clients write `Application/XML`, and some `text/xml`.
fn is_xml(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_type = matches!(parts.next().as_deref(), Some("application/xml" | "text/xml"));
    let mut charsets = parts.filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        (name.trim() == "charset").then(|| value.trim().trim_matches('"').to_owned())
    });
    is_type && charsets.all(|charset| matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii"))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_length_error(error: &axum::Error) -> bool {
    use std::error::Error;
    error.source().is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>())
}

fn too_large() -> ApiError {
    let message = format!("The body may have {REST_BODY_BYTES_MAX} bytes");
    ApiError::new(413, "Maximum Exceeded", message, "")
}
