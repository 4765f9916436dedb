//! How fast people send stanzas to others: a burst, then one at a time.
//!
//! Of each person, whatever sessions he has or begins anew, or fifty of them were fifty people.

use std::collections::HashMap;
use std::time::Duration;

use aplomb_core::jid::BareJid;
use aplomb_core::time::Moment;
use parking_lot::Mutex;

use crate::limits::{PACE_BURST, PACE_MS, PACES_SWEPT_MIN};

/// The pace of everybody who sent something lately.
#[derive(Debug, Default)]
pub(super) struct Paces(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    /// When each one's burst would be used up if it began now.
    even_at: HashMap<BareJid, Moment>,
    /// How many are there when those who have all of their burst again are forgotten.
    sweep_at: usize,
}

impl Paces {
    /// Counts a stanza; says how long to wait before it goes.
    pub(super) fn wait(&self, account: BareJid, now: Moment) -> Duration {
        let each = Duration::from_millis(PACE_MS);
        let mut book = self.0.lock();
        if book.even_at.len() >= book.sweep_at.max(PACES_SWEPT_MIN) {
            book.even_at.retain(|_, even_at| *even_at > now);
            book.sweep_at = 2 * book.even_at.len();
        }
        let even_at = book.even_at.entry(account).or_default();
        *even_at = (*even_at).max(now) + each;
        even_at.since(now).saturating_sub(each * PACE_BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Moment {
        Moment::default() + Duration::from_secs(60)
    }

    #[test]
    fn a_burst_goes_at_once_and_then_one_at_a_time_and_others_have_their_own() {
        let (paces, start) = (Paces::default(), start());
        let [ada, bob] = ["ada@cc.test", "bob@cc.test"].map(|jid| jid.parse::<BareJid>().unwrap());
        let each = Duration::from_millis(PACE_MS);
        for _ in 0..PACE_BURST {
            assert_eq!(paces.wait(ada.clone(), start), Duration::ZERO);
        }
        assert_eq!(paces.wait(ada.clone(), start), each);
        assert_eq!(paces.wait(bob, start), Duration::ZERO);
        assert_eq!(paces.wait(ada.clone(), start + each), each);
        assert_eq!(paces.wait(ada, start + each * 3), Duration::ZERO);
    }

    #[test]
    fn who_has_his_burst_again_is_forgotten() {
        let (paces, start) = (Paces::default(), start());
        for at in 0..100 * PACES_SWEPT_MIN {
            let account = format!("a{at}@cc.test").parse().unwrap();
            let later = Duration::from_millis(PACE_MS) * u32::try_from(at).unwrap();
            assert_eq!(paces.wait(account, start + later), Duration::ZERO);
            assert!(paces.0.lock().even_at.len() <= PACES_SWEPT_MIN);
        }
    }
}
