//! Reads the bodies that clients send.

use super::errors::ApiError;
use crate::domain::{ReasonId, Wanted};
use crate::xml::{Element, Prologue, read_element};

/// Reads the body of `PUT /User/{id}`.
///
/// - Shape: `<User><state>LOGIN</state><extension>1001</extension></User>`; a reason as
///   `<reasonCodeId>3</reasonCodeId>`, where −1 and an empty element mean none. Elements that we
///   do not know are left out of account, as Finesse does. The caller bounds the length.
/// - Errors: what REST answers, with 400.
/// - Source: Finesse REST guide, User: sign in, change state.
pub fn user_put(body: &str) -> Result<(Wanted, Option<ReasonId>), ApiError> {
    // COMPAT: .NET's `StreamWriter` begins a UTF-8 body with a byte order mark.
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let user = read_element(body, Prologue::Allowed)
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    if user.name() != "User" {
        return Err(ApiError::bad_request("The body must be a User element"));
    }
    let wanted = match value(&user, "state").as_deref() {
        None => return Err(ApiError::missing("state")),
        Some("LOGIN") => Wanted::Login { extension: value(&user, "extension") },
        Some("READY") => Wanted::Ready,
        Some("NOT_READY") => Wanted::NotReady,
        Some("LOGOUT") => Wanted::Logout,
        Some(_) => {
            let why = "The state must be LOGIN, READY, NOT_READY or LOGOUT";
            return Err(ApiError::invalid("state", why));
        }
    };
    let reason = match value(&user, "reasonCodeId").as_deref() {
        None | Some("-1") => None,
        Some(id) => {
            let why = "A reason is named by the number that is its id";
            Some(id.parse().map_err(|_| ApiError::invalid("reasonCodeId", why))?)
        }
    };
    Ok((wanted, reason))
}

/// The text of a child in whatever namespace; none when absent or empty.
fn value(parent: &Element, name: &str) -> Option<String> {
    let child = parent.children().find(|child| child.name() == name)?;
    let text = child.text().trim().to_owned();
    (!text.is_empty()).then_some(text)
}
