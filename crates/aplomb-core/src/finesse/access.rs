//! Who may see what over REST (Finesse REST guide, the note "security constraints" of each call).
//!
//! A path that names somebody else is answered 401 and a role that is not enough 403, whether or
//! not the thing exists; only an administrator is told that there is no such thing.

use std::sync::Arc;

use super::errors::ApiError;
use crate::domain::{Domain, Role, Team, User};

/// The user at `/User/{id}`, whom his supervisors and administrators see as well.
///
/// `id` may be a login name.
pub fn user_for(domain: &Domain, caller: &User, id: &str) -> Result<Arc<User>, ApiError> {
    find(domain, caller, id, |user| domain.supervises(caller, user))
}

/// The user at `/User/{id}/ReasonCodes` and the like, which nobody else but administrators see.
pub fn own_user_for(domain: &Domain, caller: &User, id: &str) -> Result<Arc<User>, ApiError> {
    find(domain, caller, id, |_| false)
}

/// The team at `/Team/{id}`, for its supervisors and administrators.
pub fn team_for(domain: &Domain, caller: &User, id: &str) -> Result<Arc<Team>, ApiError> {
    let is_administrator = caller.has_role(Role::Administrator);
    match domain.team(id) {
        Some(team) if is_administrator => Ok(Arc::clone(team)),
        Some(team) if caller.has_role(Role::Supervisor) && caller.supervises.contains(&team.id) => {
            Ok(Arc::clone(team))
        }
        None if is_administrator => Err(ApiError::unknown_team(id)),
        Some(_) | None => Err(ApiError::forbidden(caller.id.as_str())),
    }
}

/// Refuses everybody but administrators.
pub fn administrator(caller: &User) -> Result<(), ApiError> {
    if caller.has_role(Role::Administrator) {
        return Ok(());
    }
    Err(ApiError::forbidden(caller.id.as_str()))
}

fn find(
    domain: &Domain,
    caller: &User,
    id: &str,
    may_see: impl Fn(&User) -> bool,
) -> Result<Arc<User>, ApiError> {
    let is_administrator = caller.has_role(Role::Administrator);
    match domain.named(id) {
        Some(user) if is_administrator || user.id == caller.id || may_see(user) => {
            Ok(Arc::clone(user))
        }
        None if is_administrator => Err(ApiError::unknown_user()),
        Some(_) | None => Err(ApiError::not_yours(id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Flavour;
    use crate::domain::sample::centre;

    #[test]
    fn each_role_sees_what_the_matrix_says() {
        let domain = centre(Flavour::Uccx);
        for (caller, id, user, own, team) in [
            ("1001", "1001", 200, 200, 403),
            ("1001", "1001.LOGIN", 200, 200, 403),
            ("1001", "1002", 401, 401, 403),
            ("1001", "9999", 401, 401, 403),
            ("1001", "1", 401, 401, 403),
            ("sup1", "1001", 200, 401, 403),
            ("sup1", "1003", 401, 401, 403),
            ("sup1", "9999", 401, 401, 403),
            ("sup1", "1", 401, 401, 200),
            ("sup1", "2", 401, 401, 403),
            ("admin", "1001", 200, 200, 404),
            ("admin", "9999", 404, 404, 404),
            ("admin", "2", 404, 404, 200),
            ("publisher", "1001", 401, 401, 403),
        ] {
            let by = domain.user(caller).unwrap();
            let came = (
                user_for(&domain, by, id).map_or_else(|error| error.status, |_| 200),
                own_user_for(&domain, by, id).map_or_else(|error| error.status, |_| 200),
                team_for(&domain, by, id).map_or_else(|error| error.status, |_| 200),
            );
            assert_eq!(came, (user, own, team), "{caller} asks for {id}");
            let is_admin = caller == "admin";
            assert_eq!(
                administrator(by).map_err(|error| error.status),
                if is_admin { Ok(()) } else { Err(403) }
            );
        }
    }
}
