//! What single persons are told of a node, as messages of the pubsub service.

use super::form;
use super::owner::AFFILIATIONS;
use super::write::state_name;
use crate::jid::Jid;
use crate::ns;
use crate::pubsub::{Affiliation, SubscriptionState, Tiding, Tidings};
use crate::stanza::Message;
use crate::xml::Element;

/// Writes the message of `service`.
pub(crate) fn message(service: Jid, tidings: &Tidings) -> Element {
    let node = &*tidings.node;
    let payload = match &tidings.tiding {
        Tiding::Subscription(jid, state) => subscription(node, jid, *state),
        Tiding::Affiliation(affiliation) => right(node, &tidings.to, *affiliation),
        Tiding::MaySubscribe(jid) => question(node, jid),
    };
    let message = Message {
        from: Some(service),
        to: Some(tidings.to.clone()),
        id: Some(tidings.id.clone()),
        kind: None,
        lang: None,
        payload: vec![payload],
    };
    message.into_element()
}

/// XEP-0060 §8.8.4.
///
/// COMPAT: Smack 4.4.8: the present edition puts the subscription into an `event`, but Smack's
/// reader of events does not know it there, takes it for something else and ends the connection.
/// So it stands where the answers to `subscribe` have it, as the rights of §8.9.4 do.
fn subscription(node: &str, jid: &Jid, state: Option<SubscriptionState>) -> Element {
    let told = Element::new(ns::PUBSUB, "subscription")
        .with_attr("node", node)
        .with_attr("jid", jid.as_str())
        .with_attr("subscription", state.map_or("none", state_name));
    Element::new(ns::PUBSUB, "pubsub").with_child(told)
}

/// XEP-0060 §8.9.4.
fn right(node: &str, whose: &Jid, affiliation: Affiliation) -> Element {
    let told = Element::new(ns::PUBSUB, "affiliation")
        .with_attr("jid", whose.as_str())
        .with_attr("affiliation", form::name_of(&AFFILIATIONS, affiliation));
    let of_node = Element::new(ns::PUBSUB, "affiliations").with_attr("node", node);
    Element::new(ns::PUBSUB, "pubsub").with_child(of_node.with_child(told))
}

/// XEP-0060 §8.6.
fn question(node: &str, jid: &Jid) -> Element {
    let words = |name, text: &str| Element::new(ns::DATA_FORMS, name).with_text(text);
    Element::new(ns::DATA_FORMS, "x")
        .with_attr("type", "form")
        .with_child(words("title", "A subscription waits"))
        .with_child(words("instructions", "Say whether this address may subscribe to the node."))
        .with_child(form::form_type(ns::PUBSUB_AUTHORIZATION))
        .with_child(form::field("pubsub#node", "text-single", [node]).with_attr("label", "Node"))
        .with_child(
            form::field("pubsub#subscriber_jid", "jid-single", [jid.as_str()])
                .with_attr("label", "Address"),
        )
        .with_child(
            form::field("pubsub#allow", "boolean", ["0"]).with_attr("label", "Let it subscribe"),
        )
}
