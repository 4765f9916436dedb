//! `/finesse/api/ReasonCode…`, and what a user may give as a reason.

use std::sync::Arc;

use aplomb_core::domain::{Category, Domain, Reason};
use aplomb_core::finesse::errors::ApiError;
use aplomb_core::finesse::{access, resources};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::Rest;
use super::answer::{Problem, Xml};
use super::caller::Caller;

/// The query of a list. Other parameters, such as `nocache`, mean nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    category: Option<String>,
}

/// Lists the reasons of a category that a user may give.
#[utoipa::path(
    get,
    path = "/finesse/api/User/{id}/ReasonCodes",
    params(
        ("id" = String, Path, description = "Id or login name"),
        ("category" = String, Query, description = "NOT_READY or LOGOUT"),
    ),
    responses(
        (status = 200, description = "Reasons", body = String, content_type = "application/xml"),
        (status = 400, description = "No category, or no such category"),
        (status = 401, description = "Wrong password, or somebody else's path"),
        (status = 404, description = "Administrators are told that there is no such user"),
    )
)]
pub(super) async fn get_reasons_of_user(
    Caller(caller): Caller,
    State(rest): State<Rest>,
    Path(id): Path<String>,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Result<Xml, Problem> {
    let category = category(query)?;
    let reasons: Vec<Arc<Reason>> = rest.writer.read(|domain| {
        access::own_user_for(domain, &caller, &id)?;
        let may_be_given = |reason: &Reason| reason.may_be_given() && is_in(reason, category);
        Ok::<_, ApiError>(domain.reasons().filter(|r| may_be_given(r)).cloned().collect())
    })?;
    Ok(Xml(resources::reason_codes(&reasons)))
}

/// Describes a reason to a user.
#[utoipa::path(
    get,
    path = "/finesse/api/User/{id}/ReasonCode/{reason}",
    params(("id" = String, Path, description = "Id or login name"), ("reason" = u32, Path)),
    responses(
        (status = 200, description = "ReasonCode", body = String, content_type = "application/xml"),
        (status = 401, description = "Wrong password, or somebody else's path"),
        (status = 404, description = "No such reason"),
    )
)]
pub(super) async fn get_reason_of_user(
    Caller(caller): Caller,
    State(rest): State<Rest>,
    Path((id, reason)): Path<(String, String)>,
) -> Result<Xml, Problem> {
    let reason = rest.writer.read(|domain| {
        access::own_user_for(domain, &caller, &id)?;
        find(domain, &reason)
    })?;
    Ok(Xml(resources::reason_code(&reason)))
}

/// Describes a reason, for administrators.
#[utoipa::path(
    get,
    path = "/finesse/api/ReasonCode/{id}",
    params(("id" = u32, Path)),
    responses(
        (status = 200, description = "ReasonCode", body = String, content_type = "application/xml"),
        (status = 403, description = "Not an administrator"),
        (status = 404, description = "No such reason"),
    )
)]
pub(super) async fn get_reason(
    Caller(caller): Caller,
    State(rest): State<Rest>,
    Path(id): Path<String>,
) -> Result<Xml, Problem> {
    access::administrator(&caller)?;
    let reason = rest.writer.read(|domain| find(domain, &id))?;
    Ok(Xml(resources::reason_code(&reason)))
}

/// Lists the reasons of a category, those of the system as well, for administrators.
#[utoipa::path(
    get,
    path = "/finesse/api/ReasonCodes",
    params(("category" = String, Query, description = "NOT_READY, LOGOUT or ALL")),
    responses(
        (status = 200, description = "Reasons", body = String, content_type = "application/xml"),
        (status = 400, description = "No category, or no such category"),
        (status = 403, description = "Not an administrator"),
    )
)]
pub(super) async fn get_reasons(
    Caller(caller): Caller,
    State(rest): State<Rest>,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Result<Xml, Problem> {
    access::administrator(&caller)?;
    let category = category(query)?;
    let reasons: Vec<Arc<Reason>> = rest
        .writer
        .read(|domain| domain.reasons().filter(|r| is_in(r, category)).cloned().collect());
    Ok(Xml(resources::reason_codes(&reasons)))
}

fn find(domain: &Domain, id: &str) -> Result<Arc<Reason>, ApiError> {
    let found = id.parse().ok().and_then(|id| domain.reason(id)).cloned();
    found.ok_or_else(|| ApiError::new(404, "Not Found", "There is no such reason code", id))
}

/// Reads the query; none is every category.
fn category(query: Result<Query<Wanted>, QueryRejection>) -> Result<Option<Category>, ApiError> {
    let Query(Wanted { category }) =
        query.map_err(|_| ApiError::bad_request("The query cannot be read"))?;
    match category.as_deref() {
        None => Err(ApiError::missing("category")),
        Some("ALL") => Ok(None),
        Some(name) => match Category::named(name) {
            None => Err(ApiError::invalid("category", "It must be NOT_READY, LOGOUT or ALL")),
            category => Ok(category),
        },
    }
}

fn is_in(reason: &Reason, category: Option<Category>) -> bool {
    category.is_none_or(|category| category == reason.category)
}
