//! The command by which owners find who waits for their word (XEP-0050, XEP-0060 §8.7).
//!
//! It has two steps and remembers nothing between them, so any session name is as good as ours.

use super::pubsub::{field, form_type, value_of};
use super::{Answer, Answered, Ask, Feature, Place, Speaks, not_here};
use crate::ns;
use crate::pubsub::{Reply, Request};
use crate::standard::Sample;
use crate::stanza::{Condition, Iq, StanzaError};
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Ad-Hoc Commands",
    source: "XEP-0050",
    what: "One command of the pubsub service, `http://jabber.org/protocol/pubsub#get-pending`: it \
           gives an owner his nodes where subscriptions wait, and for one of them asks him about \
           each.",
    samples: &[
        Sample::refused(
            "<iq type='set' to='pubsub.cc.test'><command \
             xmlns='http://jabber.org/protocol/commands' action='execute' \
             node='http://jabber.org/protocol/pubsub#get-pending'/></iq>",
        ),
        Sample::answered(
            "<iq type='set' to='pubsub.cc.test'><command \
             xmlns='http://jabber.org/protocol/commands' action='cancel' \
             node='http://jabber.org/protocol/pubsub#get-pending'/></iq>",
        ),
    ],
    announces: &[(Place::PubSub, &[ns::COMMANDS, GET_PENDING])],
    stream: None,
    speaks: Speaks::Iq { namespaces: &[ns::COMMANDS], answer, write: Some(write) },
};

/// The command, and the feature that says that it is there.
pub(super) const GET_PENDING: &str = "http://jabber.org/protocol/pubsub#get-pending";

/// What people call it.
pub(super) const NAME: &str = "Subscriptions that wait";

fn answer(ask: &Ask<'_>) -> Answered {
    let bad = StanzaError::new(Condition::BadRequest);
    if ask.place != Place::PubSub || !ask.is_set || ask.payload.name() != "command" {
        return Err(not_here());
    }
    if ask.payload.attr("node") != Some(GET_PENDING) {
        return Err(StanzaError::new(Condition::ItemNotFound));
    }
    match ask.payload.attr("action") {
        Some("cancel") => Ok(Answer::Result(Some(command("canceled")))),
        None | Some("execute" | "next" | "complete") => {
            let form = ask.payload.child(ns::DATA_FORMS, "x");
            let node = form.map(|form| value_of(form, "pubsub#node").ok_or(bad)).transpose()?;
            Ok(Answer::PubSub(Request::Pending { node }))
        }
        Some(_) => Err(bad),
    }
}

fn write(_request: &Iq, reply: Reply) -> Option<Element> {
    let Reply::Pending(nodes) = reply else { return Some(command("completed")) };
    if nodes.is_empty() {
        let note = Element::new(ns::COMMANDS, "note").with_attr("type", "info");
        return Some(command("completed").with_child(note.with_text("Nobody waits.")));
    }
    let option = |node: &std::sync::Arc<str>| {
        let value = Element::new(ns::DATA_FORMS, "value").with_text(&**node);
        Element::new(ns::DATA_FORMS, "option").with_child(value)
    };
    let choice = field::<&str>("pubsub#node", "list-single", [])
        .with_attr("label", "Node")
        .with_children(nodes.iter().map(option));
    let form = Element::new(ns::DATA_FORMS, "x")
        .with_attr("type", "form")
        .with_child(form_type(ns::PUBSUB_AUTHORIZATION))
        .with_child(choice);
    Some(command("executing").with_child(form))
}

fn command(status: &'static str) -> Element {
    Element::new(ns::COMMANDS, "command")
        .with_attr("node", GET_PENDING)
        .with_attr("sessionid", "get-pending")
        .with_attr("status", status)
}
