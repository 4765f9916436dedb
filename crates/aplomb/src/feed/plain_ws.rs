//! A WebSocket without XMPP: each message is an answer as a poll would give it.
//!
//! The page's origin is checked and the login made before the 101, so a stranger never gets a
//! socket (RFC 6455 §10.2).

use std::sync::Arc;
use std::time::Duration;

use aplomb_core::feed::{Event, Format};
use aplomb_core::handshake::Carries;
use aplomb_core::time::Moment;
use aplomb_core::websocket::CloseCode;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use tokio::time::{sleep_until, timeout};
use tracing::debug;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{self, NOTHING_LEFT, UNAVAILABLE, written};
use super::caller::Caller;
use super::question::Question;
use super::reader::{Reader, Turn};
use super::{Feed, Feeds, Problem, Reads};
use crate::clock;
use crate::limits::{STALL_SECS_MAX, WS_CLOSE_SECS_MAX};
use crate::link::{Broken, Farewell, Heard, Link, Peer};
use crate::listen::{Permit, accept, refuse, take_over};
use crate::mailbox::EndReason;

/// See `what`.
pub(super) const FEED: Feed = Feed {
    path: "/feeds/ws",
    method: "GET",
    what: "A plain WebSocket; each message is what a poll would answer.",
    reads: Reads::AsMessages,
    routes: || OpenApiRouter::new().routes(routes!(plain_ws)),
};

/// A plain WebSocket; each message is what a poll would answer.
///
/// The first message comes at once and may hold no events; its cursor tells where the feed begins.
/// The client offers the sub-protocol `aplomb.feed`, or none, and need not send anything.
#[utoipa::path(
    get,
    path = "/feeds/ws",
    tag = "feeds",
    security(("basic" = []), ("token" = []), ("tokenInUrl" = [])),
    params(
        ("node" = Vec<String>, Query, description = "What to follow; several are repeated"),
        ("cursor" = Option<String>, Query, description = "Where to begin"),
        ("format" = Option<String>, Query, description = "`json` or `xml`, over `Accept`"),
    ),
    responses(
        (status = 101, description = "A WebSocket of text messages: `{cursor, more, events}`"),
        (status = 400, description = "No node, too many, or a parameter that cannot be read"),
        (status = 401, description = "No password, a wrong one, or a token that is over"),
        (status = 403, description = "A page of a foreign origin, or no TLS"),
        (status = 404, description = "A node that is not there or that you may not read"),
        (status = 426, description = "Not an upgrade to a WebSocket"),
        (status = 429, description = "Too many feeds of this account, or too many logins"),
    )
)]
async fn plain_ws(
    State(feeds): State<Arc<Feeds>>,
    mut request: Request,
) -> Result<Response, Problem> {
    let peer = *request.extensions().get::<Peer>().expect("the listener names the peer");
    let response = match accept(&request, peer, &feeds.setup.allowed_origins, Carries::Feed) {
        Ok(response) => response,
        Err(refusal) => return Ok(refuse(refusal, request.version())),
    };
    let permit = request.extensions().get::<Arc<Permit>>().cloned();
    let upgrade = hyper::upgrade::on(&mut request);
    let (mut parts, _) = request.into_parts();
    let Caller(person) = Caller::from_request_parts(&mut parts, &feeds).await?;
    let question = Question::from_request_parts(&mut parts, &feeds).await?;
    let (reader, events) = Reader::open(&feeds, FEED.path, person, &question).await?;
    let tasks = feeds.setup.tasks.clone();
    tasks.spawn(async move {
        let Some(link) = take_over(upgrade, peer).await else { return };
        let format = question.format;
        let (alive, is_pinged, is_broken) = (clock::moment(), false, false);
        let mut talk = Box::new(Talk { feeds, reader, link, format, alive, is_pinged, is_broken });
        let (code, reason) = talk.run(&events).await;
        debug!(peer = %peer.address, %code, reason, "feed ended");
        // Who breaks the rules of frames is not heard any further.
        let is_answer_awaited = !talk.is_broken;
        let farewell = Farewell { code, reason, is_answer_awaited, condition: None };
        let close = talk.link.close(farewell);
        let _ = timeout(Duration::from_secs(WS_CLOSE_SECS_MAX), close).await;
        // The connection counts until its WebSocket is closed.
        drop(permit);
    });
    Ok(response)
}

/// One WebSocket and its reader.
struct Talk {
    feeds: Arc<Feeds>,
    reader: Reader,
    link: Link,
    format: Format,
    /// The last sign of life.
    alive: Moment,
    is_pinged: bool,
    /// Whether what the client sends can be read no further.
    is_broken: bool,
}

type Ending = (CloseCode, &'static str);

enum Wake {
    Heard(Result<Heard, Broken>),
    Mail,
    Alarm,
}

impl Talk {
    async fn run(&mut self, missed: &[Event]) -> Ending {
        let first = self.say(missed).await;
        match first {
            Ok(()) => self.follow().await.unwrap_or_else(|ending| ending),
            Err(ending) => ending,
        }
    }

    async fn follow(&mut self) -> Result<Ending, Ending> {
        loop {
            let turn = match self.wake().await {
                Wake::Heard(heard) => {
                    self.hear(heard)?;
                    continue;
                }
                Wake::Mail => self.reader.read().await,
                Wake::Alarm => {
                    self.look_at_the_clock()?;
                    self.reader.check().await
                }
            };
            match turn {
                Ok(Turn::Events(events)) if events.is_empty() => {}
                Ok(Turn::Events(events)) => self.say(&events).await?,
                Ok(Turn::End(reason)) => return self.end(&answer::end(reason), code(reason)).await,
                Err(_) => return self.end(&UNAVAILABLE, CloseCode::TRY_AGAIN_LATER).await,
            }
            if self.reader.is_done() {
                return self.end(&NOTHING_LEFT, CloseCode::POLICY_VIOLATION).await;
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let setup = &self.feeds.setup;
        let silence = if self.is_pinged { setup.dead_after } else { setup.ping_after };
        let alarm = clock::instant_of(self.alive + silence).into();
        tokio::select! {
            biased;
            heard = self.link.next() => Wake::Heard(heard),
            () = self.reader.ready() => Wake::Mail,
            () = sleep_until(alarm) => Wake::Alarm,
        }
    }

    /// What a client says means nothing here, but that it is alive.
    fn hear(&mut self, heard: Result<Heard, Broken>) -> Result<(), Ending> {
        // That our own bytes left says nothing of the other end.
        if !matches!(heard, Ok(Heard::Flushed { .. })) {
            self.alive = clock::moment();
            self.is_pinged = false;
        }
        match heard {
            Ok(Heard::Unit(_) | Heard::Flushed { .. } | Heard::LifeSign) => Ok(()),
            Ok(Heard::Close(_)) => Err((CloseCode::NORMAL, "")),
            // The last two are of BOSH.
            Err(Broken::Ended | Broken::Io(_) | Broken::Refused(_) | Broken::Silent) => {
                Err((CloseCode::GOING_AWAY, ""))
            }
            Err(Broken::Violation(violation)) => {
                self.is_broken = true;
                Err((violation.code, violation.what))
            }
        }
    }

    fn look_at_the_clock(&mut self) -> Result<(), Ending> {
        if self.is_pinged {
            return Err((CloseCode::GOING_AWAY, "no sign of life"));
        }
        self.is_pinged = self.link.queue_ping();
        Ok(())
    }

    /// Writes a message and waits until it is taken, while the mailbox fills.
    async fn say(&mut self, events: &[Event]) -> Result<(), Ending> {
        let text = written(&self.feeds, &mut self.reader, events, self.format);
        self.link.queue(text.as_bytes());
        let mut bytes = self.link.traffic().out_bytes;
        let wait = Duration::from_secs(STALL_SECS_MAX);
        while self.link.is_stalled() {
            match timeout(wait, self.link.next()).await {
                Ok(heard) => self.hear(heard)?,
                Err(_) if self.link.traffic().out_bytes == bytes => {
                    return Err((CloseCode::POLICY_VIOLATION, "nothing was taken for too long"));
                }
                // It is slow, but it takes something.
                Err(_) => bytes = self.link.traffic().out_bytes,
            }
        }
        Ok(())
    }

    async fn end(&mut self, event: &Event, code: CloseCode) -> Result<Ending, Ending> {
        self.say(std::slice::from_ref(event)).await?;
        Ok((code, ""))
    }
}

/// What a WebSocket closes with.
const fn code(reason: EndReason) -> CloseCode {
    match reason {
        EndReason::Shutdown => CloseCode::GOING_AWAY,
        EndReason::SlowReader => CloseCode::TRY_AGAIN_LATER,
        EndReason::AccountChanged | EndReason::Conflict => CloseCode::POLICY_VIOLATION,
    }
}
