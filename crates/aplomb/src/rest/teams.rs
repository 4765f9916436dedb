//! `/finesse/api/Team…` and `/finesse/api/Teams`.

use std::sync::Arc;

use aplomb_core::domain::{Profile, Team};
use aplomb_core::finesse::errors::ApiError;
use aplomb_core::finesse::{access, resources};
use axum::extract::{Path, State};

use super::Rest;
use super::answer::{Problem, Xml};
use super::caller::Caller;

/// Describes a team and its members, for its supervisors and administrators.
#[utoipa::path(
    get,
    path = "/finesse/api/Team/{id}",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "Team", body = String, content_type = "application/xml"),
        (status = 403, description = "Neither its supervisor nor an administrator"),
        (status = 404, description = "Administrators are told that there is no such team"),
    )
)]
pub(super) async fn get_team(
    Caller(caller): Caller,
    State(rest): State<Rest>,
    Path(id): Path<String>,
) -> Result<Xml, Problem> {
    let (team, members) = rest.writer.read(|domain| {
        let team = access::team_for(domain, &caller, &id)?;
        let members = domain.members(&team.id).filter(|user| user.has_desk());
        let members: Vec<Profile> = members.map(|user| domain.profile(user)).collect();
        Ok::<_, ApiError>((team, members))
    })?;
    Ok(Xml(resources::team(&team, &members)))
}

/// Lists all teams, for administrators.
#[utoipa::path(
    get,
    path = "/finesse/api/Teams",
    responses(
        (status = 200, description = "Teams", body = String, content_type = "application/xml"),
        (status = 403, description = "Not an administrator"),
    )
)]
pub(super) async fn get_teams(
    Caller(caller): Caller,
    State(rest): State<Rest>,
) -> Result<Xml, Problem> {
    access::administrator(&caller)?;
    let teams: Vec<Arc<Team>> = rest.writer.read(|domain| domain.teams().cloned().collect());
    Ok(Xml(resources::teams(&teams)))
}
