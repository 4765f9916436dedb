//! XMPP over TCP on real sockets: STARTTLS, direct TLS, pieces, and what must not get through.

use std::net::SocketAddr;
use std::sync::Arc;

use aplomb::serve::Running;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::desk::{self, DOMAIN, PASSWORD, clear, config, soon, tls};
use crate::sessions::put_state;

const BOTH: [(&str, &str); 2] = [("xmpp", "127.0.0.1:0"), ("xmpps", "127.0.0.1:0")];

async fn server(more: &[(&str, &str)]) -> Running {
    desk::server(&[&BOTH, more].concat()).await
}

/// A client that speaks bytes.
struct Line<S> {
    stream: S,
    /// What was heard and not asked for yet.
    heard: Vec<u8>,
}

impl Line<TcpStream> {
    async fn open(server: &Running) -> Self {
        let stream = TcpStream::connect(server.xmpp.unwrap()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, heard: Vec::new() }
    }

    /// Opens a stream and makes it one over TLS.
    async fn open_secured(server: &Running) -> Line<TlsStream<TcpStream>> {
        let mut line = Self::open(server).await;
        line.open_stream().await;
        line.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
        line.until("<proceed xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/>").await;
        assert!(line.heard.is_empty());
        Line { stream: handshake(line.stream, &[]).await.unwrap(), heard: Vec::new() }
    }
}

impl Line<TlsStream<TcpStream>> {
    async fn open_direct(server: &Running) -> Self {
        let stream = tls(server.xmpps.unwrap(), &["xmpp-client"]).await;
        Self { stream, heard: Vec::new() }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// What comes up to the end of `part`.
    async fn until(&mut self, part: &str) -> String {
        loop {
            let text = String::from_utf8_lossy(&self.heard).into_owned();
            if let Some(at) = text.find(part) {
                self.heard.drain(..at + part.len());
                return text[..at + part.len()].to_owned();
            }
            let mut buffer = [0; 4096];
            let read = soon(&format!("{part} after {text}"), self.stream.read(&mut buffer)).await;
            match read {
                Ok(0) | Err(_) => panic!("ended before {part}, after {text}"),
                Ok(n) => self.heard.extend_from_slice(&buffer[..n]),
            }
        }
    }

    /// What comes up to the end of the connection.
    async fn until_end(&mut self) -> String {
        // A TLS peer that ends TCP alone, or a reset, is an end too.
        let _ = soon("end", self.stream.read_to_end(&mut self.heard)).await;
        String::from_utf8(std::mem::take(&mut self.heard)).unwrap()
    }

    async fn open_stream(&mut self) -> String {
        self.say(HEADER).await;
        self.until("</stream:features>").await
    }

    /// Logs in, binds, and is available.
    async fn walk(&mut self, user: &str, resource: &str) {
        self.open_stream().await;
        self.say(&login(user)).await;
        self.until("<success xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/>").await;
        self.open_stream().await;
        self.say(&bind(resource)).await;
        self.until(&format!("<jid>{user}@{DOMAIN}/{resource}</jid></bind></iq>")).await;
        self.say("<presence/>").await;
        self.until("</presence>").await;
    }

    /// Asks for a sign of life.
    async fn ask(&mut self) {
        self.say("<iq type='get' id='life'><ping xmlns='urn:xmpp:ping'/></iq>").await;
        self.until("id=\"life\"").await;
    }
}

const HEADER: &str = "<?xml version='1.0'?><stream:stream to='cc.test' version='1.0' \
    xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

fn login(user: &str) -> String {
    let blob = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{blob}</auth>")
}

fn bind(resource: &str) -> String {
    format!(
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <resource>{resource}</resource></bind></iq>"
    )
}

async fn handshake(tcp: TcpStream, protocols: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(Arc::new(config(protocols)));
    soon("TLS", connector.connect(DOMAIN.try_into().unwrap(), tcp)).await
}

async fn gets_events<S: AsyncRead + AsyncWrite + Unpin>(server: &Running, mut line: Line<S>) {
    line.walk("1001", "desktop").await;
    put_state(clear(server), "1001", "LOGIN").await;
    let event = line.until("</message>").await;
    assert!(event.starts_with("<message from=\"pubsub.cc.test\" to=\"1001@cc.test\""), "{event}");
    assert!(event.contains("NOT_READY") && event.contains("/finesse/api/User/1001"), "{event}");
    line.say("</stream:stream>").await;
    assert_eq!(line.until_end().await, "</stream:stream>");
}

#[tokio::test]
async fn an_agent_gets_events_in_clear_text_where_that_is_allowed() {
    let server = server(&[]).await;
    gets_events(&server, Line::open(&server).await).await;
    server.stop().await;
}

#[tokio::test]
async fn an_agent_gets_events_after_starttls() {
    let server = server(&[]).await;
    gets_events(&server, Line::open_secured(&server).await).await;
    server.stop().await;
}

#[tokio::test]
async fn an_agent_gets_events_over_direct_tls() {
    let server = server(&[]).await;
    gets_events(&server, Line::open_direct(&server).await).await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_offers_another_protocol_means_another_service() {
    let server = server(&[]).await;
    let at = server.xmpps.unwrap();
    for (protocols, is_taken) in
        [(&[][..], true), (&["xmpp-client", "h2"], true), (&["h2", "http/1.1"], false)]
    {
        let tcp = TcpStream::connect(at).await.unwrap();
        assert_eq!(handshake(tcp, protocols).await.is_ok(), is_taken, "{protocols:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn bytes_may_come_one_by_one() {
    let server = server(&[]).await;
    let mut line = Line::open(&server).await;
    let walk: [(&str, &str); 4] = [
        (HEADER, "</stream:features>"),
        (&login("1001"), "<success"),
        (HEADER, "</stream:features>"),
        (&bind("slow"), "<jid>1001@cc.test/slow</jid>"),
    ];
    for (text, answer) in walk {
        for byte in text.as_bytes() {
            line.stream.write_all(&[*byte]).await.unwrap();
            // The server is to see each alone, or nearly so.
            tokio::task::yield_now().await;
        }
        line.until(answer).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_waits_for_nothing_is_served() {
    let server = server(&[]).await;
    let mut line = Line::open(&server).await;
    let all = [HEADER, &login("1001"), HEADER, &bind("fast"), "<presence/></stream:stream>"];
    line.say(&all.concat()).await;
    let heard = line.until_end().await;
    assert!(heard.contains("<jid>1001@cc.test/fast</jid>"), "{heard}");
    assert!(heard.ends_with("</stream:stream>"), "{heard}");
    server.stop().await;
}

#[tokio::test]
async fn nothing_but_tls_is_taken_where_it_is_required() {
    let server = server(&[("plain-without-tls", "false")]).await;
    let mut line = Line::open(&server).await;
    let features = line.open_stream().await;
    assert!(features.contains("<required/>") && !features.contains("<mechanisms"), "{features}");
    line.say(&login("1001")).await;
    line.until("<encryption-required/></failure>").await;
    line.say(&bind("early")).await;
    let heard = line.until("</stream:stream>").await;
    assert!(heard.contains("<not-authorized"), "{heard}");
    let mut line = Line::open_secured(&server).await;
    line.walk("1001", "desktop").await;
    server.stop().await;
}

#[tokio::test]
async fn nothing_that_comes_behind_a_wish_for_tls_is_executed() {
    let server = server(&[]).await;
    let starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let mut injected = Line::open(&server).await;
    injected.open_stream().await;
    injected.say(&[starttls, &login("1001"), HEADER, &bind("evil")].concat()).await;
    let heard = injected.until_end().await;
    let refused = "<failure xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/></stream:stream>";
    assert_eq!(heard, refused);
    // What comes later, but in clear text too, is no TLS.
    let mut late = Line::open(&server).await;
    late.open_stream().await;
    late.say(starttls).await;
    late.until("<proceed xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/>").await;
    late.say(&[&login("1001"), HEADER, &bind("evil")].concat()).await;
    let mut rest = Vec::new();
    let _ = soon("end", late.stream.read_to_end(&mut rest)).await;
    assert!(!rest.starts_with(b"<"), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(server.sessions(), 0);
    server.stop().await;
}

/// Sends bytes at the start of a connection and on a bound stream; each must end for `condition`.
async fn refused(rows: &[(&str, &str, bool)]) {
    let server = server(&[]).await;
    for &(text, condition, is_bound) in rows {
        let mut line = Line::open(&server).await;
        if is_bound {
            line.walk("1001", "hostile").await;
        }
        line.say(text).await;
        // The server does not wait for ever for a client that answers nothing.
        line.stream.shutdown().await.unwrap();
        let heard = line.until_end().await;
        let start: String = text.chars().take(60).collect();
        assert!(heard.contains("<stream:error xmlns:stream"), "{start}: {heard}");
        assert!(heard.contains(&format!("<{condition} ")), "{start}: {heard}");
        assert!(heard.ends_with("</stream:error></stream:stream>"), "{start}: {heard}");
        assert_eq!(heard.contains("<?xml version='1.0'?><stream:stream "), !is_bound, "{start}");
    }
    let mut other = Line::open(&server).await;
    other.walk("1002", "fine").await;
    other.ask().await;
    assert_eq!(server.sessions(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_stream_that_begins_wrong_is_opened_and_ended() {
    refused(&[
        ("GET / HTTP/1.1\r\nHost: cc.test\r\n\r\n", "not-well-formed", false),
        ("\u{16}\u{3}\u{1}\u{2}", "not-well-formed", false),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>", "restricted-xml", false),
        ("<?xml version='1.0' encoding='utf-16'?>", "unsupported-encoding", false),
        ("<presence/>", "invalid-namespace", false),
        (
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='cc.test'/>",
            "invalid-namespace",
            false,
        ),
        (&format!("<stream:stream{}", " ".repeat(20_000)), "policy-violation", false),
    ])
    .await;
}

#[tokio::test]
async fn a_bound_stream_that_goes_wrong_is_ended() {
    let deep = "<a>".repeat(100_000);
    let wide = format!("<a{}/>", (0..80_000).map(|n| format!(" a{n}='1'")).collect::<String>());
    let names: String = (0..10_000).map(|n| format!(" xmlns:a{n}='urn:{n}'")).collect();
    let long = format!("<message to='{}'", "x".repeat(500_000));
    let big = format!("<message><body>{}", "x".repeat(1_100_000));
    refused(&[
        ("<message><body>&lol;</body></message>", "restricted-xml", true),
        ("<!DOCTYPE a [<!ENTITY lol 'lol'>]>", "restricted-xml", true),
        ("<!-- c -->", "restricted-xml", true),
        ("<?php x?>", "restricted-xml", true),
        ("<?xml version='1.0'?>", "restricted-xml", true),
        ("text", "not-well-formed", true),
        ("</presence>", "not-well-formed", true),
        ("<message></stream:stream>", "not-well-formed", true),
        ("<message><body>\u{0}</body></message>", "not-well-formed", true),
        ("<unknown xmlns='urn:x'/>", "unsupported-stanza-type", true),
        ("<message from='1002@cc.test/fine'/>", "invalid-from", true),
        (&deep, "policy-violation", true),
        (&wide, "policy-violation", true),
        (&format!("<message{names}/>"), "policy-violation", true),
        (&long, "policy-violation", true),
        (&big, "policy-violation", true),
    ])
    .await;
}

#[tokio::test]
async fn a_broken_character_ends_the_stream() {
    let server = server(&[]).await;
    let mut line = Line::open(&server).await;
    line.walk("1001", "hostile").await;
    line.stream.write_all(b"<message to='1001@cc.test'><body>\xc3\x28</body>").await.unwrap();
    assert!(line.until_end().await.contains("<unsupported-encoding "));
    server.stop().await;
}

#[tokio::test]
async fn a_silent_client_is_asked_and_then_taken_for_dead_and_spaces_are_life() {
    let server = server(&[("ping-after", "1s"), ("dead-after", "2s")]).await;
    let mut silent = Line::open(&server).await;
    silent.walk("1001", "silent").await;
    let mut stuck = Line::open(&server).await;
    stuck.walk("1001", "stuck").await;
    stuck.say("<message><body>half").await;
    let mut spaces = Line::open(&server).await;
    spaces.walk("1002", "spaces").await;
    let mut answers = Line::open(&server).await;
    answers.walk("1003", "answers").await;
    tokio::join!(
        async {
            let heard = silent.until_end().await;
            assert!(heard.contains("<ping xmlns=\"urn:xmpp:ping\"/>"), "{heard}");
            assert!(heard.contains("to=\"1001@cc.test/silent\""), "{heard}");
        },
        async {
            let heard = stuck.until_end().await;
            assert!(heard.contains("<ping xmlns=\"urn:xmpp:ping\"/>"), "{heard}");
        },
        async {
            for _ in 0..8 {
                // Nothing comes: neither a question nor the end.
                let wait = timeout(Duration::from_millis(400), spaces.stream.read_u8());
                assert!(wait.await.is_err());
                spaces.say(" ").await;
            }
            spaces.ask().await;
        },
        async {
            for _ in 0..3 {
                let ping = answers.until("<ping xmlns=\"urn:xmpp:ping\"/></iq>").await;
                let id = ping.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
                // A client that does not know pings says so; that is life too.
                answers
                    .say(&format!(
                        "<iq type='error' id='{id}' to='cc.test'><error type='cancel'>\
                         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
                         </error></iq>"
                    ))
                    .await;
            }
        },
    );
    server.stop().await;
}

#[tokio::test]
async fn a_second_desk_of_the_same_name_ends_the_first_with_conflict() {
    let server = server(&[]).await;
    let mut first = Line::open(&server).await;
    first.walk("1001", "desktop").await;
    let mut second = Line::open_direct(&server).await;
    second.walk("1001", "desktop").await;
    let heard = first.until("</stream:stream>").await;
    assert!(heard.contains("<conflict "), "{heard}");
    first.say("</stream:stream>").await;
    assert_eq!(first.until_end().await, "");
    second.ask().await;
    server.stop().await;
}

#[tokio::test]
async fn a_stop_tells_every_stream_wherever_it_is() {
    let server = server(&[]).await;
    let mut bound = Line::open(&server).await;
    bound.walk("1001", "desktop").await;
    let mut opened = Line::open_direct(&server).await;
    opened.open_stream().await;
    let mut silent = Line::open(&server).await;
    // It is in a session, and not still on its way there.
    silent.say(" ").await;
    let stopping = tokio::spawn(server.stop());
    for heard in [bound.until_end().await, opened.until_end().await] {
        assert!(heard.contains("<system-shutdown "), "{heard}");
        assert!(heard.ends_with("</stream:stream>"), "{heard}");
    }
    silent.until_end().await;
    soon("stop", stopping).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_requests_that_reads_no_answer_gets_no_memory() {
    let server = server(&[]).await;
    let mut line = Line::open(&server).await;
    line.walk("1001", "flood").await;
    let request = "<iq type='get' id='i' to='cc.test'>\
        <query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    let requests = request.repeat(1000);
    let mut taken_bytes = 0_usize;
    let is_blocked = loop {
        let write = line.stream.write(requests.as_bytes());
        match timeout(Duration::from_secs(1), write).await {
            Ok(taken) => taken_bytes += taken.unwrap(),
            Err(_) => break true,
        }
        if taken_bytes > 64 * 1024 * 1024 {
            break false;
        }
    };
    assert!(is_blocked, "the server took {taken_bytes} bytes of requests");
    let mut other = Line::open(&server).await;
    other.walk("1002", "other").await;
    other.ask().await;
    server.stop().await;
}

#[tokio::test]
async fn a_port_that_is_off_is_off() {
    let server = desk::server(&[]).await;
    assert_eq!((server.xmpp, server.xmpps), (None::<SocketAddr>, None));
    server.stop().await;
}
