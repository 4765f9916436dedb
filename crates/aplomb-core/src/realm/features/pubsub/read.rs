//! From the XML of a request to the request.

use super::super::{Answer, Answered, rsm};
use super::error::{bad_request, no_request, with};
use super::{form, options, owner};
use crate::jid::Jid;
use crate::ns;
use crate::pubsub::{ConfigWish, ItemsWish, OptionsWish, Page, Publication, Request};
use crate::stanza::{Condition, StanzaError};
use crate::time::WallTime;
use crate::xml::Element;

/// Reads the payload of an iq to the pubsub service.
///
/// - Errors: those that need no look at a node: what is missing, malformed or not supported.
pub(super) fn read(payload: &Element, is_set: bool, now: WallTime) -> Answered {
    if payload.name() != "pubsub" {
        return Err(no_request(payload));
    }
    let mut verbs = payload.children().filter(|child| child.ns() == payload.ns());
    let verb = verbs.next().ok_or_else(|| no_request(payload))?;
    let extras: Vec<_> = verbs.collect();
    let page = rsm::page(payload)?;
    let is_owner = payload.ns() == ns::PUBSUB_OWNER;
    let request = match (is_owner, is_set) {
        (false, false) => look(verb, page)?,
        (false, true) => act(verb, &extras, now)?,
        (true, false) => owner::look(verb)?,
        (true, true) => return owner::act(verb),
    };
    Ok(Answer::PubSub(request))
}

/// `get` in the namespace of everybody.
fn look(verb: &Element, page: Option<Page>) -> Result<Request, StanzaError> {
    match verb.name() {
        "subscriptions" => Ok(Request::Subscriptions { node: optional_node(verb) }),
        "affiliations" => Ok(Request::Affiliations { node: optional_node(verb) }),
        "items" => {
            let max_items = verb.attr("max_items").map(str::parse).transpose();
            let max_items = max_items.map_err(|_| StanzaError::new(Condition::BadRequest))?;
            let ids = verb.children().map(item_id).collect::<Result<_, _>>()?;
            let wish = ItemsWish { max_items, ids, page };
            Ok(Request::Items { node: node(verb)?, wish })
        }
        // Whoever fills in a form and asks for it, as slixmpp does, would believe that it is set.
        "options" if verb.child(ns::DATA_FORMS, "x").is_some() => {
            Err(StanzaError::new(Condition::BadRequest).with_text("set what is filled in"))
        }
        "options" => Ok(Request::Options { node: node(verb)?, jid: jid(verb)?, wish: None }),
        "default" => Ok(Request::DefaultOptions { node: optional_node(verb) }),
        _ => Err(no_request(verb)),
    }
}

/// `set` in the namespace of everybody.
fn act(verb: &Element, extras: &[&Element], now: WallTime) -> Result<Request, StanzaError> {
    let extra = |name: &str| extras.iter().copied().find(|extra| extra.name() == name);
    match verb.name() {
        "subscribe" => {
            let options = extra("options").map(|extra| own_options(extra, now)).transpose()?;
            Ok(Request::Subscribe { node: node(verb)?, jid: jid(verb)?, options })
        }
        "unsubscribe" => Ok(Request::Unsubscribe { node: node(verb)?, jid: jid(verb)? }),
        "publish" => {
            let form = form_in(extra("publish-options"))?;
            publish(verb, form.map(form::read_preconditions).transpose()?)
        }
        "retract" => {
            let id = item_id(only_item(verb)?)?;
            let notify = verb.attr("notify").is_some_and(|flag| matches!(flag, "1" | "true"));
            Ok(Request::Retract { node: node(verb)?, id, notify })
        }
        "create" => {
            let form = form_in(extra("configure"))?;
            let config = form.map(form::read).transpose()?.unwrap_or_default();
            Ok(Request::Create { node: optional_node(verb), config })
        }
        "options" => {
            let (node, jid) = (node(verb)?, jid(verb)?);
            Ok(Request::Options { node, jid, wish: Some(wished(verb, now)?) })
        }
        _ => Err(no_request(verb)),
    }
}

/// The options that come with a subscription, which is named beside them (XEP-0060 §6.3.7).
fn own_options(options: &Element, now: WallTime) -> Result<OptionsWish, StanzaError> {
    if options.attr("node").is_some() || options.attr("jid").is_some() {
        return Err(StanzaError::new(Condition::BadRequest));
    }
    wished(options, now)
}

/// The form in an element that may go with a request, if both are there and it is filled in.
fn form_in(holder: Option<&Element>) -> Result<Option<&Element>, StanzaError> {
    let form = holder.and_then(|holder| holder.child(ns::DATA_FORMS, "x"));
    form.map_or(Ok(None), form::submitted)
}

fn wished(options: &Element, now: WallTime) -> Result<OptionsWish, StanzaError> {
    let form = options.child(ns::DATA_FORMS, "x").ok_or_else(|| bad_request("invalid-options"))?;
    match form::submitted(form)? {
        Some(form) => options::read(form, now),
        None => Ok(OptionsWish::default()),
    }
}

fn publish(verb: &Element, preconditions: Option<ConfigWish>) -> Result<Request, StanzaError> {
    let node = node(verb)?;
    let item = optional_item(verb)?.map(publication).transpose()?;
    Ok(Request::Publish { node, item, preconditions })
}

fn publication(item: &Element) -> Result<Publication, StanzaError> {
    let id = item.attr("id").filter(|id| !id.is_empty()).map(str::to_owned);
    let mut payloads = item.children();
    let payload = payloads.next();
    if payloads.next().is_some() {
        return Err(bad_request("invalid-payload").with_text("an item has one payload"));
    }
    let namespace = payload.map_or("", Element::ns).to_owned();
    let payload = payload.map(|payload| {
        let mut text = String::with_capacity(256);
        // It will stand in events and in items, so it must not rely on a namespace around it.
        payload.write(&mut text, NO_NAMESPACE_AROUND);
        text.into()
    });
    Ok(Publication { id, payload, namespace })
}

fn optional_node(verb: &Element) -> Option<String> {
    verb.attr("node").filter(|node| !node.is_empty()).map(str::to_owned)
}

pub(super) fn node(verb: &Element) -> Result<String, StanzaError> {
    optional_node(verb).ok_or_else(|| bad_request("nodeid-required"))
}

pub(super) fn jid(verb: &Element) -> Result<Jid, StanzaError> {
    let text = verb.attr("jid").ok_or_else(|| bad_request("jid-required"))?;
    Jid::new(text).map_err(|_| bad_request("invalid-jid"))
}

fn only_item(verb: &Element) -> Result<&Element, StanzaError> {
    optional_item(verb)?.ok_or_else(|| bad_request("item-required"))
}

fn optional_item(verb: &Element) -> Result<Option<&Element>, StanzaError> {
    let mut items = verb.children().filter(|child| child.name() == "item");
    match (items.next(), items.next()) {
        (item, None) => Ok(item),
        (_, Some(_)) => Err(with(Condition::NotAllowed, "max-items-exceeded")),
    }
}

fn item_id(item: &Element) -> Result<String, StanzaError> {
    let id = item.attr("id").filter(|id| !id.is_empty());
    id.map(str::to_owned).ok_or_else(|| bad_request("item-required"))
}

/// No namespace is a space, so every payload declares its own.
const NO_NAMESPACE_AROUND: &str = " ";
