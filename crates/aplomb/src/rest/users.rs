//! `/finesse/api/User…` and `/finesse/api/Users`.

use aplomb_core::domain::{Command, Profile};
use aplomb_core::finesse::{access, requests, resources};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use super::Rest;
use super::answer::{Problem, Xml};
use super::body::XmlBody;
use super::caller::Caller;
use super::gate::request_id;

/// The path that takes a PUT.
pub(super) const USER_PATH: &str = "/finesse/api/User/{id}";

/// Describes a user, by id or login name: oneself, a supervisor's agents, an administrator's all.
#[utoipa::path(
    get,
    path = "/finesse/api/User/{id}",
    params(("id" = String, Path, description = "Id or login name")),
    responses(
        (status = 200, description = "User", body = String, content_type = "application/xml"),
        (status = 401, description = "Wrong password, or somebody else's path"),
        (status = 404, description = "Administrators are told that there is no such user"),
        (status = 503, description = "The store fails"),
    )
)]
pub(super) async fn get_user(
    Caller(caller): Caller,
    State(rest): State<Rest>,
    Path(id): Path<String>,
) -> Result<Xml, Problem> {
    let profile = rest
        .writer
        .read(|domain| access::user_for(domain, &caller, &id).map(|user| domain.profile(&user)))?;
    Ok(Xml(resources::user(&profile)))
}

/// Changes a user's state: LOGIN, READY, NOT_READY or LOGOUT. The outcome is an event.
#[utoipa::path(
    put,
    path = "/finesse/api/User/{id}",
    params(
        ("id" = String, Path, description = "Id or login name"),
        ("requestId" = Option<String>, Header, description = "Echoed in the answer and the event"),
    ),
    request_body(
        content = String,
        content_type = "application/xml",
        description = "`<User><state>LOGIN</state><extension>1001</extension></User>`",
    ),
    responses(
        (status = 202, description = "Accepted; the outcome comes as an event"),
        (status = 400, description = "A parameter is missing or cannot be"),
        (status = 401, description = "Wrong password, somebody else's path, or not your team"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "The body is not application/xml"),
        (status = 503, description = "The store fails"),
    )
)]
pub(super) async fn put_user(
    Caller(caller): Caller,
    State(rest): State<Rest>,
    Path(name): Path<String>,
    headers: HeaderMap,
    XmlBody(body): XmlBody,
) -> Result<StatusCode, Problem> {
    let (to, reason) = requests::user_put(&body)?;
    let known = rest.writer.read(|domain| domain.named(&name).map(|user| user.id.clone()));
    let user = known.unwrap_or_else(|| name.as_str().into());
    let command = Command::SetState { by: caller.id.clone(), user, to, reason };
    let request_id = request_id(&headers).and_then(|id| id.to_str().ok()).unwrap_or_default();
    rest.writer.command(command, request_id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Describes all agents and supervisors, for administrators.
#[utoipa::path(
    get,
    path = "/finesse/api/Users",
    responses(
        (status = 200, description = "Users", body = String, content_type = "application/xml"),
        (status = 403, description = "Not an administrator"),
    )
)]
pub(super) async fn get_users(
    Caller(caller): Caller,
    State(rest): State<Rest>,
) -> Result<Xml, Problem> {
    access::administrator(&caller)?;
    let profiles: Vec<Profile> = rest.writer.read(|domain| {
        domain.users().filter(|user| user.has_desk()).map(|user| domain.profile(user)).collect()
    });
    // Thousands of users are megabytes of text, which would hold up the sessions of this thread.
    let body = tokio::task::spawn_blocking(move || resources::users(&profiles)).await;
    Ok(Xml(body.expect("writing the users does not panic")))
}

/// Lists a user's voice dialogs. There are none yet.
#[utoipa::path(
    get,
    path = "/finesse/api/User/{id}/Dialogs",
    params(("id" = String, Path, description = "Id or login name")),
    responses(
        (status = 200, description = "Dialogs", body = String, content_type = "application/xml"),
        (status = 404, description = "Administrators are told that there is no such user"),
    )
)]
pub(super) async fn get_dialogs(
    Caller(caller): Caller,
    State(rest): State<Rest>,
    Path(id): Path<String>,
) -> Result<Xml, Problem> {
    rest.writer.read(|domain| access::user_for(domain, &caller, &id))?;
    Ok(Xml(resources::no_dialogs()))
}
