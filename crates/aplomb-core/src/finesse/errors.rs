//! The `ApiErrors` body, upper case on HTTP and lower case in events (Finesse REST guide, errors).

use super::pretty::Pretty;
use crate::domain::{Fault, Refusal};

/// An error that is answered at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// `ErrorType`, one of the guide's.
    pub kind: &'static str,
    /// `ErrorMessage`: a constant of the guide, or words.
    pub message: String,
    /// `ErrorData`: what it is about.
    pub data: String,
}

impl ApiError {
    /// An error.
    pub fn new(
        status: u16,
        kind: &'static str,
        message: impl Into<String>,
        data: impl Into<String>,
    ) -> Self {
        Self { status, kind, message: message.into(), data: data.into() }
    }

    /// Nobody logged in: no credentials, or wrong ones.
    pub fn unauthorized(name: &str) -> Self {
        Self::new(401, "Authorization Failure", "UNAUTHORIZED", name)
    }

    /// The path names somebody else.
    pub fn not_yours(id: &str) -> Self {
        let message =
            "The user specified in the authentication credentials and the uri don't match";
        Self::new(401, "Invalid Authorization User Specified", message, id)
    }

    /// The caller's role is not enough.
    pub fn forbidden(name: &str) -> Self {
        Self::new(403, "Forbidden", "The user's role does not permit this", name)
    }

    /// No such user.
    pub fn unknown_user() -> Self {
        Self::new(404, "User Not Found", "UNKNOWN_USER", "4023")
    }

    /// No such team.
    pub fn unknown_team(id: &str) -> Self {
        Self::new(404, "TeamId Not Found", "There is no such team", id)
    }

    /// Nothing at this path.
    pub fn not_found(path: &str) -> Self {
        Self::new(404, "Not Found", "There is nothing at this path", path)
    }

    /// The path has no such method.
    pub fn method_not_allowed(method: &str) -> Self {
        Self::new(405, "Method Not Allowed", "This path does not take the method", method)
    }

    /// A parameter is absent: `State Parameter missing`.
    pub fn missing(parameter: &str) -> Self {
        let mut name = parameter.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self::new(400, "Parameter Missing", format!("{name} Parameter missing"), parameter)
    }

    /// A parameter cannot be.
    pub fn invalid(parameter: &str, why: impl Into<String>) -> Self {
        Self::new(400, "Invalid Input", why, parameter)
    }

    /// The request is not what HTTP and XML demand.
    pub fn bad_request(why: impl Into<String>) -> Self {
        Self::new(400, "Bad Request", why, "")
    }

    /// Nothing works just now.
    pub fn out_of_service() -> Self {
        Self::new(503, "Service Unavailable", "SERVER_OUT_OF_SERVICE", "")
    }

    /// The body of the answer.
    pub fn to_xml(&self) -> String {
        Pretty::document("ApiErrors", |out| {
            out.element("ApiError", |out| {
                out.leaf("ErrorType", self.kind);
                out.leaf("ErrorMessage", &self.message);
                out.leaf("ErrorData", &self.data);
            });
        })
    }
}

impl From<&Refusal> for ApiError {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::UnknownUser(_) => Self::unknown_user(),
            Refusal::UnknownTeam(id) => Self::unknown_team(id),
            Refusal::NotYours(id) => Self::not_yours(id),
            Refusal::NotYourTeam(id) => {
                Self::new(401, "Invalid Supervisor", "The user is in no team of yours", id)
            }
            Refusal::NotAnAgent(id) => {
                Self::new(400, "Invalid State", "The user has no role that signs in", id)
            }
            Refusal::Missing(parameter) => Self::missing(parameter),
            Refusal::Invalid { parameter, why } => Self::invalid(parameter, why.as_str()),
            Refusal::NameTaken(name) => Self::invalid(name, "The name is taken"),
            Refusal::TeamNotEmpty(id) => Self::invalid(id, "The team is not empty"),
        }
    }
}

/// Writes the lower-case form.
pub(super) fn write_fault(out: &mut Pretty, fault: &Fault) {
    let (kind, constant, code) = match fault {
        Fault::InvalidState { .. } => ("Invalid State", "CF_INVALID_OBJECT_STATE", 22),
        Fault::InvalidDevice { .. } => ("Invalid Device", "CF_INVALID_LOGON_DEVICE_SPECIFIED", 260),
        Fault::DeviceBusy { .. } => ("Device Busy", "CF_RESOURCE_BUSY", 33),
    };
    out.element("apiErrors", |out| {
        out.element("apiError", |out| {
            out.leaf("errorType", kind);
            out.leaf("errorMessage", constant);
            out.number("errorData", code);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_written_as_in_the_guide() {
        assert_eq!(
            ApiError::missing("state").to_xml(),
            "\
<ApiErrors>
  <ApiError>
    <ErrorType>Parameter Missing</ErrorType>
    <ErrorMessage>State Parameter missing</ErrorMessage>
    <ErrorData>state</ErrorData>
  </ApiError>
</ApiErrors>"
        );
    }

    #[test]
    fn each_refusal_has_its_status_and_type() {
        let name = || "x".to_owned();
        let invalid = Refusal::Invalid { parameter: "reasonCodeId", why: name() };
        for (refusal, expected) in [
            (Refusal::UnknownUser(name()), (404, "User Not Found")),
            (Refusal::UnknownTeam(name()), (404, "TeamId Not Found")),
            (Refusal::NotYours(name()), (401, "Invalid Authorization User Specified")),
            (Refusal::NotYourTeam(name()), (401, "Invalid Supervisor")),
            (Refusal::NotAnAgent(name()), (400, "Invalid State")),
            (Refusal::Missing("extension"), (400, "Parameter Missing")),
            (invalid, (400, "Invalid Input")),
            (Refusal::NameTaken(name()), (400, "Invalid Input")),
            (Refusal::TeamNotEmpty(name()), (400, "Invalid Input")),
        ] {
            let error = ApiError::from(&refusal);
            assert_eq!((error.status, error.kind), expected, "{refusal:?}");
        }
    }

    #[test]
    fn what_a_client_sent_cannot_break_the_body() {
        let body = ApiError::unauthorized("<b>&\u{1}").to_xml();
        assert!(body.contains("<ErrorData>&lt;b&gt;&amp;\u{fffd}</ErrorData>"), "{body}");
    }
}
