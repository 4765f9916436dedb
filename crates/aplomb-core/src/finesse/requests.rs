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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let came = match user_put(body) {
            Ok((wanted, reason)) => format!("{wanted:?} {reason:?}"),
            Err(error) => format!("{} {} {}", error.status, error.kind, error.data),
        };
        assert_eq!(came.trim(), expected, "{body}");
    }

    #[test]
    fn what_is_wrong_with_the_xml_is_not_said_of_xmpp() {
        for body in ["<!DOCTYPE a><User/>", "<User>&b;</User>", "<User><?a?></User>", "<User>"] {
            let words = user_put(body).unwrap_err().message;
            assert!(!words.contains("XMPP"), "{body}: {words}");
        }
    }

    #[test]
    fn bodies_of_real_clients_are_read() {
        let login = "Login { extension: Some(\"2830\") } None";
        check("<User><state>LOGIN</state><extension>2830</extension></User>", login);
        check(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<User>\n  <state> LOGIN </state>\n \
             <extension>2830</extension><mobileAgent><mode/></mobileAgent></User>\n",
            login,
        );
        check("\u{feff}<User><state>READY</state></User>", "Ready None");
        check(
            "<User><reasonCodeId>7</reasonCodeId><state>NOT_READY</state></User>",
            "NotReady Some(7)",
        );
        check("<User><state>LOGOUT</state><reasonCodeId/></User>", "Logout None");
        check("<User><state>LOGOUT</state><reasonCodeId>-1</reasonCodeId></User>", "Logout None");
        check("<User xmlns='urn:x'><state>READY</state></User>", "Ready None");
        check("<User><state>LOGIN</state></User>", "Login { extension: None } None");
    }

    #[test]
    fn other_bodies_are_told_what_is_wrong() {
        check("<User></User>", "400 Parameter Missing state");
        check("<User><state/></User>", "400 Parameter Missing state");
        check("<User><state>TALKING</state></User>", "400 Invalid Input state");
        check("<User><state>ready</state></User>", "400 Invalid Input state");
        check(
            "<User><state>READY</state><reasonCodeId>x</reasonCodeId></User>",
            "400 Invalid Input reasonCodeId",
        );
        check(
            "<User><state>READY</state><reasonCodeId>-7</reasonCodeId></User>",
            "400 Invalid Input reasonCodeId",
        );
        check("<Dialog><state>READY</state></Dialog>", "400 Bad Request");
        check("", "400 Bad Request");
        check("{\"state\":\"READY\"}", "400 Bad Request");
        check("<User><state>READY</state>", "400 Bad Request");
        check(
            "<!DOCTYPE User [<!ENTITY x 'y'>]><User><state>&x;</state></User>",
            "400 Bad Request",
        );
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_read_or_answered_400(body in "[<>/&;!?a-zA-Z\"'= \\[\\]-]{0,200}") {
            if let Err(error) = user_put(&body) {
                proptest::prop_assert_eq!(error.status, 400);
            }
        }
    }
}
