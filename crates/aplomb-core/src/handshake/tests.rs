//! The rows are requests and answers; one function each touches the API.

use super::*;

const GOOD: &str = "
    Host: cc.test:8445
    Connection: keep-alive, Upgrade
    Upgrade: websocket
    Origin: https://cc.test:8445
    Sec-WebSocket-Version: 13
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
    Sec-WebSocket-Protocol: xmpp";

/// Asks with the good headers, without those that `change` names, and with its lines added.
fn ask(change: &str, is_tls: bool) -> Result<String, Refusal> {
    let parse = |text: &str| -> Vec<(String, String)> {
        let lines = text.lines().filter_map(|line| line.trim().split_once(':'));
        lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
    };
    let changed = parse(change);
    let is_kept = |name: &str| !changed.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let mut all = parse(GOOD);
    all.retain(|(name, _)| is_kept(name));
    all.extend(changed.into_iter().filter(|(_, value)| value != "-"));
    let headers: Vec<Header<'_>> =
        all.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = Request { method: "GET", is_http_1_1: true, is_tls, headers: &headers };
    let allowed = ["https://crm.example".parse().unwrap()];
    check_request(&request, &allowed, Carries::Xmpp).map(|accepted| accepted.accept)
}

fn check(rows: &[(&str, Result<(), Refusal>)]) {
    for (change, expected) in rows {
        assert_eq!(ask(change, true).map(|_| ()), *expected, "with {change:?}");
    }
}

#[test]
fn the_accept_key_is_that_of_the_standard() {
    // RFC 6455 §1.3.
    assert_eq!(ask("", true).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn an_upgrade_is_one_of_version_13_with_one_key() {
    check(&[
        ("upgrade: WebSocket", Ok(())),
        ("upgrade: -", Err(Refusal::NotAnUpgrade)),
        ("upgrade: h2c", Err(Refusal::NotAnUpgrade)),
        ("connection: keep-alive", Err(Refusal::NotAnUpgrade)),
        ("sec-websocket-version: 8", Err(Refusal::Version)),
        ("sec-websocket-version: 13\n sec-websocket-version: 13", Err(Refusal::Version)),
        ("sec-websocket-version: -", Err(Refusal::Version)),
        ("sec-websocket-key: -", Err(Refusal::Key)),
        ("sec-websocket-key: c2hvcnQ=", Err(Refusal::Key)),
        ("sec-websocket-key: no base64!", Err(Refusal::Key)),
        (
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
            Err(Refusal::Key),
        ),
        ("host: -", Err(Refusal::Host)),
        ("host: cc.test:8445\n host: cc.test:8445", Err(Refusal::Host)),
        ("content-length: 0", Ok(())),
        ("content-length: 5", Err(Refusal::Body)),
        ("transfer-encoding: chunked", Err(Refusal::Body)),
    ]);
}

#[test]
fn the_sub_protocol_is_exactly_xmpp() {
    let crowd = format!("sec-websocket-protocol: {}xmpp", "a,".repeat(1000));
    check(&[
        ("sec-websocket-protocol: foo, xmpp", Ok(())),
        ("sec-websocket-protocol: xmpp, Basic MTAwMTpwdw==", Ok(())),
        ("sec-websocket-protocol: foo\n sec-websocket-protocol: xmpp", Ok(())),
        ("sec-websocket-protocol: -", Err(Refusal::Subprotocol)),
        ("sec-websocket-protocol: xmppx", Err(Refusal::Subprotocol)),
        ("sec-websocket-protocol: XMPP", Err(Refusal::Subprotocol)),
        ("sec-websocket-protocol: foo", Err(Refusal::Subprotocol)),
        (&crowd, Err(Refusal::Subprotocol)),
    ]);
}

#[test]
fn a_page_connects_to_its_own_host_or_is_allowed_by_name() {
    check(&[
        ("origin: -", Ok(())),
        ("origin: https://CC.test:8445", Ok(())),
        ("origin: https://crm.example", Ok(())),
        ("origin: https://crm.example:443", Ok(())),
        ("origin: http://crm.example", Err(Refusal::Origin)),
        ("origin: https://crm.example:8443", Err(Refusal::Origin)),
        ("origin: https://crm.example.evil", Err(Refusal::Origin)),
        ("origin: https://cc.test.evil:8445", Err(Refusal::Origin)),
        ("origin: https://evil@cc.test:8445", Err(Refusal::Origin)),
        ("origin: https://cc.test", Err(Refusal::Origin)),
        ("origin: https://cc.test:08445x", Err(Refusal::Origin)),
        ("origin: null", Err(Refusal::Origin)),
        ("origin: file://", Err(Refusal::Origin)),
        ("origin: https://cc.test:8445\n origin: https://cc.test:8445", Err(Refusal::Origin)),
        ("host: [::1]:8445\n origin: https://[::1]:8445", Ok(())),
        ("host: cc.test\n origin: https://cc.test", Ok(())),
        ("host: cc.test\n origin: http://cc.test", Err(Refusal::Origin)),
    ]);
}

#[test]
fn behind_a_proxy_that_takes_off_tls_the_page_is_still_our_own() {
    assert!(ask("host: cc.test\n origin: https://cc.test", false).is_ok());
    assert!(ask("host: cc.test\n origin: http://cc.test", false).is_ok());
    assert_eq!(ask("host: cc.test\n origin: https://cc.test:8445", false), Err(Refusal::Origin));
}

#[test]
fn other_methods_and_versions_are_told_what_to_use() {
    let request = |method, is_http_1_1| {
        let request = Request { method, is_http_1_1, is_tls: true, headers: &[] };
        check_request(&request, &[], Carries::Xmpp).unwrap_err()
    };
    assert_eq!(request("POST", true), Refusal::Method);
    assert_eq!(request("GET", false), Refusal::HttpVersion);
    assert_eq!(request("GET", true), Refusal::NotAnUpgrade);
    assert_eq!(Refusal::NotAnUpgrade.status(), 426);
    assert!(Refusal::NotAnUpgrade.headers().contains(&("upgrade", "websocket")));
    assert!(Refusal::Version.headers().contains(&("sec-websocket-version", "13")));
}

#[test]
fn an_origin_is_printed_in_one_spelling() {
    let printed = |text: &str| text.parse::<Origin>().map(|origin| origin.to_string());
    assert_eq!(printed("HTTPS://Crm.example:443"), Ok("https://crm.example".to_owned()));
    assert_eq!(printed("http://crm.example:8080"), Ok("http://crm.example:8080".to_owned()));
    assert_eq!(printed("crm.example"), Err(OriginError));
    assert_eq!(printed("https://crm.example/path"), Err(OriginError));
}

const KEY: [u8; 16] = *b"the sample nonce";

/// Reads an answer as a client does that sent [`KEY`].
fn answer(text: &str) -> Result<(), String> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().unwrap().parse().unwrap();
    let headers: Vec<Header<'_>> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    let error = ClientUpgrade::new(KEY).check(status, &headers, body).err();
    error.map_or(Ok(()), |error| Err(error.to_string()))
}

#[test]
fn the_client_says_what_an_answer_means() {
    let good = "101
Connection: upgrade
Upgrade: WebSocket
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
Sec-WebSocket-Protocol: xmpp";
    assert_eq!(answer(good), Ok(()));
    let rows = [
        ("200".to_owned(), "proxy dropped"),
        ("301\nLocation: https://h:8445/ws/".to_owned(), "https://h:8445/ws/"),
        ("400\n\nHost must be there once".to_owned(), "Host must be there once"),
        ("401".to_owned(), "credentials"),
        ("403".to_owned(), "Origin"),
        ("404".to_owned(), "/ws/"),
        ("426".to_owned(), "did not reach"),
        ("429".to_owned(), "later"),
        ("502".to_owned(), "behind it"),
        ("418\n\nteapot".to_owned(), "teapot"),
        (good.replace("Upgrade: WebSocket\n", ""), "without Upgrade"),
        (good.replace("s3pP", "S3pP"), "not the answer to our key"),
        (good.replace("Sec-WebSocket-Protocol: xmpp", ""), "without Sec-WebSocket-Protocol"),
        (good.replace("Protocol: xmpp", "Protocol: mqtt"), "mqtt"),
        (format!("{good}\nSec-WebSocket-Extensions: permessage-deflate"), "permessage-deflate"),
    ];
    for (text, words) in rows {
        let error = answer(&text).unwrap_err();
        assert!(error.contains(words), "{text:?} gave {error:?}");
    }
}

#[test]
fn our_own_request_is_accepted_by_our_own_server() {
    let request = ClientUpgrade::new(KEY).request("/ws/", "cc.test:8445", None);
    let headers: Vec<Header<'_>> = request
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    let request = Request { method: "GET", is_http_1_1: true, is_tls: true, headers: &headers };
    let accepted = check_request(&request, &[], Carries::Xmpp).unwrap();
    let answer: Vec<_> = accepted.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    assert_eq!(ClientUpgrade::new(KEY).check(101, &answer, ""), Ok(()));
}

#[test]
fn a_feed_takes_its_own_sub_protocol_or_none() {
    for (offered, expected) in [
        ("-", Ok(None)),
        ("aplomb.feed", Ok(Some("aplomb.feed"))),
        ("other, aplomb.feed", Ok(Some("aplomb.feed"))),
        ("xmpp", Err(Refusal::FeedSubprotocol)),
        ("", Err(Refusal::FeedSubprotocol)),
    ] {
        let mut headers: Vec<Header<'_>> = vec![
            ("Host", b"cc.test"),
            ("Connection", b"Upgrade"),
            ("Upgrade", b"websocket"),
            ("Sec-WebSocket-Version", b"13"),
            ("Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        if offered != "-" {
            headers.push(("Sec-WebSocket-Protocol", offered.as_bytes()));
        }
        let request = Request { method: "GET", is_http_1_1: true, is_tls: true, headers: &headers };
        let accepted = check_request(&request, &[], Carries::Feed);
        assert_eq!(accepted.map(|accepted| accepted.subprotocol), expected, "{offered:?}");
    }
}

#[test]
fn a_foreign_page_is_told_the_setting_as_it_is_spelled() {
    let words = Refusal::Origin.to_string();
    assert!(words.contains("--allowed-origins, or `allowed-origins`"), "{words}");
}
