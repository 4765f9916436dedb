//! From a reply to its XML.

use std::sync::Arc;

use super::super::rsm;
use super::owner::AFFILIATIONS;
use super::{form, options};
use crate::jid::BareJid;
use crate::limits::PUBSUB_ENTRIES_LISTED_MAX;
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
    let list = |inside: Element, entries, keys: &[&str]| {
        let (entries, set) = rsm::cut(asked, entries, keys, PUBSUB_ENTRIES_LISTED_MAX);
        let inside = inside.with_children(entries);
        Some(Element::new(inside.ns().to_owned(), "pubsub").with_child(inside).with_children(set))
    };
    let tag = |name: &'static str| match is_owner {
        true => Element::new(ns::PUBSUB_OWNER, name),
        false => Element::new(ns::PUBSUB, name),
    };
    let inside = match reply {
        Reply::Done => return None,
        Reply::Subscribed(new) => return Some(subscribed_anew(asked, &new)),
        Reply::Options(its) => options::told(&its),
        Reply::DefaultOptions(_, usual) => {
            like(asked, tag("default")).with_child(options::write(&usual, "result"))
        }
        Reply::Subscriptions(all) if is_owner => {
            let told = all.iter().map(subscriber).collect();
            return list(like(asked, tag("subscriptions")), told, &["jid"]);
        }
        Reply::Subscriptions(all) => {
            let told = all.iter().map(subscribed).collect();
            return list(like(asked, tag("subscriptions")), told, &["node", "jid"]);
        }
        Reply::Affiliations(all) => {
            let told = all.iter().map(own_affiliation).collect();
            return list(like(asked, tag("affiliations")), told, &["node"]);
        }
        Reply::NodeAffiliations(..) if matches!(request.kind, IqKind::Set(_)) => return None,
        Reply::NodeAffiliations(node, all) => {
            let inside = tag("affiliations").with_attr("node", &*node);
            return list(inside, all.iter().map(right_of).collect(), &["jid"]);
        }
        Reply::Items { node, items, section } => {
            let items = items.iter().map(|kept| item(kept));
            let inside = tag("items").with_attr("node", &*node).with_children(items);
            let set = section.as_ref().map(rsm::set);
            return Some(tag("pubsub").with_child(inside).with_children(set));
        }
        Reply::Published(node, id) => {
            let id = id.map(|id| tag("item").with_attr("id", id));
            tag("publish").with_attr("node", &*node).with_children(id)
        }
        Reply::Created(node) => tag("create").with_attr("node", &*node),
        Reply::Config(Some(node), config) => {
            tag("configure").with_attr("node", &*node).with_child(form::write(&config))
        }
        Reply::Config(None, config) => tag("default").with_child(form::write(&config)),
        // Others ask for these: service discovery, commands, feeds.
        Reply::NodeInfo(..) | Reply::Nodes(_) | Reply::Pending { .. } | Reply::Recall(_) => {
            return None;
        }
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

/// A subscription that was made just now, with its options if they came with it
/// (XEP-0060 §6.3.7).
fn subscribed_anew(asked: &Element, new: &Subscription) -> Element {
    let tag = |name: &'static str| Element::new(ns::PUBSUB, name);
    let form = |_| tag("options").with_child(options::write(&new.terms.options, "result"));
    let told = asked.child(ns::PUBSUB, "options").map(form);
    let inside = subscribed(new).with_child(tag("subscribe-options"));
    tag("pubsub").with_child(inside).with_children(told)
}

fn subscribed(subscription: &Subscription) -> Element {
    Element::new(ns::PUBSUB, "subscription")
        .with_attr("node", &*subscription.node)
        .with_attr("jid", subscription.jid.as_str())
        .with_attr("subscription", state_of(subscription))
}

/// A subscription as the node's owner sees it.
fn subscriber(subscription: &Subscription) -> Element {
    Element::new(ns::PUBSUB_OWNER, "subscription")
        .with_attr("jid", subscription.jid.as_str())
        .with_attr("subscription", state_of(subscription))
}

fn own_affiliation((node, right): &(Arc<str>, Affiliation)) -> Element {
    affiliation(ns::PUBSUB, "node", node, *right)
}

fn right_of((jid, right): &(BareJid, Affiliation)) -> Element {
    affiliation(ns::PUBSUB_OWNER, "jid", jid.as_str(), *right)
}

fn affiliation(ns: &'static str, of: &'static str, what: &str, right: Affiliation) -> Element {
    Element::new(ns, "affiliation")
        .with_attr(of, what)
        .with_attr("affiliation", form::name_of(&AFFILIATIONS, right))
}

const fn state_of(subscription: &Subscription) -> &'static str {
    state_name(subscription.terms.state)
}

/// The word for a state (XEP-0060 §4.2).
pub(super) const fn state_name(state: SubscriptionState) -> &'static str {
    match state {
        SubscriptionState::Subscribed => "subscribed",
        SubscriptionState::Pending => "pending",
    }
}

fn item(item: &Item) -> Element {
    let payload = item.payload.as_ref();
    let payload = payload.and_then(|text| read_element(text, Prologue::Allowed).ok());
    Element::new(ns::PUBSUB, "item").with_attr("id", item.id.clone()).with_children(payload)
}
