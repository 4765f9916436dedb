//! What is stored instead of a password: the keys of SCRAM-SHA-256 (RFC 5802 §3, RFC 7677).

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};

use super::Login;
use crate::jid;
use crate::secret::{Secret, equal_in_constant_time};

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
        password: &Secret<String>,
        salt: &[u8],
        iterations: NonZeroU32,
    ) -> Result<Self, BadPassword> {
        let salted = salted_password(password, salt, iterations)?;
        let stored_key = stored_key(&client_key(&salted));
        Ok(Self { salt: salt.to_vec(), iterations, stored_key, server_key: server_key(&salted) })
    }

    /// Checks a password that was sent in the clear, in constant time after the derivation.
    ///
    /// `name` is the account whose keys these are, in any spelling.
    pub fn check(&self, name: &str, password: &Secret<String>) -> Option<Login> {
        let derived = Self::derive(password, &self.salt, self.iterations).ok()?;
        let is_right = derived.stored_key == self.stored_key;
        is_right.then(|| jid::account_name(name).ok().map(Login::new))?
    }
}

/// `SaltedPassword` (RFC 5802 §3).
pub(super) fn salted_password(
    password: &Secret<String>,
    salt: &[u8],
    iterations: NonZeroU32,
) -> Result<Secret<[u8; 32]>, BadPassword> {
    let prepared = stringprep::saslprep(password.expose()).map_err(|_| BadPassword)?;
    if prepared.is_empty() {
        return Err(BadPassword);
    }
    let mut salted = [0; 32];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(algorithm, iterations, salt, prepared.as_bytes(), &mut salted);
    Ok(Secret::new(salted))
}

/// `ClientKey` (RFC 5802 §3).
pub(super) fn client_key(salted: &Secret<[u8; 32]>) -> Secret<[u8; 32]> {
    Secret::new(hmac(salted.expose(), b"Client Key"))
}

/// `ServerKey` (RFC 5802 §3).
pub(super) fn server_key(salted: &Secret<[u8; 32]>) -> Secret<[u8; 32]> {
    Secret::new(hmac(salted.expose(), b"Server Key"))
}

/// `StoredKey` (RFC 5802 §3).
pub(super) fn stored_key(client_key: &Secret<[u8; 32]>) -> Secret<[u8; 32]> {
    let hash = digest::digest(&digest::SHA256, client_key.expose());
    Secret::new(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

/// Whether `proof` shows knowledge of the password behind `stored` (RFC 5802 §3).
pub(super) fn proves(stored: &Secret<[u8; 32]>, auth_message: &str, proof: &[u8; 32]) -> bool {
    let signature = hmac(stored.expose(), auth_message.as_bytes());
    let client_key = Secret::new(xor(proof, &signature));
    equal_in_constant_time(stored_key(&client_key).expose(), stored.expose())
}

/// `HMAC-SHA-256(key, message)`.
pub(super) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

pub(super) fn xor(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| left[at] ^ right[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: NonZeroU32 = NonZeroU32::new(2).unwrap();

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn the_right_password_logs_in_and_another_does_not() {
        let keys = ScramKeys::derive(&secret("pencil"), b"salt", FEW).unwrap();
        assert_eq!(keys.check("Ada", &secret("pencil")).unwrap().name(), "ada");
        for wrong in ["Pencil", "pencil ", "", "pen\u{7}cil"] {
            assert_eq!(keys.check("ada", &secret(wrong)), None, "{wrong:?}");
        }
    }

    #[test]
    fn passwords_that_look_alike_are_one() {
        let keys = ScramKeys::derive(&secret("I\u{ad}X"), b"salt", FEW).unwrap();
        assert!(keys.check("ada", &secret("\u{2168}")).is_some(), "RFC 4013 §3, examples 1 and 5");
    }

    #[test]
    fn a_password_that_nobody_can_type_is_refused() {
        for bad in ["", "\u{7}", "a\0b", "\u{ad}"] {
            assert_eq!(ScramKeys::derive(&secret(bad), b"salt", FEW), Err(BadPassword), "{bad:?}");
        }
    }
}
