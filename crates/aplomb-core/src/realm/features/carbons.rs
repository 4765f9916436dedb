//! Message carbons: a person's other sessions see both sides of a conversation (XEP-0280).
//!
//! Which messages are copied is in the rules of XEP-0280 §6. A copy can only come from here: it is
//! from one's own account, in whose name nobody else can send.

use super::message::Kind;
use super::{Answer, Answered, Ask, Effect, Feature, Place, Speaks, not_here};
use crate::jid::FullJid;
use crate::ns;
use crate::standard::Sample;
use crate::stanza::Message;
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Message Carbons",
    source: "XEP-0280",
    what: "For whoever enables them, until the session ends; they outlive a lost connection. \
           Copied are messages of type `chat`, and of type `normal` with a body, that reached \
           somebody; not those with `<private/>` or the hint `<no-copy/>`.",
    samples: &[
        Sample::answered("<iq type='set'><enable xmlns='urn:xmpp:carbons:2'/></iq>"),
        Sample::answered("<iq type='set'><disable xmlns='urn:xmpp:carbons:2'/></iq>"),
    ],
    announces: &[(Place::Server, &[ns::CARBONS]), (Place::Account, &[ns::CARBONS])],
    stream: None,
    speaks: Speaks::Iq { namespaces: &[ns::CARBONS], answer, write: None },
};

pub(super) const FORWARDING: Feature = Feature {
    name: "Stanza Forwarding",
    source: "XEP-0297",
    what: "A carbon copy holds the message as it was, in `<forwarded/>`.",
    samples: &[],
    announces: &[],
    stream: None,
    speaks: Speaks::Nothing,
};

pub(super) const HINTS: Feature = Feature {
    name: "Message Processing Hints",
    source: "XEP-0334",
    what: "`<no-copy/>`: such a message is not copied. Nothing is ever stored, so the hints about \
           that say what is so anyway. All are passed on.",
    samples: &[],
    announces: &[],
    stream: None,
    speaks: Speaks::Nothing,
};

/// Which side of a conversation a copy shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carbon {
    /// What another session received.
    Received,
    /// What another session sent.
    Sent,
}

fn answer(ask: &Ask<'_>) -> Answered {
    if ask.place != Place::Account || !ask.is_set {
        return Err(not_here());
    }
    match ask.payload.name() {
        "enable" => Ok(Answer::After(Effect::Carbons { is_on: true })),
        "disable" => Ok(Answer::After(Effect::Carbons { is_on: false })),
        _ => Err(not_here()),
    }
}

/// Whether an element is a wish for carbons, also where a client says it while it binds (XEP-0386).
pub fn are_carbons_wanted(wish: &Element) -> bool {
    wish.is(ns::CARBONS, "enable")
}

/// Whether other sessions get a copy of a message.
pub(super) fn is_copied(message: &Message, kind: Kind) -> bool {
    let has = |ns: &str, name: &str| message.payload.iter().any(|child| child.is(ns, name));
    let is_talk = match kind {
        Kind::Chat => true,
        Kind::Normal => has(ns::CLIENT, "body"),
        Kind::GroupChat | Kind::Headline | Kind::Error => false,
    };
    is_talk && !has(ns::CARBONS, "private") && !has(ns::HINTS, "no-copy")
}

/// The message as its addressee gets it (XEP-0280 §9).
pub(super) fn without_mark(mut message: Message) -> Message {
    message.payload.retain(|child| !child.is(ns::CARBONS, "private"));
    message
}

/// The copy of a message for a session.
pub fn carbon(side: Carbon, to: &FullJid, message: &Element) -> Element {
    let name = match side {
        Carbon::Received => "received",
        Carbon::Sent => "sent",
    };
    let forwarded = Element::new(ns::FORWARD, "forwarded").with_child(message.clone());
    let copy = Element::new(ns::CLIENT, "message")
        .with_attr("from", to.to_bare().as_str())
        .with_attr("to", to.as_str());
    let copy = match message.attr("type") {
        Some(kind) => copy.with_attr("type", kind),
        None => copy,
    };
    copy.with_child(Element::new(ns::CARBONS, name).with_child(forwarded))
}
