//! Events as they were written once, for the readers to come.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use aplomb_core::feed::{Event, Format};
use parking_lot::Mutex;

use crate::limits::FEED_RENDERED_BYTES_MAX;

/// The newest renderings; the oldest go when they are too many bytes.
///
/// A node never gives a number to two notices, so node and number name what is kept.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    texts: HashMap<Key, Arc<OnceLock<Arc<str>>>>,
    oldest_first: VecDeque<(Key, usize)>,
    bytes: usize,
}

type Key = (Arc<str>, u64, Format);

impl Rendered {
    /// The event in a form; written by the first who asks, while others who ask wait for it.
    pub(super) fn of(&self, event: &Event, format: Format) -> Arc<str> {
        let Event::Told { node, seq, .. } = event else { return event.write(format).into() };
        let key = (Arc::clone(node), *seq, format);
        let place = Arc::clone(self.kept.lock().texts.entry(key.clone()).or_default());
        let mut is_new = false;
        let text = place.get_or_init(|| {
            is_new = true;
            event.write(format).into()
        });
        if is_new {
            self.kept.lock().note(key, text.len());
        }
        Arc::clone(text)
    }
}

impl Kept {
    fn note(&mut self, key: Key, bytes: usize) {
        self.oldest_first.push_back((key, bytes));
        self.bytes += bytes;
        while self.bytes > FEED_RENDERED_BYTES_MAX {
            let Some((key, bytes)) = self.oldest_first.pop_front() else { return };
            self.texts.remove(&key);
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use aplomb_core::pubsub::{Item, Told};
    use aplomb_core::time::WallTime;

    use super::*;

    fn event(seq: u64, bytes: usize) -> Event {
        let payload = Some("p".repeat(bytes).into());
        let item = Item { seq, id: seq.to_string(), payload, at: WallTime(0) };
        Event::Told { node: "n".into(), seq, told: Told::Item(Arc::new(item)) }
    }

    #[test]
    fn a_notice_is_written_once_for_each_form() {
        let rendered = Rendered::default();
        let (first, second) =
            (rendered.of(&event(1, 9), Format::Json), rendered.of(&event(1, 9), Format::Json));
        assert!(Arc::ptr_eq(&first, &second));
        let xml = rendered.of(&event(1, 9), Format::Xml);
        assert!(xml.starts_with('<') && first.starts_with('{'));
        assert_ne!(first, rendered.of(&event(2, 9), Format::Json));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let rendered = Rendered::default();
        let first = rendered.of(&event(0, 9), Format::Xml);
        for seq in 1..40 {
            rendered.of(&event(seq, 1 << 20), Format::Xml);
        }
        let kept = rendered.kept.lock();
        assert!(kept.bytes <= FEED_RENDERED_BYTES_MAX && kept.texts.len() < 17);
        assert_eq!(kept.texts.len(), kept.oldest_first.len());
        drop(kept);
        assert!(!Arc::ptr_eq(&first, &rendered.of(&event(0, 9), Format::Xml)), "it was the oldest");
    }
}
