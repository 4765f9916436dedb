//! Requests over the socket and on the directory of a server that does not run.

use super::*;
use crate::office::{Made, NewPassword, Password, Person, RoleName, TeamLine};
use aplomb_core::secret::Secret;

/// Makes each request and holds the answers against `expected`, with a server and without.
#[track_caller]
fn check(requests: &[Request], expected: &[Reply]) {
    let dir = fresh();
    let config = config(dir.path());
    let answers: Vec<_> = requests.iter().map(|request| ask(&config, request).unwrap()).collect();
    assert_eq!(answers, expected, "on the directory");
    let dir = fresh();
    let answers = while_serving(dir.path(), |config| {
        requests.iter().map(|request| ask(config, request).unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(answers, expected, "over the socket");
}

#[test]
fn people_and_teams_come_and_go() {
    check(
        &[
            Request::PutTeam(team("1", "One")),
            add("1001"),
            Request::ListUsers,
            Request::ListTeams,
            Request::RemoveUser { user: "1001".into() },
            Request::RemoveTeam { team: "1".into() },
            Request::ListUsers,
            Request::ListTeams,
        ],
        &[
            Reply::Done(vec![]),
            Reply::Done(vec![]),
            Reply::Users(vec![Person { login_name: "1001".into(), ..person("1001") }]),
            Reply::Teams(vec![TeamLine { members: 1, ..team("1", "One") }]),
            Reply::Done(vec![]),
            Reply::Done(vec![]),
            Reply::Users(vec![]),
            Reply::Teams(vec![]),
        ],
    );
}

#[test]
fn what_cannot_be_done_is_refused_in_words() {
    check(
        &[
            add("1001"),
            Request::PutTeam(team("1", "One")),
            add("1001"),
            add("1001"),
            Request::RemoveTeam { team: "1".into() },
            Request::RemoveUser { user: "1002".into() },
            Request::SetPassword { user: "1001".into(), password: password("") },
            Request::SetPassword { user: "1002".into(), password: password("x") },
        ],
        &[
            refused(Some("team"), "there is no team 1; add it with `aplomb team add 1`"),
            Reply::Done(vec![]),
            Reply::Done(vec![]),
            refused(Some("id"), "there is a user 1001 already"),
            refused(None, "somebody works in team 1 or supervises it; move them first"),
            refused(Some("id"), "there is no user 1002"),
            refused(
                Some("password"),
                "the password is empty or holds characters that no password may hold",
            ),
            refused(Some("id"), "there is no user 1002"),
        ],
    );
}

#[test]
fn an_import_is_done_whole_or_not_at_all_and_changes_only_what_it_tells() {
    let people = |third_team: &str| {
        let third = Person { team: Some(third_team.into()), ..person("1003") };
        let people = [person("1001"), person("1002"), third];
        people.into_iter().map(|person| (person, password("secret"))).collect()
    };
    let mut nobody = refused(Some("team"), "there is no team 9; add it with `aplomb team add 9`");
    if let Reply::Refused(complaint) = &mut nobody {
        complaint.person = 2;
    }
    let known = |id: &str| Person { login_name: id.into(), ..person(id) };
    // Of his team and phone nothing is told, so they stay.
    let renamed = Person { id: "1001".into(), first_name: "Grace".into(), ..Person::default() };
    check(
        &[
            Request::PutTeam(team("1", "One")),
            import(people("9"), &["first_name", "team"]),
            Request::ListUsers,
            import(people("1"), &["first_name", "team"]),
            Request::ListUsers,
            import(vec![(renamed, NewPassword::Keep)], &["first_name"]),
            Request::ListUsers,
        ],
        &[
            Reply::Done(vec![]),
            nobody,
            Reply::Users(vec![]),
            Reply::Done(vec![]),
            Reply::Users(vec![known("1001"), known("1002"), known("1003")]),
            Reply::Done(vec![]),
            Reply::Users(vec![
                Person { first_name: "Grace".into(), ..known("1001") },
                known("1002"),
                known("1003"),
            ]),
        ],
    );
}

#[test]
fn a_made_password_is_told_and_one_that_is_there_is_kept() {
    let dir = fresh();
    let config = config(dir.path());
    let import = import(vec![(Person { team: None, ..person("1001") }, NewPassword::Keep)], &[]);
    let Reply::Done(made) = ask(&config, &import).unwrap() else { panic!("refused") };
    let [Made { user, password: Password(secret) }] = &made[..] else { panic!("{made:?}") };
    assert_eq!((user.as_str(), secret.expose().len()), ("1001", 20));
    assert_eq!(ask(&config, &import).unwrap(), Reply::Done(vec![]));
}

#[test]
fn a_directory_without_data_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("none");
    let error = ask(&config(&dir), &Request::ListUsers).unwrap_err();
    assert!(matches!(error, ControlError::NoData(_)), "{error}");
    assert!(!dir.exists());
}

#[test]
fn the_socket_of_a_killed_server_is_no_hindrance() {
    let dir = fresh();
    drop(bind(dir.path()).unwrap());
    assert!(dir.path().join(SOCKET).exists());
    assert_eq!(ask(&config(dir.path()), &Request::ListUsers).unwrap(), Reply::Users(vec![]));
    let mode = fs::metadata(dir.path().join(SOCKET)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    bind(dir.path()).unwrap();
}

#[test]
fn nonsense_is_answered_without_repeating_it() {
    let dir = fresh();
    let answer = while_serving(dir.path(), |config| {
        let path = config.data_dir.as_ref().unwrap().join(SOCKET);
        let mut socket = StdStream::connect(path).unwrap();
        socket.write_all(b"{\"do\":\"set-password\",\"password\":\"hunter2\"}\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(answer.contains("not a request") && !answer.contains("hunter2"), "{answer}");
}

#[test]
fn the_first_administrator_is_made_once() {
    let dir = fresh();
    let config = config(dir.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let started = started(&config);
        let office = Office::new(started.writer.clone());
        let made = office.open_for_the_first_time().await.unwrap().unwrap();
        assert_eq!(made.user, "admin");
        let login = started.accounts.verify("admin", &made.password.0, [127, 0, 0, 1].into());
        assert!(login.await.is_ok());
        assert_eq!(office.open_for_the_first_time().await.unwrap(), None);
        started.writer.stop().await;
        started.thread.join().unwrap();
    });
}

/// A data directory with an empty store.
fn fresh() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    drop(Sqlite::open(dir.path()).unwrap());
    dir
}

fn config(dir: &Path) -> Config {
    let dir = dir.to_str().unwrap();
    Config::of(&[("data-dir", dir), ("domain", "cc.test"), ("scram-iterations", "4096")]).unwrap()
}

fn started(config: &Config) -> writer::Started {
    let (questions, asked) = mpsc::channel(1);
    let realm = Realm { domain: config.domain.to_string(), version: String::new() };
    let store = Sqlite::open(config.data_dir.as_ref().unwrap()).unwrap();
    let (hub, metrics) = (Hub::new(realm, questions), Metrics::new());
    writer::start(Box::new(store), config, hub, asked, &metrics).unwrap()
}

fn while_serving<T>(dir: &Path, act: impl FnOnce(&Config) -> T) -> T {
    let config = config(dir);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let writer = runtime.block_on(async {
        let started = started(&config);
        let office = Office::new(started.writer.clone());
        tokio::spawn(serve(bind(dir).unwrap(), office));
        started.writer
    });
    let result = act(&config);
    runtime.block_on(writer.stop());
    result
}

fn add(id: &str) -> Request {
    Request::AddUser { person: person(id), password: password("secret") }
}

fn import(people: Vec<(Person, NewPassword)>, fields: &[&str]) -> Request {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    Request::ImportUsers { people, fields }
}

fn person(id: &str) -> Person {
    Person {
        id: id.into(),
        first_name: "Ada".into(),
        roles: vec![RoleName::Agent],
        team: Some("1".into()),
        phone: Some(id.into()),
        ..Person::default()
    }
}

fn password(text: &str) -> NewPassword {
    NewPassword::Is(Password(Secret::new(text.to_owned())))
}

fn team(id: &str, name: &str) -> TeamLine {
    TeamLine { id: id.into(), name: name.into(), members: 0 }
}

fn refused(field: Option<&str>, words: &str) -> Reply {
    let field = field.map(str::to_owned);
    Reply::Refused(Complaint { person: 0, field, words: words.to_owned() })
}
