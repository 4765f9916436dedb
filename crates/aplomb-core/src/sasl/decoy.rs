//! Keys for names that nobody has, so that an unknown name answers like a known one.

use std::num::NonZeroU32;

use super::{Hash, ScramKeys};
use crate::jid;
use crate::limits::SALT_BYTES;
use crate::secret::Secret;

/// Makes the same decoy for the same name each time, and no password fits it.
#[derive(Debug)]
pub struct Decoys {
    key: Secret<[u8; 32]>,
    iterations: NonZeroU32,
}

impl Decoys {
    /// `key` is random and kept with the store; `iterations` those of real accounts.
    pub const fn new(key: Secret<[u8; 32]>, iterations: NonZeroU32) -> Self {
        Self { key, iterations }
    }

    /// The decoy of `name` for `hash`, in any spelling. Costs three HMACs.
    pub fn keys(&self, name: &str, hash: Hash) -> ScramKeys {
        let key = |label| Secret::new(self.part(label, name, hash));
        ScramKeys {
            hash,
            salt: self.salt(name, hash),
            iterations: self.iterations,
            stored_key: key("stored key"),
            server_key: key("server key"),
        }
    }

    /// The salt of that decoy.
    ///
    /// An account that gets keys for a hash that it had none for gets them with this salt, so that
    /// nobody sees from outside that anything changed.
    pub fn salt(&self, name: &str, hash: Hash) -> Vec<u8> {
        let mut salt = self.part("salt", name, hash);
        salt.truncate(SALT_BYTES);
        salt
    }

    /// Rounds of PBKDF2 that decoys claim.
    pub const fn iterations(&self) -> NonZeroU32 {
        self.iterations
    }

    fn part(&self, label: &str, name: &str, hash: Hash) -> Vec<u8> {
        let name = jid::account_name(name).unwrap_or_else(|_| name.to_owned());
        // What decoys for the first hash were made of stays as it was.
        let label = match hash {
            Hash::Sha256 => label.to_owned(),
            Hash::Sha1 | Hash::Sha512 => format!("{label} {}", hash.name()),
        };
        hash.hmac(self.key.expose(), format!("{label}\0{name}").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_decoy_whatever_its_spelling_and_another_name_another() {
        let decoys = Decoys::new(Secret::new([7; 32]), NonZeroU32::new(4096).unwrap());
        for hash in Hash::ALL {
            let decoy = decoys.keys("nobody", hash);
            assert_eq!(decoy, decoys.keys("NoBody", hash));
            assert_ne!(decoy.salt, decoys.keys("somebody", hash).salt);
            assert_eq!((decoy.salt.len(), decoy.iterations.get()), (SALT_BYTES, 4096));
            assert_eq!(decoy.stored_key.expose().len(), hash.bytes());
        }
        let salts = Hash::ALL.map(|hash| decoys.salt("nobody", hash));
        assert!(salts[0] != salts[1] && salts[1] != salts[2]);
    }

    #[test]
    fn a_store_has_its_own_decoys() {
        let of =
            |key| Decoys::new(Secret::new([key; 32]), NonZeroU32::MIN).keys("nobody", Hash::Sha256);
        assert_ne!(of(1).salt, of(2).salt);
    }
}
