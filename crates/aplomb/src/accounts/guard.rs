//! What slows down and stops who guesses passwords.
//!
//! Three bounds, so that a guesser is stopped and his neighbours behind the same address are not:
//! wrong passwords in a row lock the account; one address has a few tries at one name, known or
//! not; one address has many tries altogether. A try that succeeds costs nothing.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use aplomb_core::time::Moment;

use super::Policy;
use super::buckets::{Buckets, Rate};
use crate::limits::{
    ADDRESSES_TRACKED_MAX, NAMES_TRACKED_MAX, TRIES_AT_ONE_NAME, TRY_AT_ONE_NAME_SECS,
};

/// The tries so far.
#[derive(Debug)]
pub(super) struct Guard {
    by_address: Buckets<IpAddr>,
    by_name: Buckets<(IpAddr, String)>,
    /// Accounts with wrong passwords; names that nobody has are not kept.
    accounts: HashMap<String, Wrong>,
    failures_max: u32,
    lockout: Duration,
}

#[derive(Debug, Default)]
struct Wrong {
    in_a_row: u32,
    locked_until: Moment,
}

impl Guard {
    pub(super) fn new(policy: &Policy) -> Self {
        let per_second = policy.logins_per_second_per_address.max(1);
        let address = Rate {
            interval: Duration::from_secs(1) / per_second,
            burst: per_second.saturating_mul(BURST_SECS),
        };
        let name =
            Rate { interval: Duration::from_secs(TRY_AT_ONE_NAME_SECS), burst: TRIES_AT_ONE_NAME };
        Self {
            by_address: Buckets::new(address, ADDRESSES_TRACKED_MAX),
            by_name: Buckets::new(name, NAMES_TRACKED_MAX),
            accounts: HashMap::new(),
            failures_max: policy.lockout_failures,
            lockout: policy.lockout,
        }
    }

    /// Whether a try is let through.
    pub(super) fn has(&self, name: &str, peer: IpAddr, now: Moment) -> bool {
        let site = site(peer);
        self.by_name.has(&(site, name.to_owned()), now) && self.by_address.has(&site, now)
    }

    /// Counts a try, if it is let through.
    pub(super) fn take(&mut self, name: &str, peer: IpAddr, now: Moment) -> bool {
        let site = site(peer);
        // The name first: who hammers at one name must not use up the tries of his neighbours.
        self.by_name.take(&(site, name.to_owned()), now) && self.by_address.take(&site, now)
    }

    pub(super) fn is_locked(&self, name: &str, now: Moment) -> bool {
        self.accounts.get(name).is_some_and(|wrong| now < wrong.locked_until)
    }

    /// Notes the right password: the try cost nothing.
    pub(super) fn right(&mut self, name: &str, peer: IpAddr, now: Moment) {
        let site = site(peer);
        self.by_name.give_back(&(site, name.to_owned()), now);
        self.by_address.give_back(&site, now);
        self.accounts.remove(name);
    }

    /// Notes a wrong password for an account that exists; returns whether this one locked it.
    pub(super) fn wrong(&mut self, name: &str, now: Moment) -> bool {
        let wrong = self.accounts.entry(name.to_owned()).or_default();
        if now < wrong.locked_until {
            return false;
        }
        wrong.in_a_row += 1;
        let is_locked = wrong.in_a_row >= self.failures_max;
        if is_locked {
            *wrong = Wrong { in_a_row: 0, locked_until: now + self.lockout };
        }
        is_locked
    }

    /// Forgets the wrong passwords of an account: it has a new password, or is gone.
    pub(super) fn forget(&mut self, name: &str) {
        self.accounts.remove(name);
    }
}

/// What counts as one address: with IPv6 a site's network, since a site has 2⁶⁴ addresses in it.
fn site(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let mut parts = v6.segments();
            parts[4..].fill(0);
            IpAddr::V6(Ipv6Addr::from(parts))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Seconds of the rate that may come at once.
const BURST_SECS: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failure_locks_and_the_lock_ends() {
        let mut guard = guard();
        assert!(!guard.wrong("1001", at(0)) && !guard.wrong("1001", at(1)));
        assert!(guard.wrong("1001", at(2)) && guard.is_locked("1001", at(2)));
        assert!(!guard.is_locked("1002", at(2)), "a neighbour is not locked");
        assert!(!guard.wrong("1001", at(200)), "a try while locked does not make it longer");
        assert!(guard.is_locked("1001", at(301)) && !guard.is_locked("1001", at(302)));
        assert!(!guard.wrong("1001", at(302)), "the count starts again");
    }

    #[test]
    fn the_right_password_ends_the_row() {
        let mut guard = guard();
        guard.wrong("1001", at(0));
        guard.wrong("1001", at(0));
        guard.right("1001", PEER, at(0));
        assert!(!guard.wrong("1001", at(0)) && !guard.wrong("1001", at(0)));
    }

    #[test]
    fn a_thousand_tries_at_one_name_leave_the_neighbours_theirs() {
        let mut guard = guard();
        let let_through = (0..1_000).filter(|_| guard.take("1001", PEER, at(0))).count();
        assert_eq!(let_through, TRIES_AT_ONE_NAME as usize);
        assert!(guard.has("1002", PEER, at(0)));
    }

    #[test]
    fn one_address_has_a_bound_over_all_names() {
        let mut guard = guard();
        let let_through = (0..1_000).filter(|n| guard.take(&format!("n{n}"), PEER, at(0))).count();
        assert_eq!(let_through, 20);
        assert!(guard.has("n1", IpAddr::from([192, 0, 2, 9]), at(0)), "another address is free");
    }

    #[test]
    fn tries_that_succeed_cost_nothing() {
        let mut guard = guard();
        for n in 0..1_000 {
            let name = format!("n{n}");
            assert!(guard.take(&name, PEER, at(0)));
            guard.right(&name, PEER, at(0));
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_a_mapped_ipv4_is_itself() {
        let ip = |text: &str| site(text.parse().unwrap());
        assert_eq!(ip("2001:db8:1:2:3:4:5:6"), ip("2001:db8:1:2::9"));
        assert_ne!(ip("2001:db8:1:2::9"), ip("2001:db8:1:3::9"));
        assert_eq!(ip("::ffff:192.0.2.1"), PEER);
    }

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn at(secs: u64) -> Moment {
        Moment::new(Duration::from_secs(secs))
    }

    fn guard() -> Guard {
        Guard::new(&Policy {
            logins_per_second_per_address: 2,
            lockout_failures: 3,
            lockout: Duration::from_secs(300),
            remember_password: Duration::from_secs(60),
            token_life: Duration::from_secs(600),
            scram_iterations: std::num::NonZeroU32::MIN,
        })
    }
}
