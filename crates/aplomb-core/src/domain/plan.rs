//! From a command to its decision.

use std::sync::Arc;

use super::machine::{self, Caller, Move};
use super::reasons::{CONNECTION_FAILURE, is_reserved, supervisor_code};
use super::{
    AgentState, Category, Change, Command, Decision, Desk, Domain, Fault, Reason, ReasonId,
    ReasonShown, Refusal, Role, Team, TeamId, User, UserId, Wanted,
};
use crate::limits::{
    PHONE_CHARS_MAX, REASON_CODE_LOGOUT_MAX, REASON_CODE_NOT_READY_MAX, REASON_LABEL_CHARS_MAX,
    SHOWN_NAME_CHARS_MAX, USER_ID_CHARS_MAX,
};
use crate::time::WallTime;

impl Domain {
    /// Says what a command would change. It changes nothing itself.
    ///
    /// - Errors: a [`Refusal`] is answered at once; a [`Fault`] in the decision arrives later, as
    ///   Finesse answers 202 first and finds out then.
    pub fn plan(&self, command: &Command, now: WallTime) -> Result<Decision, Refusal> {
        match command {
            Command::SetState { by, user, to, reason } => {
                self.plan_state(by, user, to, *reason, now)
            }
            Command::SignOutAbsent(id) => self.plan_absence(id, now),
            Command::PutUser(user) => self.plan_user(user),
            Command::RemoveUser(id) => match self.user(id.as_str()) {
                Some(_) => Ok(Decision::of(Change::UserRemoved(id.clone()))),
                None => Err(Refusal::UnknownUser(id.to_string())),
            },
            Command::PutTeam(team) => plan_team(team),
            Command::RemoveTeam(id) if self.team(id.as_str()).is_none() => {
                Err(Refusal::UnknownTeam(id.to_string()))
            }
            Command::RemoveTeam(id) if self.index.is_used(id) => {
                Err(Refusal::TeamNotEmpty(id.to_string()))
            }
            Command::RemoveTeam(id) => Ok(Decision::of(Change::TeamRemoved(id.clone()))),
            Command::PutReason(reason) => plan_reason(reason),
        }
    }

    fn plan_state(
        &self,
        by: &UserId,
        id: &UserId,
        to: &Wanted,
        reason: Option<ReasonId>,
        now: WallTime,
    ) -> Result<Decision, Refusal> {
        let caller = self.caller(by, id, to)?;
        let user = self.user(id.as_str()).ok_or_else(|| Refusal::UnknownUser(id.to_string()))?;
        if !user.has_desk() {
            return Err(Refusal::NotAnAgent(id.to_string()));
        }
        let shown = self.reason_shown(caller, to, reason)?;
        let desk = match to {
            Wanted::Login { extension } => {
                let extension = extension.as_deref().ok_or(Refusal::Missing("extension"))?;
                self.sign_in(user, extension)
            }
            Wanted::Ready | Wanted::NotReady | Wanted::Logout => Ok(user.desk.clone()),
        };
        let from = (user.desk.state, user.desk.pending);
        let planned = desk.and_then(|desk| {
            let step = machine::next(self.flavour, caller, from, to)?;
            Ok(take(desk, step, shown, now))
        });
        Ok(match planned {
            Ok(desk) => Decision::of(Change::UserSet(Arc::new(User { desk, ..(**user).clone() }))),
            Err(fault) => Decision { changes: Vec::new(), fault: Some(fault) },
        })
    }

    /// Signs an absent user out with the reason that reports show as 255. Who is on a call is
    /// signed out when it ends; who is signed out already stays so.
    fn plan_absence(&self, id: &UserId, now: WallTime) -> Result<Decision, Refusal> {
        let user = self.user(id.as_str()).ok_or_else(|| Refusal::UnknownUser(id.to_string()))?;
        let why = self.reason_of(Category::Logout, CONNECTION_FAILURE);
        let step = match user.desk.state {
            AgentState::Logout => return Ok(Decision::default()),
            state if state.is_busy() => Move::Wait(AgentState::Logout),
            _ => Move::Go(AgentState::Logout),
        };
        let desk = take(user.desk.clone(), step, why, now);
        Ok(Decision::of(Change::UserSet(Arc::new(User { desk, ..(**user).clone() }))))
    }

    /// The reason of a category that has this code; not given if somebody removed it.
    fn reason_of(&self, category: Category, code: u32) -> ReasonShown {
        let found = self.reasons().find(|r| r.category == category && r.code == code);
        found.map_or(ReasonShown::NotGiven, |reason| ReasonShown::Given(reason.id))
    }

    /// Says in which capacity `by` may change the state of `id`. Signing in is one's own business.
    fn caller(&self, by: &UserId, id: &UserId, to: &Wanted) -> Result<Caller, Refusal> {
        if by == id {
            return Ok(Caller::Agent);
        }
        let supervisor = self.user(by.as_str()).filter(|by| by.has_role(Role::Supervisor));
        let is_sign_in = matches!(to, Wanted::Login { .. });
        let Some(supervisor) = supervisor.filter(|_| !is_sign_in) else {
            return Err(Refusal::NotYours(id.to_string()));
        };
        match self.user(id.as_str()) {
            Some(user) if self.supervises(supervisor, user) => Ok(Caller::Supervisor),
            Some(_) | None => Err(Refusal::NotYourTeam(id.to_string())),
        }
    }

    /// Puts the phone on the desk, if it exists and is free.
    fn sign_in(&self, user: &User, extension: &str) -> Result<Desk, Fault> {
        let extension = extension.to_owned();
        if !self.index.is_phone(&extension) {
            return Err(Fault::InvalidDevice { extension });
        }
        if self.index.user_of(&extension).is_some_and(|other| *other != user.id) {
            return Err(Fault::DeviceBusy { extension });
        }
        match &user.desk.extension {
            Some(present) if *present != extension => {
                Err(Fault::InvalidState { from: user.desk.state })
            }
            Some(_) | None => Ok(Desk { extension: Some(extension), ..user.desk.clone() }),
        }
    }

    fn reason_shown(
        &self,
        caller: Caller,
        to: &Wanted,
        given: Option<ReasonId>,
    ) -> Result<ReasonShown, Refusal> {
        let category = match to {
            Wanted::Login { .. } => return Ok(ReasonShown::NotGiven),
            Wanted::Ready => None,
            Wanted::NotReady => Some(Category::NotReady),
            Wanted::Logout => Some(Category::Logout),
        };
        let Some(category) = category else { return Ok(ReasonShown::Absent) };
        match (caller, given) {
            (Caller::Supervisor, Some(_)) => {
                Err(bad_reason("a supervisor gives no reason for somebody else".to_owned()))
            }
            (Caller::Supervisor, None) => {
                Ok(self.reason_of(category, supervisor_code(self.flavour)))
            }
            (Caller::Agent, None) => Ok(ReasonShown::NotGiven),
            (Caller::Agent, Some(id)) => match self.reason(id) {
                Some(r) if r.category == category && r.may_be_given() => Ok(ReasonShown::Given(id)),
                Some(_) | None => {
                    Err(bad_reason(format!("no {} reason has the id {id}", category.name())))
                }
            },
        }
    }

    fn plan_user(&self, user: &User) -> Result<Decision, Refusal> {
        check_name("id", user.id.as_str())?;
        check_name("loginName", &user.login_name)?;
        check_shown("firstName", &user.first_name)?;
        check_shown("lastName", &user.last_name)?;
        user.phone.as_deref().map_or(Ok(()), check_phone)?;
        if user.roles.is_empty() {
            return Err(Refusal::Missing("roles"));
        }
        for (parameter, name) in [("id", user.id.as_str()), ("loginName", &user.login_name)] {
            if name.eq_ignore_ascii_case(SERVER_NAME) {
                let why = "the server itself speaks under this name; choose another".to_owned();
                return Err(Refusal::Invalid { parameter, why });
            }
            if self.index.named(name).is_some_and(|other| *other != user.id) {
                return Err(Refusal::NameTaken(name.to_owned()));
            }
        }
        for team in user.team.iter().chain(&user.supervises) {
            self.team(team.as_str()).ok_or_else(|| Refusal::UnknownTeam(team.to_string()))?;
        }
        let desk = match self.user(user.id.as_str()) {
            Some(old) if user.has_desk() => old.desk.clone(),
            Some(_) | None => Desk::signed_out(),
        };
        Ok(Decision::of(Change::UserSet(Arc::new(User { desk, ..user.clone() }))))
    }
}

impl Decision {
    fn of(change: Change) -> Self {
        Self { changes: vec![change], fault: None }
    }
}

/// Moves the desk. While a state is pending, its reason is kept where it will be shown.
fn take(desk: Desk, step: Move, reason: ReasonShown, now: WallTime) -> Desk {
    match step {
        Move::Keep => desk,
        Move::Wait(pending) => Desk { pending: Some(pending), reason, ..desk },
        Move::Go(AgentState::Logout) => Desk { reason, since: Some(now), ..Desk::signed_out() },
        Move::Go(state) => Desk { state, pending: None, reason, since: Some(now), ..desk },
    }
}

fn plan_team(team: &Team) -> Result<Decision, Refusal> {
    let TeamId(id) = &team.id;
    check_name("id", id)?;
    check_shown("name", &team.name)?;
    Ok(Decision::of(Change::TeamSet(Arc::new(team.clone()))))
}

fn plan_reason(reason: &Reason) -> Result<Decision, Refusal> {
    let code_max = match reason.category {
        Category::NotReady => REASON_CODE_NOT_READY_MAX,
        Category::Logout => REASON_CODE_LOGOUT_MAX,
    };
    if !reason.system && (is_reserved(reason.code) || !(1..=code_max).contains(&reason.code)) {
        let why = format!("it is the system's, or not between 1 and {code_max}");
        return Err(Refusal::Invalid { parameter: "code", why });
    }
    let chars = reason.label.chars().count();
    if !(1..=REASON_LABEL_CHARS_MAX).contains(&chars) || !is_printable(&reason.label) {
        let why = format!("it must be 1 to {REASON_LABEL_CHARS_MAX} printable characters");
        return Err(Refusal::Invalid { parameter: "label", why });
    }
    Ok(Decision::of(Change::ReasonSet(Arc::new(reason.clone()))))
}

/// Checks an id or login name: it stands in paths, in node names and before the colon of Basic
/// credentials without being escaped (RFC 3986 §3.3 `pchar`, RFC 7617 §2).
/// Who sends what the server itself says to a desktop, as the user of Finesse's tunnel does.
const SERVER_NAME: &str = "finesse";

fn check_name(parameter: &'static str, name: &str) -> Result<(), Refusal> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=@".contains(c);
    if (1..=USER_ID_CHARS_MAX).contains(&name.len()) && name.chars().all(is_plain) {
        return Ok(());
    }
    let why = format!("it must be 1 to {USER_ID_CHARS_MAX} letters, digits or -._~!$&'()*+,;=@");
    Err(Refusal::Invalid { parameter, why })
}

fn check_shown(parameter: &'static str, name: &str) -> Result<(), Refusal> {
    if name.chars().count() <= SHOWN_NAME_CHARS_MAX && is_printable(name) {
        return Ok(());
    }
    let why = format!("it must be at most {SHOWN_NAME_CHARS_MAX} printable characters");
    Err(Refusal::Invalid { parameter, why })
}

fn check_phone(phone: &str) -> Result<(), Refusal> {
    if (1..=PHONE_CHARS_MAX).contains(&phone.len()) && phone.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let why = format!("it must be 1 to {PHONE_CHARS_MAX} ASCII characters without space");
    Err(Refusal::Invalid { parameter: "extension", why })
}

/// Whether every payload and page can show the text.
fn is_printable(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn bad_reason(why: String) -> Refusal {
    Refusal::Invalid { parameter: "reasonCodeId", why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Flavour;
    use crate::domain::sample::{NOW, act, centre, command, reason, user};

    /// Plays a script: each line is a command, `→`, and the desk after it, the fault or the
    /// refusal.
    fn check(flavour: Flavour, script: &str) {
        let mut domain = centre(flavour);
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (asked, expected) = line.split_once('→').unwrap();
            let came = told(&mut domain, &command(asked));
            assert_eq!(came, expected.trim(), "after {asked}");
        }
    }

    fn told(domain: &mut Domain, command: &Command) -> String {
        let decision = match act(domain, command) {
            Ok(decision) => decision,
            Err(refusal) => return format!("{refusal:?}"),
        };
        match (&decision.changes[..], decision.fault) {
            ([], Some(fault)) => format!("{fault:?}"),
            ([], None) => "nothing".to_owned(),
            ([Change::UserSet(user)], None) => describe(domain, &user.desk),
            other => panic!("no known decision: {other:?}"),
        }
    }

    fn describe(domain: &Domain, desk: &Desk) -> String {
        let reason = match desk.reason {
            ReasonShown::Absent => "no reason".to_owned(),
            ReasonShown::NotGiven => "reason -1".to_owned(),
            ReasonShown::Given(id) => format!("code {}", domain.reason(id).unwrap().code),
        };
        let extension = desk.extension.as_deref().unwrap_or("none");
        format!("{}, {reason}, ext {extension}", desk.state.name())
    }

    #[test]
    fn a_day_at_the_desk() {
        check(
            Flavour::Uccx,
            "
            1001 LOGIN ext=1001             → NOT_READY, reason -1, ext 1001
            1001 READY                      → READY, no reason, ext 1001
            1001 NOT_READY reason=2         → NOT_READY, code 2, ext 1001
            1001 NOT_READY reason=3         → NOT_READY, code 3, ext 1001
            1001 NOT_READY                  → NOT_READY, reason -1, ext 1001
            1001 LOGOUT reason=6            → LOGOUT, code 1, ext none
            1001 LOGIN ext=1001             → NOT_READY, reason -1, ext 1001
            1001 LOGOUT                     → LOGOUT, reason -1, ext none
            ",
        );
    }

    #[test]
    fn who_is_lost_is_signed_out_with_255_unless_he_was_signed_out() {
        check(
            Flavour::Uccx,
            "
            1001 LOGIN ext=1001   → NOT_READY, reason -1, ext 1001
            1001 READY            → READY, no reason, ext 1001
            1001 LOST             → LOGOUT, code 255, ext none
            1001 LOST             → nothing
            ",
        );
    }

    #[test]
    fn who_signs_in_again_stays_as_he_is() {
        check(
            Flavour::Ucce,
            "
            1001 LOGIN ext=1001   → NOT_READY, reason -1, ext 1001
            1001 READY            → READY, no reason, ext 1001
            1001 LOGIN ext=1001   → READY, no reason, ext 1001
            1001 LOGIN ext=1002   → InvalidState { from: Ready }
            ",
        );
    }

    #[test]
    fn a_phone_must_exist_and_be_free() {
        check(
            Flavour::Ucce,
            r#"
            1001 LOGIN            → Missing("extension")
            1001 LOGIN ext=9999   → InvalidDevice { extension: "9999" }
            1001 LOGIN ext=1002   → NOT_READY, reason -1, ext 1002
            1002 LOGIN ext=1002   → DeviceBusy { extension: "1002" }
            1001 LOGOUT           → LOGOUT, reason -1, ext none
            1002 LOGIN ext=1002   → NOT_READY, reason -1, ext 1002
            "#,
        );
    }

    #[test]
    fn a_reason_must_exist_and_fit() {
        let invalid =
            |why: &str| format!("Invalid {{ parameter: \"reasonCodeId\", why: {why:?} }}");
        check(
            Flavour::Uccx,
            &format!(
                "
                1001 LOGIN ext=1001         → NOT_READY, reason -1, ext 1001
                1001 NOT_READY reason=4711  → {}
                1001 NOT_READY reason=6     → {}
                1001 LOGOUT reason=2        → {}
                1001 NOT_READY reason=101   → {}
                1001 READY reason=2         → READY, no reason, ext 1001
                sup1 for 1001 LOGOUT reason=6 → {}
                ",
                invalid("no NOT_READY reason has the id 4711"),
                invalid("no NOT_READY reason has the id 6"),
                invalid("no LOGOUT reason has the id 2"),
                invalid("no NOT_READY reason has the id 101"),
                invalid("a supervisor gives no reason for somebody else"),
            ),
        );
    }

    #[test]
    fn a_supervisor_forces_with_a_code_of_the_flavour() {
        for (flavour, code) in [(Flavour::Ucce, 999), (Flavour::Uccx, 33)] {
            check(
                flavour,
                &format!(
                    "
                    1001 LOGIN ext=1001       → NOT_READY, reason -1, ext 1001
                    sup1 for 1001 READY       → READY, no reason, ext 1001
                    sup1 for 1001 NOT_READY   → NOT_READY, code {code}, ext 1001
                    sup1 for 1001 LOGOUT      → LOGOUT, code {code}, ext none
                    "
                ),
            );
        }
    }

    #[test]
    fn nobody_changes_the_state_of_strangers() {
        check(
            Flavour::Uccx,
            r#"
            1002 for 1001 READY             → NotYours("1001")
            admin for 1001 LOGOUT           → NotYours("1001")
            publisher for 1001 LOGOUT       → NotYours("1001")
            sup2 for 1001 LOGOUT            → NotYourTeam("1001")
            sup1 for 4711 LOGOUT            → NotYourTeam("4711")
            sup1 for 1001 LOGIN ext=1001    → NotYours("1001")
            admin LOGIN ext=1001            → NotAnAgent("admin")
            4711 READY                      → UnknownUser("4711")
            1001 READY                      → InvalidState { from: Logout }
            "#,
        );
    }

    #[test]
    fn a_state_that_waits_keeps_its_reason() {
        let mut domain = centre(Flavour::Ucce);
        told(&mut domain, &command("1001 LOGIN ext=1001"));
        let on_a_call = |domain: &Domain| {
            let user = (**domain.user("1001").unwrap()).clone();
            let desk = Desk { state: AgentState::Talking, since: Some(WallTime(5)), ..user.desk };
            Change::UserSet(Arc::new(User { desk, ..user }))
        };
        let change = on_a_call(&domain);
        domain.adopt(&change);
        let after = told(&mut domain, &command("1001 NOT_READY reason=2"));
        let desk = &domain.user("1001").unwrap().desk;
        assert_eq!(after, "TALKING, code 2, ext 1001");
        assert_eq!((desk.pending, desk.since), (Some(AgentState::NotReady), Some(WallTime(5))));
    }

    #[test]
    fn a_name_finds_its_user_in_whatever_case_and_nobody_else_may_have_it() {
        let domain = centre(Flavour::Uccx);
        let found = |name: &str| domain.named(name).map(|user| user.id.to_string());
        assert_eq!(found("ada").as_deref(), Some("Ada"));
        assert_eq!(found("ADA.LOGIN").as_deref(), Some("Ada"));
        assert_eq!((found("bob"), domain.user("ada")), (None, None));
        let mut other = user("ADA", &[Role::Agent], "1", "");
        let refused = domain.plan(&Command::PutUser(Box::new(other.clone())), NOW);
        assert_eq!(refused, Err(Refusal::NameTaken("ADA".to_owned())));
        other.id = "bob".into();
        other.login_name = "1001".to_owned();
        let refused = domain.plan(&Command::PutUser(Box::new(other)), NOW);
        assert_eq!(refused, Err(Refusal::NameTaken("1001".to_owned())));
    }

    #[test]
    fn a_changed_user_stays_at_his_desk_and_moves_between_teams() {
        let mut domain = centre(Flavour::Uccx);
        told(&mut domain, &command("1001 LOGIN ext=1001"));
        let moved = user("1001", &[Role::Agent], "2", "");
        act(&mut domain, &Command::PutUser(Box::new(moved))).unwrap();
        let members = |domain: &Domain, team: &str| {
            domain.members(&team.into()).map(|user| user.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(domain.user("1001").unwrap().desk.state, AgentState::NotReady);
        assert_eq!(members(&domain, "1"), ["1002", "sup1"]);
        assert_eq!(members(&domain, "2"), ["1001", "1003", "Ada", "sup2"]);
        let demoted = user("1001", &[Role::Administrator], "2", "");
        act(&mut domain, &Command::PutUser(Box::new(demoted))).unwrap();
        assert_eq!(domain.user("1001").unwrap().desk, Desk::signed_out());
        act(&mut domain, &Command::RemoveUser("1001".into())).unwrap();
        assert_eq!(domain.named("1001.login"), None);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let domain = centre(Flavour::Uccx);
        let plan = |command: Command| format!("{:?}", domain.plan(&command, NOW).unwrap_err());
        let with = |change: fn(&mut User)| {
            let mut user = user("2001", &[Role::Agent], "1", "");
            change(&mut user);
            plan(Command::PutUser(Box::new(user)))
        };
        let code = |category, code| plan(Command::PutReason(reason(category, code, "Lunch")));
        let cases = [
            (with(|user| user.id = "a b".into()), "\"id\""),
            (with(|user| user.id = "a/b".into()), "\"id\""),
            (with(|user| user.id = "a:b".into()), "\"id\""),
            (with(|user| user.id = "x".repeat(65).as_str().into()), "\"id\""),
            (with(|user| user.login_name.clear()), "\"loginName\""),
            (with(|user| user.id = "finesse".into()), "\"id\", why: \"the server itself"),
            (with(|user| user.login_name = "Finesse".into()), "\"loginName\""),
            (with(|user| user.first_name = "a\u{1}".into()), "\"firstName\""),
            (with(|user| user.last_name = "a\u{ffff}".into()), "\"lastName\""),
            (with(|user| user.phone = Some("10 01".into())), "\"extension\""),
            (with(|user| user.roles.clear()), "Missing(\"roles\")"),
            (with(|user| user.team = Some("9".into())), "UnknownTeam(\"9\")"),
            (with(|user| user.supervises = vec!["9".into()]), "UnknownTeam(\"9\")"),
            (plan(Command::RemoveUser("9".into())), "UnknownUser(\"9\")"),
            (plan(Command::RemoveTeam("9".into())), "UnknownTeam(\"9\")"),
            (plan(Command::RemoveTeam("1".into())), "TeamNotEmpty(\"1\")"),
            (plan(Command::PutTeam(Team { id: "".into(), name: "x".into() })), "\"id\""),
            (code(Category::NotReady, 0), "\"code\""),
            (code(Category::NotReady, 65_533), "\"code\""),
            (code(Category::Logout, 999), "\"code\""),
            (plan(Command::PutReason(reason(Category::Logout, 9, ""))), "\"label\""),
            (plan(Command::PutReason(reason(Category::Logout, 9, &"x".repeat(41)))), "\"label\""),
        ];
        for (came, expected) in cases {
            assert!(came.contains(expected), "{came} does not tell of {expected}");
        }
    }
}
