//! `aplomb compare` as a person runs it: what it finds must hold together, however fast it was.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod program;

use serde_json::Value;

use program::{Compare, PASSWORD, Relay, Server};

/// Runs it on a server of its own; tells the document, and what it said besides.
fn on_its_own(flags: &[&str]) -> (Value, String) {
    let run = Compare::start(flags).end();
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(run.leftovers.is_empty(), "left behind: {:?}", run.leftovers);
    (serde_json::from_str(&run.out).unwrap(), run.said)
}

fn rows(document: &Value) -> Vec<&Value> {
    let together = document["together"].as_array().unwrap();
    together.iter().flat_map(|at| at["readers"].as_array().unwrap()).collect()
}

fn row<'a>(document: &'a Value, key: &str) -> &'a Value {
    rows(document).into_iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key}"))
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("{name} of {value}"))
}

fn keys(document: &Value, of: &str) -> Vec<String> {
    let all = document[of].as_array().unwrap().iter();
    all.map(|way| way["key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_way_sees_every_event_once_and_costs_what_it_must() {
    let page = tempfile::NamedTempFile::new().unwrap();
    let flags = ["--seconds", "4", "--rates", "20,60", "--poll", "0.05,0.1,0.2", "--seed", "7"];
    let files = ["--json", "-", "--html", page.path().to_str().unwrap()];
    let (document, said) = on_its_own(&[&flags[..], &files].concat());
    assert_eq!(
        keys(&document, "ways"),
        [
            "http10-100ms",
            "poll-50ms",
            "poll-100ms",
            "poll-200ms",
            "longpoll",
            "sse",
            "plain-ws",
            "bosh",
            "tcp-starttls",
            "tcp-tls",
            "ws",
        ]
    );
    assert_eq!(document["lacking"].as_array().unwrap().len(), 0);
    assert_eq!((&document["seed"], &document["stopped"]), (&Value::from(7), &Value::Null));
    for at in document["together"].as_array().unwrap() {
        for row in at["readers"].as_array().unwrap() {
            assert_eq!(number(row, "seen"), number(at, "events"), "{row}");
            for fault in ["missed", "doubled", "disordered"] {
                assert_eq!(number(row, fault), 0, "{fault}: {row}");
            }
            assert_eq!(row["complaints"].as_array().unwrap().len(), 0, "{row}");
            let delays = ["p50", "p90", "p99", "max"].map(|name| number(&row["delay_us"], name));
            assert!(delays.is_sorted() && delays[0] > 0, "{row}");
            assert!(number(&row["run"], "received_bytes") > 0, "{row}");
            assert!(number(row, "empty_answers") <= number(row, "requests"), "{row}");
        }
    }
    let page = std::fs::read_to_string(page.path()).unwrap();
    assert_eq!(page.matches("<svg ").count(), 5, "a plot for each kind of figure");
    assert!(page.contains("Every way saw every event once") && !page.contains("<script"));
    requests_and_connections(&document);
    cpu(&document);
    assert!(said.contains("seed 7") && said.contains("every event once and in order"), "{said}");
}

/// What follows from how each way works, whatever the machine.
fn requests_and_connections(document: &Value) {
    let each = |key: &str| {
        let row = row(document, key);
        (number(row, "requests"), number(row, "connections"), number(row, "empty_answers"))
    };
    let (requests, connections, _) = each("http10-100ms");
    assert!(requests == connections && requests > 1, "each request has a connection of its own");
    for poll in ["poll-50ms", "poll-100ms", "poll-200ms", "longpoll"] {
        let (requests, connections, _) = each(poll);
        assert!(requests > 1 && connections == 1, "{poll} keeps its connection");
    }
    for stream in ["sse", "plain-ws", "ws"] {
        assert_eq!(each(stream), (1, 1, 0), "{stream}: one request, and nothing empty");
    }
    for tcp in ["tcp-starttls", "tcp-tls"] {
        assert_eq!(each(tcp), (0, 1, 0), "{tcp} has no HTTP");
    }
    let (requests, connections, _) = each("bosh");
    assert!(requests > 1 && (1..=2).contains(&connections), "BOSH has at most two connections");
    let run = &row(document, "longpoll")["run"];
    assert_eq!(number(run, "empty_answers"), 0, "events come sooner than a long poll gives up");
    let per_request = |key: &str| {
        let run = &row(document, key)["run"];
        number(run, "sent_bytes") / number(run, "requests").max(1)
    };
    assert!(per_request("http10-100ms") > 2 * per_request("poll-100ms"), "handshakes cost bytes");
}

/// The server's CPU time was measured, for each way at each rate.
fn cpu(document: &Value) {
    let cpu = &document["cpu"];
    assert_eq!(cpu["unknown"], Value::Null);
    let rates = cpu["rates"].as_array().unwrap();
    assert_eq!(rates.len(), 2);
    for at in rates {
        assert_eq!(keys(at, "readers"), keys(document, "ways"));
        assert!(at["cause_us"].as_array().unwrap().iter().all(|us| us.as_f64().unwrap() > 0.0));
        for row in at["readers"].as_array().unwrap() {
            assert!(row["whole_us"].as_f64().unwrap() > 0.0, "{row}");
        }
    }
}

#[test]
fn a_server_that_is_given_is_left_as_it_was_found() {
    let server = Server::start();
    let port = |name: &str| server.port(name).to_string();
    let url = format!("https://127.0.0.1:{}", port("https"));
    let fingerprint = server.fingerprint();
    let nowhere = Server::free_port().to_string();
    let flags = [
        &url,
        "--user",
        "1002",
        "--extension",
        "1002",
        "--fingerprint",
        &fingerprint,
        "--xmpp",
        &nowhere,
        "--xmpps",
        &port("xmpps"),
        "--seconds",
        "2",
        "--rates",
        "5",
        "--poll",
        "0.1",
        "--json",
        "-",
    ];
    let run = Compare::start(&flags).end();
    assert_eq!(run.code, 0, "{}", run.said);
    let document: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(keys(&document, "lacking"), ["tcp-starttls"]);
    let why = document["lacking"][0]["why"].as_str().unwrap();
    assert!(why.contains("no TCP connection"), "{why}");
    assert_eq!(document["ways"].as_array().unwrap().len(), 8);
    assert!(document["cpu"]["unknown"].as_str().unwrap().contains("not started for this"));
    assert!(rows(&document).iter().all(|row| number(row, "missed") == 0));
    assert!(server.get("/finesse/api/User/1002").contains("<state>LOGOUT</state>"));
    assert!(!format!("{}{}", run.out, run.said).contains(PASSWORD));
}

#[test]
fn the_oldest_way_is_http_1_0_on_the_wire_and_the_page_may_go_to_standard_output() {
    let server = Server::start();
    let relay = Relay::to(server.port("insecure_http"));
    let url = format!("http://127.0.0.1:{}", relay.port);
    let flags = ["--user", "1003", "--extension", "1003", "--plain-without-tls", "--poll", "0.2"];
    let more = ["--seconds", "2", "--rates", "5", "--html", "-"];
    let run = Compare::start(&[&[&*url], &flags[..], &more[..]].concat()).end();
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(run.out.starts_with("<!doctype html>"), "{}", run.out);
    assert!(run.said.contains("HTTP/1.0 poll 0.2 s"), "{}", run.said);
    let exchanges = relay.exchanges();
    let old: Vec<_> = exchanges.iter().filter(|(asked, _)| asked.ends_with(" HTTP/1.0")).collect();
    assert!(old.len() > 5, "{exchanges:#?}");
    for (asked, answered) in old {
        assert!(asked.starts_with("GET /feeds/poll?node="), "{asked}");
        assert_eq!(answered, "HTTP/1.0 200 OK", "{asked}");
    }
}

#[test]
fn every_refusal_has_its_exit_code_and_says_what_to_do() {
    let server = Server::start();
    let url = format!("https://127.0.0.1:{}", server.port("https"));
    let clear = format!("http://127.0.0.1:{}", server.port("insecure_http"));
    let nowhere = format!("https://127.0.0.1:{}", Server::free_port());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "wrong\n").unwrap();
    let wrong = ["--insecure", "--password-file", file.path().to_str().unwrap()];
    let check = |url: &str, flags: &[&str], code: i32, words: &str| {
        let run = Compare::start(&[&[url, "--user", "1001"], flags].concat()).end();
        assert_eq!(run.code, code, "{url} {flags:?}: {}", run.said);
        assert!(run.said.contains(words), "{url} {flags:?}: {}", run.said);
    };
    check(&nowhere, &["--insecure"], 3, "no TCP connection");
    check(&url, &[], 4, &format!("--fingerprint {}", server.fingerprint()));
    check(&url, &wrong, 6, "does not take the password of 1001");
    check(&url, &["--insecure"], 7, "--extension");
    check(&clear, &[], 2, "--plain-without-tls");
    check(&url, &["--insecure", "--rates", "100"], 2, "at most 10 events a second");
    for flag in ["--json", "--html"] {
        check(&url, &["--insecure", flag, "/nowhere/x"], 2, "/nowhere/x");
    }
    check(&url, &["--insecure", "--json", "-", "--html", "-"], 2, "both name -");
}

#[test]
fn whoever_interrupts_gets_what_was_found_so_far() {
    let flags = ["--seconds", "600", "--rates", "5", "--poll", "0.1"];
    let mut early = Compare::start(&flags);
    early.until("ways at once");
    early.interrupt();
    let early = early.end();
    assert_eq!(early.code, 9, "{}", early.said);
    assert!(early.said.contains("before the first measurement was over"), "{}", early.said);
    assert_eq!(early.out, "");
    assert!(early.leftovers.is_empty(), "left behind: {:?}", early.leftovers);
    let flags = ["--seconds", "3", "--rates", "5", "--poll", "0.1", "--json", "-"];
    let mut later = Compare::start(&flags);
    later.until("CPU time");
    later.interrupt();
    let later = later.end();
    assert_eq!(later.code, 9, "{}", later.said);
    let document: Value = serde_json::from_str(&later.out).unwrap();
    assert_eq!(document["stopped"], "stopped before its end");
    assert_eq!(document["together"].as_array().unwrap().len(), 1);
    assert!(later.said.contains("INCOMPLETE"), "{}", later.said);
    assert!(later.leftovers.is_empty(), "left behind: {:?}", later.leftovers);
}
