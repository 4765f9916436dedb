//! When to try again: exponential, jittered, capped, and pure.
//!
//! Half of each wait is fixed and half is random, so that clients that lost one server at one
//! moment do not come back at one moment.

use std::time::Duration;

/// The waits between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
}

impl Backoff {
    /// Waits around `first` at first, twice as long each time, never longer than `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, attempts: 0 }
    }

    /// The next wait; `random` is any random number.
    pub fn next_wait(&mut self, random: u32) -> Duration {
        let doublings = self.attempts.min(31);
        self.attempts = self.attempts.saturating_add(1);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        whole / 2 + (whole / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }

    /// Starts over, after an attempt that worked.
    pub const fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn backoff() -> Backoff {
        Backoff::new(Duration::from_secs(1), Duration::from_secs(30))
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = backoff();
        let waits: Vec<u64> = (0..7).map(|_| backoff.next_wait(u32::MAX).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        backoff.reset();
        assert_eq!(backoff.next_wait(u32::MAX), Duration::from_secs(1));
    }

    #[test]
    fn chance_takes_at_most_half_of_a_wait() {
        let mut least = backoff();
        assert_eq!(least.next_wait(0), Duration::from_millis(500));
        assert_eq!(least.next_wait(u32::MAX / 2 + 1).as_millis(), 1500);
    }

    #[test]
    fn a_very_long_outage_overflows_nothing() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::MAX);
        for _ in 0..100 {
            backoff.next_wait(u32::MAX);
        }
    }
}
