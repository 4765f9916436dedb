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
}

impl Decoys {
    /// `key` is random and kept with the store.
    pub const fn new(key: Secret<[u8; 32]>) -> Self {
        Self { key }
    }

    /// Where `name` stands among all names, from 0 to [`u32::MAX`]: by this it gets a number of
    /// rounds that as many real accounts have.
    pub fn place(&self, name: &str, hash: Hash) -> u32 {
        let part = self.part("rounds", name, hash);
        part.iter().take(4).fold(0, |place, byte| place << 8 | u32::from(*byte))
    }

    /// The decoy of `name` for `hash`, in any spelling, with so many rounds. Costs three HMACs.
    pub fn keys(&self, name: &str, hash: Hash, iterations: NonZeroU32) -> ScramKeys {
        let key = |label| Secret::new(self.part(label, name, hash));
        ScramKeys {
            hash,
            salt: self.salt(name, hash, iterations),
            iterations,
            stored_key: key("stored key"),
            server_key: key("server key"),
        }
    }

    /// The salt of that decoy: another for another number of rounds, as with a new password.
    ///
    /// An account that gets keys for a hash that it had none for gets them with this salt, so that
    /// nobody sees from outside that anything changed.
    pub fn salt(&self, name: &str, hash: Hash, iterations: NonZeroU32) -> Vec<u8> {
        let mut salt = self.part(&format!("salt {iterations}"), name, hash);
        salt.truncate(SALT_BYTES);
        salt
    }

    fn part(&self, label: &str, name: &str, hash: Hash) -> Vec<u8> {
        let name = jid::account_name(name).unwrap_or_else(|_| name.to_owned());
        let message = format!("{label} {}\0{name}", hash.name());
        hash.hmac(self.key.expose(), message.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_decoy_whatever_its_spelling_and_another_name_another() {
        let decoys = Decoys::new(Secret::new([7; 32]));
        let rounds = NonZeroU32::new(4096).unwrap();
        for hash in Hash::ALL {
            let decoy = decoys.keys("nobody", hash, rounds);
            assert_eq!(decoy, decoys.keys("NoBody", hash, rounds));
            assert_eq!(decoys.place("nobody", hash), decoys.place("NoBody", hash));
            assert_ne!(decoy.salt, decoys.keys("somebody", hash, rounds).salt);
            assert_ne!(decoy.salt, decoys.salt("nobody", hash, NonZeroU32::MIN));
            assert_eq!((decoy.salt.len(), decoy.iterations.get()), (SALT_BYTES, 4096));
            assert_eq!(decoy.stored_key.expose().len(), hash.bytes());
        }
        let salts = Hash::ALL.map(|hash| decoys.salt("nobody", hash, rounds));
        assert!(salts[0] != salts[1] && salts[1] != salts[2]);
    }

    #[test]
    fn a_store_has_its_own_decoys() {
        let of = |key| {
            let decoys = Decoys::new(Secret::new([key; 32]));
            decoys.keys("nobody", Hash::Sha256, NonZeroU32::MIN)
        };
        assert_ne!(of(1).salt, of(2).salt);
    }
}
