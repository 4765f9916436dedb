//! The keys of every account, and how many accounts lack those for a hash.

use std::collections::HashMap;
use std::sync::Arc;

use aplomb_core::sasl::{Hash, KeyRing, ScramKeys};

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
        self.lacking(hash) == 0
    }

    /// How many accounts have no keys for `hash`.
    pub(super) fn lacking(&self, hash: Hash) -> usize {
        let place = Hash::ALL.into_iter().position(|other| other == hash);
        self.lacking[place.expect("the list has every hash")]
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

    /// Whether the keys of `account` for `then.hash` are `then`: the password is still the same.
    pub(super) fn are_still(&self, account: &str, then: &ScramKeys) -> bool {
        self.of(account).and_then(|ring| ring.of(then.hash)) == Some(then)
    }

    /// Adds keys for hashes that `account` has none for, if those for another are still `beside`.
    pub(super) fn add(&mut self, account: &str, beside: &ScramKeys, more: &KeyRing) {
        if self.are_still(account, beside) {
            let had = self.of(account).into_iter().flat_map(|ring| ring.iter());
            self.set(account, Some(more.iter().chain(had).cloned().collect()));
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

    use aplomb_core::secret::Secret;

    use super::*;

    fn ring(hashes: &[Hash]) -> Option<KeyRing> {
        let password = Secret::new("pencil".to_owned());
        let keys = |hash| ScramKeys::derive(hash, &password, b"salt", NonZeroU32::MIN).unwrap();
        Some(hashes.iter().map(|hash| keys(*hash)).collect())
    }

    #[test]
    fn keys_are_added_beside_those_that_they_were_checked_with_and_replace_none() {
        let (one, all) = (ring(&[Hash::Sha256]).unwrap(), ring(&Hash::ALL).unwrap());
        let beside = one.of(Hash::Sha256).unwrap();
        let mut other = beside.clone();
        other.stored_key = Secret::new(vec![0; 32]);
        let after = |kept: Option<&KeyRing>, beside: &ScramKeys| {
            let mut keys = Keys::default();
            keys.set("ada", kept.cloned());
            keys.add("ada", beside, &all);
            keys.of("ada").map(|ring| KeyRing::clone(ring))
        };
        assert_eq!(after(Some(&one), beside), Some(all.clone()));
        assert_eq!(after(Some(&one), &other), Some(one.clone()));
        assert_eq!(after(None, beside), None);
        let changed: KeyRing = one.iter().cloned().chain([sha1(b"pepper")]).collect();
        let kept = after(Some(&changed), beside).unwrap();
        assert_eq!(kept.of(Hash::Sha1), changed.of(Hash::Sha1));
    }

    fn sha1(salt: &[u8]) -> ScramKeys {
        let password = Secret::new("pencil".to_owned());
        ScramKeys::derive(Hash::Sha1, &password, salt, NonZeroU32::MIN).unwrap()
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
