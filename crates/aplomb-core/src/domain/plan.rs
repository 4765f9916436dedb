//! From a command to its decision.

use std::sync::Arc;

use super::machine::{self, Caller, Move};
use super::reasons::{is_reserved, supervisor_code};
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
                let code = supervisor_code(self.flavour);
                let forced = self.reasons().find(|r| r.category == category && r.code == code);
                Ok(forced.map_or(ReasonShown::NotGiven, |r| ReasonShown::Given(r.id)))
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
        for name in [user.id.as_str(), &user.login_name] {
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
