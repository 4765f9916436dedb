//! Token buckets, one for each key, in one number each (the generic cell rate algorithm).
//!
//! Pure: told what time it is. Source: ITU-T I.371 Annex A, the virtual scheduling form.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use aplomb_core::time::Moment;

/// How many tokens come, and how many can be saved up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    /// The time in which one token comes.
    pub(super) interval: Duration,
    /// Tokens of a full bucket.
    pub(super) burst: u32,
}

/// Buckets that start full. A full bucket needs no memory.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    rate: Rate,
    keys_max: usize,
    /// When each bucket will be full again.
    full_at: HashMap<K, Moment>,
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    /// Full buckets for everybody. At most `keys_max` of them are tracked at a time; when there
    /// are more, one is forgotten, which fills it.
    pub(super) fn new(rate: Rate, keys_max: usize) -> Self {
        Self { rate, keys_max, full_at: HashMap::new() }
    }

    /// Whether `key` has a token.
    pub(super) fn has(&self, key: &K, now: Moment) -> bool {
        let Some(full_at) = self.full_at.get(key) else { return true };
        full_at.since(now) <= self.rate.interval * (self.rate.burst - 1)
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, key: &K, now: Moment) -> bool {
        let may = self.has(key, now);
        if may {
            self.make_room(key, now);
            let full_at = self.full_at.entry(key.clone()).or_insert(now);
            *full_at = (*full_at).max(now) + self.rate.interval;
        }
        may
    }

    /// Gives a token back.
    pub(super) fn give_back(&mut self, key: &K, now: Moment) {
        let Some(full_at) = self.full_at.get_mut(key) else { return };
        *full_at = now + full_at.since(now).saturating_sub(self.rate.interval);
        if *full_at <= now {
            self.full_at.remove(key);
        }
    }

    fn make_room(&mut self, key: &K, now: Moment) {
        if self.full_at.len() < self.keys_max || self.full_at.contains_key(key) {
            return;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= self.keys_max {
            let any = self.full_at.keys().next().cloned();
            any.and_then(|any| self.full_at.remove(&any));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a token for `key` at each time in milliseconds; `expected` says who gets one.
    #[track_caller]
    fn check(asked: &[(&'static str, u64)], expected: &[bool]) {
        let rate = Rate { interval: Duration::from_millis(100), burst: 3 };
        let mut buckets = Buckets::new(rate, 2);
        let got: Vec<_> = asked.iter().map(|(key, ms)| buckets.take(key, at(*ms))).collect();
        assert_eq!(got, expected);
        assert!(buckets.full_at.len() <= 2);
    }

    fn at(ms: u64) -> Moment {
        Moment::new(Duration::from_millis(ms))
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let asked = [("a", 0), ("a", 0), ("a", 0), ("a", 0), ("a", 99), ("a", 100), ("a", 100)];
        check(&asked, &[true, true, true, false, false, true, false]);
    }

    #[test]
    fn a_neighbour_has_a_bucket_of_his_own() {
        check(
            &[("a", 0), ("a", 0), ("a", 0), ("a", 0), ("b", 0)],
            &[true, true, true, false, true],
        );
    }

    #[test]
    fn memory_is_bounded_and_a_stranger_is_still_served() {
        check(&[("a", 0), ("b", 0), ("c", 0), ("d", 0)], &[true; 4]);
    }

    #[test]
    fn a_token_given_back_can_be_taken_again() {
        let rate = Rate { interval: Duration::from_secs(1), burst: 1 };
        let mut buckets = Buckets::new(rate, 2);
        assert!(buckets.take(&"a", at(0)) && !buckets.has(&"a", at(0)));
        buckets.give_back(&"a", at(0));
        assert!(buckets.full_at.is_empty() && buckets.take(&"a", at(0)));
    }
}
