//! How news is said: in the manner of Cisco's tech note for people, as JSON lines for programs.

use std::time::Duration;

use aplomb_core::stream::Side;
use aplomb_core::xml::{Element, Prologue, read_element};
use serde_json::{Map, Value, json};

use crate::client::news::{Event, News, Step, What};
use crate::client::position::{Extent, ItemId, Missed};

/// To whom it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Text,
    Json,
}

impl Voice {
    /// Says one thing, in one line or more, without a line end.
    pub(super) fn say(self, news: &News) -> String {
        match self {
            Self::Text => text(news),
            Self::Json => {
                let lines = json_of(news).into_iter().map(|value| value.to_string());
                lines.collect::<Vec<_>>().join("\n")
            }
        }
    }
}

fn text(news: &News) -> String {
    let News { at, what } = news;
    match what {
        What::Link(line) => block(*at, "·", line, None),
        What::Step(Step { from, text, meaning }) => {
            let sign = if *from == Side::Client { "→" } else { "←" };
            block(*at, sign, text, meaning.as_deref())
        }
        What::Event(event) => text_of_event(*at, event),
        What::Stanza(stanza) => {
            block(*at, "←", &stanza.to_indented_xml(), meaning_of(stanza).as_deref())
        }
        What::Missed(missed) => {
            let mut said = block(*at, "?", &sentence_of(missed), None);
            for event in &missed.events {
                said.push('\n');
                said.push_str(&text_of_event(*at, event));
            }
            said
        }
        What::Lost { why, wait } => {
            let wait = wait.as_secs_f64();
            let line =
                format!("The connection is lost: {why}. The next attempt is in {wait:.1} s.");
            block(*at, "✗", &line, None)
        }
    }
}

fn text_of_event(at: Duration, event: &Event) -> String {
    let late = if event.is_late { " (missed)" } else { "" };
    let item = match event.id.as_deref().map(|id| (id, ItemId::parse(id))) {
        Some((_, Some(id))) => format!(", number {}", id.seq()),
        Some((id, None)) => format!(", item {id}"),
        None => String::new(),
    };
    let payload = match &event.payload {
        Some(payload) => read_element(payload, Prologue::Allowed)
            .map_or_else(|_| payload.clone(), |update| update.to_indented_xml()),
        None => "(taken back)".to_owned(),
    };
    block(at, "●", &format!("{}{item}{late}\n{payload}", event.node), None)
}

/// A time, a sign, lines, and what they mean.
fn block(at: Duration, sign: &str, text: &str, meaning: Option<&str>) -> String {
    let mut said = format!("{:8.3}  {sign} ", at.as_secs_f64());
    for (number, line) in harmless(text).lines().enumerate() {
        if number > 0 {
            said.push_str("\n            ");
        }
        said.push_str(line);
    }
    if let Some(meaning) = meaning {
        said.push_str("\n            # ");
        said.push_str(&harmless(meaning).replace('\n', " "));
    }
    said
}

/// Takes out what would move the cursor or colour a terminal.
fn harmless(text: &str) -> String {
    let is_harmful = |c: char| c.is_control() && c != '\n';
    text.chars().map(|c| if is_harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// What a stanza means that nobody asked for.
fn meaning_of(stanza: &Element) -> Option<String> {
    let from = stanza.attr("from")?;
    let (name, kind) = (stanza.name(), stanza.attr("type"));
    match (name, kind, from.split_once('@')) {
        ("presence", None, Some(("finesse", _))) => Some(
            "Finesse is there. Cisco's desktop waits for this presence before it goes on."
                .to_owned(),
        ),
        ("presence", Some("unavailable"), Some(("finesse", _))) => {
            Some("Finesse is out of service: no event will come until it is back.".to_owned())
        }
        ("presence", None, _) => Some(format!("{from} is there.")),
        ("presence", Some("unavailable"), _) => Some(format!("{from} is gone.")),
        _ => None,
    }
}

fn sentence_of(missed: &Missed) -> String {
    let node = &missed.node;
    match (&missed.extent, missed.events.len()) {
        (Extent::All, 0) => format!("Nothing was missed on {node}."),
        (Extent::All, 1) => format!("One event was missed on {node}:"),
        (Extent::All, count) => format!("{count} events were missed on {node}:"),
        (Extent::AtLeast, count) => format!(
            "{count} events or more were missed on {node}: the server's history begins later. \
             Read its state anew."
        ),
        (Extent::CannotTell(why), _) => format!(
            "It cannot be told what was missed on {node}: {why}. Read its state anew if it matters."
        ),
    }
}

fn json_of(news: &News) -> Vec<Value> {
    let at_secs = (news.at.as_secs_f64() * 1e6).round() / 1e6;
    let object = match &news.what {
        What::Link(text) => json!({"kind": "link", "text": text}),
        What::Step(Step { from, text, meaning }) => {
            let from = if *from == Side::Client { "client" } else { "server" };
            json!({"kind": "step", "from": from, "text": text, "meaning": meaning})
        }
        What::Event(event) => json_of_event(event),
        What::Stanza(stanza) => {
            json!({"kind": "stanza", "text": stanza.to_xml(), "meaning": meaning_of(stanza)})
        }
        What::Missed(missed) => {
            let (extent, why) = match &missed.extent {
                Extent::All => ("all", None),
                Extent::AtLeast => ("at-least", None),
                Extent::CannotTell(why) => ("cannot-tell", Some(why)),
            };
            let count = missed.events.len();
            json!({
                "kind": "missed", "node": missed.node, "extent": extent, "count": count, "why": why,
            })
        }
        What::Lost { why, wait } => {
            json!({"kind": "lost", "why": why.to_string(), "wait_secs": wait.as_secs_f64()})
        }
    };
    let late = match &news.what {
        What::Missed(missed) => missed.events.as_slice(),
        _ => &[],
    };
    let mut objects = vec![object];
    objects.extend(late.iter().map(json_of_event));
    for object in &mut objects {
        object["at_secs"] = json!(at_secs);
    }
    objects
}

fn json_of_event(event: &Event) -> Value {
    let seq = event.id.as_deref().and_then(ItemId::parse).map(|id| id.seq());
    let update = event.payload.as_deref();
    let update = update.and_then(|payload| read_element(payload, Prologue::Allowed).ok());
    json!({
        "kind": "event",
        "node": event.node,
        "item": event.id,
        "seq": seq,
        "late": event.is_late,
        "payload": event.payload,
        "update": update.map(|update| json_of_element(&update)),
    })
}

/// A text for an element without children, else an object; children of one name become a list.
fn json_of_element(element: &Element) -> Value {
    if element.children().next().is_none() {
        return Value::String(element.text());
    }
    let mut object = Map::new();
    for child in element.children() {
        let value = json_of_element(child);
        match object.get_mut(child.name()) {
            None => {
                object.insert(child.name().to_owned(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::news::Loss;

    const ID: &str = "a6ca891f-8b34-443f-8c7d-dac020d41838339";

    fn news(what: What) -> News {
        News { at: Duration::from_millis(1234), what }
    }

    fn event() -> Event {
        let payload = "<Update>\n  <data><user><roles><role>Agent</role><role>Supervisor</role>\
                       </roles><state>READY</state></user></data><event>PUT</event></Update>";
        Event {
            node: "/finesse/api/User/1001".to_owned(),
            id: Some(ID.to_owned()),
            payload: Some(payload.to_owned()),
            is_late: false,
        }
    }

    fn says(what: What, expected: &str) {
        assert_eq!(Voice::Text.say(&news(what)), expected);
    }

    #[test]
    fn a_step_is_said_with_its_time_its_side_and_its_meaning() {
        let step = |from, meaning: Option<&str>| {
            let text = "<a>\n  <b/>\n</a>".to_owned();
            What::Step(Step { from, text, meaning: meaning.map(str::to_owned) })
        };
        says(
            step(Side::Client, Some("It asks.")),
            "   1.234  → <a>\n              <b/>\n            </a>\n            # It asks.",
        );
        says(step(Side::Server, None), "   1.234  ← <a>\n              <b/>\n            </a>");
    }

    #[test]
    fn an_event_is_said_decoded_and_indented() {
        says(
            What::Event(event()),
            "   1.234  ● /finesse/api/User/1001, number 339\n            <Update>\n              \
             <data>\n                <user>\n                  <roles>\n                    \
             <role>Agent</role>\n                    <role>Supervisor</role>\n                  \
             </roles>\n                  <state>READY</state>\n                </user>\n\
             \x20             </data>\n              <event>PUT</event>\n            </Update>",
        );
        let json = json!({"node": "n", "payload": "{\"a\":1}"});
        let odd = Event { payload: Some(json.to_string()), id: Some("x".to_owned()), ..event() };
        let said = Voice::Text.say(&news(What::Event(odd)));
        assert!(said.contains("User/1001, item x\n") && said.contains(&json.to_string()), "{said}");
    }

    #[test]
    fn what_was_missed_is_said_in_a_sentence() {
        let missed = |extent, events: Vec<Event>| {
            let node = "n".to_owned();
            Voice::Text.say(&news(What::Missed(Missed { node, events, extent })))
        };
        assert_eq!(missed(Extent::All, vec![]), "   1.234  ? Nothing was missed on n.");
        let late = Event { is_late: true, ..event() };
        let said = missed(Extent::All, vec![late]);
        assert!(said.contains("One event was missed on n:\n"), "{said}");
        assert!(said.contains("number 339 (missed)"), "{said}");
        assert!(missed(Extent::AtLeast, vec![]).contains("0 events or more"));
        let said = missed(Extent::CannotTell("it keeps none".to_owned()), vec![]);
        assert!(said.contains("cannot be told") && said.contains("it keeps none"), "{said}");
    }

    #[test]
    fn a_server_cannot_paint_the_terminal() {
        let said = Voice::Text.say(&news(What::Link("\u{1b}[2J\u{9b}31mred".to_owned())));
        assert!(!said.contains('\u{1b}') && !said.contains('\u{9b}'), "{said:?}");
    }

    #[test]
    fn every_kind_is_one_json_object_a_line_with_its_kind_and_time() {
        let late = Event { is_late: true, ..event() };
        let missed = Missed { node: "n".to_owned(), events: vec![late], extent: Extent::All };
        let lost = What::Lost { why: Loss::Closed, wait: Duration::from_secs(1) };
        let step = Step { from: Side::Client, text: "<a/>".to_owned(), meaning: None };
        let presence = Element::new("jabber:client", "presence");
        let mut kinds = Vec::new();
        for what in [
            What::Link("TCP".to_owned()),
            What::Step(step),
            What::Event(event()),
            What::Stanza(presence),
            What::Missed(missed),
            lost,
        ] {
            for line in Voice::Json.say(&news(what)).lines() {
                let value: Value = serde_json::from_str(line).unwrap();
                assert_eq!(value["at_secs"], json!(1.234));
                kinds.push(value["kind"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(kinds, ["link", "step", "event", "stanza", "missed", "event", "lost"]);
    }

    #[test]
    fn an_event_in_json_has_its_update_as_an_object() {
        let value = &json_of(&news(What::Event(event())))[0];
        assert_eq!(value["seq"], json!(339));
        assert_eq!(value["update"]["event"], json!("PUT"));
        let user = &value["update"]["data"]["user"];
        assert_eq!(user["state"], json!("READY"));
        assert_eq!(user["roles"]["role"], json!(["Agent", "Supervisor"]));
    }
}
