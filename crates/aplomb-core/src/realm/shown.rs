//! A presence as others get it: rendered once, whoever reads it (RFC 6121 §4).

use crate::jid::Jid;
use crate::ns;
use crate::stanza::{Presence, PresenceKind};

/// A presence of a session, without the name of who gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// −128 to 127.
    pub priority: i8,
    /// How available the session is.
    pub show: Show,
    /// All that follows `<presence` and `to`, up to the end of the element: ` from="…"/>`.
    pub tail: Box<str>,
}

/// How available a session is (RFC 6121 §4.7.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Show {
    /// No `show`, or one that we do not know.
    Online,
    /// Eager to talk.
    Chat,
    /// Away for a short time.
    Away,
    /// Away for long.
    ExtendedAway,
    /// Not to be disturbed.
    Busy,
    /// Not available at all.
    Gone,
}

impl Shown {
    /// What others get of a presence of `from`, which is available or not.
    pub fn of(from: &Jid, presence: &Presence) -> Self {
        let shown = Presence { from: Some(from.clone()), to: None, ..presence.clone() };
        let (priority, show) = (presence.priority, Show::of(presence));
        let mut text = String::with_capacity(128);
        shown.into_element().write(&mut text, ns::CLIENT);
        let tail = text.strip_prefix(HEAD).expect("a presence is written as one").into();
        Self { priority, show, tail }
    }

    /// What others get when `from` is gone without a word.
    pub fn gone(from: &Jid) -> Self {
        let kind = PresenceKind::Unavailable;
        let (id, payload) = (None, Vec::new());
        Self::of(from, &Presence { from: None, to: None, id, kind, priority: 0, payload })
    }

    /// Whose it is, as it is written there.
    pub fn sender(&self) -> &str {
        // In a value every `"` is escaped, so this is the attribute and nothing else.
        let rest = self.tail.split_once(" from=\"").map_or("", |(_, rest)| rest);
        rest.split('"').next().unwrap_or_default()
    }

    /// Whether the session is there.
    pub fn is_available(&self) -> bool {
        self.show != Show::Gone
    }
}

impl Show {
    /// The word of XEP-0060's `pubsub#show-values`, which is that of `show` but for `online`.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Online => Some("online"),
            Self::Chat => Some("chat"),
            Self::Away => Some("away"),
            Self::ExtendedAway => Some("xa"),
            Self::Busy => Some("dnd"),
            Self::Gone => None,
        }
    }

    fn of(presence: &Presence) -> Self {
        if presence.kind != PresenceKind::Available {
            return Self::Gone;
        }
        let show = presence.payload.iter().find(|child| child.is(ns::CLIENT, "show"));
        let word = show.map(|show| show.text());
        let known = [Self::Chat, Self::Away, Self::ExtendedAway, Self::Busy];
        let found = known.into_iter().find(|known| known.name() == word.as_deref().map(str::trim));
        found.unwrap_or(Self::Online)
    }
}

/// What a presence begins with when its namespace is that of the stream.
const HEAD: &str = "<presence";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stanza::Stanza;
    use crate::xml::{Prologue, read_element_in};

    fn check(text: &str, show: Show, tail: &str) {
        let element = read_element_in(text, Prologue::Forbidden, ns::CLIENT).unwrap();
        let Ok(Stanza::Presence(presence)) = Stanza::parse(element) else { panic!("{text}") };
        let shown = Shown::of(&"a@cc.test/o'desk".parse().unwrap(), &presence);
        assert_eq!(shown.sender(), "a@cc.test/o&apos;desk");
        assert_eq!((shown.show, shown.tail.replace('"', "'").as_str()), (show, tail), "{text}");
    }

    #[test]
    fn all_but_the_reader_is_rendered_once() {
        check("<presence/>", Show::Online, " from='a@cc.test/o&apos;desk'/>");
        check(
            "<presence from='eve@cc.test' to='b@cc.test' id='7'><show>dnd</show>\
             <status>a &lt; b</status><priority>5</priority><c xmlns='urn:c'/></presence>",
            Show::Busy,
            " id='7' from='a@cc.test/o&apos;desk'><priority>5</priority><show>dnd</show>\
             <status>a &lt; b</status><c xmlns='urn:c'/></presence>",
        );
        check(
            "<presence type='unavailable'><show>away</show></presence>",
            Show::Gone,
            " type='unavailable' from='a@cc.test/o&apos;desk'><show>away</show></presence>",
        );
        check(
            "<presence><show>sleepy</show></presence>",
            Show::Online,
            " from='a@cc.test/o&apos;desk'><show>sleepy</show></presence>",
        );
    }
}
