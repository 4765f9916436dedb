//! Short polling: what there is, at once.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::answer;
use super::caller::Caller;
use super::question::Question;
use super::reader::Reader;
use super::{Feed, Feeds, Problem, Reads};

/// See `what`.
pub(super) const FEED: Feed = Feed {
    path: "/feeds/poll",
    method: "GET",
    what: "Answers at once with what came since the cursor, which may be nothing.",
    reads: Reads::AtOnce,
    routes: || OpenApiRouter::new().routes(routes!(poll)),
};

/// Answers at once with what came since the cursor, which may be nothing.
#[utoipa::path(
    get,
    path = "/feeds/poll",
    tag = "feeds",
    security(("basic" = []), ("token" = []), ("tokenInUrl" = [])),
    params(
        ("node" = Vec<String>, Query, description = "What to follow, such as \
            `/finesse/api/User/1001`; several are repeated"),
        ("cursor" = Option<String>, Query, description = "Where the last answer ended; without it \
            the answer tells only where now is"),
        ("format" = Option<String>, Query, description = "`json` or `xml`, over `Accept`"),
    ),
    responses(
        (status = 200, description = "`{cursor, more, events}`; no events is an empty list",
            content(("application/json"), ("application/xml"))),
        (status = 400, description = "No node, too many, or a parameter that cannot be read"),
        (status = 401, description = "No password, a wrong one, or a token that is over"),
        (status = 403, description = "A page of a foreign origin, or no TLS"),
        (status = 404, description = "A node that is not there or that you may not read"),
        (status = 429, description = "Too many feeds of this account, or too many logins"),
        (status = 503, description = "The server cannot look this up just now"),
    )
)]
async fn poll(
    Caller(person): Caller,
    State(feeds): State<Arc<Feeds>>,
    question: Question,
) -> Result<Response, Problem> {
    let (mut reader, events) = Reader::open(&feeds, FEED.path, person, &question).await?;
    Ok(answer(&feeds, &mut reader, &events, question.format))
}
