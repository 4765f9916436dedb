//! What a client asks once it is bound, and what comes back (XEP-0060, XEP-0199).

use aplomb_core::jid::FullJid;
use aplomb_core::ns;
use aplomb_core::stanza::{Condition, StanzaError};
use aplomb_core::xml::Element;

use super::news::Event;
use crate::limits::RECALL_ITEMS_MAX;

/// A request that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// To get the events of a node.
    Subscribe(String),
    /// Not to get them any more.
    Unsubscribe(String),
    /// What a node keeps.
    Items(String),
    /// A sign of life.
    Ping,
}

impl Asked {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Subscribe(_) => "subscribe",
            Self::Unsubscribe(_) => "unsubscribe",
            Self::Items(_) => "items",
            Self::Ping => "ping",
        }
    }

    /// Writes the request of `jid` in `domain`.
    pub(super) fn to_element(&self, id: &str, jid: &FullJid, domain: &str) -> Element {
        match self {
            Self::Subscribe(node) => {
                let subscribe = Element::new(ns::PUBSUB, "subscribe")
                    .with_attr("node", node.clone())
                    .with_attr("jid", jid.as_str());
                pubsub("set", id, domain, subscribe)
            }
            Self::Unsubscribe(node) => {
                let unsubscribe = Element::new(ns::PUBSUB, "unsubscribe")
                    .with_attr("node", node.clone())
                    .with_attr("jid", jid.as_str());
                pubsub("set", id, domain, unsubscribe)
            }
            Self::Items(node) => {
                let items = Element::new(ns::PUBSUB, "items")
                    .with_attr("node", node.clone())
                    .with_attr("max_items", RECALL_ITEMS_MAX.to_string());
                pubsub("get", id, domain, items)
            }
            // COMPAT: Cisco's tunnel pings the domain.
            Self::Ping => iq("get", id).with_attr("to", domain).with_child(ping()),
        }
    }
}

/// Available, with priority 0: without it no event of a bare JID comes.
pub(super) fn presence() -> Element {
    Element::new(ns::CLIENT, "presence")
}

/// The answer to a request of the server's: a ping is answered, anything else refused.
pub(super) fn answer(stanza: &Element) -> Option<Element> {
    if stanza.name() != "iq" || !matches!(stanza.attr("type"), Some("get" | "set")) {
        return None;
    }
    let is_ping = stanza.child(ns::PING, "ping").is_some();
    let mut answer = iq(if is_ping { "result" } else { "error" }, stanza.attr("id")?);
    if let Some(from) = stanza.attr("from") {
        answer.set_attr("to", from);
    }
    let refusal = (!is_ping).then(|| StanzaError::new(Condition::ServiceUnavailable).to_element());
    Some(answer.with_children(refusal))
}

/// The error of an answer.
pub(super) fn refusal(answer: &Element) -> Option<StanzaError> {
    let is_error = answer.attr("type") == Some("error");
    let error = answer.child(ns::CLIENT, "error").map(StanzaError::from_element);
    is_error.then(|| error.unwrap_or_else(|| StanzaError::new(Condition::UndefinedCondition)))
}

/// The events in a message, if it is one of the domain's own pubsub service.
pub(super) fn events(stanza: &Element, domain: &str) -> Option<Vec<Event>> {
    if stanza.attr("from") != Some(format!("pubsub.{domain}").as_str()) {
        return None;
    }
    let items = stanza.child(ns::PUBSUB_EVENT, "event")?.child(ns::PUBSUB_EVENT, "items")?;
    Some(read_items(items))
}

/// The items in an answer.
pub(super) fn items(answer: &Element) -> Vec<Event> {
    let items = answer.child(ns::PUBSUB, "pubsub").and_then(|p| p.child(ns::PUBSUB, "items"));
    items.map(read_items).unwrap_or_default()
}

fn read_items(items: &Element) -> Vec<Event> {
    let node = items.attr("node").unwrap_or_default();
    let entries = items.children().filter(|item| matches!(item.name(), "item" | "retract"));
    let event = |item: &Element| Event {
        node: node.to_owned(),
        id: item.attr("id").map(str::to_owned),
        payload: item.children().next().map(payload),
        is_late: false,
    };
    entries.map(event).collect()
}

/// Finesse puts its XML into a text; others put it there as it is.
fn payload(element: &Element) -> String {
    if element.children().next().is_none() { element.text() } else { element.to_xml() }
}

fn pubsub(kind: &str, id: &str, domain: &str, request: Element) -> Element {
    let pubsub = Element::new(ns::PUBSUB, "pubsub").with_child(request);
    iq(kind, id).with_attr("to", format!("pubsub.{domain}")).with_child(pubsub)
}

fn iq(kind: &str, id: &str) -> Element {
    Element::new(ns::CLIENT, "iq").with_attr("type", kind).with_attr("id", id)
}

fn ping() -> Element {
    Element::new(ns::PING, "ping")
}

#[cfg(test)]
mod tests {
    use aplomb_core::xml::{Prologue, read_element_in};

    use super::*;

    fn element(text: &str) -> Element {
        read_element_in(text, Prologue::Forbidden, ns::CLIENT).unwrap()
    }

    fn message(from: &str) -> Element {
        element(&format!(
            "<message from='{from}' to='1001@cc.test' id='QM0FAiNp'>\
             <event xmlns='http://jabber.org/protocol/pubsub#event'>\
             <items node='/finesse/api/User/1001'>\
             <item id='a6ca891f-8b34-443f-8c7d-dac020d41838330'>\
             <notification xmlns='http://jabber.org/protocol/pubsub'>\
             &lt;Update&gt;&lt;source&gt;a &amp;amp; b&lt;/source&gt;&lt;/Update&gt;\
             </notification></item></items></event></message>"
        ))
    }

    #[test]
    fn an_event_is_unescaped_once() {
        let events = events(&message("pubsub.cc.test"), "cc.test").unwrap();
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event.node, "/finesse/api/User/1001");
        assert_eq!(event.id.as_deref(), Some("a6ca891f-8b34-443f-8c7d-dac020d41838330"));
        let payload = "<Update><source>a &amp; b</source></Update>";
        assert_eq!(event.payload.as_deref(), Some(payload));
    }

    #[test]
    fn an_event_of_a_stranger_is_none() {
        for from in ["mallory@cc.test/x", "pubsub.evil.test", "cc.test"] {
            assert_eq!(events(&message(from), "cc.test"), None, "{from}");
        }
        assert_eq!(events(&element("<message from='pubsub.cc.test'/>"), "cc.test"), None);
    }

    #[test]
    fn a_payload_that_is_xml_and_a_retraction_are_events_too() {
        let message = element(
            "<message from='pubsub.cc.test'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
             <items node='n'><item id='1'><x xmlns='urn:x'><y/></x></item><retract id='0'/></items>\
             </event></message>",
        );
        let events = events(&message, "cc.test").unwrap();
        let payloads: Vec<_> = events.iter().map(|event| event.payload.as_deref()).collect();
        assert_eq!(payloads, [Some("<x xmlns=\"urn:x\"><y/></x>"), None]);
    }

    #[test]
    fn a_servers_ping_is_answered_and_anything_else_refused() {
        let ping =
            element("<iq type='get' id='1' from='cc.test'><ping xmlns='urn:xmpp:ping'/></iq>");
        assert_eq!(
            answer(&ping).unwrap().to_xml(),
            "<iq xmlns=\"jabber:client\" type=\"result\" id=\"1\" to=\"cc.test\"/>"
        );
        let other = element("<iq type='set' id='2'><x xmlns='urn:x'/></iq>");
        let refusal = answer(&other).unwrap();
        assert_eq!(super::refusal(&refusal).unwrap().condition, Condition::ServiceUnavailable);
        assert_eq!(answer(&element("<iq type='result' id='3'/>")), None);
        assert_eq!(answer(&element("<presence/>")), None);
    }

    #[test]
    fn a_request_has_the_shape_of_ciscos_guide() {
        let jid = FullJid::new("1001@cc.test/watch").unwrap();
        let asked = Asked::Subscribe("/finesse/api/Team/1/Users".to_owned());
        assert_eq!(
            asked.to_element("s1", &jid, "cc.test").to_xml().replace('"', "'"),
            "<iq xmlns='jabber:client' type='set' id='s1' to='pubsub.cc.test'>\
             <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
             <subscribe node='/finesse/api/Team/1/Users' jid='1001@cc.test/watch'/></pubsub></iq>"
        );
    }
}
