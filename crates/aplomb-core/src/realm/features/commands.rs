//! The command by which owners find who waits for their word (XEP-0050, XEP-0060 §8.7).
//!
//! It has two steps and remembers nothing between them, so any session name is as good as ours;
//! but each first step gets one of its own (XEP-0050 §3.2).

use super::pubsub::{field, form_type, submitted, value_of};
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
        Some("cancel") => Ok(Answer::Result(Some(command("canceled", session_of(ask.payload))))),
        None | Some("execute" | "next" | "complete") => {
            let form = ask.payload.child(ns::DATA_FORMS, "x");
            let form = form.map_or(Ok(None), submitted)?;
            let node = form.map(|form| value_of(form, "pubsub#node").ok_or(bad)).transpose()?;
            Ok(Answer::PubSub(Request::Pending { node }))
        }
        Some(_) => Err(bad),
    }
}

fn write(request: &Iq, reply: Reply) -> Option<Element> {
    let Reply::Pending { session, nodes } = reply else {
        return Some(command("completed", request.request().and_then(session_of)));
    };
    // The service's word is new each millisecond, the request's id within that.
    let session = format!("{session}-{}", request.id);
    let command = |status| command(status, Some(&session));
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

/// The session that a request goes on with.
fn session_of(asked: &Element) -> Option<&str> {
    asked.attr("sessionid")
}

fn command(status: &'static str, session: Option<&str>) -> Element {
    let command = Element::new(ns::COMMANDS, "command").with_attr("node", GET_PENDING);
    let command = match session {
        Some(session) => command.with_attr("sessionid", session),
        None => command,
    };
    command.with_attr("status", status)
}
