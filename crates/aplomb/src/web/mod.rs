//! What all HTTP paths have in common: credentials, and the pages that may read answers.

pub mod cors;

use aplomb_core::secret::Secret;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub use cors::Pages;

use crate::link::Peer;

/// Whether a password may come over this connection: with TLS, or where `plain-without-tls` is set.
pub const fn takes_passwords(peer: Peer, plain_without_tls: bool) -> bool {
    peer.is_tls || plain_without_tls
}

/// What a client is told that may not send its password here.
pub const ONLY_OVER_TLS: &str = "Passwords are taken over HTTPS";

/// The name and the password of Basic authentication (RFC 7617).
pub fn basic(headers: &HeaderMap) -> Option<(String, Secret<String>)> {
    let text = BASE64.decode(authorization(headers, "basic")?).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), Secret::new(password.to_owned())))
}

/// What follows the scheme in `Authorization`, if it is this scheme.
pub fn authorization<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (sent, rest) = value.trim().split_once(' ')?;
    sent.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Some clients leave out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
