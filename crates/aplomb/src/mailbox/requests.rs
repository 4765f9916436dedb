//! What a session asked others and was not answered yet.
//!
//! Only answers to these reach it, so nobody makes it read what it did not ask for
//! (RFC 6120 §8.2.3).

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use aplomb_core::time::Moment;
use parking_lot::Mutex;

use crate::limits::{REQUEST_OPEN_SECS, REQUESTS_OPEN_MAX};

/// The open requests of one session.
#[derive(Debug, Default)]
pub struct Requests {
    open: Mutex<Vec<Open>>,
    hasher: RandomState,
}

/// A request. Of whom it was asked and its id are as long as a client likes, so only their hash is
/// kept: a key that nobody knows is in it.
#[derive(Debug)]
struct Open {
    hash: u64,
    since: Moment,
}

impl Requests {
    /// Notes a request to `asked`; returns whether there is room for it. Where there is none, those
    /// are forgotten that nobody answered for long.
    pub fn open(&self, asked: &str, id: &str, now: Moment) -> bool {
        let mut open = self.open.lock();
        if open.len() >= REQUESTS_OPEN_MAX {
            let age_max = Duration::from_secs(REQUEST_OPEN_SECS);
            open.retain(|request| now.since(request.since) < age_max);
        }
        let has_room = open.len() < REQUESTS_OPEN_MAX;
        if has_room {
            open.push(Open { hash: self.hasher.hash_one((asked, id)), since: now });
        }
        has_room
    }

    /// Notes that `asked` answered; returns whether it was asked.
    pub fn close(&self, asked: &str, id: &str) -> bool {
        let hash = self.hasher.hash_one((asked, id));
        let mut open = self.open.lock();
        let at = open.iter().position(|request| request.hash == hash);
        at.map(|at| open.remove(at)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_answered_once_and_by_whom_it_was_asked() {
        let (requests, now) = (Requests::default(), Moment::default());
        assert!(requests.open("bob@cc.test/desk", "1", now));
        assert!(!requests.close("eve@cc.test/desk", "1"));
        assert!(!requests.close("bob@cc.test/desk", "2"));
        assert!(requests.close("bob@cc.test/desk", "1"));
        assert!(!requests.close("bob@cc.test/desk", "1"));
    }

    #[test]
    fn so_many_are_open_and_those_that_nobody_answers_make_room() {
        let (requests, now) = (Requests::default(), Moment::default());
        let open = |id: usize, now| requests.open("bob@cc.test/desk", &id.to_string(), now);
        assert!((0..REQUESTS_OPEN_MAX).all(|id| open(id, now)));
        assert!(!open(REQUESTS_OPEN_MAX, now));
        assert!(requests.close("bob@cc.test/desk", "7") && open(7, now) && !open(8, now));
        assert!(open(8, now + Duration::from_secs(REQUEST_OPEN_SECS)));
        assert_eq!(requests.open.lock().len(), 1);
    }
}
