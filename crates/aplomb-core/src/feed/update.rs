//! A Finesse `<Update>` as JSON, for pages that would rather not read XML twice.
//!
//! An element without children is a string. One with children is an object; a child becomes a list
//! if it comes more than once or its parent is its plural, as in `roles` and `role`, so that a
//! list of one is a list as well.

use serde_json::{Map, Value};

use crate::ns;
use crate::xml::{Element, Node, Prologue, read_element};

/// The update in a payload, if there is one.
///
/// - Shape: the payload is `<notification xmlns="…pubsub">&lt;Update&gt;…</notification>`.
pub(super) fn of_payload(payload: &str) -> Option<Value> {
    let notification = read_element(payload, Prologue::Forbidden).ok()?;
    if !notification.is(ns::PUBSUB, "notification") {
        return None;
    }
    let update = read_element(notification.text().trim(), Prologue::Allowed).ok()?;
    (update.name() == "Update").then(|| value(&update))
}

fn value(element: &Element) -> Value {
    let text = element.text();
    if element.children().next().is_none() && element.attributes().is_empty() {
        return Value::String(text);
    }
    let mut fields = Map::new();
    for attribute in element.attributes() {
        let value = Value::String(attribute.value.clone());
        fields.insert(format!("@{}", attribute.name), value);
    }
    if !text.trim().is_empty() {
        fields.insert("#text".to_owned(), Value::String(text));
    }
    for node in element.nodes() {
        if let Node::Element(child) = node {
            add(&mut fields, element, child);
        }
    }
    Value::Object(fields)
}

fn add(fields: &mut Map<String, Value>, parent: &Element, child: &Element) {
    let is_plural = parent.name().eq_ignore_ascii_case(&format!("{}s", child.name()));
    match fields.get_mut(child.name()) {
        Some(Value::Array(all)) => all.push(value(child)),
        Some(first) => *first = Value::Array(vec![first.take(), value(child)]),
        None if is_plural => {
            fields.insert(child.name().to_owned(), Value::Array(vec![value(child)]));
        }
        None => {
            fields.insert(child.name().to_owned(), value(child));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::xml::escape_text;

    fn check(update: &str, expected: &Value) {
        let text = escape_text(update);
        let payload = format!("<notification xmlns=\"{}\">{text}</notification>", ns::PUBSUB);
        assert_eq!(of_payload(&payload).as_ref(), Some(expected));
    }

    #[test]
    fn an_update_reads_as_its_elements_are_named() {
        check(
            "<Update>\n <data>\n <user><state>READY</state><roles><role>Agent</role></roles>\
             <pendingState></pendingState></user></data><event>PUT</event></Update>",
            &json!({
                "data": { "user": {
                    "state": "READY", "roles": { "role": ["Agent"] }, "pendingState": "",
                } },
                "event": "PUT",
            }),
        );
    }

    #[test]
    fn what_comes_twice_is_a_list_and_nothing_is_left_out() {
        check(
            "<Update><a>1</a><a>2</a><a>3</a><b c='4'>5</b><d>6<e/></d></Update>",
            &json!({
                "a": ["1", "2", "3"],
                "b": { "@c": "4", "#text": "5" },
                "d": { "#text": "6", "e": "" },
            }),
        );
    }

    #[test]
    fn other_payloads_are_no_update() {
        for payload in [
            "<ticket xmlns='urn:x'/>",
            "<notification>&lt;Update/&gt;</notification>",
            "<notification xmlns='http://jabber.org/protocol/pubsub'>text</notification>",
            "<notification xmlns='http://jabber.org/protocol/pubsub'>&lt;Other/&gt;</notification>",
        ] {
            assert_eq!(of_payload(payload), None, "{payload}");
        }
    }
}
