//! What is stored instead of a password: the keys of SCRAM-SHA-256 (RFC 5802 §3, RFC 7677).

use std::num::NonZeroU32;

use super::Login;
use crate::secret::Secret;

/// Salted keys, from which the password cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// Random bytes, one set per password.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2.
    pub iterations: NonZeroU32,
    /// `H(HMAC(SaltedPassword, "Client Key"))`.
    pub stored_key: Secret<[u8; 32]>,
    /// `HMAC(SaltedPassword, "Server Key")`.
    pub server_key: Secret<[u8; 32]>,
}

/// A password that SASLprep refuses, such as an empty one or one with control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password is empty or holds characters that RFC 4013 prohibits")]
pub struct BadPassword;

impl ScramKeys {
    /// Derives the keys of `password`. Costs `iterations` rounds of PBKDF2, about 0.1 µs each.
    ///
    /// - Errors: [`BadPassword`].
    pub fn derive(
        _password: &Secret<String>,
        _salt: &[u8],
        _iterations: NonZeroU32,
    ) -> Result<Self, BadPassword> {
        todo!()
    }

    /// Checks a password that was sent in the clear, in constant time after the derivation.
    pub fn check(&self, _name: &str, _password: &Secret<String>) -> Option<Login> {
        todo!()
    }
}
