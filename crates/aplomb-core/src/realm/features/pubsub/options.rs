//! The form of a subscription's options (XEP-0060 §6.3, §16.4.2, XEP-0004).
//!
//! A field that we cannot do as asked is refused, so that nobody waits for what will not come.

use super::error::{bad_request, other_form};
use crate::ns;
use crate::pubsub::{Options, OptionsWish, Shows, Subscription};
use crate::stanza::StanzaError;
use crate::time::WallTime;
use crate::xml::Element;

/// Reads a submitted form; what is left out stays as it is.
///
/// - Errors: `invalid-options` for a value that is none, a time that is over, or something that
///   we do not do; `bad-request` for another form.
pub(super) fn read(form: &Element, now: WallTime) -> Result<OptionsWish, StanzaError> {
    let mut wish = OptionsWish::default();
    for field in form.children().filter(|child| child.is(ns::DATA_FORMS, "field")) {
        let values: Vec<_> = values_of(field).collect();
        let value = values.first().map_or("", String::as_str);
        match field.attr("var").unwrap_or_default() {
            "FORM_TYPE" if value != ns::PUBSUB_SUBSCRIBE_OPTIONS => {
                return Err(other_form(ns::PUBSUB_SUBSCRIBE_OPTIONS));
            }
            DELIVER => wish.deliver = Some(boolean(value)?),
            SHOWS => {
                let shows = Shows::of(values.iter().map(String::as_str));
                wish.shows = Some(shows.ok_or_else(|| invalid("a state that there is not"))?);
            }
            EXPIRE => wish.lease = Some(lease(value, now)?),
            "pubsub#digest" if boolean(value)? => {
                return Err(invalid("events are never collected; each comes by itself"));
            }
            "pubsub#include_body" if boolean(value)? => {
                return Err(invalid("events have no body, only their payload"));
            }
            "pubsub#digest_frequency" => {
                return Err(invalid("events are never collected; each comes by itself"));
            }
            // What is for collections, which we have not, and what the standard does not know.
            _ => {}
        }
    }
    Ok(wish)
}

/// Writes the options as a form of that type: `form` to be filled in, `result` to be read.
pub(super) fn write(options: &Options, kind: &'static str) -> Element {
    let text = |text: &str| Element::new(ns::DATA_FORMS, "value").with_text(text);
    let field = |name: &'static str, kind: &'static str, label: &'static str| {
        Element::new(ns::DATA_FORMS, "field")
            .with_attr("var", name)
            .with_attr("type", kind)
            .with_attr("label", label)
    };
    let option = |word| Element::new(ns::DATA_FORMS, "option").with_child(text(word));
    let form_type = Element::new(ns::DATA_FORMS, "field")
        .with_attr("var", "FORM_TYPE")
        .with_attr("type", "hidden")
        .with_child(text(ns::PUBSUB_SUBSCRIBE_OPTIONS));
    let deliver = field(DELIVER, "boolean", "Whether events are delivered")
        .with_child(text(if options.deliver { "1" } else { "0" }));
    let expire = field(EXPIRE, "text-single", "When the subscription ends; empty is never")
        .with_children(options.lease.map(|at| text(&at.to_iso())));
    let shows = field(SHOWS, "list-multi", "States of a session in which events come to it")
        .with_children(Shows::WORDS.map(option))
        .with_children(options.shows.words().map(text));
    Element::new(ns::DATA_FORMS, "x")
        .with_attr("type", kind)
        .with_children([form_type, deliver, expire, shows])
}

/// Writes the options of a subscription, to be filled in.
pub(super) fn told(its: &Subscription) -> Element {
    Element::new(ns::PUBSUB, "options")
        .with_attr("node", &*its.node)
        .with_attr("jid", its.jid.as_str())
        .with_child(write(&its.terms.options, "form"))
}

/// A time (XEP-0082), or nothing for one that never comes.
fn lease(value: &str, now: WallTime) -> Result<Option<WallTime>, StanzaError> {
    if value.is_empty() {
        return Ok(None);
    }
    let at = WallTime::from_iso(value).ok_or_else(|| invalid("pubsub#expire is no time"))?;
    match at > now {
        true => Ok(Some(at)),
        false => Err(invalid("pubsub#expire is over already")),
    }
}

fn boolean(value: &str) -> Result<bool, StanzaError> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(invalid("a flag is 0 or 1")),
    }
}

fn invalid(why: &'static str) -> StanzaError {
    bad_request("invalid-options").with_text(why)
}

fn values_of(field: &Element) -> impl Iterator<Item = String> {
    let values = field.children().filter(|child| child.is(ns::DATA_FORMS, "value"));
    values.map(|value| value.text().trim().to_owned())
}

const DELIVER: &str = "pubsub#deliver";
const SHOWS: &str = "pubsub#show-values";
const EXPIRE: &str = "pubsub#expire";
