//! Which part of a long list is wanted, and which part was given (XEP-0059).

use std::ops::Range;

/// The part of a list that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it is.
    pub start: Start,
    /// How many entries it has at most; none leaves it to the service.
    pub max: Option<usize>,
}

/// Where a page is in its list. Keys are words of the service, opaque to everybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the beginning.
    First,
    /// Right after the entry of this key (XEP-0059 §2.2).
    After(String),
    /// It ends right before the entry of this key (XEP-0059 §2.3).
    Before(String),
    /// It ends with the list (XEP-0059 §2.5).
    Last,
    /// At the entry of this number, from 0 (XEP-0059 §2.6).
    Index(usize),
}

/// Which side of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Up to the key, without it.
    Before,
    /// From the key on, without it.
    After,
}

/// The part of a list that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its first and its last entry; none of an empty page.
    pub ends: Option<Ends>,
    /// How many entries the list has.
    pub count: usize,
}

/// The ends of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    /// The place of the first entry in the list, from 0.
    pub index: usize,
    /// The key of the first entry.
    pub first: String,
    /// The key of the last entry.
    pub last: String,
}

impl Page {
    /// Whether the page is reckoned from its end, so that what does not fit is left out in front.
    pub const fn is_backward(&self) -> bool {
        matches!(self.start, Start::Before(_) | Start::Last)
    }

    /// The places of the page in a list of `count` entries, where `place` finds that of a key: how
    /// many entries are before it, and with it when the page comes after.
    ///
    /// - Errors: those of `place`.
    pub fn range<E>(
        &self,
        count: usize,
        place: impl FnOnce(&str, Side) -> Result<usize, E>,
    ) -> Result<Range<usize>, E> {
        let max = self.max.unwrap_or(count);
        let from = |at: usize| at..at.saturating_add(max).min(count);
        let up_to = |at: usize| at.saturating_sub(max)..at;
        Ok(match &self.start {
            Start::First => from(0),
            Start::After(key) => from(place(key, Side::After)?),
            Start::Before(key) => up_to(place(key, Side::Before)?),
            Start::Last => up_to(count),
            Start::Index(at) => from((*at).min(count)),
        })
    }

    /// The same of a list that is sorted by its keys: a key that is gone leads to where it was, so
    /// that no other entry is left out (XEP-0059 §2.4).
    pub fn range_of_sorted<K: AsRef<str>>(&self, keys: &[K]) -> Range<usize> {
        let place = |key: &str, side| {
            let is_before = |other: &K| match side {
                Side::Before => other.as_ref() < key,
                Side::After => other.as_ref() <= key,
            };
            Ok::<_, std::convert::Infallible>(keys.partition_point(is_before))
        };
        let Ok(range) = self.range(keys.len(), place);
        range
    }
}

impl Section {
    /// The section `range` of a list of `count` entries, whose keys `key` tells.
    pub fn new(range: &Range<usize>, count: usize, key: impl Fn(usize) -> String) -> Self {
        let ends = (!range.is_empty()).then(|| Ends {
            index: range.start,
            first: key(range.start),
            last: key(range.end - 1),
        });
        Self { ends, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: Start, max: Option<usize>, expected: &[&str]) {
        let list = ["b", "d", "f", "h"];
        let range = Page { start, max }.range_of_sorted(&list);
        assert_eq!(&list[range], expected);
    }

    #[test]
    fn a_page_is_found_from_either_end_by_key_and_by_number() {
        let after = |key: &str| Start::After(key.to_owned());
        let before = |key: &str| Start::Before(key.to_owned());
        check(Start::First, None, &["b", "d", "f", "h"]);
        check(Start::First, Some(2), &["b", "d"]);
        check(Start::First, Some(0), &[]);
        check(Start::Last, Some(3), &["d", "f", "h"]);
        check(Start::Last, Some(9), &["b", "d", "f", "h"]);
        check(after("d"), Some(1), &["f"]);
        check(after("h"), Some(1), &[]);
        check(before("f"), Some(1), &["d"]);
        check(before("b"), Some(1), &[]);
        check(Start::Index(1), Some(2), &["d", "f"]);
        check(Start::Index(9), Some(2), &[]);
        check(Start::Index(3), Some(usize::MAX), &["h"]);
    }

    #[test]
    fn a_key_that_is_gone_leads_to_where_it_was() {
        check(Start::After("e".to_owned()), Some(1), &["f"]);
        check(Start::Before("e".to_owned()), Some(1), &["d"]);
        check(Start::After("z".to_owned()), None, &[]);
    }
}
