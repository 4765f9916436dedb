//! The form that configures a node (XEP-0060 §8.2, XEP-0004).

use super::error::bad_request;
use crate::ns;
use crate::pubsub::{ConfigWish, NodeConfig};
use crate::stanza::{Condition, StanzaError};
use crate::xml::Element;

/// Reads a submitted form; fields that we do not know are left alone.
///
/// - Errors: a value that is none; an access model other than ours, because whoever opens a node
///   must not believe that it is open.
pub(super) fn read(form: &Element) -> Result<ConfigWish, StanzaError> {
    let mut wish = ConfigWish::default();
    for field in form.children().filter(|child| child.is(ns::DATA_FORMS, "field")) {
        let value = field.child(ns::DATA_FORMS, "value").map(Element::text).unwrap_or_default();
        let value = value.trim();
        match field.attr("var").unwrap_or_default() {
            "FORM_TYPE" if value != ns::PUBSUB_NODE_CONFIG => {
                return Err(StanzaError::new(Condition::BadRequest));
            }
            "pubsub#title" => wish.title = Some(value.to_owned()),
            "pubsub#deliver_payloads" => wish.deliver_payloads = Some(boolean(value)?),
            "pubsub#persist_items" => wish.persist_items = Some(boolean(value)?),
            "pubsub#max_items" => wish.max_items = Some(count(value)?),
            "pubsub#notify_retract" => wish.notify_retract = Some(boolean(value)?),
            "pubsub#notify_delete" => wish.notify_delete = Some(boolean(value)?),
            "pubsub#notify_config" => wish.notify_config = Some(boolean(value)?),
            "pubsub#access_model" if value != ACCESS_MODEL => {
                let text = format!("the only access model is {ACCESS_MODEL}");
                return Err(StanzaError::new(Condition::NotAcceptable).with_text(text));
            }
            "pubsub#node_type" if value != "leaf" => {
                return Err(bad_request("unsupported-node-type"));
            }
            _ => {}
        }
    }
    Ok(wish)
}

/// Writes the form with its present values, to be filled in.
pub(super) fn write(config: &NodeConfig) -> Element {
    let flag = |is_set: bool| u8::from(is_set).to_string();
    let fields = [
        ("FORM_TYPE", "hidden", ns::PUBSUB_NODE_CONFIG.to_owned()),
        ("pubsub#title", "text-single", config.title.clone()),
        ("pubsub#deliver_payloads", "boolean", flag(config.deliver_payloads)),
        ("pubsub#persist_items", "boolean", flag(config.persist_items)),
        ("pubsub#max_items", "text-single", config.max_items.to_string()),
        ("pubsub#notify_retract", "boolean", flag(config.notify_retract)),
        ("pubsub#notify_delete", "boolean", flag(config.notify_delete)),
        ("pubsub#notify_config", "boolean", flag(config.notify_config)),
        ("pubsub#access_model", "hidden", ACCESS_MODEL.to_owned()),
    ];
    let field = |(name, kind, value): (&'static str, &'static str, String)| {
        Element::new(ns::DATA_FORMS, "field")
            .with_attr("var", name)
            .with_attr("type", kind)
            .with_child(Element::new(ns::DATA_FORMS, "value").with_text(value))
    };
    let form = Element::new(ns::DATA_FORMS, "x").with_attr("type", "form");
    form.with_children(fields.map(field))
}

fn boolean(value: &str) -> Result<bool, StanzaError> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(StanzaError::new(Condition::NotAcceptable).with_text("a flag is 0 or 1")),
    }
}

fn count(value: &str) -> Result<usize, StanzaError> {
    match value {
        "max" => Ok(usize::MAX),
        number => number.parse().map_err(|_| {
            StanzaError::new(Condition::NotAcceptable).with_text("max_items is a number or max")
        }),
    }
}

const ACCESS_MODEL: &str = "whitelist";
