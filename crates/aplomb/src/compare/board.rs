//! What one reader has seen, beside what was caused.

use std::sync::Arc;
use std::time::Duration;

use aplomb_core::time::Moment;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::told::{Mark, Told};

/// When each event was caused. A clone is the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Causes(Arc<Mutex<Vec<Moment>>>);

impl Causes {
    /// Notes the next event, and gives its number.
    pub(super) fn cause(&self, now: Moment) -> usize {
        let mut causes = self.0.lock();
        causes.push(now);
        causes.len() - 1
    }

    /// Events so far.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }

    fn at(&self, number: usize) -> Option<Moment> {
        self.0.lock().get(number).copied()
    }
}

/// What one reader has seen. A clone is the same.
#[derive(Debug, Clone)]
pub(super) struct Board(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    causes: Causes,
    seen: Mutex<Seen>,
    changed: Notify,
}

/// What was seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Whether the reader is there: whatever is caused now, it must be told.
    pub(super) is_ready: bool,
    /// How often each event was told, by its number.
    pub(super) times: Vec<u32>,
    /// Times from the cause to the reader, in microseconds.
    pub(super) delays: Histogram<u64>,
    /// Events that came after one with a higher number.
    pub(super) disordered: u64,
    /// Numbers of the server that were left out between two events that came.
    pub(super) skipped: u64,
    /// What the server said that it could not tell, or why a reader ended too early.
    pub(super) complaints: Vec<String>,
    /// The last number of the server.
    last_seq: Option<u64>,
    /// The highest number of ours.
    highest: Option<usize>,
}

impl Board {
    /// An empty board for events of `causes`.
    pub(super) fn new(causes: &Causes) -> Self {
        let delays = Histogram::new_with_max(DELAY_MICROS_MAX, DELAY_DIGITS);
        let delays = delays.expect("three digits of an hour are allowed");
        let seen = Seen {
            is_ready: false,
            times: Vec::new(),
            delays,
            disordered: 0,
            skipped: 0,
            complaints: Vec::new(),
            last_seq: None,
            highest: None,
        };
        let causes = causes.clone();
        Self(Arc::new(Shared { causes, seen: Mutex::new(seen), changed: Notify::new() }))
    }

    /// Notes that the reader is there.
    pub(super) fn ready(&self) {
        self.0.seen.lock().is_ready = true;
        self.0.changed.notify_one();
    }

    /// Notes what the reader was told at `now`.
    pub(super) fn tell(&self, now: Moment, told: &Told) {
        let mut seen = self.0.seen.lock();
        seen.take_seq(told.seq);
        match told.mark {
            Mark::Trial => seen.is_ready = true,
            Mark::Number(number) => {
                // One that is told before it is caused is another run's with our word: none.
                let Some(caused) = self.0.causes.at(number) else { return };
                seen.take(number, now.since(caused));
            }
        }
        self.0.changed.notify_one();
    }

    /// Notes what should not have been.
    pub(super) fn complain(&self, words: String) {
        self.0.seen.lock().complaints.push(words);
        self.0.changed.notify_one();
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.0.seen.lock().clone()
    }

    /// Waits until `is` so; whether it came about in time.
    pub(super) async fn until(&self, wait: Duration, is: impl Fn(&Seen) -> bool) -> bool {
        let waiting = async {
            while !is(&self.0.seen.lock()) {
                self.0.changed.notified().await;
            }
        };
        timeout(wait, waiting).await.is_ok()
    }
}

impl Seen {
    fn take(&mut self, number: usize, delay: Duration) {
        if self.times.len() <= number {
            self.times.resize(number + 1, 0);
        }
        self.times[number] += 1;
        if self.times[number] > 1 {
            return;
        }
        if self.highest.is_some_and(|highest| number < highest) {
            self.disordered += 1;
        }
        self.highest = self.highest.max(Some(number));
        self.delays.saturating_record(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    fn take_seq(&mut self, seq: Option<u64>) {
        let Some(seq) = seq else { return };
        if let Some(last) = self.last_seq {
            self.skipped += seq.saturating_sub(last + 1);
        }
        self.last_seq = self.last_seq.max(Some(seq));
    }

    /// How many of `caused` events were seen.
    pub(super) fn count(&self) -> u64 {
        self.times.iter().filter(|times| **times > 0).count() as u64
    }

    /// How many events came more than once, each time too many counted.
    pub(super) fn doubled(&self) -> u64 {
        self.times.iter().map(|times| u64::from(times.saturating_sub(1))).sum()
    }
}

/// An hour: no reader is waited for that long.
const DELAY_MICROS_MAX: u64 = 3_600_000_000;

/// Significant digits of a delay.
const DELAY_DIGITS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::new(Duration::from_millis(millis))
    }

    fn check(numbers: &[usize], count: u64, doubled: u64, disordered: u64) {
        let causes = Causes::default();
        for _ in 0..5 {
            causes.cause(at(0));
        }
        let board = Board::new(&causes);
        for (place, number) in numbers.iter().enumerate() {
            let told = Told { mark: Mark::Number(*number), seq: None };
            board.tell(at(place as u64 + 1), &told);
        }
        let seen = board.seen();
        assert_eq!((seen.count(), seen.doubled(), seen.disordered), (count, doubled, disordered));
        assert_eq!(seen.delays.len(), count);
        let slowest = numbers.iter().position(|number| *number == 4).map(|place| place + 1);
        if let (Some(place), 0) = (slowest, doubled) {
            let millis = Duration::from_micros(seen.delays.max()).as_millis();
            assert!(millis >= place as u128 && seen.delays.max() < 10_000, "{millis} ms");
        }
    }

    #[test]
    fn what_is_missed_doubled_or_out_of_order_is_counted() {
        check(&[0, 1, 2, 3, 4], 5, 0, 0);
        check(&[0, 1, 3, 4], 4, 0, 0);
        check(&[0, 1, 1, 2, 3, 4, 1], 5, 2, 0);
        check(&[1, 0, 2, 4, 3], 5, 0, 2);
        check(&[7], 0, 0, 0);
    }

    #[test]
    fn numbers_that_the_server_left_out_are_counted() {
        let causes = Causes::default();
        let board = Board::new(&causes);
        for seq in [4, 5, 5, 8] {
            board.tell(at(0), &Told { mark: Mark::Trial, seq: Some(seq) });
        }
        let seen = board.seen();
        assert_eq!((seen.skipped, seen.is_ready), (2, true));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let causes = Causes::default();
        let board = Board::new(&causes);
        let other = board.clone();
        let waiting = tokio::spawn(async move {
            other.until(Duration::from_secs(20), |seen| seen.count() == 1).await
        });
        causes.cause(at(0));
        board.tell(at(1), &Told { mark: Mark::Number(0), seq: None });
        assert!(waiting.await.unwrap());
        assert!(!board.until(Duration::ZERO, |seen| seen.count() == 2).await);
    }
}
