//! The answer of the polls, and a message of the WebSocket: events with the cursor after them.

use std::sync::Arc;

use aplomb_core::feed::{Event, Format};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Feeds;
use super::reader::Reader;
use crate::mailbox::EndReason;

/// Events, written out.
///
/// - Shape: `{"cursor":"…","more":false,"events":[…]}`, or
///   `<events cursor="…" more="false">…</events>`.
pub(super) fn written(
    feeds: &Feeds,
    reader: &mut Reader,
    events: &[Event],
    format: Format,
) -> String {
    let texts: Vec<Arc<str>> = events
        .iter()
        .map(|event| {
            reader.advance(event);
            feeds.rendered.of(event, format)
        })
        .collect();
    let (cursor, more) = (reader.cursor(), reader.is_behind());
    match format {
        Format::Json => {
            let (cursor, events) = (json!(cursor), texts.join(","));
            format!(r#"{{"cursor":{cursor},"more":{more},"events":[{events}]}}"#)
        }
        Format::Xml => {
            format!(r#"<events cursor="{cursor}" more="{more}">{}</events>"#, texts.concat())
        }
    }
}

/// The answer of a poll.
pub(super) fn answer(
    feeds: &Feeds,
    reader: &mut Reader,
    events: &[Event],
    format: Format,
) -> Response {
    let kind = match format {
        Format::Json => "application/json",
        Format::Xml => "application/xml;charset=UTF-8",
    };
    let body = written(feeds, reader, events, format);
    ([(CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}

/// The last event of a feed.
pub(super) const fn end(reason: EndReason) -> Event {
    let (reason, message) = match reason {
        EndReason::SlowReader => {
            ("slow-reader", "more came than was read; come back with the cursor for the rest")
        }
        EndReason::Shutdown => ("shutdown", "the server stops; come back with the cursor"),
        EndReason::AccountChanged => ("account-changed", "the account was changed or removed"),
        EndReason::Conflict => ("conflict", "another reader took this place"),
    };
    Event::End { reason, message }
}

/// The last event of a feed whose server cannot look anything up just now.
pub(super) const UNAVAILABLE: Event = Event::End {
    reason: "unavailable",
    message: "the server cannot look this up just now; come back with the cursor",
};

/// The last event of a feed that follows nothing any more.
pub(super) const NOTHING_LEFT: Event =
    Event::End { reason: "nothing-left", message: "none of the nodes may be read any more" };
