//! Keys for names that nobody has, so that an unknown name answers like a known one.

use std::num::NonZeroU32;

use super::ScramKeys;
use super::keys::hmac;
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

    /// The decoy of `name`, in any spelling. Costs three HMACs.
    pub fn keys(&self, name: &str) -> ScramKeys {
        let name = jid::account_name(name).unwrap_or_else(|_| name.to_owned());
        let part = |label: &str| hmac(self.key.expose(), format!("{label}\0{name}").as_bytes());
        ScramKeys {
            salt: part("salt")[..SALT_BYTES].to_vec(),
            iterations: self.iterations,
            stored_key: Secret::new(part("stored key")),
            server_key: Secret::new(part("server key")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_decoy_whatever_its_spelling_and_another_name_another() {
        let decoys = Decoys::new(Secret::new([7; 32]), NonZeroU32::new(4096).unwrap());
        let decoy = decoys.keys("nobody");
        assert_eq!(decoy, decoys.keys("NoBody"));
        assert_ne!(decoy.salt, decoys.keys("somebody").salt);
        assert_eq!((decoy.salt.len(), decoy.iterations.get()), (SALT_BYTES, 4096));
    }

    #[test]
    fn a_store_has_its_own_decoys() {
        let of = |key| Decoys::new(Secret::new([key; 32]), NonZeroU32::MIN).keys("nobody");
        assert_ne!(of(1).salt, of(2).salt);
    }
}
