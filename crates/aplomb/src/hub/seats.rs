//! The sessions' mailboxes, found by number.

use std::sync::Arc;

use aplomb_core::realm::SessionId;

use crate::mailbox::Mailbox;

/// The mailboxes of all sessions. A number is a place and how often it was taken before, so the
/// number of a session that left finds nothing.
#[derive(Debug, Default)]
pub(super) struct Seats {
    places: Vec<Place>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place {
    turn: u32,
    mailbox: Option<Arc<Mailbox>>,
}

impl Seats {
    pub(super) fn add(&mut self, mailbox: Arc<Mailbox>) -> SessionId {
        let mailbox = Some(mailbox);
        match self.free.pop() {
            Some(place) => {
                let taken = &mut self.places[place as usize];
                taken.mailbox = mailbox;
                id(taken.turn, place)
            }
            None => {
                let place = u32::try_from(self.places.len()).expect("fewer than 2^32 sessions");
                self.places.push(Place { turn: 0, mailbox });
                id(0, place)
            }
        }
    }

    pub(super) fn get(&self, session: SessionId) -> Option<&Arc<Mailbox>> {
        let (turn, place) = parts(session);
        self.places.get(place).filter(|place| place.turn == turn)?.mailbox.as_ref()
    }

    pub(super) fn remove(&mut self, session: SessionId) -> Option<Arc<Mailbox>> {
        let (turn, at) = parts(session);
        let place = self.places.get_mut(at).filter(|place| place.turn == turn)?;
        let mailbox = place.mailbox.take()?;
        place.turn = place.turn.wrapping_add(1);
        self.free.push(u32::try_from(at).expect("a place is below 2^32"));
        Some(mailbox)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Mailbox>> {
        self.places.iter().filter_map(|place| place.mailbox.as_ref())
    }
}

fn id(turn: u32, place: u32) -> SessionId {
    SessionId(u64::from(turn) << 32 | u64::from(place))
}

fn parts(session: SessionId) -> (u32, usize) {
    let turn = u32::try_from(session.0 >> 32).expect("32 bits are left");
    (turn, (session.0 & u64::from(u32::MAX)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_who_left_finds_nobody() {
        let mut seats = Seats::default();
        let mailbox = || Arc::new(Mailbox::new(1, 1));
        let (first, second) = (seats.add(mailbox()), seats.add(mailbox()));
        assert!(seats.remove(first).is_some() && seats.remove(first).is_none());
        let third = seats.add(mailbox());
        assert!(seats.get(first).is_none() && seats.get(second).is_some());
        assert!(seats.get(third).is_some() && seats.remove(first).is_none());
        assert_eq!((seats.len(), seats.iter().count()), (2, 2));
    }
}
