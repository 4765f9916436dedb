//! Who may go on with a lost stream: its id, its account, and whoever holds it now.
//!
//! A claim changes the holder under one lock, so there is one holder at any time: of two who claim
//! the same stream, the second claims it from the first. The old holder hands the stream over when
//! it comes to it.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// The streams that can be resumed. `T` is what is handed over.
pub struct Tickets<T> {
    inside: Mutex<Inside<T>>,
}

/// The right to hold one stream; who drops it gives the stream up, unless it was claimed.
pub(super) struct Ticket<T> {
    tickets: Arc<Tickets<T>>,
    id: Arc<str>,
    turn: u64,
    claims: oneshot::Receiver<Heir<T>>,
}

/// Where the stream is to be handed over.
pub(super) type Heir<T> = oneshot::Sender<T>;

struct Inside<T> {
    stubs: HashMap<Arc<str>, Stub<T>>,
    /// How many tickets there were.
    turns: u64,
}

struct Stub<T> {
    account: Box<str>,
    /// Whose it is now.
    turn: u64,
    holder: oneshot::Sender<Heir<T>>,
}

impl<T> Tickets<T> {
    /// Nothing can be resumed yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { inside: Mutex::new(Inside { stubs: HashMap::new(), turns: 0 }) })
    }

    /// A ticket for a new stream; `id` is random and was never used before.
    pub(super) fn issue(self: &Arc<Self>, id: &str, account: &str) -> Ticket<T> {
        let (holder, claims) = oneshot::channel();
        let id: Arc<str> = id.into();
        let mut inside = self.inside.lock();
        let turn = inside.next_turn();
        inside.stubs.insert(Arc::clone(&id), Stub { account: account.into(), turn, holder });
        Ticket { tickets: Arc::clone(self), id, turn, claims }
    }

    /// Takes a stream of this account from whoever holds it; what it hands over comes later.
    pub(super) fn claim(
        self: &Arc<Self>,
        id: &str,
        account: &str,
    ) -> Option<(Ticket<T>, oneshot::Receiver<T>)> {
        let (holder, claims) = oneshot::channel();
        let (heir, inheritance) = oneshot::channel();
        let mut inside = self.inside.lock();
        let turn = inside.next_turn();
        let (id, _) = inside.stubs.get_key_value(id)?;
        let id = Arc::clone(id);
        let stub = inside.stubs.get_mut(&id).filter(|stub| *stub.account == *account)?;
        stub.turn = turn;
        let old = mem::replace(&mut stub.holder, holder);
        // A ticket is taken off the list before its end, so whoever is on it hears this.
        let _ = old.send(heir);
        drop(inside);
        Some((Ticket { tickets: Arc::clone(self), id, turn, claims }, inheritance))
    }

    /// How many streams can be resumed.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.inside.lock().stubs.len()
    }
}

impl<T> Inside<T> {
    const fn next_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }
}

impl<T> Ticket<T> {
    /// Waits until somebody claims the stream. It may be dropped and called again.
    pub(super) async fn claimed(&mut self) -> Heir<T> {
        match (&mut self.claims).await {
            Ok(heir) => heir,
            Err(_) => {
                unreachable!("a stub is only replaced by a claim, or taken off by its holder")
            }
        }
    }

    /// Whoever claimed the stream by now.
    #[cfg(test)]
    pub(super) fn try_claimed(&mut self) -> Option<Heir<T>> {
        self.claims.try_recv().ok()
    }

    /// The stream's id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        let mut inside = self.tickets.inside.lock();
        if inside.stubs.get(&self.id).is_some_and(|stub| stub.turn == self.turn) {
            inside.stubs.remove(&self.id);
        }
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is as good as half a password.
        f.debug_struct("Ticket").field("turn", &self.turn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_for_its_own_account_and_for_whoever_claims_it_last() {
        let tickets = Tickets::new();
        let mut first = tickets.issue("m1", "1001");
        assert!(tickets.claim("m1", "1002").is_none() && tickets.claim("m2", "1001").is_none());
        let (mut second, mut from_first) = tickets.claim("m1", "1001").unwrap();
        let (third, mut from_second) = tickets.claim("m1", "1001").unwrap();
        first.try_claimed().unwrap().send("stream").unwrap();
        let stream = from_first.try_recv().unwrap();
        drop(first);
        second.try_claimed().unwrap().send(stream).unwrap();
        drop(second);
        assert_eq!((from_second.try_recv(), tickets.len()), (Ok("stream"), 1));
        drop(third);
        assert!(tickets.claim("m1", "1001").is_none() && tickets.len() == 0);
    }

    #[test]
    fn who_gave_up_hands_nothing_over_and_nobody_waits_for_it() {
        let tickets: Arc<Tickets<()>> = Tickets::new();
        let mut first = tickets.issue("m1", "1001");
        let (second, mut from_first) = tickets.claim("m1", "1001").unwrap();
        drop(first.try_claimed());
        drop(first);
        assert_eq!(from_first.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        drop(second);
        assert_eq!(tickets.len(), 0);
    }

    /// Many claim at once, and pass the stream on as sessions do: the last to claim has it.
    #[test]
    fn of_a_crowd_that_claims_one_has_the_stream() {
        const CROWD: u32 = 4;
        for _ in 0..200 {
            let tickets = Tickets::new();
            let mut first = tickets.issue("m1", "1001");
            let all_claimed = std::sync::Barrier::new(CROWD as usize + 1);
            let claim = || {
                let (mut mine, from) = tickets.claim("m1", "1001").unwrap();
                all_claimed.wait();
                let stream: u32 = from.blocking_recv().unwrap();
                match mine.try_claimed() {
                    Some(heir) => heir.send(stream + 1).map(|()| None).unwrap(),
                    None => Some((mine, stream)),
                }
            };
            let holders = std::thread::scope(|scope| {
                let claims: Vec<_> = (0..CROWD).map(|_| scope.spawn(claim)).collect();
                all_claimed.wait();
                first.try_claimed().unwrap().send(1).unwrap();
                drop(first);
                claims.into_iter().filter_map(|claim| claim.join().unwrap()).collect::<Vec<_>>()
            });
            assert_eq!(holders.iter().map(|(_, stream)| *stream).collect::<Vec<_>>(), [CROWD]);
            drop(holders);
            assert_eq!(tickets.len(), 0);
        }
    }
}
