//! What a feed tells to whom: the rights are those of XMPP, at every moment.

use std::net::SocketAddr;
use std::path::Path;

use aplomb::config::Config;
use aplomb::control;
use aplomb::office::{NewPassword, Password, Person, Reply, Request, RoleName};
use aplomb_core::secret::Secret;

use crate::reader::{Answer, NODE, PASSWORD, Socket, Sse, ask, basic, changes, clear, get, server};

async fn office(data: &Path, request: Request) {
    let config = Config::of(&[("data-dir", data.to_str().unwrap())]).unwrap();
    let done = tokio::task::spawn_blocking(move || control::ask(&config, &request)).await.unwrap();
    assert!(matches!(done.unwrap(), Reply::Done(_)));
}

fn supervisor(teams: &[&str]) -> Request {
    let person = Person {
        id: "sup1".to_owned(),
        roles: vec![RoleName::Supervisor],
        supervises: teams.iter().map(|team| (*team).to_owned()).collect(),
        ..Person::default()
    };
    let fields = ["id", "roles", "supervises"].map(str::to_owned).to_vec();
    Request::ImportUsers { people: vec![(person, NewPassword::Keep)], fields }
}

async fn refused(at: SocketAddr, user: &str, feed: &str, node: &str) -> Answer {
    let answer = get(at, user, &format!("/feeds/{feed}?node={node}&wait=0")).await;
    assert_eq!(answer.status, 404, "{user} {feed} {node}: {answer:?}");
    answer
}

#[tokio::test]
async fn a_foreign_node_is_refused_exactly_like_one_that_is_not_there() {
    let server = server(&[]).await;
    let at = clear(&server);
    for feed in ["poll", "longpoll", "sse"] {
        for (user, foreign, unknown) in [
            ("1001", "/finesse/api/User/1002", "/finesse/api/User/9999"),
            ("1001", "/finesse/api/Team/1/Users", "/finesse/api/Team/9/Users"),
            ("sup2", "/finesse/api/User/1001", "/finesse/api/User/9999"),
        ] {
            let foreign_answer = refused(at, user, feed, foreign).await;
            let unknown_answer = refused(at, user, feed, unknown).await;
            let same = |text: &str| text.replace(unknown, foreign);
            assert_eq!(same(&unknown_answer.body), foreign_answer.body);
            let head = |answer: &Answer| answer.head.split("\r\ndate").next().unwrap().to_owned();
            let length = |head: String| {
                head.lines().filter(|l| !l.starts_with("content-length")).collect::<String>()
            };
            assert_eq!(length(head(&unknown_answer)), length(head(&foreign_answer)));
        }
        // One that may be read does not carry one along that may not.
        refused(at, "1001", feed, &format!("{NODE}&node=/finesse/api/User/1002")).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn nothing_comes_after_a_right_is_gone_and_the_reader_is_told() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = server(&[("data-dir", data.to_str().unwrap()), ("ping-after", "1s")]).await;
    let at = clear(&server);
    let path = |feed: &str| format!("/feeds/{feed}?node={NODE}");
    let mut sse = Sse::open(at, "sup1", &path("sse"), "").await.greeted().await;
    changes(at, 0..1).await;
    let first = sse.next().await.unwrap();
    assert_eq!(first.data["update"]["requestId"], "0");
    office(&data, supervisor(&["2"])).await;
    changes(at, 1..4).await;
    let gone = sse.next().await.unwrap();
    assert_eq!((gone.kind.as_str(), &gone.data["node"]), ("gone", &NODE.into()));
    let end = sse.next().await.unwrap();
    assert_eq!((end.kind.as_str(), &end.data["reason"]), ("end", &"nothing-left".into()));
    assert_eq!(sse.next().await, None);
    refused(at, "sup1", "poll", &format!("{NODE}&cursor={}", first.id)).await;
    // What came meanwhile is there again with the right, and none of it is lost.
    office(&data, supervisor(&["1"])).await;
    let mut sse = Sse::open(at, "sup1", &path("sse"), &first.id).await.greeted().await;
    for name in ["1", "2", "3"] {
        assert_eq!(sse.next().await.unwrap().data["update"]["requestId"], name);
    }
    server.stop().await;
}

/// Has somebody sign in.
async fn sign_in(at: SocketAddr, user: &str) {
    let body = format!("<User><state>LOGIN</state><extension>{user}</extension></User>");
    let headers = [&*basic(user), "Content-Type: application/xml"];
    let answer = ask(at, "PUT", &format!("/finesse/api/User/{user}"), &headers, &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
}

#[tokio::test]
async fn a_node_that_goes_is_no_gap_for_readers_of_one_that_was_never_used() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = server(&[("data-dir", data.to_str().unwrap())]).await;
    let at = clear(&server);
    let path = |feed: &str, user: &str| format!("/feeds/{feed}?node=/finesse/api/User/{user}");
    let of = |user: &'static str, from: &str| path("poll", user) + "&cursor=" + from;
    // 1001 reads since before, 1003 begins when the node of 1004 is gone.
    let before = get(at, "1001", &path("poll", "1001")).await.json();
    let mut held = Sse::open(at, "1001", &path("sse", "1001"), "").await.greeted().await;
    sign_in(at, "1004").await;
    office(&data, Request::RemoveUser { user: "1004".to_owned() }).await;
    let start = get(at, "1003", &path("poll", "1003")).await.json();
    let mut sse = Sse::open(at, "1003", &path("sse", "1003"), "").await.greeted().await;
    let start = start["cursor"].as_str().unwrap();
    let long = format!("{}&wait=50&cursor={start}", path("longpoll", "1003"));
    let waiting = tokio::spawn(async move { get(at, "1003", &long).await.json() });
    sign_in(at, "1003").await;
    sign_in(at, "1001").await;
    assert_eq!(sse.next().await.unwrap().kind, "notice");
    assert_eq!(held.next().await.unwrap().kind, "notice");
    let polled = [
        waiting.await.unwrap(),
        get(at, "1003", &of("1003", start)).await.json(),
        get(at, "1001", &of("1001", before["cursor"].as_str().unwrap())).await.json(),
    ];
    for answer in polled {
        let events = answer["events"].as_array().unwrap();
        let kinds: Vec<_> = events.iter().map(|event| &event["kind"]).collect();
        assert_eq!(kinds, ["notice"], "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_new_password_makes_tokens_worthless_and_a_removal_ends_feeds() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = server(&[("data-dir", data.to_str().unwrap())]).await;
    let at = clear(&server);
    let made = ask(at, "POST", "/feeds/token", &[&basic("1001")], "").await.json();
    let bearer = format!("Authorization: Bearer {}", made["token"].as_str().unwrap());
    let path = format!("/feeds/poll?node={NODE}");
    assert_eq!(ask(at, "GET", &path, &[&bearer], "").await.status, 200);
    let password = NewPassword::Is(Password(Secret::new(PASSWORD.to_owned())));
    office(&data, Request::SetPassword { user: "1001".to_owned(), password }).await;
    assert_eq!(ask(at, "GET", &path, &[&bearer], "").await.status, 401);

    let mut sse =
        Sse::open(at, "1001", &format!("/feeds/sse?node={NODE}"), "").await.greeted().await;
    let mut socket = Socket::open(at, &format!("/feeds/ws?node={NODE}")).await;
    socket.next().await.unwrap();
    office(&data, Request::RemoveUser { user: "1001".to_owned() }).await;
    let mut kinds = Vec::new();
    while let Some(sent) = sse.next().await {
        kinds.push((sent.kind, sent.data["reason"].clone()));
    }
    let last = kinds.pop().unwrap();
    assert_eq!(last, ("end".to_owned(), "account-changed".into()));
    let mut messages = Vec::new();
    while let Some(message) = socket.next().await {
        messages.extend(message["events"].as_array().unwrap().iter().cloned());
    }
    assert_eq!(messages.last().unwrap()["reason"], "account-changed");
    assert_eq!(ask(at, "GET", &path, &[&basic("1001")], "").await.status, 401);
    server.stop().await;
}
