//! Refusals of the contact centre in words for the command line.

use aplomb_core::domain::Refusal;

/// The field that is wrong, if it is one, and what to tell.
pub(super) fn of(refusal: &Refusal) -> (Option<&'static str>, String) {
    match refusal {
        Refusal::UnknownUser(id) => (Some("id"), format!("there is no user {id}")),
        Refusal::UnknownTeam(id) => {
            (Some("team"), format!("there is no team {id}; add it with `aplomb team add {id}`"))
        }
        Refusal::NameTaken(name) => {
            (Some("login_name"), format!("somebody else has the name {name}"))
        }
        Refusal::TeamNotEmpty(id) => {
            (None, format!("somebody works in team {id} or supervises it; move them first"))
        }
        Refusal::Missing(parameter) => (field(parameter), format!("{parameter} is missing")),
        Refusal::Invalid { parameter, why } => (field(parameter), format!("{parameter}: {why}")),
        other => (None, format!("refused: {other:?}")),
    }
}

/// The field of a person that a parameter of the REST interface is.
fn field(parameter: &str) -> Option<&'static str> {
    const FIELDS: [(&str, &str); 6] = [
        ("id", "id"),
        ("loginName", "login_name"),
        ("firstName", "first_name"),
        ("lastName", "last_name"),
        ("extension", "phone"),
        ("roles", "roles"),
    ];
    FIELDS.iter().find(|(name, _)| *name == parameter).map(|(_, field)| *field)
}
