//! A token for a password: what a page puts into the URL of an `EventSource` or a `WebSocket`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Feed, Feeds, Problem, Reads, caller};
use crate::web;

/// See `what`.
pub(super) const FEED: Feed = Feed {
    path: "/feeds/token",
    method: "POST",
    what: "Gives a short-lived token for the password, so that no password is in a URL.",
    reads: Reads::Nothing,
    routes: || OpenApiRouter::new().routes(routes!(make_token)),
};

/// Gives a short-lived token for the password, so that no password is in a URL.
///
/// A token opens feeds, as `Authorization: Bearer …` or as the parameter `token`. It opens nothing
/// else, and makes no further token. A changed password makes it worthless.
#[utoipa::path(
    post,
    path = "/feeds/token",
    tag = "feeds",
    security(("basic" = [])),
    responses(
        (status = 200, description = "`{token, token_type, expires_in}`, the last in seconds",
            content_type = "application/json", body = String),
        (status = 401, description = "No password, or a wrong one"),
        (status = 403, description = "A page of a foreign origin, or no TLS"),
        (status = 429, description = "Too many logins or tokens"),
    )
)]
async fn make_token(
    State(feeds): State<Arc<Feeds>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let peer = caller::peer(&parts, &feeds)?;
    let (name, password) = web::basic(&parts.headers).ok_or_else(Problem::unauthorized)?;
    let made = feeds.accounts.token(&name, &password, peer.address.ip()).await;
    let (token, life) = made.map_err(Problem::of_login)?;
    let body = json!({
        "token": token.expose(),
        "token_type": "Bearer",
        "expires_in": life.as_secs(),
    });
    let kind = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((kind, body.to_string()).into_response())
}
