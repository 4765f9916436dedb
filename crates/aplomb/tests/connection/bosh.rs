//! XMPP over HTTP on real sockets: the walk, held requests, broken connections, and what must not
//! get through.

use std::net::SocketAddr;

use aplomb::serve::Running;
use aplomb_core::limits::{STANZA_BYTES_BEFORE_LOGIN_MAX, STANZA_BYTES_MAX};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::desk::{DOMAIN, Desk, PASSWORD, clear, read_all, server, soon, tls};
use crate::sessions::put_state;

const BIND: &str = "http://jabber.org/protocol/httpbind";
const SHORT: &str = "wait='60' hold='1' ver='1.6'";

/// A client that sends one request per connection.
#[derive(Clone)]
struct Page {
    at: SocketAddr,
    sid: String,
    rid: u64,
}

impl Page {
    /// A page whose session has begun.
    async fn open(at: SocketAddr) -> Self {
        let mut page = Self { at, sid: String::new(), rid: 1_000_000 };
        let first = page.ask(&format!("to='{DOMAIN}' {SHORT}"), "").await;
        assert!(first.contains("<stream:features") && first.contains("PLAIN"), "{first}");
        page.sid = first.split_once("sid=\"").unwrap().1.split('"').next().unwrap().to_owned();
        page
    }

    /// A page that is logged in, bound, and available.
    async fn login(at: SocketAddr, user: &str, resource: &str) -> Self {
        let mut page = Self::open(at).await;
        page.walk(user, resource).await;
        page
    }

    async fn walk(&mut self, user: &str, resource: &str) {
        self.authenticate(user).await;
        let bound = self
            .ask(
                "",
                &format!(
                    "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:\
                     ns:xmpp-bind'><resource>{resource}</resource></bind></iq>"
                ),
            )
            .await;
        assert!(bound.contains(&format!("@{DOMAIN}/{resource}</jid>")), "{bound}");
        let presence = self.ask("", "<presence xmlns='jabber:client'/>").await;
        assert!(presence.contains("from=\"finesse@cc.test"), "{presence}");
    }

    /// Logs in and opens the stream anew.
    async fn authenticate(&mut self, user: &str) {
        let blob = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
        let auth = format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{blob}</auth>"
        );
        let success = self.ask("", &auth).await;
        assert!(success.contains("<success"), "{success}");
        let restart = format!("to='{DOMAIN}' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'");
        let features = self.ask(&restart, "").await;
        assert!(features.contains("xmpp-bind"), "{features}");
    }

    /// The next request; gives the answer's body.
    async fn ask(&mut self, attributes: &str, content: &str) -> String {
        let (body, at) = (self.next(attributes, content), self.at);
        post(at, &body).await
    }

    /// The next request, not yet sent.
    fn next(&mut self, attributes: &str, content: &str) -> String {
        self.rid += 1;
        let sid = match self.sid.as_str() {
            "" => String::new(),
            sid => format!(" sid='{sid}'"),
        };
        let rid = self.rid;
        format!("<body xmlns='{BIND}' rid='{rid}'{sid} {attributes}>{content}</body>")
    }
}

fn request(body: &str) -> String {
    let bytes = body.len();
    format!("POST /http-bind/ HTTP/1.0\r\nHost: cc.test\r\nContent-Length: {bytes}\r\n\r\n{body}")
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), body: &str) {
    stream.write_all(request(body).as_bytes()).await.unwrap();
}

/// The answer's body; its status must be 200.
async fn answer(mut stream: impl AsyncRead + Unpin) -> String {
    let all = read_all(&mut stream).await;
    assert!(all.starts_with("HTTP/1.0 200 "), "{all}");
    assert!(all.contains("content-type: text/xml; charset=utf-8\r\n"), "{all}");
    all.split_once("\r\n\r\n").unwrap().1.to_owned()
}

async fn post(at: SocketAddr, body: &str) -> String {
    answer(hold(at, body).await).await
}

/// Sends a request and does not wait for the answer.
async fn hold(at: SocketAddr, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    send(&mut stream, body).await;
    stream
}

/// Sends what begins with the method and the path; gives the whole answer.
async fn raw(at: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let bytes = body.len();
    let request = format!("{head}Host: cc.test\r\nContent-Length: {bytes}\r\n\r\n{body}");
    // A refusal may come before all is sent.
    let _ = stream.write_all(request.as_bytes()).await;
    read_all(&mut stream).await
}

const PINGS: &str = "<iq xmlns='jabber:client' type='get' id='p1' to='cc.test'>\
    <ping xmlns='urn:xmpp:ping'/></iq><iq xmlns='jabber:client' type='get' id='p2' to='cc.test'>\
    <ping xmlns='urn:xmpp:ping'/></iq>";

#[tokio::test]
async fn a_held_request_is_answered_with_the_event_of_a_change() {
    let server = server(&[]).await;
    let at = clear(&server);
    let mut page = Page::login(at, "1001", "desktop").await;
    let held = hold(at, &page.next("", "")).await;
    put_state(at, "1001", "LOGIN").await;
    let event = answer(held).await;
    let start = format!(
        "<body xmlns=\"{BIND}\"><message xmlns=\"jabber:client\" from=\"pubsub.cc.test\" \
         to=\"1001@cc.test\" id=\""
    );
    assert!(event.starts_with(&start) && event.contains("NOT_READY"), "{event}");
    // Stanzas that come together are answered together, and so are events.
    let pongs = page.ask("", PINGS).await;
    assert!(pongs.contains("id=\"p1\"") && pongs.contains("id=\"p2\""), "{pongs}");
    put_state(at, "1001", "READY").await;
    put_state(at, "1001", "NOT_READY").await;
    let events = page.ask("", "").await;
    assert_eq!(events.matches("<message ").count(), 2, "{events}");
    let end = page.ask("type='terminate'", "<presence xmlns='jabber:client' type='unavailable'/>");
    assert_eq!(end.await, format!("<body xmlns=\"{BIND}\" type=\"terminate\"/>"));
    assert!(page.ask("", "").await.contains("condition=\"item-not-found\""));
    server.stop().await;
}

#[tokio::test]
async fn an_event_whose_connection_broke_comes_with_the_same_request_again() {
    let server = server(&[]).await;
    let at = clear(&server);
    let mut page = Page::login(at, "1001", "desktop").await;
    let body = page.next("", "");
    drop(hold(at, &body).await);
    put_state(at, "1001", "LOGIN").await;
    let event = post(at, &body).await;
    assert!(event.contains("NOT_READY"), "{event}");
    assert_eq!(post(at, &body).await, event);
    // What was asked twice was done once.
    let state = page.next("", PINGS);
    assert_eq!(post(at, &state).await, post(at, &state).await);
    server.stop().await;
}

#[tokio::test]
async fn a_second_request_lets_the_first_go_and_a_pause_both() {
    let server = server(&[]).await;
    let at = clear(&server);
    let mut page = Page::login(at, "1001", "desktop").await;
    let first = hold(at, &page.next("", "")).await;
    let presence = "<presence xmlns='jabber:client'><show>away</show></presence>";
    let second = hold(at, &page.next("", presence)).await;
    let rid = page.rid;
    // The two may overtake each other, and our own presence may come back.
    let told = answer(first).await;
    assert!(told.contains(&format!("ack=\"{rid}\"")) || told.contains("<presence"), "{told}");
    let paused = page.ask("pause='120'", "").await;
    assert_eq!(paused, format!("<body xmlns=\"{BIND}\"/>"));
    answer(second).await;
    put_state(at, "1001", "LOGIN").await;
    assert!(page.ask("", "").await.contains("NOT_READY"));
    server.stop().await;
}

#[tokio::test]
async fn the_same_walk_goes_over_tls_and_stays_there() {
    let server = server(&[]).await;
    let mut page = Page { at: server.https, sid: String::new(), rid: 5 };
    let over_tls = async |body: String| {
        let mut stream = tls(server.https, &["http/1.1"]).await;
        send(&mut stream, &body).await;
        answer(stream).await
    };
    let first = over_tls(page.next(&format!("to='{DOMAIN}' {SHORT}"), "")).await;
    assert!(first.contains("secure=\"true\""), "{first}");
    page.sid = first.split_once("sid=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let stolen = post(clear(&server), &page.next("", "<auth/>")).await;
    assert!(stolen.contains("item-not-found"), "{stolen}");
    page.rid -= 1;
    let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'/>";
    let challenge = over_tls(page.next("", auth)).await;
    assert!(challenge.contains("<challenge"), "{challenge}");
    server.stop().await;
}

#[tokio::test]
async fn a_second_desk_of_the_same_name_ends_the_first_with_conflict() {
    let server = server(&[]).await;
    let at = clear(&server);
    let mut first = Page::login(at, "1001", "desktop").await;
    let held = hold(at, &first.next("", "")).await;
    let _second = Page::login(at, "1001", "desktop").await;
    let end = answer(held).await;
    assert!(
        end.contains("type=\"terminate\" condition=\"remote-stream-error\"")
            && end.contains("<conflict xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/>"),
        "{end}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_client_is_told_that_the_server_stops() {
    let server = server(&[]).await;
    let at = clear(&server);
    let mut page = Page::login(at, "1001", "desktop").await;
    let held = hold(at, &page.next("", "")).await;
    // The request must have come before the stop.
    put_state(at, "1001", "LOGIN").await;
    answer(held).await;
    let held = hold(at, &page.next("", PINGS)).await;
    answer(held).await;
    let mut held = TcpStream::connect(at).await.unwrap();
    send(&mut held, &page.next("", "")).await;
    let stop = tokio::spawn(server.stop());
    let told = read_all(&mut held).await;
    let is_told = told.contains("type=\"terminate\" condition=\"system-shutdown\"");
    // Or it came too late, and found nobody.
    assert!(is_told || told.is_empty() || told.contains("item-not-found"), "{told}");
    soon("stop", stop).await.unwrap();
}

async fn refused(page: &mut Page, attributes: &str, content: &str, words: &[&str]) {
    let told = page.ask(attributes, content).await;
    for word in words.iter().chain(&["type=\"terminate\""]) {
        assert!(told.contains(word), "{attributes} {content}: {told}");
    }
}

#[tokio::test]
async fn what_is_wrong_in_a_session_ends_it_with_a_condition() {
    let server = server(&[("strict-host", "true")]).await;
    let at = clear(&server);
    let fresh = async || Page::open(at).await;
    let mut far = fresh().await;
    far.rid += 7;
    refused(&mut far, "", "", &["item-not-found"]).await;
    let mut past = fresh().await;
    past.rid -= 7;
    refused(&mut past, "", "", &["item-not-found"]).await;
    refused(&mut fresh().await, "pause='301'", "", &["policy-violation"]).await;
    let mut nobody = fresh().await;
    nobody.sid = "nobody".to_owned();
    refused(&mut nobody, "", "", &["item-not-found"]).await;
    for malformed in ["<a>", "<a></b>", "text", "<!-- c -->", "<a>&lol;</a>", "<?php x?>"] {
        refused(&mut fresh().await, "", malformed, &["condition=\"bad-request\""]).await;
    }
    let stanza = "<presence xmlns='jabber:client'/>";
    let early = ["remote-stream-error", "<not-authorized"];
    refused(&mut fresh().await, "", stanza, &early).await;
    let mut stranger = Page { at, sid: String::new(), rid: 1 };
    refused(&mut stranger, "to='elsewhere.test'", "", &["condition=\"host-unknown\""]).await;
    let mut spoofer = Page::login(at, "1001", "desktop").await;
    let spoofed = "<presence xmlns='jabber:client' from='1002@cc.test/desk'/>";
    refused(&mut spoofer, "", spoofed, &["remote-stream-error", "<invalid-from"]).await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_request_of_a_session_is_refused_by_http() {
    let server = server(&[("allowed-origins", "https://crm.test")]).await;
    let at = clear(&server);
    let body = format!("<body xmlns='{BIND}' rid='1' to='{DOMAIN}' {SHORT}/>");
    let long = format!(
        "<body xmlns='{BIND}' rid='1'><a>{}</a></body>",
        "x".repeat(STANZA_BYTES_BEFORE_LOGIN_MAX)
    );
    let post = "POST /http-bind HTTP/1.0\r\n";
    let from = |origin: &str| format!("{post}Origin: {origin}\r\n");
    let preflight = "OPTIONS /http-bind/ HTTP/1.0\r\nOrigin: https://crm.test\r\n\
                     Access-Control-Request-Method: POST\r\n";
    for (head, body, status, words) in [
        (post.to_owned(), body.as_str(), 200, "sid="),
        (post.to_owned(), "", 400, "bad-request"),
        (post.to_owned(), "{}", 400, "bad-request"),
        (post.to_owned(), "<body rid='1'/>", 400, "bad-request"),
        (post.to_owned(), "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", 400, "bad-request"),
        (post.to_owned(), &long, 413, ""),
        // The script syntax was a way around the rule of origins.
        ("GET /http-bind/?%3Cbody%2F%3E HTTP/1.0\r\n".to_owned(), "", 405, "allow: POST"),
        (from("https://crm.test"), &body, 200, "access-control-allow-origin: https://crm.test"),
        (from("http://cc.test"), &body, 200, "access-control-allow-origin: http://cc.test"),
        (from("https://evil.test"), &body, 403, ""),
        (from("null"), &body, 403, ""),
        (preflight.to_owned(), "", 200, "access-control-allow-methods: POST"),
    ] {
        let all = raw(at, &head, body).await;
        assert!(all.starts_with(&format!("HTTP/1.0 {status} ")), "{head}{body}: {all}");
        assert!(all.contains(words), "{head}{body}: {all}");
        assert!(status != 403 || !all.contains("access-control-allow-origin"), "{all}");
    }
    server.stop().await;
}

#[tokio::test]
async fn after_login_a_request_may_be_as_long_as_a_stanza_and_no_longer() {
    let server = server(&[]).await;
    let mut page = Page::login(clear(&server), "1001", "desktop").await;
    let request = |bytes: usize| {
        format!(
            "<iq xmlns='jabber:client' type='get' id='1' to='cc.test'><x xmlns='urn:x'>{}</x></iq>",
            "x".repeat(bytes)
        )
    };
    let half = page.ask("", &request(STANZA_BYTES_MAX / 2)).await;
    assert!(half.contains("<service-unavailable "), "it was read to its end: {half}");
    let body = page.next("", &request(STANZA_BYTES_MAX));
    let all = raw(clear(&server), "POST /http-bind HTTP/1.0\r\n", &body).await;
    assert!(all.starts_with("HTTP/1.0 413 "), "{all}");
    server.stop().await;
}

#[tokio::test]
async fn many_small_stanzas_in_one_request_cost_no_more_than_they_are() {
    let server = server(&[]).await;
    let mut page = Page::login(clear(&server), "1001", "desktop").await;
    let ping = "<iq xmlns='jabber:client' type='get' id='p' to='cc.test'>\
                <ping xmlns='urn:xmpp:ping'/></iq>";
    let pongs = page.ask("", &ping.repeat(5_000)).await;
    assert_eq!(pongs.matches("type=\"result\"").count(), 5_000);
    server.stop().await;
}

#[tokio::test]
async fn there_are_only_so_many_sessions_from_one_address() {
    let server = server(&[("connections-per-address", "3")]).await;
    let at = clear(&server);
    for _ in 0..3 {
        Page::open(at).await;
    }
    let mut fourth = Page { at, sid: String::new(), rid: 1 };
    refused(&mut fourth, "to='cc.test'", "", &["policy-violation"]).await;
    server.stop().await;
}

const ENABLE: &str = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";

/// The id in `<enabled/>`, and the request that resumes by it.
fn resume(enabled: &str) -> String {
    let id = enabled.split_once(" id=\"").unwrap().1.split('"').next().unwrap();
    format!("<resume xmlns='urn:xmpp:sm:3' h='0' previd='{id}'/>")
}

#[tokio::test]
async fn a_stream_that_a_websocket_lost_goes_on_over_http() {
    let server = server(&[]).await;
    let at = clear(&server);
    let mut desk = Desk::login(at, "1001", "desktop").await;
    desk.say(ENABLE).await;
    let enabled = desk.until("<enabled").await;
    drop(desk);
    put_state(at, "1001", "LOGIN").await;
    let mut page = Page::open(at).await;
    page.authenticate("1001").await;
    let resumed = page.ask("", &resume(&enabled)).await;
    assert!(resumed.contains("<resumed xmlns=\"urn:xmpp:sm:3\""), "{resumed}");
    let event = match resumed.contains("NOT_READY") {
        true => resumed,
        false => page.ask("", "").await,
    };
    assert_eq!(event.matches("<message ").count(), 1, "{event}");
    assert!(page.ask("", PINGS).await.contains("id=\"p2\""));
    server.stop().await;
}

#[tokio::test]
async fn a_stream_over_http_goes_on_over_a_websocket() {
    let server = server(&[]).await;
    let at = clear(&server);
    let mut page = Page::login(at, "1001", "desktop").await;
    let enabled = page.ask("", ENABLE).await;
    assert!(enabled.contains("<enabled"), "{enabled}");
    let held = hold(at, &page.next("", "")).await;
    put_state(at, "1001", "LOGIN").await;
    // The answer is not acknowledged, so the event comes again elsewhere.
    assert!(answer(held).await.contains("NOT_READY"));
    put_state(at, "1001", "READY").await;
    let mut desk = Desk::open(at).await;
    desk.authenticate("1001").await;
    desk.say(&resume(&enabled)).await;
    desk.until("<resumed").await;
    desk.until("NOT_READY").await;
    desk.until("&lt;state&gt;READY&lt;").await;
    let told = page.ask("", "").await;
    assert!(told.contains("type=\"terminate\""), "{told}");
    server.stop().await;
}

async fn get(server: &Running, path: &str, host: &str, is_tls: bool) -> String {
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    if is_tls {
        let mut stream = tls(server.https, &["http/1.1"]).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        return read_all(&mut stream).await;
    }
    let mut stream = TcpStream::connect(clear(server)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    read_all(&mut stream).await
}

#[tokio::test]
async fn the_ways_to_connect_are_told_over_https_only() {
    let server = server(&[]).await;
    let bosh = "https://desk.example:8445/http-bind/";
    for (path, kind, websocket) in [
        ("host-meta", "application/xrd+xml", "href=\"wss://desk.example:8445/ws/\""),
        ("host-meta.json", "application/json", "\"href\":\"wss://desk.example:8445/ws/\""),
    ] {
        let path = format!("/.well-known/{path}");
        let told = get(&server, &path, "desk.example:8445", true).await;
        let is_open = told.contains("access-control-allow-origin: *\r\n");
        assert!(told.starts_with("HTTP/1.0 200 ") && is_open, "{told}");
        for part in [kind, websocket, bosh, "alt-connections:xbosh"] {
            assert!(told.contains(part), "{path} {part}: {told}");
        }
        // A name that is none is not repeated.
        let told = get(&server, &path, "x\"><evil", true).await;
        assert!(told.contains("wss://cc.test/ws/") && !told.contains("evil"), "{told}");
        let told = get(&server, &path, "desk.example", false).await;
        assert!(told.starts_with("HTTP/1.0 404 "), "{told}");
    }
    server.stop().await;
}
