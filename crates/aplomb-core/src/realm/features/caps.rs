//! Entity capabilities: a hash that stands for what service discovery would say (XEP-0115).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::disco::{Identity, identity_of};
use super::{Feature, Place, Speaks, announced_at};
use crate::ns;
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Entity Capabilities",
    source: "XEP-0115",
    what: "Computed, never copied: in the features of every stream for the server, and in the \
           presence of `finesse@domain` for itself.",
    samples: &[],
    announces: &[(Place::Server, &[ns::CAPS]), (Place::Finesse, &[ns::CAPS])],
    stream: Some(|_| caps(Place::Server)),
    speaks: Speaks::Nothing,
};

/// What the presence of `finesse@domain` carries.
pub(crate) fn finesse_caps() -> Element {
    caps(Place::Finesse)
}

fn caps(place: Place) -> Element {
    Element::new(ns::CAPS, "c")
        .with_attr("hash", "sha-1")
        .with_attr("node", NODE)
        .with_attr("ver", ver_of(place))
}

/// Whether a discovery node is the place's `node#ver` (XEP-0115 §6.2).
pub(super) fn is_node_of(place: Place, node: &str) -> bool {
    let ver = node.strip_prefix(NODE).and_then(|rest| rest.strip_prefix('#'));
    ver.is_some_and(|ver| ver == ver_of(place))
}

fn ver_of(place: Place) -> String {
    ver(&[identity_of(place)], &announced_at(place))
}

/// The verification string (XEP-0115 §5.1). SHA-1 is what the standard says; nothing secret
/// hangs on it.
fn ver(identities: &[Identity<'_>], features: &[&str]) -> String {
    let mut identities: Vec<_> =
        identities.iter().map(|i| format!("{}/{}//{}<", i.category, i.kind, i.name)).collect();
    identities.sort();
    let mut features: Vec<_> = features.iter().map(|feature| format!("{feature}<")).collect();
    features.sort();
    let text = identities.concat() + &features.concat();
    BASE64.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// Names the program, as a URI (XEP-0115 §4). It has no home page, and this name is nobody's
/// (RFC 6761 §6.4).
const NODE: &str = "https://aplomb.invalid/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_standards_example() {
        let exodus = Identity { category: "client", kind: "pc", name: "Exodus 0.9.1" };
        let features = [
            "http://jabber.org/protocol/muc",
            "http://jabber.org/protocol/disco#items",
            "http://jabber.org/protocol/disco#info",
            "http://jabber.org/protocol/caps",
        ];
        assert_eq!(ver(&[exodus], &features), "QgayPKawpkPSDYmwT/WM94uAlu0=");
    }

    #[test]
    fn only_the_present_hash_is_known() {
        let node = format!("{NODE}#{}", ver_of(Place::Finesse));
        assert!(is_node_of(Place::Finesse, &node));
        assert!(!is_node_of(Place::Server, &node));
        assert!(!is_node_of(Place::Finesse, NODE));
    }
}
