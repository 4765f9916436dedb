//! Who may open a feed: by password, by token, and nobody else.

use std::net::SocketAddr;

use aplomb::feed::FEEDS;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::reader::{NODE, ask, basic, clear, get, send, server, soon, upgrade};

/// The status of opening a feed, which is left at once.
async fn open(at: SocketAddr, path: &str, headers: &[&str]) -> u16 {
    let mut stream = match path.starts_with("/feeds/ws") {
        false => send(at, "GET", path, headers, "").await,
        true => {
            let mut stream = TcpStream::connect(at).await.unwrap();
            stream.write_all(upgrade(path, headers).as_bytes()).await.unwrap();
            stream
        }
    };
    let mut status = [0; 12];
    soon("status", stream.read_exact(&mut status)).await.unwrap();
    String::from_utf8_lossy(&status[9..]).parse().unwrap()
}

/// The paths that are read from, in a form that answers at once.
fn paths() -> impl Iterator<Item = String> {
    let read = FEEDS.iter().filter(|feed| feed.method == "GET");
    read.map(|feed| format!("{}?node={NODE}&wait=0", feed.path))
}

async fn token(at: SocketAddr) -> String {
    let answer = ask(at, "POST", "/feeds/token", &[&basic("1001")], "").await.json();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&"Bearer".into(), &600.into()));
    answer["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_feed_opens_by_password_or_token_and_by_nothing_else() {
    let server = server(&[]).await;
    let at = clear(&server);
    let token = token(at).await;
    assert!(token.len() >= 32);
    for path in paths() {
        let good = if path.starts_with("/feeds/ws") { 101 } else { 200 };
        let wrong = basic("1001").replace("==", "") + "x";
        for (query, header, status) in [
            ("", basic("1001"), good),
            ("", format!("Authorization: Bearer {token}"), good),
            (&*format!("&token={token}"), "X: y".to_owned(), good),
            ("", "X: y".to_owned(), 401),
            ("", wrong, 401),
            ("", basic("nobody"), 401),
            ("", "Authorization: Bearer x".to_owned(), 401),
            ("&token=x", "X: y".to_owned(), 401),
            ("&token=", "X: y".to_owned(), 401),
            // A bad token is not mended by a password that the browser adds.
            ("&token=x", basic("1001"), 401),
        ] {
            let path = format!("{path}{query}");
            assert_eq!(open(at, &path, &[&header]).await, status, "{path} with {header}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_refused_login_says_how_to_log_in_and_does_not_make_a_browser_ask() {
    let server = server(&[]).await;
    let at = clear(&server);
    for (path, challenge) in [
        ("", "www-authenticate: Basic realm="),
        ("&token=x", "www-authenticate: Bearer realm=\"aplomb\", error=\"invalid_token\""),
    ] {
        let answer = ask(at, "GET", &format!("/feeds/poll?node={NODE}{path}"), &[], "").await;
        assert!(answer.status == 401 && answer.has(challenge), "{answer:?}");
        assert!(answer.has("content-type: application/problem+json"), "{answer:?}");
        assert!(
            answer.has("cache-control: no-store") && answer.has("referrer-policy: no-referrer")
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_token_makes_no_token_and_opens_no_other_path() {
    let server = server(&[]).await;
    let at = clear(&server);
    let bearer = format!("Authorization: Bearer {}", token(at).await);
    for (method, path) in [("POST", "/feeds/token"), ("GET", "/finesse/api/User/1001")] {
        assert_eq!(ask(at, method, path, &[&bearer], "").await.status, 401, "{path}");
    }
    assert_eq!(get(at, "1001", "/feeds/token").await.status, 405);
    server.stop().await;
}

#[tokio::test]
async fn a_password_and_a_token_need_tls_unless_the_laboratory_says_otherwise() {
    let server = server(&[("plain-without-tls", "false")]).await;
    let at = clear(&server);
    for path in paths() {
        assert_eq!(open(at, &path, &[&basic("1001")]).await, 403, "{path}");
        assert_eq!(open(at, &format!("{path}&token=x"), &[]).await, 403, "{path}");
    }
    assert_eq!(ask(at, "POST", "/feeds/token", &[&basic("1001")], "").await.status, 403);
    server.stop().await;
}

#[tokio::test]
async fn pages_of_foreign_origins_are_turned_away_and_those_of_allowed_ones_may_read() {
    let server = server(&[("allowed-origins", "https://crm.example")]).await;
    let at = clear(&server);
    let login = basic("1001");
    for path in paths() {
        let good = if path.starts_with("/feeds/ws") { 101 } else { 200 };
        for (origin, status) in [
            ("https://crm.example", good),
            ("http://cc.test", good),
            ("https://evil.example", 403),
            ("https://crm.example.evil", 403),
            ("null", 403),
        ] {
            let origin = format!("Origin: {origin}");
            assert_eq!(open(at, &path, &[&login, &origin]).await, status, "{path} {origin}");
        }
    }
    let origin = "Origin: https://crm.example";
    let asked = "Access-Control-Request-Method: POST";
    let answer = ask(at, "OPTIONS", "/feeds/token", &[origin, asked], "").await;
    assert!(answer.has("access-control-allow-methods: GET, HEAD, OPTIONS, POST"), "{answer:?}");
    assert!(answer.has("access-control-allow-origin: https://crm.example"), "{answer:?}");
    let evil = ask(at, "POST", "/feeds/token", &[&login, "Origin: https://evil.example"], "").await;
    assert!(evil.status == 403 && !evil.has("access-control-allow-origin"), "{evil:?}");
    assert_eq!(evil.json()["code"], Value::from("origin-not-allowed"));
    server.stop().await;
}
