//! What a reader asks for: nodes, a place to go on from, and a form.

use std::sync::Arc;
use std::time::Duration;

use aplomb_core::feed::{Cursor, Format};
use axum::extract::{FromRequestParts, Query};
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use super::{Feeds, Problem};
use crate::limits::{
    FEED_CURSOR_BYTES_MAX, FEED_NODES_MAX, FEED_WAIT_SECS_MAX, FEED_WAIT_SECS_USUAL,
};

/// The query of a feed, with what its headers add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// Each once.
    pub(super) nodes: Vec<String>,
    pub(super) from: From,
    pub(super) format: Format,
    /// How long a long poll may wait.
    pub(super) wait: Duration,
}

/// Where a reader begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// With what comes next.
    Now,
    /// After the last that he had.
    Cursor(Cursor),
    /// He says where he was, and it means nothing.
    Unreadable,
}

impl FromRequestParts<Arc<Feeds>> for Question {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Feeds>) -> Result<Self, Problem> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let Query(query) = query.map_err(|_| Problem::bad_request("the query cannot be read"))?;
        Self::read(&query, &parts.headers)
    }
}

impl Question {
    /// Names that are not ours mean nothing, as over REST.
    fn read(query: &[(String, String)], headers: &HeaderMap) -> Result<Self, Problem> {
        let all = |name: &'static str| {
            let same = query.iter().filter(move |(other, _)| other == name);
            same.map(|(_, value)| value.as_str())
        };
        let mut nodes: Vec<String> = Vec::new();
        for node in all("node") {
            if !nodes.iter().any(|other| other == node) {
                nodes.push(node.to_owned());
            }
        }
        if !(1..=FEED_NODES_MAX).contains(&nodes.len()) {
            let detail =
                format!("name 1 to {FEED_NODES_MAX} nodes, as node=/finesse/api/User/1001");
            return Err(Problem::bad_request(detail));
        }
        // A browser that comes back by itself sends what it had last, and the URL as it was.
        let last = headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or("?"));
        let from = match last.filter(|id| !id.is_empty()).or_else(|| all("cursor").next_back()) {
            None | Some("") => From::Now,
            Some(text) if text.len() > FEED_CURSOR_BYTES_MAX => From::Unreadable,
            Some(text) => Cursor::parse(text).map_or(From::Unreadable, From::Cursor),
        };
        let format = match all("format").next_back() {
            None if prefers_xml(headers) => Format::Xml,
            None | Some("json") => Format::Json,
            Some("xml") => Format::Xml,
            Some(_) => return Err(Problem::bad_request("format must be json or xml")),
        };
        let wait = match all("wait").next_back() {
            None => FEED_WAIT_SECS_USUAL,
            Some(text) => {
                text.parse().ok().filter(|secs| *secs <= FEED_WAIT_SECS_MAX).ok_or_else(bad_wait)?
            }
        };
        Ok(Self { nodes, from, format, wait: Duration::from_secs(wait) })
    }
}

fn bad_wait() -> Problem {
    Problem::bad_request(format!("wait must be 0 to {FEED_WAIT_SECS_MAX} seconds"))
}

/// Whether XML is asked for, and JSON not before it.
fn prefers_xml(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let kinds = values.flat_map(|value| value.split(','));
    let mut kinds = kinds.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let first = kinds.find(|kind| kind.ends_with("/xml") || kind.ends_with("/json"));
    first.is_some_and(|kind| kind.ends_with("/xml"))
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, headers: &[(&'static str, &str)]) -> Result<Question, Problem> {
        let uri = format!("/feeds/poll?{query}").parse().unwrap();
        let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&uri).unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        Question::read(&query, &headers.collect())
    }

    #[test]
    fn nodes_are_named_once_or_more_and_counted_once() {
        let nodes = |query: &str| read(query, &[]).map(|question| question.nodes);
        assert_eq!(nodes("node=%2Ffinesse%2Fapi%2FUser%2F1").unwrap(), ["/finesse/api/User/1"]);
        assert_eq!(nodes("node=a&node=b&node=a&nocache=1").unwrap(), ["a", "b"]);
        let many: Vec<_> = (0..=FEED_NODES_MAX).map(|n| format!("node={n}")).collect();
        assert!(nodes(&many[1..].join("&")).is_ok() && nodes(&many.join("&")).is_err());
        assert!(nodes("").is_err() && nodes("cursor=x").is_err());
    }

    #[test]
    fn what_the_browser_had_last_counts_more_than_the_url() {
        let cursor = |seq| Cursor::new("e", [("n", seq)]);
        let (old, new) = (cursor(1).to_text(), cursor(2).to_text());
        let from =
            |query: &str, headers: &[(&'static str, &str)]| read(query, headers).unwrap().from;
        let query = format!("node=n&cursor={old}");
        assert_eq!(from(&query, &[]), From::Cursor(cursor(1)));
        assert_eq!(from(&query, &[("last-event-id", &new)]), From::Cursor(cursor(2)));
        assert_eq!(from("node=n&cursor=", &[("last-event-id", "")]), From::Now);
        assert_eq!(from("node=n&cursor=!", &[]), From::Unreadable);
        let long = format!("node=n&cursor={}", "A".repeat(FEED_CURSOR_BYTES_MAX + 1));
        assert_eq!(from(&long, &[]), From::Unreadable);
    }

    #[test]
    fn the_form_is_json_unless_xml_is_asked_for() {
        for (query, accept, expected) in [
            ("", "*/*", Format::Json),
            ("", "text/event-stream", Format::Json),
            ("", "application/xml", Format::Xml),
            ("", "text/event-stream, text/xml;q=0.9", Format::Xml),
            ("", "application/json, application/xml", Format::Json),
            ("&format=xml", "application/json", Format::Xml),
            ("&format=json", "application/xml", Format::Json),
        ] {
            let asked = read(&format!("node=n{query}"), &[("accept", accept)]).unwrap();
            assert_eq!(asked.format, expected, "{query} {accept}");
        }
        assert!(read("node=n&format=csv", &[]).is_err());
    }

    #[test]
    fn a_wait_is_bounded() {
        let wait = |query: &str| read(query, &[]).map(|question| question.wait.as_secs());
        assert_eq!(wait("node=n"), Ok(FEED_WAIT_SECS_USUAL));
        assert_eq!(wait("node=n&wait=0"), Ok(0));
        assert_eq!(wait(&format!("node=n&wait={FEED_WAIT_SECS_MAX}")), Ok(FEED_WAIT_SECS_MAX));
        for bad in ["-1", "x", "1.5", "", "51"] {
            assert!(wait(&format!("node=n&wait={bad}")).is_err(), "{bad}");
        }
    }
}
