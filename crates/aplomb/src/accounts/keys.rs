//! The keys of every account, and how many accounts lack those for a hash.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use aplomb_core::sasl::{Hash, KeyRing, ScramKeys};

/// Who has which keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    rings: HashMap<String, Arc<KeyRing>>,
    /// For each of [`Hash::ALL`], how many accounts have no keys for it.
    lacking: [usize; Hash::ALL.len()],
    /// For each of [`Hash::ALL`], how many accounts have keys of so many rounds.
    rounds: [BTreeMap<NonZeroU32, usize>; Hash::ALL.len()],
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

    /// The rounds of the account at a place among all, from 0 to [`u32::MAX`], as if they stood in
    /// a row, the fewest first; none if there are no keys for `hash`.
    pub(super) fn rounds_at(&self, place: u32, hash: Hash) -> Option<NonZeroU32> {
        let at = Hash::ALL.into_iter().position(|other| other == hash);
        let rounds = &self.rounds[at.expect("the list has every hash")];
        let count = rounds.values().sum::<usize>() as u64;
        let mut before = (u64::from(place) * count) >> u32::BITS;
        for (rounds, count) in rounds {
            match before.checked_sub(*count as u64) {
                Some(rest) => before = rest,
                None => return Some(*rounds),
            }
        }
        None
    }

    /// Replaces the keys of an account, or removes it.
    pub(super) fn set(&mut self, account: &str, keys: Option<KeyRing>) {
        let old = match keys {
            Some(keys) => {
                self.count(&keys, true);
                self.rings.insert(account.to_owned(), Arc::new(keys))
            }
            None => self.rings.remove(account),
        };
        if let Some(old) = old {
            self.count(&old, false);
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

    fn count(&mut self, ring: &KeyRing, is_new: bool) {
        let counts = self.lacking.iter_mut().zip(&mut self.rounds);
        for (hash, (lacking, rounds)) in Hash::ALL.into_iter().zip(counts) {
            let count = match ring.of(hash) {
                Some(keys) => rounds.entry(keys.iterations).or_default(),
                None => lacking,
            };
            *count = if is_new { *count + 1 } else { *count - 1 };
            rounds.retain(|_, count| *count > 0);
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

    #[test]
    fn a_number_of_rounds_is_at_as_many_places_as_accounts_have_it() {
        let password = Secret::new("pencil".to_owned());
        let mut keys = Keys::default();
        assert_eq!(keys.rounds_at(0, Hash::Sha256), None);
        for (account, rounds) in [("ada", 2), ("bob", 1), ("eve", 2), ("kim", 9), ("kim", 2)] {
            let rounds = NonZeroU32::new(rounds).unwrap();
            keys.set(account, KeyRing::derive(&password, || [1; 16], rounds).ok());
        }
        let quarters = [0, 1, 2, 3].map(|quarter| quarter << 30);
        let ends = quarters.map(|place| place + (u32::MAX >> 2));
        for places in [quarters, ends] {
            let found = places.map(|place| keys.rounds_at(place, Hash::Sha1).unwrap().get());
            assert_eq!(found, [1, 2, 2, 2]);
        }
        keys.set("bob", None);
        assert_eq!(keys.rounds_at(0, Hash::Sha512), NonZeroU32::new(2));
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
