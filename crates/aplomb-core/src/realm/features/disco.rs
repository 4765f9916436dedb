//! Service discovery (XEP-0030): what is where, made from the list of features.

use super::commands::{GET_PENDING, NAME as COMMAND};
use super::pubsub::meta_data;
use super::{Answer, Answered, Ask, Feature, Place, Speaks, announced_at, caps, not_here, rsm};
use crate::jid::Jid;
use crate::limits::PUBSUB_NODES_LISTED_MAX;
use crate::ns;
use crate::pubsub::{ItemsWish, Reply, Request};
use crate::standard::Sample;
use crate::stanza::{Condition, Iq, StanzaError};
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Service Discovery",
    source: "XEP-0030",
    what: "Information and items of the server, of the pubsub service and each node that the \
           asker may read, of one's own account and of the user `finesse`. Smack asks for a \
           node's information before it listens to it.",
    samples: &[
        Sample::answered(
            "<iq type='get' to='cc.test'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        ),
        Sample::answered(
            "<iq type='get' to='pubsub.cc.test'>\
             <query xmlns='http://jabber.org/protocol/disco#info' node='/finesse/api/User/1001'/>\
             </iq>",
        ),
        Sample::answered(
            "<iq type='get' to='pubsub.cc.test'>\
             <query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
        ),
    ],
    announces: &[
        (Place::Server, &[ns::DISCO_INFO, ns::DISCO_ITEMS]),
        (Place::Account, &[ns::DISCO_INFO, ns::DISCO_ITEMS]),
        (Place::PubSub, &[ns::DISCO_INFO, ns::DISCO_ITEMS]),
        (Place::Finesse, &[ns::DISCO_INFO]),
    ],
    stream: None,
    speaks: Speaks::Iq {
        namespaces: &[ns::DISCO_INFO, ns::DISCO_ITEMS],
        answer,
        write: Some(write),
    },
};

/// Our name, in service discovery and elsewhere.
pub(super) const NAME: &str = "aplomb";

/// Who somebody is (XEP-0030 §3.1).
pub(super) struct Identity<'a> {
    pub(super) category: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
}

/// Who answers at a place, by the registry of categories.
pub(super) const fn identity_of(place: Place) -> Identity<'static> {
    let (category, kind) = match place {
        Place::Server => ("server", "im"),
        Place::Account => ("account", "registered"),
        Place::PubSub => ("pubsub", "service"),
        Place::Finesse => ("client", "bot"),
    };
    Identity { category, kind, name: NAME }
}

fn answer(ask: &Ask<'_>) -> Answered {
    if ask.is_set || ask.payload.name() != "query" {
        return Err(not_here());
    }
    let node = ask.payload.attr("node").filter(|node| !node.is_empty());
    match (ask.payload.ns(), ask.place, node) {
        (ns::DISCO_INFO, Place::PubSub, Some(GET_PENDING)) => {
            let who = Identity { category: "automation", kind: "command-node", name: COMMAND };
            let features = [ns::COMMANDS, ns::DATA_FORMS];
            Ok(Answer::Result(Some(described(node, &who, &features))))
        }
        (ns::DISCO_INFO, Place::PubSub, Some(node)) => {
            Ok(Answer::PubSub(Request::NodeInfo { node: node.to_owned() }))
        }
        (ns::DISCO_INFO, place, node) => info(place, node),
        (_, Place::PubSub, Some(ns::COMMANDS)) => {
            let command = item(&format!("pubsub.{}", ask.realm.domain))
                .with_attr("node", GET_PENDING)
                .with_attr("name", COMMAND);
            Ok(Answer::Result(Some(query(ns::DISCO_ITEMS, node).with_child(command))))
        }
        (_, Place::PubSub, None) => {
            rsm::page(ask.payload)?;
            Ok(Answer::PubSub(Request::Nodes))
        }
        (_, Place::PubSub, Some(node)) => {
            let wish = ItemsWish { page: rsm::page(ask.payload)?, ..ItemsWish::default() };
            Ok(Answer::PubSub(Request::Items { node: node.to_owned(), wish }))
        }
        (_, Place::Server, None) => {
            let service = item(&format!("pubsub.{}", ask.realm.domain)).with_attr("name", NAME);
            Ok(Answer::Result(Some(query(ns::DISCO_ITEMS, None).with_child(service))))
        }
        (_, Place::Account, None) => Ok(Answer::Result(Some(query(ns::DISCO_ITEMS, None)))),
        (_, Place::Server | Place::Account, Some(_)) => {
            Err(StanzaError::new(Condition::ItemNotFound))
        }
        (_, Place::Finesse, _) => Err(not_here()),
    }
}

fn info(place: Place, node: Option<&str>) -> Answered {
    if node.is_some_and(|node| !caps::is_node_of(place, node)) {
        return Err(StanzaError::new(Condition::ItemNotFound));
    }
    let features = announced_at(place);
    Ok(Answer::Result(Some(described(node, &identity_of(place), &features))))
}

fn described(node: Option<&str>, who: &Identity<'_>, features: &[&str]) -> Element {
    let identity = Element::new(ns::DISCO_INFO, "identity")
        .with_attr("category", who.category)
        .with_attr("type", who.kind)
        .with_attr("name", who.name);
    let feature = |name: &&str| Element::new(ns::DISCO_INFO, "feature").with_attr("var", *name);
    query(ns::DISCO_INFO, node).with_child(identity).with_children(features.iter().map(feature))
}

/// Writes what the pubsub service says of its nodes (XEP-0060 §5.2, §5.3, §5.5).
fn write(request: &Iq, reply: Reply) -> Option<Element> {
    let service = request.to.as_ref().map_or("", Jid::as_str);
    match reply {
        Reply::NodeInfo(node, meta) => {
            let title = &*meta.config.title;
            let name = if title.is_empty() { NAME } else { title };
            let leaf = Identity { category: "pubsub", kind: "leaf", name };
            let told = described(Some(&node), &leaf, &[ns::DISCO_INFO, ns::PUBSUB]);
            Some(told.with_child(meta_data(&meta)))
        }
        Reply::Nodes(nodes) => {
            let items = nodes.iter().map(|node| item(service).with_attr("node", &**node));
            let asked = request.request()?;
            let (items, set) = rsm::cut(asked, items.collect(), &["node"], PUBSUB_NODES_LISTED_MAX);
            Some(query(ns::DISCO_ITEMS, None).with_children(items).with_children(set))
        }
        Reply::Items { node, items, section } => {
            let items = items.iter().map(|kept| item(service).with_attr("name", kept.id.clone()));
            let set = section.as_ref().map(rsm::set);
            Some(query(ns::DISCO_ITEMS, Some(&node)).with_children(items).with_children(set))
        }
        Reply::Done
        | Reply::Subscribed(_)
        | Reply::Options(_)
        | Reply::DefaultOptions(..)
        | Reply::Subscriptions(_)
        | Reply::Affiliations(_)
        | Reply::NodeAffiliations(..)
        | Reply::Recall(_)
        | Reply::Pending { .. }
        | Reply::Published(..)
        | Reply::Created(_)
        | Reply::Config(..) => None,
    }
}

fn query(ns: &'static str, node: Option<&str>) -> Element {
    let query = Element::new(ns, "query");
    match node {
        Some(node) => query.with_attr("node", node),
        None => query,
    }
}

fn item(jid: &str) -> Element {
    Element::new(ns::DISCO_ITEMS, "item").with_attr("jid", jid)
}
