//! Server-sent events: one answer that goes on (HTML standard, "Server-sent events").
//!
//! Each event has the cursor after it as its `id`, so a reader whose connection breaks comes back
//! with `Last-Event-ID` and gets the rest; a browser does so by itself.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aplomb_core::feed::{Event, Format};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{self, NOTHING_LEFT, UNAVAILABLE};
use super::caller::Caller;
use super::question::Question;
use super::reader::{Reader, Turn};
use super::{Feed, Feeds, Problem, Reads};
use crate::limits::FEED_RETRY_MS;
use crate::mailbox::EndReason;

/// See `what`.
pub(super) const FEED: Feed = Feed {
    path: "/feeds/sse",
    method: "GET",
    what: "Server-sent events, for a browser's `EventSource` and for `curl -N`.",
    reads: Reads::AsStream,
    routes: || OpenApiRouter::new().routes(routes!(sse)),
};

/// Server-sent events, for a browser's `EventSource` and for `curl -N`.
///
/// The event's name is its kind: `notice`, `retract`, `purge`, `delete`, `configuration`, `gap`,
/// `gone`, or `end` before the server ends the answer. Its `id` is a cursor. A comment comes after
/// each time of silence.
#[utoipa::path(
    get,
    path = "/feeds/sse",
    tag = "feeds",
    security(("basic" = []), ("token" = []), ("tokenInUrl" = [])),
    params(
        ("node" = Vec<String>, Query, description = "What to follow; several are repeated"),
        ("cursor" = Option<String>, Query, description = "Where to begin"),
        ("Last-Event-ID" = Option<String>, Header, description = "Where to begin, over `cursor`"),
        ("format" = Option<String>, Query, description = "`json` or `xml`, over `Accept`"),
    ),
    responses(
        (status = 200, description = "A stream of events", content_type = "text/event-stream",
            body = String),
        (status = 400, description = "No node, too many, or a parameter that cannot be read"),
        (status = 401, description = "No password, a wrong one, or a token that is over"),
        (status = 403, description = "A page of a foreign origin, or no TLS"),
        (status = 404, description = "A node that is not there or that you may not read"),
        (status = 429, description = "Too many feeds of this account, or too many logins"),
        (status = 503, description = "The server cannot look this up just now"),
    )
)]
async fn sse(
    Caller(person): Caller,
    State(feeds): State<Arc<Feeds>>,
    question: Question,
) -> Result<Response, Problem> {
    let (reader, events) = Reader::open(&feeds, FEED.path, person, &question).await?;
    let mut stream = Stream { feeds, reader, format: question.format, is_over: false };
    // An id without data is no event, but a reader comes back with it.
    let mut first = format!("retry: {FEED_RETRY_MS}\nid: {}\n\n", stream.reader.cursor());
    stream.push(&mut first, &events);
    let next = async move { Some((first, stream)) };
    let kind = [(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
    Ok((kind, Body::new(Chunks { next: Some(Box::pin(next)) })).into_response())
}

struct Stream {
    feeds: Arc<Feeds>,
    reader: Reader,
    format: Format,
    /// Whether the last event was told.
    is_over: bool,
}

impl Stream {
    /// Waits for the next chunk; none at the end.
    async fn next(mut self) -> Option<(String, Self)> {
        if self.is_over {
            return None;
        }
        let quiet = self.feeds.setup.ping_after;
        let woken = tokio::select! {
            ready = timeout(quiet, self.reader.ready()) => Some(ready),
            () = self.feeds.setup.stopping.cancelled() => None,
        };
        let turn = match woken {
            Some(Ok(())) => self.reader.read().await,
            Some(Err(_)) => self.reader.check().await,
            None => Ok(Turn::End(EndReason::Shutdown)),
        };
        let mut chunk = String::new();
        match turn {
            Ok(Turn::Events(events)) => {
                self.push(&mut chunk, &events);
                if self.reader.is_done() {
                    self.end(&mut chunk, &NOTHING_LEFT);
                }
            }
            Ok(Turn::End(reason)) => self.end(&mut chunk, &answer::end(reason)),
            Err(_) => self.end(&mut chunk, &UNAVAILABLE),
        }
        if chunk.is_empty() {
            chunk.push_str(":\n\n");
        }
        Some((chunk, self))
    }

    fn push(&mut self, chunk: &mut String, events: &[Event]) {
        for event in events {
            let cursor = self.reader.cursor_after(event);
            let text = self.feeds.rendered.of(event, self.format);
            push_event(chunk, event.kind(), &cursor, &text);
        }
    }

    fn end(&mut self, chunk: &mut String, event: &Event) {
        self.push(chunk, std::slice::from_ref(event));
        self.is_over = true;
    }
}

/// Writes one event. Every end of a line in the text begins another `data`.
fn push_event(chunk: &mut String, kind: &str, cursor: &str, text: &str) {
    chunk.push_str(&format!("id: {cursor}\nevent: {kind}\n"));
    for line in text.split("\r\n").flat_map(|part| part.split(['\r', '\n'])) {
        chunk.push_str("data: ");
        chunk.push_str(line);
        chunk.push('\n');
    }
    chunk.push('\n');
}

/// The body: each chunk is made when the connection has taken the one before.
struct Chunks {
    next: Option<Next>,
}

type Next = Pin<Box<dyn Future<Output = Option<(String, Stream)>> + Send>>;

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let made = ready!(next.as_mut().poll(cx));
        self.next = None;
        let Some((chunk, stream)) = made else { return Poll::Ready(None) };
        self.next = Some(Box::pin(stream.next()));
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_text_is_data() {
        let mut chunk = String::new();
        push_event(&mut chunk, "notice", "c", "<a>\n\r\nb\rc</a>");
        let data = "data: <a>\ndata: \ndata: b\ndata: c</a>\n\n";
        assert_eq!(chunk, format!("id: c\nevent: notice\n{data}"));
    }
}
