//! From a reply to its XML.

use std::sync::Arc;

use super::form;
use super::read::AFFILIATIONS;
use crate::ns;
use crate::pubsub::{Affiliation, Item, Reply, Subscription, SubscriptionState};
use crate::stanza::{Iq, IqKind};
use crate::xml::{Element, Prologue, read_element};

/// Writes the payload of a result; none where an empty result says it all.
///
/// COMPAT: Openfire: a subscription is told with `<subscribe-options/>` when it is made, and
/// without when it is listed.
pub(super) fn write(request: &Iq, reply: Reply) -> Option<Element> {
    let asked = request.request()?;
    let is_owner = asked.ns() == ns::PUBSUB_OWNER;
    let tag = |name: &'static str| match is_owner {
        true => Element::new(ns::PUBSUB_OWNER, name),
        false => Element::new(ns::PUBSUB, name),
    };
    let inside = match reply {
        Reply::Done => return None,
        Reply::Subscribed(subscription) => {
            subscribed(&subscription).with_child(tag("subscribe-options"))
        }
        Reply::Subscriptions(all) if is_owner => {
            let told = all.iter().map(|s| {
                tag("subscription")
                    .with_attr("jid", s.jid.as_str())
                    .with_attr("subscription", state_of(s))
            });
            like(asked, tag("subscriptions")).with_children(told)
        }
        Reply::Subscriptions(all) => {
            like(asked, tag("subscriptions")).with_children(all.iter().map(subscribed))
        }
        Reply::Affiliations(all) => {
            let told = all.iter().map(|(node, right)| {
                tag("affiliation")
                    .with_attr("node", &**node)
                    .with_attr("affiliation", name_of(*right))
            });
            like(asked, tag("affiliations")).with_children(told)
        }
        Reply::NodeAffiliations(..) if matches!(request.kind, IqKind::Set(_)) => return None,
        Reply::NodeAffiliations(node, all) => {
            let told = all.iter().map(|(jid, right)| {
                tag("affiliation")
                    .with_attr("jid", jid.as_str())
                    .with_attr("affiliation", name_of(*right))
            });
            tag("affiliations").with_attr("node", &*node).with_children(told)
        }
        Reply::Items { node, items, left_out } => {
            let inside =
                tag("items").with_attr("node", &*node).with_children(items.iter().map(item));
            let set = (left_out > 0).then(|| result_set(&items, left_out));
            return Some(tag("pubsub").with_child(inside).with_children(set));
        }
        Reply::Published(node, id) => {
            let item = tag("item").with_attr("id", id);
            tag("publish").with_attr("node", &*node).with_child(item)
        }
        Reply::Created(node) => tag("create").with_attr("node", &*node),
        Reply::Config(Some(node), config) => {
            tag("configure").with_attr("node", &*node).with_child(form::write(&config))
        }
        Reply::Config(None, config) => tag("default").with_child(form::write(&config)),
        // Only service discovery asks for these.
        Reply::NodeInfo(..) | Reply::Nodes(_) | Reply::Recall(_) => return None,
    };
    Some(tag("pubsub").with_child(inside))
}

/// The element with the node that was asked for, if one was.
fn like(asked: &Element, element: Element) -> Element {
    match asked.children().next().and_then(|verb| verb.attr("node")) {
        Some(node) => element.with_attr("node", node),
        None => element,
    }
}

fn subscribed(subscription: &Subscription) -> Element {
    Element::new(ns::PUBSUB, "subscription")
        .with_attr("node", &*subscription.node)
        .with_attr("jid", subscription.jid.as_str())
        .with_attr("subscription", state_of(subscription))
}

const fn state_of(subscription: &Subscription) -> &'static str {
    match subscription.terms.state {
        SubscriptionState::Subscribed => "subscribed",
        SubscriptionState::Pending => "pending",
    }
}

/// Says that there were more before these (XEP-0060 §6.5.4, XEP-0059 §2.6).
fn result_set(items: &[Arc<Item>], left_out: usize) -> Element {
    let tell = |name, text: &str| Element::new(ns::RESULT_SET, name).with_text(text);
    let ends = items.first().zip(items.last()).map(|(first, last)| {
        [tell("first", &first.id).with_attr("index", left_out.to_string()), tell("last", &last.id)]
    });
    Element::new(ns::RESULT_SET, "set")
        .with_children(ends.into_iter().flatten())
        .with_child(tell("count", &(left_out + items.len()).to_string()))
}

fn item(item: &Arc<Item>) -> Element {
    let payload = item.payload.as_ref();
    let payload = payload.and_then(|text| read_element(text, Prologue::Allowed).ok());
    Element::new(ns::PUBSUB, "item").with_attr("id", item.id.clone()).with_children(payload)
}

fn name_of(right: Affiliation) -> &'static str {
    let found = AFFILIATIONS.iter().find(|(known, _)| *known == right);
    found.map(|(_, name)| *name).expect("every affiliation has a name")
}
