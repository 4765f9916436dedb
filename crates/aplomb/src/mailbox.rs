//! A bounded queue to one reader, with a named answer to "full".
//!
//! Writers never wait: what does not fit ends the session, so one slow reader delays nobody. The
//! waker lies under the same lock as the letters; so a letter that comes while the reader goes to
//! sleep either is seen by it or wakes it.

mod parcel;
mod requests;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};

use aplomb_core::pubsub::Notice;
use aplomb_core::realm::{Shown, pushed_contact};
use aplomb_core::xml::Element;
use parking_lot::Mutex;

use crate::limits::{LETTERS_APART_MAX, LETTERS_UNCOUNTED_MAX, PRESENCES_OF_ONE_MAX};
pub use parcel::{Mail, Parcel, Room};
pub use requests::Requests;

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
            Self::Stanza(stanza) => stanza.weight(),
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
    first: Option<Waiting>,
    rest: VecDeque<Waiting>,
    /// How many of the letters count against the bounds.
    counted: u32,
    /// The bytes of these.
    counted_bytes: u32,
    /// How many presences and greetings do not count.
    uncounted: u32,
    /// After the end nothing more comes in.
    is_ended: bool,
    reader: Option<Waker>,
}

/// A letter, and what it stands for in the sums of its mailbox.
#[derive(Debug)]
struct Waiting {
    letter: Letter,
    bytes: u32,
    counts: Counts,
    /// Whether it is of a session that the reader does not know of.
    is_new: bool,
}

/// Against what a letter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// The letters and bytes of the mailbox.
    AsLetter,
    /// The presences and greetings beside them.
    Apart,
    /// Nothing here: parcels, whose room is their own.
    Not,
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
        if let Letter::Presence(shown) = letter {
            return self.show(shown, false);
        }
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
    /// [`LETTERS_UNCOUNTED_MAX`] of them wait, more are letters as any other.
    pub fn greet(&self, letters: impl Iterator<Item = Letter>) {
        let reader = {
            let mut inside = self.inside.lock();
            for letter in letters {
                if self.take_apart(&mut inside, letter, false).is_err() {
                    break;
                }
            }
            inside.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Puts in somebody's presence, beside the bounds as well. `is_new` says that the reader cannot
    /// know yet that this session is there: if it is gone before that is read, neither is told, so
    /// that who comes and goes all day leaves nothing behind.
    ///
    /// - Errors: as for [`Mailbox::push`].
    pub fn show(&self, shown: Arc<Shown>, is_new: bool) -> Result<(), Full> {
        let (taken, reader) = {
            let mut inside = self.inside.lock();
            let taken = match inside.make_way(&shown, is_new) {
                Some(is_new) => self.take_apart(&mut inside, Letter::Presence(shown), is_new),
                None => Ok(()),
            };
            (taken, inside.reader.take())
        };
        if let Some(reader) = reader {
            reader.wake();
        }
        taken
    }

    fn take_apart(&self, inside: &mut Inside, letter: Letter, is_new: bool) -> Result<(), Full> {
        if inside.uncounted < LETTERS_UNCOUNTED_MAX && !inside.is_ended {
            inside.add(Waiting { bytes: 0, counts: Counts::Apart, is_new, letter });
            return Ok(());
        }
        self.take(inside, letter)
    }

    /// An end passes by the bounds, or a full mailbox could not be told to end.
    fn take(&self, inside: &mut Inside, letter: Letter) -> Result<(), Full> {
        if inside.is_ended {
            return Ok(());
        }
        if matches!(letter, Letter::Parcel(_)) {
            inside.add(Waiting { bytes: 0, counts: Counts::Not, is_new: false, letter });
            return Ok(());
        }
        inside.forget_older_push(&letter);
        let bytes = u32::try_from(letter.bytes()).unwrap_or(u32::MAX);
        inside.is_ended = matches!(letter, Letter::End(_));
        let has_room = inside.counted < self.letters_max
            && inside.counted_bytes.saturating_add(bytes) <= self.bytes_max;
        if has_room || inside.is_ended {
            inside.add(Waiting { bytes, counts: Counts::AsLetter, is_new: false, letter });
            return Ok(());
        }
        *inside = Inside { reader: inside.reader.take(), is_ended: true, ..Inside::default() };
        let letter = Letter::End(EndReason::SlowReader);
        inside.add(Waiting { bytes: 0, counts: Counts::AsLetter, is_new: false, letter });
        Err(Full)
    }

    /// Moves every letter to the end of `letters`; returns how many.
    pub fn drain(&self, letters: &mut Vec<Letter>) -> usize {
        let (first, rest) = {
            let mut inside = self.inside.lock();
            (inside.counted, inside.counted_bytes, inside.uncounted) = (0, 0, 0);
            (inside.first.take(), mem::take(&mut inside.rest))
        };
        let before = letters.len();
        letters.extend(first.into_iter().chain(rest).map(|waiting| waiting.letter));
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

    /// Takes away what a presence makes idle where many letters wait: of those of one session the
    /// newest says it all. Says whether the reader knows of the session, or nothing if the presence
    /// need not be told: it is the end of what was not told, or too many of this person wait.
    fn make_way(&mut self, shown: &Shown, is_new: bool) -> Option<bool> {
        if self.rest.len() < LETTERS_APART_MAX {
            return Some(is_new);
        }
        let sender = shown.sender();
        let person = bare(sender);
        let (mut known, mut of_person) = (None, 0);
        self.retain(|waiting| {
            let Letter::Presence(other) = &waiting.letter else { return true };
            let other = other.sender();
            of_person += usize::from(bare(other) == person && other != sender);
            if other == sender {
                // The oldest of them says what the reader knew before.
                known.get_or_insert(waiting.is_new);
            }
            other != sender
        });
        let is_new = known.unwrap_or(is_new);
        let is_untold = known.is_some() && is_new && !shown.is_available();
        (!is_untold && of_person < PRESENCES_OF_ONE_MAX).then_some(is_new)
    }

    /// Takes away an older roster push of the same contact where many letters wait.
    fn forget_older_push(&mut self, letter: &Letter) {
        if self.rest.len() < LETTERS_APART_MAX {
            return;
        }
        if let Some(contact) = contact_of(letter) {
            self.retain(|waiting| contact_of(&waiting.letter) != Some(contact));
        }
    }

    fn retain(&mut self, mut is_kept: impl FnMut(&Waiting) -> bool) {
        let Self { first, rest, counted, counted_bytes, uncounted, .. } = self;
        let mut look = |waiting: &Waiting| {
            let keeps = is_kept(waiting);
            if !keeps {
                match waiting.counts {
                    Counts::AsLetter => {
                        *counted -= 1;
                        *counted_bytes -= waiting.bytes;
                    }
                    Counts::Apart => *uncounted -= 1,
                    Counts::Not => {}
                }
            }
            keeps
        };
        let keeps_first = first.as_ref().is_none_or(&mut look);
        rest.retain(look);
        if !keeps_first {
            *first = rest.pop_front();
        }
    }

    fn remember(&mut self, waker: &Waker) {
        match &mut self.reader {
            Some(reader) => reader.clone_from(waker),
            reader => *reader = Some(waker.clone()),
        }
    }

    fn add(&mut self, waiting: Waiting) {
        match waiting.counts {
            Counts::AsLetter => {
                self.counted += 1;
                self.counted_bytes = self.counted_bytes.saturating_add(waiting.bytes);
            }
            Counts::Apart => self.uncounted += 1,
            Counts::Not => {}
        }
        match self.first {
            None => self.first = Some(waiting),
            Some(_) => self.rest.push_back(waiting),
        }
    }
}

fn bare(address: &str) -> &str {
    address.split_once('/').map_or(address, |(bare, _)| bare)
}

/// Of whom a roster push is.
fn contact_of(letter: &Letter) -> Option<&str> {
    match letter {
        Letter::Stanza(stanza) => pushed_contact(stanza),
        Letter::Notice { .. } | Letter::Presence(_) | Letter::Parcel(_) | Letter::End(_) => None,
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
        // The newer presence of somebody who was shown takes the place of the older, and no more.
        for _ in 0..100 {
            mailbox.push(shown(500)).unwrap();
        }
        assert_eq!(mailbox.depth(), 1_010);
        mailbox.push(notice(11, 10)).unwrap_err();
        assert_eq!(read(&mailbox), ["SlowReader"]);
        let mailbox = Mailbox::new(10, 1000);
        mailbox.greet((0..1_000).map(shown));
        mailbox.push(shown(500)).unwrap();
        assert_eq!(mailbox.drain(&mut Vec::new()), 1_000);
        mailbox.greet((0..LETTERS_UNCOUNTED_MAX as usize + 10).map(shown));
        assert_eq!(mailbox.depth(), LETTERS_UNCOUNTED_MAX as usize + 10);
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
        let letters_max = LETTERS_APART_MAX + 4;
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
    fn who_comes_and_goes_under_ever_new_names_leaves_no_letters() {
        let mailbox = Mailbox::new(10, 1000);
        let shown = |desk: &str, show| {
            let tail = format!(" from=\"ada@cc.test/{desk}\"/>").into();
            Arc::new(Shown { priority: 0, show, tail })
        };
        mailbox.greet((0..LETTERS_APART_MAX + 1).map(|_| notice(0, 1)));
        let before = mailbox.depth();
        for at in 0..1_000 {
            let desk = at.to_string();
            mailbox.show(shown(&desk, Show::Online), true).unwrap();
            mailbox.show(shown(&desk, Show::Away), false).unwrap();
            mailbox.show(shown(&desk, Show::Gone), false).unwrap();
        }
        assert_eq!(mailbox.depth(), before);
        // Who is known is told gone, however often he came back meanwhile.
        mailbox.show(shown("known", Show::Gone), false).unwrap();
        mailbox.show(shown("known", Show::Online), true).unwrap();
        mailbox.show(shown("known", Show::Gone), false).unwrap();
        assert_eq!(mailbox.depth(), before + 1);
        // Whose names nobody can know of has so much room.
        for at in 0..1_000 {
            mailbox.show(shown(&at.to_string(), Show::Gone), false).unwrap();
        }
        assert_eq!(mailbox.depth(), before + PRESENCES_OF_ONE_MAX);
        mailbox.push(notice(1, 1)).unwrap();
    }

    #[test]
    fn of_roster_pushes_of_one_contact_the_newest_waits() {
        let push = |at: usize, contact: &str| {
            let text = format!(
                "<iq xmlns='jabber:client' type='set' id='push-{at}'><query \
                 xmlns='jabber:iq:roster' ver='{at}'><item jid='{contact}'/></query></iq>"
            );
            let push = aplomb_core::xml::read_element(&text, aplomb_core::xml::Prologue::Forbidden);
            Letter::Stanza(Arc::new(push.unwrap()))
        };
        let mailbox = Mailbox::new(LETTERS_APART_MAX + 4, 100_000);
        for at in 0..1_000 {
            mailbox.push(push(at, "ada@cc.test")).unwrap();
        }
        mailbox.push(push(1_000, "bob@cc.test")).unwrap();
        mailbox.push(notice(1, 1)).unwrap();
        let mut letters = Vec::new();
        mailbox.drain(&mut letters);
        let [.., Letter::Stanza(ada), Letter::Stanza(bob), Letter::Notice { .. }] = &letters[..]
        else {
            panic!("{letters:?}")
        };
        assert_eq!([ada.attr("id"), bob.attr("id")], [Some("push-999"), Some("push-1000")]);
    }

    /// Whatever comes in whatever order, the sums are those of the letters that wait.
    #[test]
    fn the_sums_are_those_of_the_letters() {
        let mut seed = 0x5eed_u64;
        let mut chance = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            (seed >> 33) % below
        };
        let mailbox = Mailbox::new(60, 500);
        let mut ends = 0;
        for step in 0..20_000 {
            let (who, is_new) = (chance(30), chance(2) == 0);
            let show = [Show::Online, Show::Away, Show::Gone][chance(3) as usize];
            let tail = format!(" from=\"a{}@cc.test/{who}\"/>", who % 3).into();
            let shown = Arc::new(Shown { priority: 0, show, tail });
            match chance(100) {
                0..70 => mailbox.show(shown, is_new).unwrap_or(()),
                70..80 => mailbox.greet([Letter::Presence(shown)].into_iter()),
                80..84 => mailbox.greet([notice(1, 7)].into_iter()),
                84..99 => mailbox.push(notice(1, chance(60) as usize)).unwrap_or(()),
                _ => assert!(mailbox.drain(&mut Vec::new()) < 1_000),
            }
            let mut inside = mailbox.inside.lock();
            let all = || inside.first.iter().chain(&inside.rest);
            let counting = |counts| all().filter(move |each| each.counts == counts);
            let sums = (
                counting(Counts::AsLetter).count() as u32,
                counting(Counts::AsLetter).map(|each| each.bytes).sum::<u32>(),
                counting(Counts::Apart).count() as u32,
            );
            let told = (inside.counted, inside.counted_bytes, inside.uncounted);
            assert_eq!(told, sums, "step {step}");
            assert!(inside.first.is_some() || inside.rest.is_empty());
            if inside.is_ended {
                ends += 1;
                *inside = Inside::default();
            }
        }
        assert!(ends > 0);
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
    fn a_stanza_counts_as_much_as_it_takes() {
        let small = Element::new("urn:a", "a");
        let many = small.clone().with_children(std::iter::repeat_n(small.clone(), 1_000));
        for large in [small.clone().with_text("x".repeat(100_000)), many] {
            let mailbox = Mailbox::new(10, 50_000);
            mailbox.push(Letter::Stanza(Arc::new(small.clone()))).unwrap();
            assert_eq!(mailbox.push(Letter::Stanza(Arc::new(large))), Err(Full));
        }
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
        assert!(size_of::<Mailbox>() <= 120, "{}", size_of::<Mailbox>());
    }
}
