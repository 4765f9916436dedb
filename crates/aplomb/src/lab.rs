//! What a new contact centre starts with: the reasons and an administrator, or a whole laboratory.
//!
//! Each function tells the steps that are still to be done, so it may be called at every start.
//! They go to [`Writer::seed`](crate::writer::Writer::seed), before anybody listens.

use aplomb_core::domain::{Command, Desk, Domain, Role, Team, TeamId, User, default_reasons};
use aplomb_core::sasl::KeyRing;

use crate::config::Lab;
use crate::writer::Step;

/// The steps to the first administrator and the default reasons; none when there is a user.
///
/// `keys` are those of the password that is printed once.
pub fn found(domain: &Domain, keys: &KeyRing) -> Vec<Step> {
    if domain.users().next().is_some() {
        return Vec::new();
    }
    let mut steps = reasons(domain);
    steps.push(put(person(ADMINISTRATOR, ["", "Administrator"], Role::Administrator)));
    steps.push(set_keys(ADMINISTRATOR, keys));
    steps
}

/// The steps to a laboratory: agents `1001…`, teams `1…` with a supervisor each, an administrator
/// and a publisher.
///
/// Who is there already stays as he is. All get the password that `keys` were derived from: one
/// derivation serves everybody, as the laboratory has one password.
pub fn seed(lab: &Lab, domain: &Domain, keys: &KeyRing) -> Vec<Step> {
    let mut steps = reasons(domain);
    for number in 1..=lab.teams {
        let id = team_id(number);
        if domain.team(id.as_str()).is_none() {
            let name = format!("Team {number}");
            steps.push(Step::Command(Command::PutTeam(Team { id, name })));
        }
    }
    for user in people(lab) {
        let id = user.id.to_string();
        if domain.user(&id).is_none() {
            steps.push(put(user));
        }
        steps.push(set_keys(&id, keys));
    }
    steps
}

/// Everybody in the laboratory.
fn people(lab: &Lab) -> impl Iterator<Item = User> {
    let teams = lab.teams.max(1);
    let agents = (0..lab.agents).map(move |at| {
        let id = (FIRST_AGENT + at).to_string();
        let user = person(&id, invented_name(at), Role::Agent);
        User { team: Some(team_id(at % teams + 1)), phone: Some(id), ..user }
    });
    let supervisors = (1..=lab.teams).map(|number| {
        let id = format!("sup{number}");
        let user = person(&id, invented_name(number + 7), Role::Agent);
        User {
            roles: vec![Role::Agent, Role::Supervisor],
            team: Some(team_id(number)),
            supervises: vec![team_id(number)],
            phone: Some(id),
            ..user
        }
    });
    let others = [
        person(ADMINISTRATOR, ["", "Administrator"], Role::Administrator),
        person("publisher", ["Event", "Publisher"], Role::Publisher),
    ];
    agents.chain(supervisors).chain(others)
}

fn reasons(domain: &Domain) -> Vec<Step> {
    if domain.reasons().next().is_some() {
        return Vec::new();
    }
    let defaults = default_reasons(domain.flavour()).into_iter();
    defaults.map(|reason| Step::Command(Command::PutReason(reason))).collect()
}

fn person(id: &str, [first, last]: [&str; 2], role: Role) -> User {
    User {
        id: id.into(),
        login_name: id.to_owned(),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        roles: vec![role],
        team: None,
        supervises: Vec::new(),
        phone: None,
        desk: Desk::signed_out(),
    }
}

/// A name to read in lists; the same for the same number, and different for neighbours.
fn invented_name(number: u32) -> [&'static str; 2] {
    let pick = |names: &[&'static str; 16], number: u32| names[number as usize % names.len()];
    [pick(&FIRST_NAMES, number), pick(&LAST_NAMES, number / 16 + number)]
}

fn team_id(number: u32) -> TeamId {
    TeamId::from(number.to_string().as_str())
}

fn put(user: User) -> Step {
    Step::Command(Command::PutUser(Box::new(user)))
}

fn set_keys(user: &str, keys: &KeyRing) -> Step {
    Step::Keys { user: user.to_owned(), keys: Some(keys.clone()) }
}

/// The administrator's id.
pub const ADMINISTRATOR: &str = "admin";

/// The id of the first agent.
const FIRST_AGENT: u32 = 1001;

const FIRST_NAMES: [&str; 16] = [
    "Amina", "Bruno", "Chiara", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas",
    "Keiko", "Lucas", "Marta", "Nils", "Olga", "Pavel",
];

const LAST_NAMES: [&str; 16] = [
    "Almeida", "Berg", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito",
    "Jansen", "Kowalski", "Larsen", "Moreau", "Novak", "Okafor", "Petrov",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZeroU32;

    use aplomb_core::domain::Flavour;
    use aplomb_core::secret::Secret;
    use aplomb_core::time::WallTime;

    use super::*;

    fn keys() -> KeyRing {
        let password = Secret::new("secret".to_owned());
        KeyRing::derive(&password, || *b"salt of sixteen.", NonZeroU32::MIN).unwrap()
    }

    /// Does the commands among the steps; returns how many there were.
    fn act(domain: &mut Domain, steps: &[Step]) -> usize {
        let commands = steps.iter().filter_map(|step| match step {
            Step::Command(command) => Some(command),
            Step::Keys { .. } => None,
        });
        commands
            .map(|command| {
                let decision = domain.plan(command, WallTime(0)).unwrap();
                decision.changes.iter().for_each(|change| domain.adopt(change));
            })
            .count()
    }

    #[test]
    fn a_laboratory_has_even_teams_and_everybody_a_phone() {
        let lab = Lab { agents: 12, teams: 3, password: None };
        let mut domain = Domain::new(Flavour::Uccx);
        let steps = seed(&lab, &domain, &keys());
        act(&mut domain, &steps);
        let with_keys = steps.iter().filter(|step| matches!(step, Step::Keys { .. })).count();
        assert_eq!((domain.users().count(), with_keys), (12 + 3 + 2, 12 + 3 + 2));
        let sizes: BTreeMap<String, usize> = domain
            .teams()
            .map(|team| (team.id.to_string(), domain.members(&team.id).count()))
            .collect();
        assert_eq!(sizes, [("1", 5), ("2", 5), ("3", 5)].map(|(id, n)| (id.to_owned(), n)).into());
        let agent = domain.user("1012").unwrap();
        assert_eq!((agent.phone.as_deref(), &agent.roles[..]), (Some("1012"), &[Role::Agent][..]));
        let supervisor = domain.user("sup2").unwrap();
        assert!(domain.supervises(supervisor, domain.user("1002").unwrap()));
        assert!(!domain.supervises(supervisor, domain.user("1001").unwrap()));
        assert!(domain.user("admin").unwrap().has_role(Role::Administrator));
        assert!(domain.user("publisher").unwrap().has_role(Role::Publisher));
        assert!(domain.reasons().count() > 20);
    }

    #[test]
    fn a_second_start_changes_passwords_and_nobody() {
        let lab = Lab { agents: 12, teams: 3, password: None };
        let mut domain = Domain::new(Flavour::Ucce);
        let steps = seed(&lab, &domain, &keys());
        act(&mut domain, &steps);
        let again = seed(&lab, &domain, &keys());
        assert_eq!(act(&mut domain, &again), 0);
        let larger = Lab { agents: 14, ..lab };
        let more = seed(&larger, &domain, &keys());
        assert_eq!(act(&mut domain, &more), 2);
    }

    #[test]
    fn a_new_data_directory_gets_an_administrator_once() {
        let mut domain = Domain::new(Flavour::Uccx);
        let steps = found(&domain, &keys());
        act(&mut domain, &steps);
        let admin = domain.user("admin").unwrap();
        assert!(admin.has_role(Role::Administrator));
        assert_eq!((admin.first_name.as_str(), admin.last_name.as_str()), ("", "Administrator"));
        assert!(found(&domain, &keys()).is_empty());
    }
}
