//! Long polling: what there is, or the first that comes, or nothing after a time.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::answer;
use super::caller::Caller;
use super::question::Question;
use super::reader::{Reader, Turn};
use super::{Feed, Feeds, Problem, Reads};
use crate::clock;

/// See `what`.
pub(super) const FEED: Feed = Feed {
    path: "/feeds/longpoll",
    method: "GET",
    what: "Answers when something came since the cursor, or with nothing after `wait` seconds.",
    reads: Reads::WhenSomethingComes,
    routes: || OpenApiRouter::new().routes(routes!(long_poll)),
};

/// Answers when something came since the cursor, or with nothing after `wait` seconds.
#[utoipa::path(
    get,
    path = "/feeds/longpoll",
    tag = "feeds",
    security(("basic" = []), ("token" = []), ("tokenInUrl" = [])),
    params(
        ("node" = Vec<String>, Query, description = "What to follow; several are repeated"),
        ("cursor" = Option<String>, Query, description = "Where the last answer ended"),
        ("wait" = Option<u64>, Query, description = "Seconds to wait, 0 to 50; 30 if not given"),
        ("format" = Option<String>, Query, description = "`json` or `xml`, over `Accept`"),
    ),
    responses(
        (status = 200, description = "`{cursor, more, events}`, as of /feeds/poll",
            content(("application/json"), ("application/xml"))),
        (status = 400, description = "No node, too many, or a parameter that cannot be read"),
        (status = 401, description = "No password, a wrong one, or a token that is over"),
        (status = 403, description = "A page of a foreign origin, or no TLS"),
        (status = 404, description = "A node that is not there or that you may not read"),
        (status = 429, description = "Too many feeds of this account, or too many logins"),
        (status = 503, description = "The server cannot look this up just now"),
    )
)]
async fn long_poll(
    Caller(person): Caller,
    State(feeds): State<Arc<Feeds>>,
    question: Question,
) -> Result<Response, Problem> {
    let until = clock::moment() + question.wait;
    let (mut reader, mut events) = Reader::open(&feeds, FEED.path, person, &question).await?;
    while events.is_empty() {
        let left = until - clock::moment();
        let is_over = tokio::select! {
            ready = timeout(left, reader.ready()) => ready.is_err(),
            () = feeds.setup.stopping.cancelled() => true,
        };
        if is_over {
            break;
        }
        match reader.read().await? {
            Turn::Events(read) => events = read,
            // Nothing is told, and the cursor stays; the next question gets the reason.
            Turn::End(_) => break,
        }
    }
    Ok(answer(&feeds, &mut reader, &events, question.format))
}
