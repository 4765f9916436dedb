//! Why a session is over, as a wrapper says it (XEP-0124 §17).

use crate::framing::{StreamCondition, StreamError};
use crate::ns;
use crate::xml::escape_attribute;

/// A terminal condition (XEP-0124 §17.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The request makes no sense.
    BadRequest,
    /// The domain is served here no more.
    HostGone,
    /// The domain is not served here.
    HostUnknown,
    /// An address is missing or wrong.
    ImproperAddressing,
    /// Our fault.
    InternalServerError,
    /// No such session, or no such request in it.
    ItemNotFound,
    /// The client does what was not agreed.
    PolicyViolation,
    /// The stream in the session ended with the error that is in the wrapper.
    RemoteStreamError,
    /// The server stops.
    SystemShutdown,
}

impl Condition {
    /// The value of the attribute.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::HostGone => "host-gone",
            Self::HostUnknown => "host-unknown",
            Self::ImproperAddressing => "improper-addressing",
            Self::InternalServerError => "internal-server-error",
            Self::ItemNotFound => "item-not-found",
            Self::PolicyViolation => "policy-violation",
            Self::RemoteStreamError => "remote-stream-error",
            Self::SystemShutdown => "system-shutdown",
        }
    }

    /// What a client is told that knows nothing of conditions (XEP-0124 §17.1).
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::PolicyViolation => 403,
            Self::ItemNotFound => 404,
            Self::HostGone
            | Self::HostUnknown
            | Self::ImproperAddressing
            | Self::InternalServerError
            | Self::RemoteStreamError
            | Self::SystemShutdown => 200,
        }
    }

    /// How a session ends whose stream ended with this error.
    pub const fn of(error: &StreamError) -> Self {
        match error.condition {
            StreamCondition::NotWellFormed
            | StreamCondition::RestrictedXml
            | StreamCondition::UnsupportedEncoding
            | StreamCondition::BadFormat => Self::BadRequest,
            StreamCondition::HostGone => Self::HostGone,
            StreamCondition::HostUnknown => Self::HostUnknown,
            StreamCondition::ImproperAddressing => Self::ImproperAddressing,
            StreamCondition::InternalServerError => Self::InternalServerError,
            StreamCondition::SystemShutdown => Self::SystemShutdown,
            _ => Self::RemoteStreamError,
        }
    }

    /// The wrapper that ends a session, or what is believed to be one.
    pub fn body(self) -> Vec<u8> {
        body_of(&[("type", "terminate"), ("condition", self.name())], &[])
    }
}

/// A wrapper with these attributes around what is written already.
pub fn body_of(attributes: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + payload.len());
    let mut push = |text: &str| out.extend_from_slice(text.as_bytes());
    push("<body");
    for (name, value) in [("xmlns", ns::HTTP_BIND)].iter().chain(attributes) {
        for piece in [" ", *name, "=\"", &escape_attribute(value), "\""] {
            push(piece);
        }
    }
    if payload.is_empty() {
        push("/>");
    } else {
        push(">");
        out.extend_from_slice(payload);
        out.extend_from_slice(b"</body>");
    }
    out
}
