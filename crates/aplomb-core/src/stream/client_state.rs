//! Client state indication: a client says whether somebody looks at it (XEP-0352).
//!
//! The stream only passes on what is said; what is held back meanwhile is the driver's affair. The
//! state belongs to a stream and begins as active, also when a session is resumed (§5.2).

use crate::ns;
use crate::standard::{Sample, Standard};
use crate::xml::Element;

/// What is followed here.
pub const STANDARDS: &[Standard] = &[Standard {
    source: "XEP-0352",
    name: "Client State Indication",
    what: "While a client is inactive, presences of others are held back, the newest of each; \
           messages, answers and events never are. See `people.md`.",
    samples: &[
        Sample::unanswered("<inactive xmlns='urn:xmpp:csi:0'/>"),
        Sample::unanswered("<active xmlns='urn:xmpp:csi:0'/>"),
    ],
}];

/// What the features after login say of it, where it is offered.
pub fn offer() -> Element {
    Element::new(ns::CLIENT_STATE, "csi")
}

/// Whether a client says that it is active, or that it is not; none if it says neither.
pub fn said(element: &Element) -> Option<bool> {
    match (element.ns(), element.name()) {
        (ns::CLIENT_STATE, "active") => Some(true),
        (ns::CLIENT_STATE, "inactive") => Some(false),
        _ => None,
    }
}
