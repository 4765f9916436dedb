//! What is stored instead of a password: the keys of SCRAM, for each hash (RFC 5802 §3).

use std::num::NonZeroU32;

use super::{Hash, Login};
use crate::jid;
use crate::limits::SALT_BYTES;
use crate::secret::{Secret, equal_in_constant_time};

/// Salted keys for one hash, from which the password cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// The hash they were derived by.
    pub hash: Hash,
    /// Random bytes, one set per password.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2.
    pub iterations: NonZeroU32,
    /// `H(HMAC(SaltedPassword, "Client Key"))`.
    pub stored_key: Secret<Vec<u8>>,
    /// `HMAC(SaltedPassword, "Server Key")`.
    pub server_key: Secret<Vec<u8>>,
}

/// The keys of one password: at most one set for each hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing(Vec<ScramKeys>);

/// Keys for further hashes, derived from a password that was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoreKeys {
    /// The user's id.
    pub user: String,
    /// The keys that it was checked with: if they are other ones by now, nothing is added.
    pub beside: ScramKeys,
    /// What is added, for hashes that have no keys.
    pub keys: KeyRing,
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
        hash: Hash,
        password: &Secret<String>,
        salt: &[u8],
        iterations: NonZeroU32,
    ) -> Result<Self, BadPassword> {
        let salted = salted_password(hash, password, salt, iterations)?;
        let stored_key = stored_key(hash, &client_key(hash, &salted));
        let server_key = server_key(hash, &salted);
        Ok(Self { hash, salt: salt.to_vec(), iterations, stored_key, server_key })
    }

    /// What changes with the password, and with nothing else.
    pub fn mark(&self) -> Secret<Vec<u8>> {
        Secret::new(self.stored_key.expose().to_vec())
    }

    /// Checks a password that was sent in the clear, in constant time after the derivation.
    ///
    /// `name` is the account whose keys these are, in any spelling.
    pub fn check(&self, name: &str, password: &Secret<String>) -> Option<Login> {
        let derived = Self::derive(self.hash, password, &self.salt, self.iterations).ok()?;
        let is_right = derived.stored_key == self.stored_key;
        is_right.then(|| jid::account_name(name).ok().map(Login::new))?
    }

    /// Whether `proof` shows knowledge of the password (RFC 5802 §3).
    pub(super) fn are_proved(&self, auth_message: &str, proof: &[u8]) -> bool {
        let stored = self.stored_key.expose();
        let signature = self.hash.hmac(stored, auth_message.as_bytes());
        let client_key = Secret::new(xor(proof, &signature));
        equal_in_constant_time(stored_key(self.hash, &client_key).expose(), stored)
    }
}

impl KeyRing {
    /// Derives the keys of `password` for every hash, each with a salt of its own.
    ///
    /// - Errors: [`BadPassword`].
    pub fn derive(
        password: &Secret<String>,
        fresh_salt: impl Fn() -> [u8; SALT_BYTES],
        iterations: NonZeroU32,
    ) -> Result<Self, BadPassword> {
        let derive = |hash| ScramKeys::derive(hash, password, &fresh_salt(), iterations);
        Hash::ALL.into_iter().map(derive).collect::<Result<_, _>>().map(Self)
    }

    /// The keys for `hash`, if there are any.
    pub fn of(&self, hash: Hash) -> Option<&ScramKeys> {
        self.0.iter().find(|keys| keys.hash == hash)
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = &ScramKeys> {
        self.0.iter()
    }

    /// Puts keys on the ring, in the place of those for the same hash.
    pub fn put(&mut self, keys: ScramKeys) {
        self.0.retain(|kept| kept.hash != keys.hash);
        self.0.push(keys);
        self.0.sort_by_key(|keys| keys.hash);
    }
}

impl FromIterator<ScramKeys> for KeyRing {
    fn from_iter<T: IntoIterator<Item = ScramKeys>>(all: T) -> Self {
        let mut ring = Self::default();
        all.into_iter().for_each(|keys| ring.put(keys));
        ring
    }
}

/// `SaltedPassword` (RFC 5802 §3).
pub(super) fn salted_password(
    hash: Hash,
    password: &Secret<String>,
    salt: &[u8],
    iterations: NonZeroU32,
) -> Result<Secret<Vec<u8>>, BadPassword> {
    let prepared = stringprep::saslprep(password.expose()).map_err(|_| BadPassword)?;
    if prepared.is_empty() {
        return Err(BadPassword);
    }
    Ok(hash.derive(prepared.as_bytes(), salt, iterations))
}

/// `ClientKey` (RFC 5802 §3).
pub(super) fn client_key(hash: Hash, salted: &Secret<Vec<u8>>) -> Secret<Vec<u8>> {
    Secret::new(hash.hmac(salted.expose(), b"Client Key"))
}

/// `ServerKey` (RFC 5802 §3).
pub(super) fn server_key(hash: Hash, salted: &Secret<Vec<u8>>) -> Secret<Vec<u8>> {
    Secret::new(hash.hmac(salted.expose(), b"Server Key"))
}

/// `StoredKey` (RFC 5802 §3).
pub(super) fn stored_key(hash: Hash, client_key: &Secret<Vec<u8>>) -> Secret<Vec<u8>> {
    Secret::new(hash.digest(client_key.expose()))
}

pub(super) fn xor(left: &[u8], right: &[u8]) -> Vec<u8> {
    left.iter().zip(right).map(|(left, right)| left ^ right).collect()
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
        let ring = KeyRing::derive(&secret("pencil"), || [1; 16], FEW).unwrap();
        for keys in ring.iter() {
            assert_eq!(keys.check("Ada", &secret("pencil")).unwrap().name(), "ada");
            for wrong in ["Pencil", "pencil ", "", "pen\u{7}cil"] {
                assert_eq!(keys.check("ada", &secret(wrong)), None, "{wrong:?}");
            }
        }
        let sizes: Vec<_> = ring.iter().map(|keys| keys.stored_key.expose().len()).collect();
        assert_eq!(sizes, [20, 32, 64]);
    }

    #[test]
    fn a_ring_has_one_set_for_each_hash() {
        let keys = |hash, salt| ScramKeys::derive(hash, &secret("pencil"), salt, FEW).unwrap();
        let mut ring: KeyRing = [keys(Hash::Sha256, b"old")].into_iter().collect();
        assert_eq!((ring.of(Hash::Sha1), ring.iter().count()), (None, 1));
        ring.put(keys(Hash::Sha1, b"one"));
        ring.put(keys(Hash::Sha256, b"new"));
        assert_eq!(ring.of(Hash::Sha256).unwrap().salt, b"new");
        let hashes: Vec<_> = ring.iter().map(|keys| keys.hash).collect();
        assert_eq!(hashes, [Hash::Sha1, Hash::Sha256]);
    }

    #[test]
    fn passwords_that_look_alike_are_one() {
        let keys = ScramKeys::derive(Hash::Sha256, &secret("I\u{ad}X"), b"salt", FEW).unwrap();
        assert!(keys.check("ada", &secret("\u{2168}")).is_some(), "RFC 4013 §3, examples 1 and 5");
    }

    #[test]
    fn a_password_that_nobody_can_type_is_refused() {
        for bad in ["", "\u{7}", "a\0b", "\u{ad}"] {
            let derived = ScramKeys::derive(Hash::Sha512, &secret(bad), b"salt", FEW);
            assert_eq!(derived, Err(BadPassword), "{bad:?}");
        }
    }
}
