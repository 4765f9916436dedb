//! The XML of resources: User, Users, Team, Teams, ReasonCodes, Dialogs.
//!
//! Children stand in alphabetical order, as in captured traffic (Finesse REST guide, User, Team).

use super::nodes::ROOT;
use super::pretty::Pretty;
use crate::domain::{AgentState, Profile, Reason, ReasonShown, Role, Team, User};

/// The body of `GET /User/{id}`.
pub fn user(profile: &Profile) -> String {
    Pretty::document("User", |out| write_user(out, profile))
}

/// The body of `GET /Users`.
pub fn users(profiles: &[Profile]) -> String {
    Pretty::list("Users", profiles, |out, profile| {
        out.element("User", |out| write_user(out, profile))
    })
}

/// The body of `GET /Team/{id}`.
pub fn team(team: &Team, members: &[Profile]) -> String {
    Pretty::document("Team", |out| {
        write_team(out, team);
        out.collection("users", members, |out, member| {
            out.element("User", |out| write_summary(out, member));
        });
    })
}

/// The body of `GET /Teams`.
pub fn teams<T: AsRef<Team>>(teams: &[T]) -> String {
    Pretty::list("Teams", teams, |out, team| {
        out.element("Team", |out| write_team(out, team.as_ref()))
    })
}

/// The body of `GET /ReasonCode/{id}`.
pub fn reason_code(reason: &Reason) -> String {
    Pretty::document("ReasonCode", |out| write_reason(out, reason))
}

/// The body of `GET /ReasonCodes` and `GET /User/{id}/ReasonCodes`.
pub fn reason_codes<T: AsRef<Reason>>(reasons: &[T]) -> String {
    Pretty::list("ReasonCodes", reasons, |out, reason| {
        out.element("ReasonCode", |out| write_reason(out, reason.as_ref()));
    })
}

/// The body of `GET /User/{id}/Dialogs` of somebody who has no call.
pub fn no_dialogs() -> String {
    "<Dialogs/>".to_owned()
}

/// The path of a user.
pub(super) fn user_uri(user: &User) -> String {
    format!("{ROOT}User/{}", user.id)
}

/// Writes every child of a user.
pub(super) fn write_user(out: &mut Pretty, profile: &Profile) {
    let Profile { user, team, supervised, .. } = profile;
    write_head(out, user);
    out.leaf("loginName", &user.login_name);
    out.number("mediaType", VOICE);
    out.leaf("pendingState", user.desk.pending.map_or("", AgentState::name));
    write_reason_of(out, profile);
    match user.desk.reason {
        ReasonShown::Absent => {}
        ReasonShown::NotGiven => out.number("reasonCodeId", -1),
        ReasonShown::Given(id) => out.number("reasonCodeId", id),
    }
    let roles: Vec<&str> = user.roles.iter().filter_map(|role| role_name(*role)).collect();
    out.collection("roles", &roles, |out, role| out.leaf("role", role));
    out.element("settings", |out| {
        out.leaf("wrapUpOnIncoming", "OPTIONAL");
        out.leaf("wrapUpOnOutgoing", "OPTIONAL");
    });
    write_state(out, user);
    out.leaf("teamId", team.as_ref().map_or("", |team| team.id.as_str()));
    out.leaf("teamName", team.as_ref().map_or("", |team| &team.name));
    if user.has_role(Role::Supervisor) {
        out.collection("teams", supervised, |out, team| {
            out.element("Team", |out| write_team(out, team));
        });
    }
    out.leaf("uri", &user_uri(user));
    out.number("wrapUpTimer", WRAP_UP_SECS);
}

/// Writes the children that a team's readers see.
pub(super) fn write_summary(out: &mut Pretty, profile: &Profile) {
    let user = &profile.user;
    write_head(out, user);
    out.number("mediaType", VOICE);
    out.leaf("pendingState", user.desk.pending.map_or("", AgentState::name));
    write_reason_of(out, profile);
    write_state(out, user);
    out.leaf("uri", &user_uri(user));
}

fn write_head(out: &mut Pretty, user: &User) {
    out.leaf("dialogs", &format!("{}/Dialogs", user_uri(user)));
    out.leaf("extension", user.desk.extension.as_deref().unwrap_or_default());
    out.leaf("firstName", &user.first_name);
    out.leaf("lastName", &user.last_name);
    out.leaf("loginId", user.id.as_str());
}

fn write_state(out: &mut Pretty, user: &User) {
    out.leaf("state", user.desk.state.name());
    out.leaf("stateChangeTime", &user.desk.since.map_or_else(String::new, |at| at.to_iso()));
}

/// Writes the reason where it explains the present state. While a call goes on, the id alone
/// stands for the state that is pending, as captured.
fn write_reason_of(out: &mut Pretty, profile: &Profile) {
    let explains = matches!(profile.user.desk.state, AgentState::NotReady | AgentState::Logout);
    if let Some(reason) = profile.reason.as_ref().filter(|_| explains) {
        out.element("reasonCode", |out| write_reason(out, reason));
    }
}

fn write_reason(out: &mut Pretty, reason: &Reason) {
    out.leaf("category", reason.category.name());
    out.number("code", reason.code);
    out.flag("forAll", reason.for_all);
    out.number("id", reason.id);
    out.leaf("label", &reason.label);
    out.flag("systemCode", reason.system);
    out.leaf("uri", &format!("{ROOT}ReasonCode/{}", reason.id));
}

fn write_team(out: &mut Pretty, team: &Team) {
    out.leaf("id", team.id.as_str());
    out.leaf("name", &team.name);
    out.leaf("uri", &format!("{ROOT}Team/{}", team.id));
}

/// Finesse knows three roles; a publisher is none of them.
const fn role_name(role: Role) -> Option<&'static str> {
    match role {
        Role::Agent => Some("Agent"),
        Role::Supervisor => Some("Supervisor"),
        Role::Administrator => Some("Administrator"),
        Role::Publisher => None,
    }
}

/// `mediaType` of telephone calls.
const VOICE: i64 = 1;

/// `wrapUpTimer` in seconds, as captured from a system with its defaults.
const WRAP_UP_SECS: i64 = 7_200;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::sample::{act, centre, command};
    use crate::domain::{Category, Desk, Domain, Flavour};

    fn profile(domain: &Domain, id: &str) -> Profile {
        domain.profile(domain.user(id).unwrap())
    }

    #[test]
    fn a_user_is_written_as_in_the_guide() {
        let mut domain = centre(Flavour::Ucce);
        act(&mut domain, &command("1001 LOGIN ext=1001")).unwrap();
        act(&mut domain, &command("1001 NOT_READY reason=3")).unwrap();
        let body = user(&profile(&domain, "1001"));
        assert!(body.starts_with("<User>\n  <dialogs>/finesse/api/User/1001/Dialogs</dialogs>\n"));
        assert!(body.contains("    <label>Meeting</label>\n"));
        assert!(body.contains("  <reasonCodeId>3</reasonCodeId>\n"));
        assert!(body.ends_with("</User>"));
        let names: Vec<&str> = body
            .lines()
            .filter_map(|line| line.strip_prefix("  <")?.split(['>', '/']).next())
            .filter(|name| !name.is_empty())
            .collect();
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn while_a_call_goes_on_a_pending_reason_is_an_id_alone() {
        let mut domain = centre(Flavour::Ucce);
        let user = (**domain.user("1001").unwrap()).clone();
        let desk = Desk {
            state: AgentState::Talking,
            pending: Some(AgentState::NotReady),
            reason: ReasonShown::Given(3),
            ..user.desk
        };
        domain.adopt(&crate::domain::Change::UserSet(Arc::new(User { desk, ..user })));
        let body = super::user(&profile(&domain, "1001"));
        assert!(body.contains("<pendingState>NOT_READY</pendingState>"));
        assert!(body.contains("<reasonCodeId>3</reasonCodeId>"));
        assert!(!body.contains("<reasonCode>"));
    }

    #[test]
    fn collections_are_plural_and_empty_ones_close_themselves() {
        let domain = centre(Flavour::Uccx);
        assert_eq!(users(&[]), "<Users/>");
        assert_eq!(no_dialogs(), "<Dialogs/>");
        let nobody: [Arc<Reason>; 0] = [];
        assert_eq!(reason_codes(&nobody), "<ReasonCodes/>");
        let two = [profile(&domain, "1001"), profile(&domain, "1002")];
        assert_eq!(users(&two).matches("\n  <User>\n").count(), 2);
        let all: Vec<Arc<Team>> = domain.teams().cloned().collect();
        assert!(teams(&all).contains("<name>Sales &amp; Service</name>"));
        let one = team(&all[0], &two);
        assert!(one.starts_with("<Team>\n  <id>1</id>\n"));
        assert!(one.contains("\n    <User>\n      <dialogs>"));
        assert!(!one.contains("loginName"), "a team shows summaries");
    }

    #[test]
    fn people_are_offered_no_reason_of_the_system() {
        let domain = centre(Flavour::Uccx);
        let given: Vec<Arc<Reason>> = domain.reasons_to_give(Category::NotReady).cloned().collect();
        let body = reason_codes(&given);
        assert!(body.contains("<label>Lunch</label>") && body.contains("forAll"));
        assert!(!body.contains("<systemCode>true</systemCode>") && !body.contains("LOGOUT"));
        assert!(reason_code(domain.reason(1).unwrap()).starts_with("<ReasonCode>\n  <category>"));
    }
}
