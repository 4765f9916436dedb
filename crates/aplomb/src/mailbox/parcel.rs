//! Stanzas of other people in a mailbox: how much room they have, and what becomes of one that
//! nobody took.
//!
//! A parcel takes room in the mailbox from when it is put in until the client has it: until it is
//! written, on a managed stream until it is acknowledged. The room is beside that of events, so
//! whatever people send each other takes no event its place, and of one sender there is only so
//! much. Of several copies of a message one that arrives is enough; when the last is gone and none
//! arrived, the message goes back (XEP-0198 §5, RFC 6121 §8.5.2.2).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aplomb_core::xml::Element;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::Requests;
use crate::limits::{PARCEL_BYTES_MAX, PARCEL_BYTES_OF_ONE_MAX, PARCELS_MAX, PARCELS_OF_ONE_MAX};

/// What somebody sent, while copies of it are on their way.
#[derive(Debug)]
pub struct Mail {
    stanza: Arc<Element>,
    returns: mpsc::Sender<Arc<Element>>,
    has_arrived: AtomicBool,
}

/// One copy on its way to one session.
#[derive(Debug)]
pub struct Parcel {
    /// What the session gets.
    pub stanza: Arc<Element>,
    /// What goes back if no copy arrives; a carbon stands for nothing.
    mail: Option<Arc<Mail>>,
    place: Place,
    is_taken: AtomicBool,
}

/// The room for other people's stanzas in one mailbox.
#[derive(Debug, Default)]
pub struct Room {
    /// What its session asked others: their answers come here.
    pub requests: Requests,
    by_sender: Mutex<HashMap<Box<str>, Load>>,
}

/// The place of a parcel in a [`Room`], given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    room: Arc<Room>,
    sender: Box<str>,
    load: Load,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Load {
    parcels: usize,
    bytes: usize,
}

impl Mail {
    /// Mail that goes to `returns` if it does not arrive.
    pub fn new(stanza: Arc<Element>, returns: mpsc::Sender<Arc<Element>>) -> Arc<Self> {
        Arc::new(Self { stanza, returns, has_arrived: AtomicBool::new(false) })
    }

    /// Notes that it need not go back.
    pub fn settle(&self) {
        self.has_arrived.store(true, Ordering::Relaxed);
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        if !*self.has_arrived.get_mut()
            && let Err(error) = self.returns.try_send(Arc::clone(&self.stanza))
        {
            // Only when the server stops, or when thousands of sessions end in one moment.
            tracing::warn!(%error, "a stanza that did not arrive could not be sent back");
        }
    }
}

impl Parcel {
    /// A copy of `mail` in its place; without mail, a carbon.
    pub const fn new(stanza: Arc<Element>, mail: Option<Arc<Mail>>, place: Place) -> Self {
        Self { stanza, mail, place, is_taken: AtomicBool::new(false) }
    }

    /// Bytes of the stanza.
    pub const fn bytes(&self) -> usize {
        self.place.load.bytes
    }

    /// Notes whether the client has it, as far as one can know.
    pub fn note_taken(&self, is_taken: bool) {
        self.is_taken.store(is_taken, Ordering::Relaxed);
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if let Some(mail) = self.mail.as_ref().filter(|_| *self.is_taken.get_mut()) {
            mail.settle();
        }
    }
}

impl Room {
    /// Takes a place for so many bytes of one sender, if there is one.
    pub fn place(self: &Arc<Self>, sender: &str, bytes: usize) -> Option<Place> {
        let load = Load { parcels: 1, bytes };
        let mut by_sender = self.by_sender.lock();
        let all = by_sender.values().fold(load, |sum, each| sum.plus(*each));
        let own = by_sender.get(sender).copied().unwrap_or_default().plus(load);
        if !all.is_within(PARCELS_MAX, PARCEL_BYTES_MAX)
            || !own.is_within(PARCELS_OF_ONE_MAX, PARCEL_BYTES_OF_ONE_MAX)
        {
            return None;
        }
        by_sender.insert(sender.into(), own);
        Some(Place { room: Arc::clone(self), sender: sender.into(), load })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_sender = self.room.by_sender.lock();
        let load = by_sender.get_mut(&self.sender).expect("a place is in its room");
        load.parcels -= self.load.parcels;
        load.bytes -= self.load.bytes;
        if load.parcels == 0 {
            by_sender.remove(&self.sender);
        }
        if by_sender.is_empty() {
            // A talk that is over leaves no memory behind.
            *by_sender = HashMap::new();
        }
    }
}

impl Load {
    const fn plus(self, other: Self) -> Self {
        Self { parcels: self.parcels + other.parcels, bytes: self.bytes + other.bytes }
    }

    const fn is_within(self, parcels_max: usize, bytes_max: usize) -> bool {
        self.parcels <= parcels_max && self.bytes <= bytes_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> (Arc<Mail>, mpsc::Receiver<Arc<Element>>) {
        let (returns, returned) = mpsc::channel(4);
        (Mail::new(Arc::new(Element::new("jabber:client", "message")), returns), returned)
    }

    fn parcel(mail: &Arc<Mail>, room: &Arc<Room>) -> Parcel {
        let place = room.place("ada@cc.test", 10).unwrap();
        Parcel::new(Arc::clone(&mail.stanza), Some(Arc::clone(mail)), place)
    }

    #[test]
    fn of_several_copies_one_that_arrives_is_enough() {
        for (taken, comes_back) in
            [([true, false], false), ([false, true], false), ([false; 2], true)]
        {
            let ((mail, mut returned), room) = (mail(), Arc::new(Room::default()));
            let copies = taken.map(|is_taken| (parcel(&mail, &room), is_taken));
            drop(mail);
            for (copy, is_taken) in copies {
                assert!(returned.try_recv().is_err());
                copy.note_taken(true);
                copy.note_taken(is_taken);
            }
            assert_eq!(returned.try_recv().is_ok(), comes_back, "{taken:?}");
            assert!(room.by_sender.lock().is_empty());
        }
    }

    #[test]
    fn one_sender_has_so_much_room_and_all_together_have_so_much() {
        let room = Arc::new(Room::default());
        let mut places = Vec::new();
        let mut fill = |sender: &str, bytes| {
            let before = places.len();
            while let Some(place) = room.place(sender, bytes) {
                places.push(place);
            }
            places.len() - before
        };
        assert_eq!(fill("a", 1), PARCELS_OF_ONE_MAX);
        assert_eq!(fill("b", PARCEL_BYTES_OF_ONE_MAX), 1);
        assert_eq!(fill("b", 1), 0);
        let others: usize = (0..PARCELS_MAX).map(|at| fill(&format!("c{at}"), 1)).sum();
        assert_eq!(others, PARCELS_MAX - PARCELS_OF_ONE_MAX - 1);
        places.drain(..).next();
        assert!(room.by_sender.lock().is_empty() && room.place("a", 1).is_some());
    }
}
