//! A contact centre for tests: agents 1001 to 1004 and `Ada`, teams 1 and 2, a supervisor each.

use super::{
    Category, Command, Decision, Desk, Domain, Flavour, Reason, Refusal, Role, Team, User,
    default_reasons,
};
use crate::time::WallTime;

/// When everything in the sample happens: 2026-11-20T08:00:00.000Z.
pub(crate) const NOW: WallTime = WallTime(1_795_161_600_000);

/// The sample.
pub(crate) fn centre(flavour: Flavour) -> Domain {
    let mut domain = Domain::new(flavour);
    for reason in default_reasons(flavour) {
        domain.adopt(&super::Change::ReasonSet(reason.into()));
    }
    for (id, name) in [("1", "Sales & Service"), ("2", "Support")] {
        done(&mut domain, &Command::PutTeam(Team { id: id.into(), name: name.to_owned() }));
    }
    let agent = [Role::Agent];
    let supervisor = [Role::Agent, Role::Supervisor];
    put(&mut domain, "1001", &agent, "1", "");
    put(&mut domain, "1002", &agent, "1", "");
    put(&mut domain, "1003", &agent, "2", "");
    put(&mut domain, "Ada", &agent, "2", "");
    put(&mut domain, "sup1", &supervisor, "1", "1");
    put(&mut domain, "sup2", &supervisor, "2", "2");
    put(&mut domain, "admin", &[Role::Administrator], "", "");
    put(&mut domain, "publisher", &[Role::Publisher], "", "");
    domain
}

/// A user of the sample, who never signed in.
pub(crate) fn user(id: &str, roles: &[Role], team: &str, supervises: &str) -> User {
    User {
        id: id.into(),
        login_name: format!("{id}.login"),
        first_name: "Ada".to_owned(),
        last_name: format!("Test {id}"),
        roles: roles.to_vec(),
        team: (!team.is_empty()).then(|| team.into()),
        supervises: (!supervises.is_empty()).then(|| supervises.into()).into_iter().collect(),
        phone: Some(id.to_owned()),
        desk: Desk::signed_out(),
    }
}

/// A reason of the sample.
pub(crate) fn reason(category: Category, code: u32, label: &str) -> Reason {
    Reason { id: 7, category, code, label: label.to_owned(), for_all: true, system: false }
}

/// Has a command planned and adopted, as the writer does.
pub(crate) fn act(domain: &mut Domain, command: &Command) -> Result<Decision, Refusal> {
    let decision = domain.plan(command, NOW)?;
    decision.changes.iter().for_each(|change| domain.adopt(change));
    Ok(decision)
}

/// Reads a command as people write it: `1001 NOT_READY reason=3`, `sup1 for 1001 LOGOUT`,
/// `1001 LOGIN ext=1001`, `1001 LOST`.
pub(crate) fn command(line: &str) -> Command {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (by, user, rest) = match words[..] {
        [by, "for", user, ref rest @ ..] => (by, user, rest),
        [by, ref rest @ ..] => (by, by, rest),
        [] => panic!("no command"),
    };
    if rest == ["LOST"] {
        return Command::SignOutAbsent(user.into());
    }
    let option = |name: &str| rest.iter().find_map(|word| word.strip_prefix(name));
    let to = match rest[0] {
        "LOGIN" => super::Wanted::Login { extension: option("ext=").map(str::to_owned) },
        "READY" => super::Wanted::Ready,
        "NOT_READY" => super::Wanted::NotReady,
        "LOGOUT" => super::Wanted::Logout,
        other => panic!("no state {other}"),
    };
    let reason = option("reason=").map(|id| id.parse().unwrap());
    Command::SetState { by: by.into(), user: user.into(), to, reason }
}

fn put(domain: &mut Domain, id: &str, roles: &[Role], team: &str, supervises: &str) {
    done(domain, &Command::PutUser(Box::new(user(id, roles, team, supervises))));
}

fn done(domain: &mut Domain, command: &Command) {
    act(domain, command).unwrap();
}
