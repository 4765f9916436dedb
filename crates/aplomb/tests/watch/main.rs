//! `aplomb watch` as a person runs it: the real program against the real server.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod parties;

use serde_json::{Value, json};

use parties::{Line, Server, Watch};

#[test]
fn an_event_is_seen_and_after_a_crash_what_was_missed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), 0);
    let port = server.https_port();
    let url = format!("wss://127.0.0.1:{port}/ws/");
    let flags = ["--fingerprint", &server.fingerprint(), "--node", "User/1001", "--events", "3"];
    let mut watch = Watch::start(&url, "1001", &flags);
    watch.until(|news| news["meaning"] == "Subscribed to /finesse/api/User/1001.");

    assert_eq!(server.put("<User><state>LOGIN</state><extension>1001</extension></User>"), 202);
    let event = watch.until(|news| news["kind"] == "event");
    assert_eq!(event["update"]["data"]["user"]["state"], json!("NOT_READY"));
    let (seq, late) = (event["seq"].as_u64().unwrap(), &event["late"]);
    assert_eq!(late, &json!(false));

    server.kill();
    watch.until(|news| news["kind"] == "lost");
    // The change is made where the client cannot see it.
    let elsewhere = Server::start(dir.path(), 0);
    assert_eq!(elsewhere.put("<User><state>READY</state></User>"), 202);
    elsewhere.kill();
    let server = Server::start(dir.path(), port);

    let is_own = |news: &Value| news["node"] == "/finesse/api/User/1001";
    let missed = watch.until(|news| news["kind"] == "missed" && is_own(news));
    assert_eq!((&missed["extent"], &missed["count"]), (&json!("all"), &json!(1)), "{missed}");
    let event = watch.until(|news| news["kind"] == "event");
    assert_eq!(event["update"]["data"]["user"]["state"], json!("READY"));
    assert_eq!((&event["late"], &event["seq"]), (&json!(true), &json!(seq + 1)));

    assert_eq!(server.put("<User><state>NOT_READY</state></User>"), 202);
    let event = watch.until(|news| news["kind"] == "event");
    assert_eq!((&event["late"], &event["seq"]), (&json!(false), &json!(seq + 2)));
    let (code, _) = watch.end();
    assert_eq!(code, 0, "so many events were wanted");
}

#[test]
fn every_refusal_has_its_exit_code_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), 0);
    let (tls, clear) = (server.https_port(), server.http_port());
    let check = |url: &str, user: &str, flags: &[&str], code: i32, words: &[&str]| {
        let (found, told) = Watch::start(url, user, flags).end();
        assert_eq!(found, code, "{url} {flags:?}: {told}");
        for word in words {
            assert!(told.contains(word), "{url} {flags:?}: {told}");
        }
    };
    let wss = format!("wss://127.0.0.1:{tls}/ws/");
    let fingerprint = server.fingerprint();
    check(&wss, "1001", &[], 4, &["not trusted", &format!("--fingerprint {fingerprint}")]);
    let other = "00:".repeat(31) + "00";
    check(&wss, "1001", &["--fingerprint", &other], 4, &["another one than", &fingerprint]);
    let ws = format!("ws://127.0.0.1:{clear}/ws/");
    check(&ws, "nobody", &[], 6, &["not-authorized", "Check --user"]);
    check(&ws, "1001", &["--team", "2"], 8, &["Team/2/Users", "a supervisor the own teams"]);
    let nowhere = format!("ws://127.0.0.1:{clear}/nowhere");
    check(&nowhere, "1001", &[], 5, &["404"]);
    check(&format!("wss://127.0.0.1:{clear}/ws/"), "1001", &[], 3, &["begin without"]);
    check("ftp://127.0.0.1/ws/", "1001", &[], 2, &["wss://"]);
    check(&format!("http://127.0.0.1:{clear}/nowhere/"), "1001", &[], 1, &["404 at /nowhere/"]);
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    let empty = ["--password-file", elsewhere.path().to_str().unwrap()];
    check(&ws, "1001", &empty, 2, &["no password"]);
}

#[test]
fn a_watch_that_is_told_to_stop_leaves_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), 0);
    let url = format!("wss://127.0.0.1:{}/ws/", server.https_port());
    let certificate = dir.path().join("tls-certificate.pem");
    let flags = ["--ca", certificate.to_str().unwrap(), "--node", "User/1001"];
    let mut watch = Watch::start(&url, "1001", &flags);
    watch.until(|news| news["meaning"] == "Subscribed to /finesse/api/User/1001.");
    watch.terminate();
    watch.until(|news| news["meaning"] == "Given back: /finesse/api/User/1001.");
    watch.until(|news| news["meaning"] == "The stream is closed by the server.");
    assert_eq!(watch.end().0, 0);
}

#[test]
fn a_second_watch_of_the_same_resource_throws_out_the_first_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), 0);
    let url = format!("ws://127.0.0.1:{}/ws/", server.http_port());
    let is_ready = |news: &Value| news["kind"] == "stanza";
    let mut first = Watch::start(&url, "1001", &["--resource", "desk"]);
    first.until(is_ready);
    let mut second = Watch::start(&url, "1001", &["--resource", "desk"]);
    second.until(is_ready);
    let (code, told) = first.end();
    assert_eq!(code, 7, "{told}");
    assert!(told.contains("Another session took the resource desk"), "{told}");
}

#[test]
fn an_event_is_seen_over_tcp_too() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), 0);
    let flags = ["--fingerprint", &server.fingerprint(), "--domain", "cc.test", "--events", "1"];
    let [clear, direct] = ["xmpp", "xmpps"].map(|scheme| {
        let url = format!("{scheme}://127.0.0.1:{}", server.port(scheme));
        let mut watch = Watch::start(&url, "1001", &flags);
        if scheme == "xmpp" {
            watch.until(|news| news["meaning"] == "The server agrees: TLS begins.");
        }
        watch.until(|news| news["text"].as_str().is_some_and(|text| text.contains("TLS: TLS 1.3")));
        watch.until(|news| news["kind"] == "stanza");
        watch
    });
    assert_eq!(server.put("<User><state>LOGIN</state><extension>1001</extension></User>"), 202);
    for mut watch in [clear, direct] {
        let event = watch.until(|news| news["kind"] == "event");
        assert_eq!(event["update"]["data"]["user"]["state"], json!("NOT_READY"));
        assert_eq!(watch.end().0, 0);
    }
    let clear_in_tls = format!("xmpps://127.0.0.1:{}", server.port("xmpp"));
    let (code, told) = Watch::start(&clear_in_tls, "1001", &flags).end();
    assert!(code == 3 && told.contains("begin without"), "{code} {told}");
}

#[test]
fn events_are_seen_over_http_too_until_it_leaves_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), 0);
    let url = format!("https://127.0.0.1:{}/http-bind/", server.https_port());
    let flags = ["--fingerprint", &server.fingerprint(), "--node", "User/1001"];
    let mut watch = Watch::start(&url, "1001", &flags);
    watch.until(|news| news["meaning"] == "Subscribed to /finesse/api/User/1001.");
    for state in ["LOGIN</state><extension>1001</extension>", "READY</state>", "NOT_READY</state>"]
    {
        assert_eq!(server.put(&format!("<User><state>{state}</User>")), 202);
        watch.until(|news| news["kind"] == "event");
    }
    watch.terminate();
    watch.until(|news| news["meaning"] == "Given back: /finesse/api/User/1001.");
    watch.until(|news| news["meaning"] == "The stream is closed by the server.");
    assert_eq!(watch.end().0, 0);
}

/// What the steps of a connection mean, up to the presence.
fn walk(watch: &mut Watch) -> Vec<String> {
    let mut meanings = Vec::new();
    while meanings.last().is_none_or(|last| last != "The client is here, with priority 0.") {
        let step = watch.until(|news| news["kind"] == "step");
        meanings.push(step["meaning"].as_str().unwrap_or_default().to_owned());
    }
    meanings
}

#[test]
fn a_watch_whose_line_was_cut_is_back_by_its_token_with_its_address_in_one_round_trip() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), 0);
    let flags = ["--fingerprint", &server.fingerprint(), "--domain", "cc.test"];
    for (scheme, port, path) in
        [("wss", server.https_port(), "/ws/"), ("xmpps", server.port("xmpps"), "")]
    {
        let line = Line::to(port);
        let url = format!("{scheme}://127.0.0.1:{}{path}", line.port);
        let mut watch = Watch::start(&url, "1001", &flags);
        let first = walk(&mut watch);
        let has = |walk: &[String], words: &str| walk.iter().any(|step| step.contains(words));
        assert!(has(&first, "by SCRAM-SHA-512-PLUS, bound to this connection"), "{first:?}");
        let worked = |step: &&String| step.starts_with("The login worked, and the client is 1001@");
        let address = first.iter().find(worked).unwrap().clone();

        for _ in 0..2 {
            line.cut();
            watch.until(|news| news["kind"] == "lost");
            let back = walk(&mut watch);
            let back: Vec<_> = back.iter().skip_while(|s| !s.contains("opens a stream")).collect();
            assert_eq!(
                back[2..],
                [
                    "The server takes logins by SCRAM-SHA-512-PLUS, SCRAM-SHA-256-PLUS, \
                     SCRAM-SHA-1-PLUS, SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN.",
                    "The client logs in by HT-SHA-256-EXPR.",
                    &address,
                    "The server has no further steps.",
                    "The client is here, with priority 0.",
                ],
                "{scheme}"
            );
        }
    }
}
