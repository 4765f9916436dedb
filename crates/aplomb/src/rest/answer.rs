//! Answers: an XML body, or an error in the `ApiErrors` form.

use aplomb_core::finesse::errors::ApiError;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::writer::WriteError;

/// The body of a 200.
pub(super) struct Xml(pub(super) String);

/// An error.
#[derive(Debug)]
pub(super) struct Problem(pub(super) ApiError);

impl IntoResponse for Xml {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, XML_TYPE)], self.0).into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = StatusCode::from_u16(error.status).expect("the errors have statuses of HTTP");
        let mut response = (status, Xml(error.to_xml())).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => headers.insert(WWW_AUTHENTICATE, REALM),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, RETRY_SECS)
            }
            _ => None,
        };
        response
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusal) => Self(ApiError::from(&refusal)),
            WriteError::Busy | WriteError::Late | WriteError::Store(_) | WriteError::Stopped => {
                tracing::warn!(%error, "a change was answered 503");
                Self(ApiError::out_of_service())
            }
        }
    }
}

const XML_TYPE: HeaderValue = HeaderValue::from_static("application/xml;charset=UTF-8");
const REALM: HeaderValue = HeaderValue::from_static("Basic realm=\"Cisco Finesse\"");

/// After a second the store has tried again, and an address has new tries.
const RETRY_SECS: HeaderValue = HeaderValue::from_static("1");
