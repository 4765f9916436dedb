//! The keys of every account, and how many accounts lack those for a hash.

use std::collections::HashMap;
use std::sync::Arc;

use aplomb_core::sasl::{Hash, KeyRing};

/// Who has which keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    rings: HashMap<String, Arc<KeyRing>>,
    /// For each of [`Hash::ALL`], how many accounts have no keys for it.
    lacking: [usize; Hash::ALL.len()],
}

impl Keys {
    /// The keys of `account`, in its one spelling.
    pub(super) fn of(&self, account: &str) -> Option<&Arc<KeyRing>> {
        self.rings.get(account)
    }

    /// Whether every account has keys for `hash`.
    pub(super) fn has_all(&self, hash: Hash) -> bool {
        let place = Hash::ALL.into_iter().position(|other| other == hash);
        self.lacking[place.expect("the list has every hash")] == 0
    }

    /// Replaces the keys of an account, or removes it.
    pub(super) fn set(&mut self, account: &str, keys: Option<KeyRing>) {
        let old = match keys {
            Some(keys) => {
                self.count(&keys, |lacking| lacking + 1);
                self.rings.insert(account.to_owned(), Arc::new(keys))
            }
            None => self.rings.remove(account),
        };
        if let Some(old) = old {
            self.count(&old, |lacking| lacking - 1);
        }
    }

    fn count(&mut self, keys: &KeyRing, change: impl Fn(usize) -> usize) {
        for (hash, lacking) in Hash::ALL.into_iter().zip(&mut self.lacking) {
            if keys.of(hash).is_none() {
                *lacking = change(*lacking);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use aplomb_core::sasl::ScramKeys;
    use aplomb_core::secret::Secret;

    use super::*;

    fn ring(hashes: &[Hash]) -> Option<KeyRing> {
        let password = Secret::new("pencil".to_owned());
        let keys = |hash| ScramKeys::derive(hash, &password, b"salt", NonZeroU32::MIN).unwrap();
        Some(hashes.iter().map(|hash| keys(*hash)).collect())
    }

    /// Sets keys one after the other; each time `expected` are the hashes that all have.
    #[test]
    fn a_hash_serves_all_once_the_last_account_has_keys_for_it() {
        let mut keys = Keys::default();
        let steps = [
            ("ada", ring(&Hash::ALL), 3),
            ("bob", ring(&[Hash::Sha256]), 1),
            ("eve", ring(&[Hash::Sha1, Hash::Sha256]), 1),
            ("bob", ring(&Hash::ALL), 2),
            ("eve", None, 3),
            ("eve", None, 3),
            ("ada", ring(&[Hash::Sha256]), 1),
            ("ada", None, 3),
        ];
        for (account, new, expected) in steps {
            keys.set(account, new);
            let served = Hash::ALL.into_iter().filter(|hash| keys.has_all(*hash)).count();
            assert_eq!(served, expected, "{account}");
        }
    }
}
