//! What is held back while nobody looks at a client (XEP-0352).
//!
//! Only presences of others, and of each sender the newest. Events pass; any other letter is
//! preceded by all that is held, so that who writes is never seen in an older state than the one he
//! wrote in. When somebody looks again, all of it is sent before anything else of the client is
//! heard (§5.1). Who resumes begins anew: what was held is among what waits (§5.2).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aplomb_core::realm::Shown;

use super::Session;
use crate::limits::HELD_PRESENCES_MAX;
use crate::mailbox::Letter;

/// What is held back of a session, and what is to be sent before it is heard again.
#[derive(Debug, Default)]
pub(super) struct Held {
    is_inactive: bool,
    /// By when they came.
    presences: BTreeMap<u64, Arc<Shown>>,
    /// When that of each sender came.
    came: HashMap<Box<str>, u64>,
    /// How many were ever held.
    count: u64,
    /// How many letters are to be sent first.
    first: usize,
}

impl Held {
    /// Takes letters from the mailbox; gives back what is to be sent now.
    pub(super) fn sift(&mut self, letters: Vec<Letter>) -> Vec<Letter> {
        if !self.is_inactive {
            return letters;
        }
        let mut now = Vec::with_capacity(letters.len());
        for letter in letters {
            match letter {
                Letter::Presence(shown) => {
                    self.hold(shown);
                    if self.presences.len() > HELD_PRESENCES_MAX {
                        now.extend(self.release());
                    }
                }
                Letter::Parcel(_) | Letter::Stanza(_) => {
                    now.extend(self.release());
                    now.push(letter);
                }
                Letter::Notice { .. } | Letter::End(_) => now.push(letter),
            }
        }
        now
    }

    /// Whether something is to be sent before anything is heard.
    pub(super) const fn is_behind(&self) -> bool {
        self.first > 0
    }

    /// Notes that so many letters were sent.
    pub(super) const fn note_letters(&mut self, count: usize) {
        self.first = self.first.saturating_sub(count);
    }

    /// Sends nothing first any more.
    pub(super) const fn forget_letters(&mut self) {
        self.first = 0;
    }

    fn hold(&mut self, shown: Arc<Shown>) {
        self.count += 1;
        if let Some(older) = self.came.insert(shown.sender().into(), self.count) {
            self.presences.remove(&older);
        }
        self.presences.insert(self.count, shown);
    }

    /// All that is held, which is held no longer.
    pub(super) fn release(&mut self) -> impl Iterator<Item = Letter> + use<> {
        self.came = HashMap::new();
        std::mem::take(&mut self.presences).into_values().map(Letter::Presence)
    }
}

impl Session {
    /// Takes what the client says of itself.
    pub(super) fn note_state(&mut self, is_active: bool) {
        let held = self.held.get_or_insert_default();
        held.is_inactive = !is_active;
        if is_active {
            let letters: Vec<_> = self.letters.by_ref().chain(held.release()).collect();
            held.first = letters.len();
            self.letters = letters.into_iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use aplomb_core::realm::Show;
    use aplomb_core::xml::Element;

    use super::*;

    fn presence(from: &str, show: Show) -> Letter {
        let tail = format!(" from=\"{from}\"/>").into();
        Letter::Presence(Arc::new(Shown { priority: 0, show, tail }))
    }

    fn stanza() -> Letter {
        Letter::Stanza(Arc::new(Element::new("jabber:client", "message")))
    }

    fn words(letters: impl IntoIterator<Item = Letter>) -> Vec<String> {
        let word = |letter| match letter {
            Letter::Presence(shown) => format!("{} {:?}", shown.sender(), shown.show),
            Letter::Stanza(_) => "stanza".to_owned(),
            other => panic!("{other:?}"),
        };
        letters.into_iter().map(word).collect()
    }

    #[test]
    fn the_newest_of_each_is_held_until_a_stanza_comes() {
        let mut held = Held { is_inactive: true, ..Held::default() };
        let came = vec![presence("a", Show::Away), presence("b", Show::Busy)];
        assert!(held.sift(came).is_empty());
        let came = vec![presence("a", Show::Gone), stanza(), presence("b", Show::Chat)];
        assert_eq!(words(held.sift(came)), ["b Busy", "a Gone", "stanza"]);
        assert_eq!(words(held.release()), ["b Chat"]);
        assert_eq!(held.release().count(), 0);
    }

    #[test]
    fn nothing_is_held_of_an_active_client_nor_more_than_the_bound() {
        let mut held = Held::default();
        assert_eq!(held.sift(vec![presence("a", Show::Away)]).len(), 1);
        held.is_inactive = true;
        let many = (0..=HELD_PRESENCES_MAX).map(|at| presence(&at.to_string(), Show::Away));
        assert_eq!(held.sift(many.collect()).len(), HELD_PRESENCES_MAX + 1);
        assert_eq!(held.release().count(), 0);
    }
}
