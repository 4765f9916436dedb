//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Hands out permits for connections.
#[derive(Debug)]
pub struct Permits {
    per_address_max: usize,
    all_max: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The right to one connection; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    permits: Arc<Permits>,
    address: IpAddr,
}

/// Why there is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMany {
    /// Connections from this address.
    FromAddress,
    /// Connections in all.
    InAll,
}

impl Permits {
    /// At most `all_max` connections, and `per_address_max` from one address.
    pub fn new(all_max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self { per_address_max, all_max, counts: Mutex::default() })
    }

    /// Takes one for a connection from `address`.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Result<Permit, TooMany> {
        let address = network(address);
        let mut counts = self.counts.lock();
        if counts.all >= self.all_max {
            return Err(TooMany::InAll);
        }
        let count = counts.by_address.entry(address).or_default();
        if *count >= self.per_address_max {
            return Err(TooMany::FromAddress);
        }
        *count += 1;
        counts.all += 1;
        Ok(Permit { permits: Arc::clone(self), address })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.permits.counts.lock();
        counts.all -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

/// One subscriber of IPv6 has a whole /64, so that is what counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_address_leaves_room_for_others_and_gets_it_back() {
        let permits = Permits::new(3, 2);
        let take = |address: &str| permits.take(address.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        let _second = take("::ffff:192.0.2.1").unwrap();
        assert_eq!(take("192.0.2.1").unwrap_err(), TooMany::FromAddress);
        let _third = take("2001:db8::1").unwrap();
        assert_eq!(take("2001:db8::ffff").unwrap_err(), TooMany::InAll);
        drop(first);
        let _fourth = take("2001:db8::ffff").unwrap();
        assert_eq!(permits.counts.lock().by_address.len(), 2);
    }
}
