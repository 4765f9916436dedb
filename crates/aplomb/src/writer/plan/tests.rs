//! What jobs come to: what is told to whom, and what is kept.

use std::time::Duration;

use aplomb_core::domain::{
    AgentState, Desk, ReasonShown, Role, Team, TeamId, User, Wanted, default_reasons,
};
use aplomb_core::sasl::Failure;
use aplomb_core::sasl::fast::{Agent, FastChange, FastMechanism, FastRequest, FastToken};
use aplomb_core::secret::Secret;

use aplomb_core::roster::Word;

use super::*;
use crate::limits::{AUDIENCE_REMEMBERED_MIN, TOKENS_SWEEP_SECS};
use crate::mailbox::Mailbox;

/// Does each step as a job of its own and holds what is told against `expected`, a line for each
/// notice: node, number, what, and to whom.
#[track_caller]
fn check(working: &mut Working, steps: &[Step], expected: &[&str]) {
    let mut batch = Batch::default();
    for step in steps {
        let asked = Asked { request_id: "r1", is_quiet: false, now: NOW };
        let done = working.steps(std::slice::from_ref(step), &asked, &mut batch);
        assert!(done.is_ok(), "{step:?}: {:?}", done.err().map(|refused| refused.refusal));
    }
    assert_eq!(told(&batch), expected);
}

fn told(batch: &Batch) -> Vec<String> {
    let line = |delivery: &Delivery| {
        let Delivery::Notice(notice, audience) = delivery else { panic!("{delivery:?}") };
        let to = match audience {
            Audience::Everyone => "everyone".to_owned(),
            Audience::These(jids) => {
                jids.iter().map(|reader| reader.jid.to_string()).collect::<Vec<_>>().join(" ")
            }
        };
        let what = ["&lt;event>", "&lt;event&gt;"]
            .iter()
            .find_map(|tag| notice.body.split(tag).nth(1))
            .map_or("delete", |rest| rest.split("&lt;").next().unwrap());
        let node = notice.node.strip_prefix("/finesse/api/").unwrap_or(&notice.node);
        format!("{node} {} {what} -> {to}", notice.seq)
    };
    batch.deliveries.iter().map(line).collect()
}

#[test]
fn a_state_change_goes_to_the_agent_and_to_the_supervisors_who_subscribed() {
    let mut working = centre();
    subscribe(&mut working, "sup1@cc.test/desk", "/finesse/api/Team/1/Users");
    check(
        &mut working,
        &[login("1001"), state("1001", Wanted::Ready)],
        &[
            "User/1001 1 PUT -> 1001@cc.test",
            "Team/1/Users 1 PUT -> sup1@cc.test/desk",
            "User/1001 2 PUT -> 1001@cc.test",
            "Team/1/Users 2 PUT -> sup1@cc.test/desk",
        ],
    );
}

#[test]
fn a_failure_after_202_is_told_to_the_agent_alone() {
    check(&mut centre(), &[state("1001", Wanted::Ready)], &["User/1001 1 put -> 1001@cc.test"]);
}

#[test]
fn a_right_that_was_taken_away_ends_what_is_told_at_once() {
    let mut working = centre();
    subscribe(&mut working, "sup1@cc.test/desk", "/finesse/api/User/1001");
    let demoted = User { supervises: Vec::new(), ..user("sup1", Role::Supervisor, "1") };
    check(
        &mut working,
        &[login("1001"), put(demoted), state("1001", Wanted::Ready)],
        &[
            "User/1001 1 PUT -> sup1@cc.test/desk 1001@cc.test",
            "Team/1/Users 1 PUT -> ",
            "User/sup1 1 PUT -> sup1@cc.test",
            "Team/1/Users 2 PUT -> ",
            "User/1001 2 PUT -> 1001@cc.test",
            "Team/1/Users 3 PUT -> ",
        ],
    );
}

#[test]
fn an_observer_is_told_what_he_may_read_and_nothing_after_his_right_is_gone() {
    let mut working = centre();
    let node = "/finesse/api/User/1001";
    let watch = |who: &str| {
        let person = format!("{who}@cc.test").parse().unwrap();
        working.observers.join(person, [node.into()], Mailbox::new(9, 9_000)).unwrap()
    };
    let (_sup, _stranger, _own) = (watch("sup1"), watch("1002"), watch("1001"));
    let demoted = User { supervises: Vec::new(), ..user("sup1", Role::Supervisor, "1") };
    let mut batch = Batch::default();
    let steps = [login("1001"), put(demoted), state("1001", Wanted::Ready)];
    let asked = Asked { request_id: "", is_quiet: false, now: NOW };
    assert!(working.steps(&steps, &asked, &mut batch).is_ok());
    let told = batch
        .observed
        .iter()
        .map(|(notice, observer)| format!("{} {} -> {}", notice.node, notice.seq, observer.person));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            format!("{node} 1 -> sup1@cc.test"),
            format!("{node} 1 -> 1001@cc.test"),
            format!("{node} 2 -> 1001@cc.test"),
        ]
    );
}

#[test]
fn the_audience_that_is_remembered_is_the_one_that_would_be_found() {
    let nodes = ["/finesse/api/User/1001", "/finesse/api/Team/1/Users"];
    let mut working = centre();
    let fresh = |working: &mut Working| {
        working.audiences = Audiences::default();
        nodes.map(|node| working.audience(&node.into()))
    };
    for desk in 0..AUDIENCE_REMEMBERED_MIN {
        for node in nodes {
            subscribe(&mut working, &format!("sup1@cc.test/{desk}"), node);
        }
    }
    let supervisor = |supervises: &[&str]| User {
        supervises: supervises.iter().map(|team| TeamId::from(*team)).collect(),
        ..user("sup1", Role::Supervisor, "1")
    };
    let steps = [
        login("1001"),
        Step::Command(Command::PutTeam(Team { id: "2".into(), name: "Two".into() })),
        put(supervisor(&[])),
        put(supervisor(&["1"])),
        put(user("1001", Role::Agent, "2")),
        put(user("1001", Role::Agent, "1")),
        put(User { login_name: "boss".into(), ..supervisor(&["1"]) }),
        Step::Command(Command::RemoveUser("sup1".into())),
    ];
    for step in steps {
        let before = fresh(&mut working);
        check_done(&mut working, &step);
        let remembered = nodes.map(|node| working.audience(&node.into()));
        let found = fresh(&mut working);
        assert_eq!(remembered, found, "{step:?}");
        if step == login("1001") {
            let same = |pair: (&Audience, &Audience)| match pair {
                (Audience::These(a), Audience::These(b)) => Arc::ptr_eq(a, b),
                (Audience::Everyone, _) | (_, Audience::Everyone) => false,
            };
            assert!(before.iter().zip(&remembered).all(same), "a state was taken for a right");
        }
    }
    assert_eq!(fresh(&mut working)[1], Audience::These([].into()));
}

fn check_done(working: &mut Working, step: &Step) {
    let asked = Asked { request_id: "", is_quiet: false, now: NOW };
    let done = working.steps(std::slice::from_ref(step), &asked, &mut Batch::default());
    assert!(done.is_ok(), "{step:?}: {:?}", done.err().map(|refused| refused.refusal));
}

#[test]
fn a_removed_user_is_told_so_and_leaves_nothing_behind() {
    let mut working = centre();
    subscribe(&mut working, "sup1@cc.test/desk", "/finesse/api/User/1001");
    subscribe(&mut working, "1001@cc.test/desk", "/finesse/api/SystemInfo");
    let mut batch = Batch::default();
    let asked = Asked { request_id: "", is_quiet: false, now: NOW };
    let remove = [Step::Command(Command::RemoveUser("1001".into()))];
    assert!(working.steps(&remove, &asked, &mut batch).is_ok());
    assert_eq!(
        told(&batch),
        [
            "User/1001 1 DELETE -> sup1@cc.test/desk 1001@cc.test",
            "Team/1/Users 1 DELETE -> ",
            "User/1001 2 delete -> sup1@cc.test/desk 1001@cc.test",
        ]
    );
    assert_eq!(batch.gone, [UserId::from("1001")]);
    assert!(batch.changes.contains(&Change::Keys { user: "1001".into(), keys: None }));
    assert_eq!(working.pubsub.subscribers("/finesse/api/SystemInfo").count(), 0);
    assert_eq!(working.pubsub.subscribers("/finesse/api/User/1001").count(), 0);
}

#[test]
fn a_list_of_steps_is_done_whole_or_not_at_all() {
    let mut working = centre();
    let mut batch = Batch::default();
    let asked = Asked { request_id: "", is_quiet: false, now: NOW };
    let steps = [
        put(user("1009", Role::Agent, "1")),
        Step::Keys { user: "1009".into(), keys: None },
        put(user("1010", Role::Agent, "no such team")),
    ];
    let refused = working.steps(&steps, &asked, &mut batch).err().unwrap();
    assert_eq!(refused.step, 2);
    assert!(matches!(refused.refusal, Refusal::UnknownTeam(_)), "{:?}", refused.refusal);
    assert!(batch.changes.is_empty() && working.domain().user("1009").is_none());
    assert!(working.steps(&steps[..2], &asked, &mut batch).is_ok());
    assert!(working.domain().user("1009").is_some());
}

#[test]
fn a_quiet_list_tells_nobody() {
    let mut working = centre();
    let mut batch = Batch::default();
    let asked = Asked { request_id: "", is_quiet: true, now: NOW };
    assert!(working.steps(&[put(user("1009", Role::Agent, "1"))], &asked, &mut batch).is_ok());
    assert!(batch.deliveries.is_empty() && batch.changes.len() == 1);
}

#[test]
fn keys_of_somebody_unknown_are_refused() {
    let steps = [Step::Keys { user: "nobody".into(), keys: None }];
    let asked = Asked { request_id: "", is_quiet: false, now: NOW };
    let refused = centre().steps(&steps, &asked, &mut Batch::default()).err().unwrap();
    assert!(matches!(refused.refusal, Refusal::UnknownUser(name) if name == "nobody"));
}

#[test]
fn an_agent_subscribes_to_his_own_and_a_stranger_to_nothing() {
    let mut working = centre();
    let mut ask = |who: &str, node: &str| {
        let asker: FullJid = who.parse().unwrap();
        let request =
            Request::Subscribe { node: node.into(), jid: asker.clone().into(), options: None };
        working.ask(&asker, &request, NOW, &mut Batch::default()).map(|_| ())
    };
    assert_eq!(ask("1001@cc.test/desk", "/finesse/api/User/1001"), Ok(()));
    for node in ["/finesse/api/User/1002", "/finesse/api/User/none", "/finesse/api/Team/1/Users"] {
        let refused = ask("1001@cc.test/desk", node);
        assert_eq!(refused, Err(pubsub::Refusal::NodeUnknown), "{node}");
    }
}

#[test]
fn the_nodes_that_one_may_read_are_listed() {
    let asker: FullJid = "1001@cc.test/desk".parse().unwrap();
    let reply = centre().ask(&asker, &Request::Nodes, NOW, &mut Batch::default()).unwrap();
    let Reply::Nodes(nodes) = reply else { panic!("{reply:?}") };
    assert!(nodes.iter().any(|node| &**node == "/finesse/api/User/1001"), "{nodes:?}");
    assert!(!nodes.iter().any(|node| node.contains("1002")), "{nodes:?}");
}

#[test]
fn what_was_written_makes_the_same_working_copy_again() {
    let mut working = centre();
    let mut batch = Batch::default();
    let asked = Asked { request_id: "r", is_quiet: false, now: NOW };
    for step in [login("1001"), state("1001", Wanted::Ready), state("1001", Wanted::Logout)] {
        assert!(working.steps(&[step], &asked, &mut batch).is_ok());
    }
    let mut all = seeds();
    all.extend(batch.changes);
    let again = Working::new(&setup(), &snapshot(all));
    let node = "/finesse/api/User/1001";
    assert_eq!(again.domain().user("1001"), working.domain().user("1001"));
    assert_eq!((again.pubsub.seq(node), working.pubsub.seq(node)), (3, 3));
}

/// Has 1001 and 1002 see each other; gives what is to be kept of it.
fn befriend(working: &mut Working) -> Vec<Change> {
    let mut batch = Batch::default();
    for (who, word, to) in [
        ("1001", Word::Subscribe, "1002"),
        ("1002", Word::Subscribed, "1001"),
        ("1002", Word::Subscribe, "1001"),
        ("1001", Word::Subscribed, "1002"),
        ("1001", Word::Subscribe, "sup2"),
    ] {
        let request = roster::Request::Say { word, to: person(to), stanza: "<presence/>".into() };
        working.ask_roster(&person(who), &request, NOW, &mut batch).unwrap();
    }
    batch.changes
}

fn person(name: &str) -> BareJid {
    format!("{name}@cc.test").parse().unwrap()
}

/// Who comes to see whom by a step, and who does not any more: `1001 sees 1002`.
fn sights_of(working: &mut Working, step: Step) -> Vec<String> {
    let (mut batch, asked) =
        (Batch::default(), Asked { request_id: "", is_quiet: false, now: NOW });
    assert!(working.steps(&[step], &asked, &mut batch).is_ok());
    let line = |sight: &Sight| {
        let verb = if sight.is_seen { "sees" } else { "loses" };
        let [seer, seen] = [&sight.seer, &sight.seen].map(account_of);
        format!("{seer} {verb} {seen}")
    };
    let mut lines: Vec<_> = batch.sights.iter().map(line).collect();
    lines.sort();
    lines.dedup();
    lines
}

#[test]
fn who_leaves_the_last_common_team_is_seen_no_more_and_comes_back_with_it() {
    let mut working = centre();
    befriend(&mut working);
    let team = Team { id: "2".into(), name: "Two".into() };
    assert!(sights_of(&mut working, Step::Command(Command::PutTeam(team))).is_empty());
    assert!(sights_of(&mut working, login("1001")).is_empty());
    let away = put(user("1002", Role::Agent, "2"));
    assert_eq!(sights_of(&mut working, away), ["1001 loses 1002", "1002 loses 1001"]);
    let mut both = user("1002", Role::Supervisor, "2");
    both.supervises = vec!["1".into()];
    assert_eq!(sights_of(&mut working, put(both)), ["1001 sees 1002", "1002 sees 1001"]);
}

#[test]
fn a_removed_user_is_in_nobodys_sight_and_his_roster_is_gone() {
    let mut working = centre();
    befriend(&mut working);
    let remove = Step::Command(Command::RemoveUser("1001".into()));
    assert_eq!(
        sights_of(&mut working, remove),
        ["1001 loses 1002", "1002 loses 1001", "sup2 loses 1001"]
    );
    assert_eq!(working.roster.contacts(&person("1001")).count(), 0);
    let left = working.roster.contact(&person("1002"), &person("1001")).unwrap();
    assert_eq!(left.subscription(), "none");
}

#[test]
fn rosters_and_who_sees_whom_are_the_same_after_a_start() {
    let mut working = centre();
    let kept = befriend(&mut working);
    let (_, mut before) = working.people();
    let again = Working::new(&setup(), &snapshot(seeds().into_iter().chain(kept).collect()));
    let (roster, mut after) = again.people();
    let order = |sight: &Sight| (sight.seen.clone(), sight.seer.clone());
    before.sort_by_key(order);
    after.sort_by_key(order);
    assert_eq!((after.len(), after), (2, before));
    assert_eq!(roster.version(&person("1001")), working.roster.version(&person("1001")));
}

fn token(seed: u8, expires: WallTime) -> FastToken {
    let agent = Agent::parse("d4565fa7-4d72-4749-b3d3-740edbf87770").unwrap();
    let (mechanism, seed) = (FastMechanism::Unbound, [seed; 16]);
    FastToken { agent, mechanism, seed, expires, is_used: true, count: 0 }
}

#[test]
fn a_token_is_issued_to_nobody_who_is_gone() {
    let (mut working, mut batch) = (centre(), Batch::default());
    let request = FastRequest::Issue(token(1, WallTime(NOW.0 + 1)));
    assert_eq!(working.token("1001", &request, NOW, &mut batch), Ok(()));
    assert_eq!(batch.changes.len(), 1);
    let request = FastRequest::Issue(token(2, WallTime(NOW.0 + 1)));
    let refused = working.token("9999", &request, NOW, &mut batch);
    assert_eq!((refused, batch.changes.len()), (Err(Failure::NotAuthorized), 1));
}

#[test]
fn tokens_that_are_over_are_forgotten_though_nobody_shows_them() {
    let kept = [(1, 0), (2, 1)].map(|(seed, more)| {
        let token = token(seed, WallTime(NOW.0 + more));
        Change::Token(FastChange::Set { account: "1001".to_owned(), token })
    });
    let mut working = Working::new(&setup(), &snapshot([seeds(), kept.to_vec()].concat()));
    let mut forgotten = |at: i64| {
        let mut batch = Batch::default();
        working.lapse(WallTime(at), &mut batch);
        batch.changes.len()
    };
    let wait_ms = TOKENS_SWEEP_SECS as i64 * 1_000;
    assert_eq!([NOW.0, NOW.0 + 1, NOW.0 + wait_ms].map(&mut forgotten), [1, 0, 1]);
}

const NOW: WallTime = WallTime(1_700_000_000_000);

fn setup() -> Setup {
    let bounds = Bounds {
        items_max: 10,
        age_max: Duration::from_secs(3600),
        bytes_max: 1 << 20,
        payload_bytes_max: 1 << 16,
        nodes_max: 10,
        subscriptions_max: 100,
    };
    let observers = Arc::default();
    Setup { host: "cc.test".into(), flavour: Flavour::Uccx, bounds, observers }
}

/// Team 1 with agents 1001 and 1002, and supervisor sup1.
fn centre() -> Working {
    Working::new(&setup(), &snapshot(seeds()))
}

fn snapshot(changes: Vec<Change>) -> Snapshot {
    let token_key = Secret::new([0; 32]);
    Snapshot { epoch: "e".into(), decoy_key: [0; 32], token_key, changes }
}

fn seeds() -> Vec<Change> {
    let team = Team { id: "1".into(), name: "One".into() };
    let mut supervisor = user("sup1", Role::Supervisor, "1");
    supervisor.supervises = vec![TeamId::from("1")];
    let users = [user("1001", Role::Agent, "1"), user("1002", Role::Agent, "1"), supervisor];
    let team = std::iter::once(domain::Change::TeamSet(Arc::new(team)));
    let reasons = default_reasons(Flavour::Uccx)
        .into_iter()
        .map(|reason| domain::Change::ReasonSet(Arc::new(reason)));
    let users = users.into_iter().map(|user| domain::Change::UserSet(Arc::new(user)));
    team.chain(reasons).chain(users).map(Change::Domain).collect()
}

fn user(id: &str, role: Role, team: &str) -> User {
    User {
        id: id.into(),
        login_name: id.to_owned(),
        first_name: "A".into(),
        last_name: "B".into(),
        roles: vec![role],
        team: Some(team.into()),
        supervises: Vec::new(),
        phone: Some(id.to_owned()).filter(|id| id.starts_with('1')),
        desk: Desk {
            state: AgentState::Logout,
            pending: None,
            reason: ReasonShown::NotGiven,
            extension: None,
            since: None,
        },
    }
}

fn put(user: User) -> Step {
    Step::Command(Command::PutUser(Box::new(user)))
}

fn login(id: &str) -> Step {
    state(id, Wanted::Login { extension: Some(id.to_owned()) })
}

fn state(id: &str, to: Wanted) -> Step {
    Step::Command(Command::SetState { by: id.into(), user: id.into(), to, reason: None })
}

fn subscribe(working: &mut Working, who: &str, node: &str) {
    let asker: FullJid = who.parse().unwrap();
    let request =
        Request::Subscribe { node: node.into(), jid: asker.clone().into(), options: None };
    working.ask(&asker, &request, NOW, &mut Batch::default()).unwrap();
}
