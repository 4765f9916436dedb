//! The HTTP upgrade as data: what a request and a response must say (RFC 6455 §4, RFC 7395 §3.1).
//!
//! [`check_request`] is the server's side, [`ClientUpgrade`] the client's. Neither knows a socket
//! or an HTTP library: headers are names and values.

mod client;
pub mod host_meta;
mod origin;
mod server;

pub use client::{ClientUpgrade, UpgradeError};
pub use origin::{Origin, OriginError};
pub use server::{Accepted, Carries, Refusal, Request, check_request};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The name of XMPP among the sub-protocols of WebSocket (RFC 7395 §3.1).
pub const SUBPROTOCOL: &str = "xmpp";

/// The name of our feeds among the sub-protocols of WebSocket; unregistered.
pub const FEED_SUBPROTOCOL: &str = "aplomb.feed";

/// The only version of WebSocket (RFC 6455 §4.1).
pub const VERSION: &str = "13";

/// A header as it came: a name in any case, and a value.
pub type Header<'a> = (&'a str, &'a [u8]);

/// What a server that understood `key` must say in `Sec-WebSocket-Accept`.
///
/// - Source: RFC 6455 §4.2.2 (5.4). SHA-1 proves no identity here, it only shows that the answer
///   comes from a WebSocket server.
pub fn accept_of(key: &str) -> String {
    let mut hashed = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hashed.update(key.as_bytes());
    hashed.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(hashed.finish())
}

/// The values of a header, in order; those that are not text read as empty.
fn values<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a str> {
    let same = move |(other, _): &&Header<'_>| other.eq_ignore_ascii_case(name);
    let text = |(_, value): &Header<'a>| std::str::from_utf8(value).unwrap_or_default().trim();
    headers.iter().filter(same).map(text)
}

/// The parts of a comma-separated header.
fn tokens<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a str> {
    values(headers, name).flat_map(|value| value.split(',')).map(str::trim)
}

fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    tokens(headers, name).any(|other| other.eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests;
