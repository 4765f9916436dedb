//! One event of a feed, and its two forms.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::update;
use crate::pubsub::{Lost, Told};
use crate::xml::escape_attribute;

/// Something that a reader is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A notice.
    Told {
        /// The node.
        node: Arc<str>,
        /// The number within the node.
        seq: u64,
        /// What it tells.
        told: Told,
    },
    /// Something was missed and cannot be told any more.
    Gap {
        /// The node.
        node: Arc<str>,
        /// Where the reader goes on: the number of the node's last notice.
        seq: u64,
        /// Why.
        gap: Gap,
    },
    /// The reader may not follow the node any more, or there is none.
    Gone {
        /// The node.
        node: Arc<str>,
    },
    /// The feed ends.
    End {
        /// The word for programs.
        reason: &'static str,
        /// What to do, for people.
        message: &'static str,
    },
}

/// Why something that was missed cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The history says so.
    Lost(Lost),
    /// The cursor is none of this program.
    CursorUnreadable,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// An object; the payload is in it as text, and a Finesse `Update` as an object besides.
    Json,
    /// An element; the payload is in it as it was published.
    Xml,
}

impl Event {
    /// The word for the kind of event.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Told { told: Told::Item(_), .. } => "notice",
            Self::Told { told: Told::Retract(_), .. } => "retract",
            Self::Told { told: Told::Purge, .. } => "purge",
            Self::Told { told: Told::Delete(_), .. } => "delete",
            Self::Told { told: Told::Signal, .. } => "signal",
            Self::Told { told: Told::Configuration, .. } => "configuration",
            Self::Gap { .. } => "gap",
            Self::Gone { .. } => "gone",
            Self::End { .. } => "end",
        }
    }

    /// Writes the event.
    ///
    /// - Shape: `{"kind":"notice","node":…,"seq":7,"id":…,"at":…,"payload":"<…>","update":{…}}`, or
    ///   `<notice node="…" seq="7" id="…" at="…"><notification …>…</notification></notice>`.
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Json => self.to_json(),
            Format::Xml => self.to_xml(),
        }
    }

    fn to_json(&self) -> String {
        let fields = self.fields().into_iter().map(|(name, value)| (name.to_owned(), value));
        let mut object: Map<_, _> = fields.collect();
        object.insert("kind".to_owned(), json!(self.kind()));
        if let Some(payload) = self.payload() {
            object.insert("payload".to_owned(), json!(payload));
            let update = update::of_payload(payload);
            object.extend(update.map(|update| ("update".to_owned(), update)));
        }
        Value::Object(object).to_string()
    }

    fn to_xml(&self) -> String {
        let kind = self.kind();
        let mut tag = kind.to_owned();
        for (name, value) in self.fields() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            tag.push_str(&format!(r#" {name}="{}""#, escape_attribute(&text)));
        }
        match self.payload() {
            Some(payload) => format!("<{tag}>{payload}</{kind}>"),
            None => format!("<{tag}/>"),
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let at = |node: &str, seq: u64| vec![("node", json!(node)), ("seq", json!(seq))];
        match self {
            Self::Told { node, seq, told } => {
                let mut fields = at(node, *seq);
                match told {
                    Told::Item(item) => {
                        fields.extend([("id", json!(item.id)), ("at", json!(item.at.to_iso()))]);
                    }
                    Told::Retract(id) => fields.push(("id", json!(id))),
                    Told::Delete(Some(uri)) => fields.push(("redirect", json!(uri))),
                    Told::Purge | Told::Delete(None) | Told::Configuration | Told::Signal => {}
                }
                fields
            }
            Self::Gap { node, seq, gap } => {
                let mut fields = at(node, *seq);
                fields.extend([("reason", json!(gap.name())), ("message", json!(gap.message()))]);
                fields
            }
            Self::Gone { node } => vec![("node", json!(**node))],
            Self::End { reason, message } => {
                vec![("reason", json!(reason)), ("message", json!(message))]
            }
        }
    }

    fn payload(&self) -> Option<&str> {
        match self {
            Self::Told { told: Told::Item(item), .. } => item.payload.as_deref(),
            Self::Told { .. } | Self::Gap { .. } | Self::Gone { .. } | Self::End { .. } => None,
        }
    }
}

impl Gap {
    /// The word for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lost(lost) => lost.name(),
            Self::CursorUnreadable => "cursor-unreadable",
        }
    }

    /// What to do, for people.
    const fn message(self) -> &'static str {
        match self {
            Self::Lost(Lost::EpochChanged) => {
                "the server has another history now; read the present state again"
            }
            Self::Lost(Lost::HistoryTooShort) => {
                "what was missed is no longer kept; read the present state again"
            }
            Self::Lost(Lost::NotKept) => {
                "something was missed that is not kept, such as a retraction; read the present \
                 state again"
            }
            Self::Lost(Lost::HistoryReset) => "the node began anew; read the present state again",
            Self::Lost(Lost::Unknown) => "this place is unknown; read the present state again",
            Self::CursorUnreadable => {
                "the cursor is not one that this server gave; read the present state again"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pubsub::Item;
    use crate::time::WallTime;

    fn check(told: Told, json: &str, xml: &str) {
        let event = Event::Told { node: "a&b".into(), seq: 7, told };
        assert_eq!(event.write(Format::Json), json);
        assert_eq!(event.write(Format::Xml), xml);
    }

    fn item(payload: Option<&str>) -> Told {
        let at = WallTime(1_506_620_020_875);
        Told::Item(Arc::new(Item { seq: 7, id: "e7".into(), payload: payload.map(Into::into), at }))
    }

    #[test]
    fn a_payload_is_passed_on_as_it_was_published() {
        check(
            item(Some("<ticket n=\"1\">\n&lt;</ticket>")),
            concat!(
                r#"{"at":"2017-09-28T17:33:40.875Z","id":"e7","kind":"notice","node":"a&b","#,
                r#""payload":"<ticket n=\"1\">\n&lt;</ticket>","seq":7}"#
            ),
            "<notice node=\"a&amp;b\" seq=\"7\" id=\"e7\" at=\"2017-09-28T17:33:40.875Z\">\
             <ticket n=\"1\">\n&lt;</ticket></notice>",
        );
    }

    #[test]
    fn what_has_no_payload_has_none() {
        check(
            item(None),
            r#"{"at":"2017-09-28T17:33:40.875Z","id":"e7","kind":"notice","node":"a&b","seq":7}"#,
            r#"<notice node="a&amp;b" seq="7" id="e7" at="2017-09-28T17:33:40.875Z"/>"#,
        );
        check(
            Told::Retract("e3".into()),
            r#"{"id":"e3","kind":"retract","node":"a&b","seq":7}"#,
            r#"<retract node="a&amp;b" seq="7" id="e3"/>"#,
        );
        for (told, kind) in [
            (Told::Purge, "purge"),
            (Told::Delete(None), "delete"),
            (Told::Signal, "signal"),
            (Told::Configuration, "configuration"),
        ] {
            check(
                told,
                &format!(r#"{{"kind":"{kind}","node":"a&b","seq":7}}"#),
                &format!(r#"<{kind} node="a&amp;b" seq="7"/>"#),
            );
        }
    }

    #[test]
    fn a_gap_names_its_reason_and_what_to_do() {
        let gap = Gap::Lost(Lost::EpochChanged);
        let event = Event::Gap { node: "n".into(), seq: 3, gap };
        assert_eq!(
            event.write(Format::Json),
            concat!(
                r#"{"kind":"gap","message":"the server has another history now; "#,
                r#"read the present state again","node":"n","reason":"epoch-changed","seq":3}"#
            )
        );
        assert!(event.write(Format::Xml).starts_with(
            "<gap node=\"n\" seq=\"3\" reason=\"epoch-changed\" message=\"the server has"
        ));
        let end = Event::End { reason: "shutdown", message: "come back" };
        assert_eq!(end.write(Format::Xml), r#"<end reason="shutdown" message="come back"/>"#);
    }
}
