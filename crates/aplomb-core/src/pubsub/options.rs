//! How a subscriber wants his events (XEP-0060 §6.3).

use crate::time::WallTime;

/// The options of a subscription (XEP-0060 §16.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether events come at all (`pubsub#deliver`).
    pub deliver: bool,
    /// In which states of a session they come to it (`pubsub#show-values`).
    pub shows: Shows,
    /// When the subscription ends by itself; none: never (`pubsub#expire`).
    pub lease: Option<WallTime>,
}

/// What somebody wants of the options; what is `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OptionsWish {
    /// `pubsub#deliver`.
    pub deliver: Option<bool>,
    /// `pubsub#show-values`.
    pub shows: Option<Shows>,
    /// `pubsub#expire`.
    pub lease: Option<Option<WallTime>>,
}

/// A set of the states that a session may be in when it is available, by the words of
/// `pubsub#show-values`: those of `show`, and `online` for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shows(u8);

impl Options {
    /// Those of whoever asks for none: everything, always, for ever.
    pub const USUAL: Self = Self { deliver: true, shows: Shows::ALL, lease: None };
}

impl OptionsWish {
    /// The options `now` with the wishes fulfilled.
    pub(super) fn over(&self, now: &Options) -> Options {
        Options {
            deliver: self.deliver.unwrap_or(now.deliver),
            shows: self.shows.unwrap_or(now.shows),
            lease: self.lease.unwrap_or(now.lease),
        }
    }
}

impl Shows {
    /// Every state.
    pub const ALL: Self = Self((1 << Self::WORDS.len()) - 1);

    /// The words there are.
    pub const WORDS: [&str; 5] = ["online", "chat", "away", "xa", "dnd"];

    /// The set of these words; none if one of them is no state.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        words.into_iter().try_fold(Self(0), |all, word| Some(Self(all.0 | bit_of(word)?)))
    }

    /// Whether the state of this word is in it.
    pub fn has(self, word: &str) -> bool {
        bit_of(word).is_some_and(|bit| self.0 & bit != 0)
    }

    /// The words of its states.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::WORDS.into_iter().filter(move |word| self.has(word))
    }
}

fn bit_of(word: &str) -> Option<u8> {
    Shows::WORDS.iter().position(|known| *known == word).map(|at| 1 << at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_states_is_its_words() {
        let some = Shows::of(["dnd", "online"]).unwrap();
        assert_eq!(some.words().collect::<Vec<_>>(), ["online", "dnd"]);
        assert!(some.has("dnd") && !some.has("away") && !some.has("gone"));
        assert_eq!(Shows::of(Shows::WORDS), Some(Shows::ALL));
        assert_eq!(Shows::of(["offline"]), None);
        assert_eq!(Shows::of([]).unwrap().words().count(), 0);
    }
}
