//! What owners ask: from the XML to the request (XEP-0060 §8).

use super::super::{Answer, Answered};
use super::error::{bad_request, no_request};
use super::form;
use super::read::{jid, node};
use crate::jid::{BareJid, Jid};
use crate::ns;
use crate::pubsub::{Affiliation, Request, SubscriptionState};
use crate::stanza::{Condition, StanzaError};
use crate::xml::Element;

/// `get` in the namespace of owners.
pub(super) fn look(verb: &Element) -> Result<Request, StanzaError> {
    match verb.name() {
        "configure" => Ok(Request::Configure { node: node(verb)?, config: None }),
        "default" => Ok(Request::DefaultConfig),
        "affiliations" => Ok(Request::NodeAffiliations { node: node(verb)?, set: Vec::new() }),
        "subscriptions" => Ok(Request::NodeSubscriptions { node: node(verb)?, set: Vec::new() }),
        _ => Err(no_request(verb)),
    }
}

/// `set` in the namespace of owners.
pub(super) fn act(verb: &Element) -> Answered {
    let request = match verb.name() {
        "configure" => {
            let node = node(verb)?;
            let form = verb.child(ns::DATA_FORMS, "x");
            let form = form.ok_or(StanzaError::new(Condition::BadRequest))?;
            let Some(form) = form::submitted(form)? else { return Ok(Answer::Result(None)) };
            Request::Configure { node, config: Some(form::read(form)?) }
        }
        "delete" => {
            let redirect = verb.child(verb.ns(), "redirect");
            let uri = redirect.map(|redirect| redirect.attr("uri").unwrap_or_default());
            if uri.is_some_and(str::is_empty) {
                return Err(StanzaError::new(Condition::BadRequest));
            }
            Request::Delete { node: node(verb)?, redirect: uri.map(str::to_owned) }
        }
        "purge" => Request::Purge { node: node(verb)? },
        "affiliations" => Request::NodeAffiliations { node: node(verb)?, set: all(verb, right)? },
        "subscriptions" => {
            Request::NodeSubscriptions { node: node(verb)?, set: all(verb, subscription)? }
        }
        _ => return Err(no_request(verb)),
    };
    Ok(Answer::PubSub(request))
}

/// Reads the form by which an owner answers a question (XEP-0060 §8.6); none if it is not that, or
/// he leaves it open.
///
/// - Errors: a form that is filled in badly.
pub(crate) fn decision(form: &Element) -> Result<Option<Request>, StanzaError> {
    let form_type = form::value_of(form, "FORM_TYPE");
    if form.attr("type") == Some("cancel") || form_type.as_deref() != Some(ns::PUBSUB_AUTHORIZATION)
    {
        return Ok(None);
    }
    form::submitted(form)?;
    let bad = || StanzaError::new(Condition::BadRequest);
    let node = form::value_of(form, "pubsub#node").ok_or_else(|| bad_request("nodeid-required"))?;
    let jid = form::value_of(form, "pubsub#subscriber_jid");
    let jid = jid.ok_or_else(|| bad_request("jid-required"))?;
    let jid = Jid::new(&jid).map_err(|_| bad_request("invalid-jid"))?;
    let is_let_in = form::value_of(form, "pubsub#allow").and_then(|value| form::flag(&value));
    Ok(Some(Request::Decide { node, jid, is_let_in: is_let_in.ok_or_else(bad)? }))
}

/// Every entry of a list that says what is to be set; those that do not say it stay as they are.
fn all<T>(
    verb: &Element,
    read: fn(&Element) -> Result<Option<T>, StanzaError>,
) -> Result<Vec<T>, StanzaError> {
    let all = verb.children().filter_map(|entry| read(entry).transpose());
    let all: Vec<_> = all.collect::<Result<_, _>>()?;
    if all.is_empty() { Err(StanzaError::new(Condition::BadRequest)) } else { Ok(all) }
}

fn right(entry: &Element) -> Result<Option<(BareJid, Affiliation)>, StanzaError> {
    let jid = jid(entry)?.into_bare();
    let Some(name) = entry.attr("affiliation") else { return Ok(None) };
    let bad = StanzaError::new(Condition::BadRequest);
    Ok(Some((jid, form::named(&AFFILIATIONS, name).ok_or(bad)?)))
}

fn subscription(entry: &Element) -> Result<Option<(Jid, Option<SubscriptionState>)>, StanzaError> {
    let jid = jid(entry)?;
    match entry.attr("subscription") {
        None => Ok(None),
        Some("none") => Ok(Some((jid, None))),
        Some("subscribed") => Ok(Some((jid, Some(SubscriptionState::Subscribed)))),
        Some("pending") => Ok(Some((jid, Some(SubscriptionState::Pending)))),
        Some(_) => Err(StanzaError::new(Condition::BadRequest)),
    }
}

/// The names of affiliations (XEP-0060 §4.1).
pub(super) const AFFILIATIONS: [(Affiliation, &str); 6] = [
    (Affiliation::Owner, "owner"),
    (Affiliation::Publisher, "publisher"),
    (Affiliation::PublishOnly, "publish-only"),
    (Affiliation::Member, "member"),
    (Affiliation::None, "none"),
    (Affiliation::Outcast, "outcast"),
];
