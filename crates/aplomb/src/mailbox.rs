//! A bounded queue to one reader, with a named answer to "full".
//!
//! Writers never wait: what does not fit ends the session, so one slow reader delays nobody. The
//! waker lies under the same lock as the letters; so a letter that comes while the reader goes to
//! sleep either is seen by it or wakes it.

mod parcel;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};

use aplomb_core::pubsub::Notice;
use aplomb_core::realm::Shown;
use aplomb_core::xml::Element;
use parking_lot::Mutex;

use crate::limits::{GREETINGS_MAX, PRESENCES_APART_MAX, STANZA_LETTER_BYTES};
pub use parcel::{Mail, Parcel, Room};

/// What a mailbox holds.
#[derive(Debug, Clone)]
pub enum Letter {
    /// An event. It is rendered already; the session adds the envelope.
    Notice {
        /// The shared event.
        notice: Arc<Notice>,
        /// Whether the subscription is of the full JID, so that `to` is full as well.
        to_full: bool,
    },
    /// Somebody's presence. It is rendered but for the addressee.
    Presence(Arc<Shown>),
    /// A stanza of somebody else. Its bounds are those of its [`Room`].
    Parcel(Arc<Parcel>),
    /// Any other stanza.
    Stanza(Arc<Element>),
    /// The session must end.
    End(EndReason),
}

impl Letter {
    /// Notes whether the client has it, as far as one can know.
    pub fn note_taken(&self, is_taken: bool) {
        if let Self::Parcel(parcel) = self {
            parcel.note_taken(is_taken);
        }
    }

    /// What it counts against the bytes of a mailbox.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Notice { notice, .. } => notice.body.len(),
            Self::Presence(shown) => shown.tail.len(),
            Self::Parcel(parcel) => parcel.bytes(),
            Self::Stanza(_) => STANZA_LETTER_BYTES,
            Self::End(_) => 0,
        }
    }
}

/// Why the server ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// Another session bound the same address.
    Conflict,
    /// The reader is too slow: its mailbox was full.
    SlowReader,
    /// The server stops.
    Shutdown,
    /// The account was removed or its password changed.
    AccountChanged,
}

/// The mailbox is full: the letter was not taken and the session must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// The queue. Many writers, one reader. It allocates nothing while it is empty, nor for a letter
/// that comes alone.
#[derive(Debug)]
pub struct Mailbox {
    letters_max: u32,
    bytes_max: u32,
    /// Made when somebody first sends something.
    room: OnceLock<Arc<Room>>,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    first: Option<Letter>,
    rest: VecDeque<Letter>,
    bytes: usize,
    /// How many of the letters do not count: parcels, and what a session is shown as it comes.
    uncounted: u32,
    /// After the end nothing more comes in.
    is_ended: bool,
    reader: Option<Waker>,
}

impl Mailbox {
    /// An empty mailbox for at most `letters_max` letters and `bytes_max` bytes of notices.
    pub fn new(letters_max: usize, bytes_max: usize) -> Self {
        let narrow = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let (letters_max, bytes_max) = (narrow(letters_max), narrow(bytes_max));
        Self { letters_max, bytes_max, room: OnceLock::new(), inside: Mutex::default() }
    }

    /// Puts a letter in and wakes the reader.
    ///
    /// - Errors: [`Full`] when the letter does not fit. The mailbox is emptied then and holds only
    ///   [`EndReason::SlowReader`]. After an end, that one or another, nothing more is taken and
    ///   nothing more goes wrong: the session is on its way out.
    pub fn push(&self, letter: Letter) -> Result<(), Full> {
        let (taken, reader) = {
            let mut inside = self.inside.lock();
            let taken = self.take(&mut inside, letter);
            (taken, inside.reader.take())
        };
        if let Some(reader) = reader {
            reader.wake();
        }
        taken
    }

    /// Puts in what a session is shown as it comes, beside the bounds: it is as much as its roster
    /// has contacts, and would end a session that has done nothing but come. While
    /// [`GREETINGS_MAX`] of them wait, more are letters as any other.
    pub fn greet(&self, letters: impl Iterator<Item = Letter>) {
        let reader = {
            let mut inside = self.inside.lock();
            for letter in letters {
                if inside.uncounted < GREETINGS_MAX && !inside.is_ended {
                    inside.uncounted += 1;
                    inside.add(letter);
                } else if self.take(&mut inside, letter).is_err() {
                    break;
                }
            }
            inside.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// An end passes by the bounds, or a full mailbox could not be told to end.
    fn take(&self, inside: &mut Inside, letter: Letter) -> Result<(), Full> {
        if inside.is_ended {
            return Ok(());
        }
        if matches!(letter, Letter::Parcel(_)) {
            inside.uncounted += 1;
            inside.add(letter);
            return Ok(());
        }
        if let Letter::Presence(shown) = &letter {
            inside.forget_older(shown);
        }
        let bytes = letter.bytes();
        inside.is_ended = matches!(letter, Letter::End(_));
        let counted = inside.depth() - inside.uncounted as usize;
        let has_room =
            counted < self.letters_max as usize && inside.bytes + bytes <= self.bytes_max as usize;
        if has_room || inside.is_ended {
            inside.bytes += bytes;
            inside.add(letter);
            return Ok(());
        }
        let end = Some(Letter::End(EndReason::SlowReader));
        *inside = Inside {
            first: end,
            is_ended: true,
            reader: inside.reader.take(),
            ..Inside::default()
        };
        Err(Full)
    }

    /// Moves every letter to the end of `letters`; returns how many.
    pub fn drain(&self, letters: &mut Vec<Letter>) -> usize {
        let (first, rest) = {
            let mut inside = self.inside.lock();
            inside.bytes = 0;
            inside.uncounted = 0;
            (inside.first.take(), mem::take(&mut inside.rest))
        };
        let before = letters.len();
        letters.extend(first);
        letters.extend(rest);
        letters.len() - before
    }

    /// Waits until there is a letter. Only the one reader may wait.
    pub async fn wait(&self) {
        poll_fn(|context| {
            let mut inside = self.inside.lock();
            if inside.first.is_some() {
                return Poll::Ready(());
            }
            inside.remember(context.waker());
            Poll::Pending
        })
        .await;
    }

    /// Waits until the last letter is there: for a reader that can read no other just now.
    pub async fn wait_for_end(&self) {
        poll_fn(|context| {
            let mut inside = self.inside.lock();
            if inside.is_ended {
                return Poll::Ready(());
            }
            inside.remember(context.waker());
            Poll::Pending
        })
        .await;
    }

    /// The room for other people's stanzas.
    pub fn room(&self) -> &Arc<Room> {
        self.room.get_or_init(Arc::default)
    }

    /// Whether nothing more is taken.
    pub fn is_ended(&self) -> bool {
        self.inside.lock().is_ended
    }

    /// How many letters wait.
    pub fn depth(&self) -> usize {
        self.inside.lock().depth()
    }
}

impl Inside {
    fn depth(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Makes room where many letters wait: of the presences of one session the newest says it all.
    fn forget_older(&mut self, shown: &Shown) {
        if self.rest.len() < PRESENCES_APART_MAX {
            return;
        }
        let sender = shown.sender();
        let older = self.rest.iter().position(|letter| match letter {
            Letter::Presence(other) => other.sender() == sender,
            _ => false,
        });
        if let Some(older) = older.and_then(|at| self.rest.remove(at)) {
            // It may be a greeting, which is not counted, or take the place of one.
            self.bytes = self.bytes.saturating_sub(older.bytes());
            self.uncounted = self.uncounted.saturating_sub(1);
        }
    }

    fn remember(&mut self, waker: &Waker) {
        match &mut self.reader {
            Some(reader) => reader.clone_from(waker),
            reader => *reader = Some(waker.clone()),
        }
    }

    fn add(&mut self, letter: Letter) {
        match self.first {
            None => self.first = Some(letter),
            Some(_) => self.rest.push_back(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use aplomb_core::pubsub::{NotificationType, Told};
    use aplomb_core::realm::Show;

    use super::*;

    fn notice(seq: u64, bytes: usize) -> Letter {
        let body = "x".repeat(bytes).into();
        let (id, told) = ("12345678".into(), Told::Purge);
        let kind = NotificationType::Normal;
        let notice = Arc::new(Notice { node: "n".into(), seq, id, kind, told, body });
        Letter::Notice { notice, to_full: false }
    }

    /// What waits, in a few letters: a notice's number, `s` for a stanza, the reason of an end.
    fn read(mailbox: &Mailbox) -> Vec<String> {
        let mut letters = Vec::new();
        mailbox.drain(&mut letters);
        let word = |letter: &Letter| match letter {
            Letter::Notice { notice, .. } => notice.seq.to_string(),
            Letter::Presence(_) => "p".to_owned(),
            Letter::Parcel(_) => "m".to_owned(),
            Letter::Stanza(_) => "s".to_owned(),
            Letter::End(reason) => format!("{reason:?}"),
        };
        letters.iter().map(word).collect()
    }

    #[test]
    fn who_comes_is_shown_more_than_fits_and_is_then_bound_as_ever() {
        let mailbox = Mailbox::new(10, 1000);
        let shown = |at: usize| {
            let tail = format!(" from=\"a{at}@cc.test/desk\"/>").into();
            Letter::Presence(Arc::new(Shown { priority: 0, show: Show::Online, tail }))
        };
        mailbox.push(notice(1, 10)).unwrap();
        mailbox.greet((0..1_000).map(shown));
        for seq in 2..=10 {
            mailbox.push(notice(seq, 10)).unwrap();
        }
        // The newer presence of somebody who was shown takes the place of the older.
        mailbox.push(shown(500)).unwrap_err();
        assert_eq!(read(&mailbox), ["SlowReader"]);
        let mailbox = Mailbox::new(10, 1000);
        mailbox.greet((0..1_000).map(shown));
        mailbox.push(shown(500)).unwrap();
        assert_eq!(mailbox.drain(&mut Vec::new()), 1_000);
        mailbox.greet((0..GREETINGS_MAX as usize + 10).map(shown));
        assert_eq!(mailbox.depth(), GREETINGS_MAX as usize + 10);
        mailbox.greet((0..1).map(|_| notice(1, 10)));
        assert_eq!(read(&mailbox), ["SlowReader"]);
    }

    #[test]
    fn letters_come_in_order() {
        let mailbox = Mailbox::new(10, 1000);
        for seq in 1..=3 {
            mailbox.push(notice(seq, 10)).unwrap();
        }
        assert_eq!(
            (mailbox.depth(), read(&mailbox)),
            (3, vec!["1".into(), "2".into(), "3".into()])
        );
        mailbox.push(notice(4, 1000)).unwrap();
        assert_eq!(read(&mailbox), ["4"]);
        assert_eq!(mailbox.depth(), 0);
    }

    #[test]
    fn who_changes_his_presence_all_day_fills_nobodys_mailbox() {
        let letters_max = PRESENCES_APART_MAX + 4;
        let mailbox = Mailbox::new(letters_max, 100_000);
        let presence = |from: &str| {
            let (priority, show) = (0, Show::Away);
            let tail = format!(" from=\"{from}\"/>").into();
            Letter::Presence(Arc::new(Shown { priority, show, tail }))
        };
        mailbox.push(notice(1, 1)).unwrap();
        for _ in 0..1000 {
            mailbox.push(presence("ada")).unwrap();
        }
        mailbox.push(presence("bob")).unwrap();
        mailbox.push(notice(2, 1)).unwrap();
        let read = read(&mailbox);
        assert!(read.len() <= letters_max, "{read:?}");
        assert_eq!(
            (read[0].as_str(), &read[read.len() - 2..]),
            ("1", &["p".into(), "2".into()][..])
        );
    }

    #[test]
    fn one_letter_too_many_leaves_only_the_end() {
        let mailbox = Mailbox::new(2, 1000);
        mailbox.push(notice(1, 1)).unwrap();
        mailbox.push(notice(2, 1)).unwrap();
        assert_eq!(mailbox.push(notice(3, 1)), Err(Full));
        assert_eq!(mailbox.push(notice(4, 1)), Ok(()));
        assert_eq!(read(&mailbox), ["SlowReader"]);
        mailbox.push(Letter::End(EndReason::Conflict)).unwrap();
        assert_eq!(mailbox.depth(), 0);
    }

    #[test]
    fn one_byte_too_many_leaves_only_the_end() {
        let mailbox = Mailbox::new(10, 100);
        mailbox.push(notice(1, 60)).unwrap();
        mailbox.push(notice(2, 40)).unwrap();
        assert_eq!(mailbox.push(notice(3, 1)), Err(Full));
        assert_eq!(read(&mailbox), ["SlowReader"]);
    }

    #[test]
    fn an_end_comes_after_what_was_there_even_when_it_is_full() {
        let mailbox = Mailbox::new(1, 100);
        mailbox.push(notice(1, 100)).unwrap();
        mailbox.push(Letter::End(EndReason::Conflict)).unwrap();
        mailbox.push(notice(2, 1)).unwrap();
        assert_eq!(read(&mailbox), ["1", "Conflict"]);
    }

    /// Many rounds of one letter each, so that most of them come while the reader falls asleep.
    #[test]
    fn no_wake_up_is_lost() {
        const ROUNDS: usize = 50_000;
        const WRITERS: usize = 2;
        let mailbox = Arc::new(Mailbox::new(ROUNDS * WRITERS, ROUNDS * WRITERS));
        let read = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (mailbox, read) = (Arc::clone(&mailbox), Arc::clone(&read));
                std::thread::spawn(move || {
                    for round in 0..ROUNDS {
                        mailbox.push(notice(round as u64, 1)).unwrap();
                        // Now and then let the reader catch up, or it would never sleep.
                        if round % 4 == 0 {
                            let seen = read.load(Ordering::Relaxed);
                            for _ in 0..100 {
                                if read.load(Ordering::Relaxed) != seen {
                                    break;
                                }
                                std::hint::spin_loop();
                            }
                        }
                    }
                })
            })
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let read_all = async {
            let mut letters = Vec::new();
            while letters.len() < ROUNDS * WRITERS {
                mailbox.wait().await;
                mailbox.drain(&mut letters);
                read.store(letters.len(), Ordering::Relaxed);
            }
        };
        let in_time = async { tokio::time::timeout(Duration::from_secs(60), read_all).await };
        runtime.block_on(in_time).expect("a reader that sleeps on letters was not woken");
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(mailbox.depth(), 0);
    }

    #[test]
    fn an_empty_mailbox_is_small() {
        assert!(size_of::<Mailbox>() <= 112, "{}", size_of::<Mailbox>());
    }
}
