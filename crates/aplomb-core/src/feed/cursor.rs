//! Where a reader is: the history it reads, and the number of its last notice in each node.
//!
//! To its bearer a cursor is a word without meaning. It gives no right: it is looked at only with
//! the rights of whoever sends it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::pubsub::Point;

/// A place in several nodes.
///
/// - Shape: base64url of a version, the epoch with its length, and for each node a hash of its
///   name with the number, 7 bits to a byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    epoch: String,
    places: Vec<(u64, u64)>,
}

impl Cursor {
    /// A reader of the history `epoch` who had these numbers last.
    pub fn new<'a>(epoch: &str, places: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let places = places.into_iter().map(|(node, seq)| (hash_of(node), seq)).collect();
        Self { epoch: epoch.to_owned(), places }
    }

    /// Reads what [`Cursor::to_text`] wrote; none for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&[VERSION, length], rest) = bytes.split_first_chunk()? else { return None };
        let (epoch, mut rest) = rest.split_at_checked(length.into())?;
        let epoch = String::from_utf8(epoch.to_vec()).ok()?;
        let mut places = Vec::new();
        while let Some((hash, after)) = rest.split_first_chunk() {
            let seq;
            (seq, rest) = read_number(after)?;
            places.push((u64::from_be_bytes(*hash), seq));
        }
        rest.is_empty().then_some(Self { epoch, places })
    }

    /// The cursor as a word of letters, digits, `-` and `_`.
    pub fn to_text(&self) -> String {
        let mut bytes = vec![VERSION, u8::try_from(self.epoch.len()).unwrap_or(u8::MAX)];
        bytes.extend(self.epoch.bytes().take(u8::MAX.into()));
        for (hash, seq) in &self.places {
            bytes.extend(hash.to_be_bytes());
            push_number(&mut bytes, *seq);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Where the reader is in a node, if the cursor was made with it.
    pub fn point(&self, node: &str) -> Option<Point> {
        let hash = hash_of(node);
        let (_, seq) = self.places.iter().find(|(other, _)| *other == hash)?;
        Some(Point { epoch: self.epoch.clone(), seq: *seq })
    }
}

/// FNV-1a, 64 bits: short, and two nodes of one reader do not meet by chance.
fn hash_of(node: &str) -> u64 {
    node.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7F {
        bytes.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate().take(NUMBER_BYTES_MAX) {
        number |= u64::from(byte & 0x7F).checked_shl(7 * u32::try_from(place).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((number, &bytes[place + 1..]));
        }
    }
    None
}

/// The form of the cursors of this program.
const VERSION: u8 = 1;

/// Bytes of the longest number, 7 bits to a byte.
const NUMBER_BYTES_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EPOCH: &str = "f2b6a0c4-0d5e-4f6c-9c39-6e1a34e0a001";

    #[test]
    fn a_cursor_is_one_short_word_and_tells_each_place() {
        let node = |n: u64| format!("/finesse/api/User/{n}");
        let names: Vec<_> = (0..64).map(node).collect();
        let cursor = Cursor::new(EPOCH, names.iter().map(String::as_str).zip(100_u64..));
        let text = cursor.to_text();
        assert!(text.len() < 1_000, "{}", text.len());
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let read = Cursor::parse(&text).unwrap();
        for (name, seq) in names.iter().zip(100..) {
            assert_eq!(read.point(name), Some(Point { epoch: EPOCH.to_owned(), seq }));
        }
        assert_eq!(read.point("/finesse/api/User/64"), None);
    }

    #[test]
    fn other_texts_are_no_cursor() {
        let good = Cursor::new(EPOCH, [("n", 300)]).to_text();
        assert!(Cursor::parse(&good).is_some());
        for bad in ["", "A", "AA", "Zm9v", "!", &good[..good.len() - 2], &format!("{good}AA")] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_place_comes_back(seqs in prop::collection::vec(any::<u64>(), 0..9)) {
            let names: Vec<_> = (0..seqs.len()).map(|n| n.to_string()).collect();
            let places = names.iter().map(String::as_str).zip(seqs.iter().copied());
            let cursor = Cursor::new(EPOCH, places);
            prop_assert_eq!(Cursor::parse(&cursor.to_text()), Some(cursor));
        }

        #[test]
        fn no_text_makes_it_fail(text in "[A-Za-z0-9_-]{0,90}") {
            let _ = Cursor::parse(&text);
        }
    }
}
