//! The upgrade over a raw socket: what is refused beside what is accepted.

use aplomb::limits::HTTP_HEADER_BYTES_MAX;
use aplomb_core::websocket::{Opcode, push_frame};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::desk::{Desk, clear, read_all, read_head, server, soon};

const GOOD: &str = "GET /ws/ HTTP/1.1
Host: cc.test:8445
Connection: Upgrade
Upgrade: websocket
Origin: http://cc.test:8445
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Protocol: xmpp
";

/// Sends the good request with `from` replaced by `to`; the answer must hold all of `expected`.
async fn check(rows: &[(&str, &str, &[&str])]) {
    let server = server(&[]).await;
    for (from, to, expected) in rows {
        assert!(GOOD.contains(from), "{from}");
        let request = format!("{}\n", GOOD.replace(from, to)).replace('\n', "\r\n");
        let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let head = read_head(&mut stream).await.to_ascii_lowercase();
        for part in *expected {
            assert!(head.contains(part), "{from:?} → {to:?} gave {head}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn both_paths_become_a_websocket_and_only_xmpp_is_echoed() {
    let yes: &[&str] = &[
        "http/1.1 101 ",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n",
        "sec-websocket-protocol: xmpp\r\n",
        "upgrade: websocket\r\n",
    ];
    check(&[
        ("/ws/", "/ws/", yes),
        ("/ws/", "/ws", yes),
        ("col: xmpp", "col: foo, xmpp", yes),
        ("col: xmpp", "col: xmpp, Basic MTAwMTpwdw==", yes),
        ("Origin: http://cc.test:8445\n", "", yes),
        ("Upgrade: websocket", "Upgrade: WebSocket", yes),
        ("Connection: Upgrade", "Connection: keep-alive, upgrade", yes),
        ("col: xmpp", "col: xmpp\nSec-WebSocket-Extensions: permessage-deflate", yes),
    ])
    .await;
}

#[tokio::test]
async fn what_is_no_upgrade_for_xmpp_is_refused_before_the_101() {
    check(&[
        ("Upgrade: websocket\n", "", &["http/1.1 426 ", "upgrade: websocket\r\n"]),
        ("Connection: Upgrade\n", "", &["http/1.1 426 "]),
        ("Version: 13", "Version: 8", &["http/1.1 426 ", "sec-websocket-version: 13\r\n"]),
        ("GET", "POST", &["http/1.1 405 ", "allow: get\r\n"]),
        ("HTTP/1.1", "HTTP/1.0", &["426 "]),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n", "", &["http/1.1 400 "]),
        ("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", &["http/1.1 400 "]),
        ("Sec-WebSocket-Key", "Sec-WebSocket-Key: x\nSec-WebSocket-Key", &["http/1.1 400 "]),
        ("Sec-WebSocket-Protocol: xmpp\n", "", &["http/1.1 400 "]),
        ("col: xmpp", "col: xmppx", &["http/1.1 400 "]),
        ("http://cc.test:8445", "null", &["http/1.1 403 "]),
        ("http://cc.test:8445", "http://evil.test", &["http/1.1 403 "]),
        ("http://cc.test:8445", "http://cc.test.evil:8445", &["http/1.1 403 "]),
        ("Origin:", "Origin: http://cc.test:8445\nOrigin:", &["http/1.1 403 "]),
        ("col: xmpp", "col: xmpp\nContent-Length: 3", &["http/1.1 400 "]),
        ("col: xmpp", "col: xmpp\nTransfer-Encoding: chunked", &["http/1.1 400 "]),
        ("/ws/", "/ws/x", &["http/1.1 404 "]),
        ("/ws/", "/%77s/", &["http/1.1 404 "]),
    ])
    .await;
}

#[tokio::test]
async fn an_origin_of_the_allow_list_passes() {
    let server = server(&[("allowed-origins", "https://crm.example")]).await;
    let request = GOOD.replace("http://cc.test:8445", "https://crm.example").replace('\n', "\r\n");
    let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 101 "));
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_two_parties_could_read_differently_is_refused_and_the_connection_ends() {
    let server = server(&[]).await;
    let hello = "GET /finesse/api/SystemInfo HTTP/1.1\r\nHost: cc.test\r\n";
    for headers in [
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n",
        "Content-Length: -1\r\n\r\n",
        "X y: z\r\n\r\n",
        "X: a\0b\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
        stream.write_all(format!("{hello}{headers}").as_bytes()).await.unwrap();
        let all = read_all(&mut stream).await;
        assert!(all.starts_with("HTTP/1.1 400 "), "{headers:?} gave {all}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_header_beyond_the_bound_gets_431_and_is_read_no_further() {
    let server = server(&[]).await;
    let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
    let filler = "x".repeat(HTTP_HEADER_BYTES_MAX);
    let request = format!("GET /ws/ HTTP/1.1\r\nHost: cc.test\r\nX: {filler}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 431 "));
    server.stop().await;
}

#[tokio::test]
async fn what_comes_before_the_101_is_read_as_frames_and_never_as_a_request() {
    let server = server(&[]).await;
    let mut bytes = format!("{}\n", GOOD).replace('\n', "\r\n").into_bytes();
    push_frame(&mut bytes, Opcode::Ping, b"early", Some([1, 2, 3, 4]));
    bytes.extend_from_slice(b"GET /finesse/api/SystemInfo HTTP/1.1\r\nHost: cc.test\r\n\r\n");
    let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 101 "));
    let rest = read_all(&mut stream).await;
    // A pong, then a close for the `G`, which is no frame header.
    assert!(rest.starts_with("\u{fffd}\u{5}early"), "{rest:?}");
    assert!(!rest.contains("HTTP"), "{rest:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_dribbles_in_is_cut_off_at_the_deadline() {
    let server = server(&[]).await;
    let mut stream = TcpStream::connect(clear(&server)).await.unwrap();
    stream.write_all(b"GET /ws/ HTTP/1.1\r\nHo").await.unwrap();
    let all = read_all(&mut stream).await;
    assert!(all.is_empty() || all.starts_with("HTTP/1.1 408 "), "{all}");
    server.stop().await;
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_is_cut_off_at_the_deadline() {
    let server = server(&[]).await;
    let mut stream = TcpStream::connect(server.https).await.unwrap();
    stream.write_all(&[0x16, 0x03, 0x01, 0x02]).await.unwrap();
    assert_eq!(read_all(&mut stream).await, "");
    server.stop().await;
}

#[tokio::test]
async fn one_address_has_its_share_of_connections_and_no_more() {
    let server = server(&[("connections-per-address", "2")]).await;
    let first = Desk::open(clear(&server)).await;
    let _second = Desk::open(clear(&server)).await;
    let mut third = TcpStream::connect(clear(&server)).await.unwrap();
    assert_eq!(read_all(&mut third).await, "");
    drop(first);
    // The place is free again when the server has noticed.
    soon("place", async {
        loop {
            let mut again = TcpStream::connect(clear(&server)).await.unwrap();
            let sent = again.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await;
            if sent.is_ok() && read_all(&mut again).await.starts_with("HTTP/1.0 200 ") {
                return;
            }
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn tls_before_1_2_and_no_tls_at_all_get_an_alert_or_an_end() {
    let server = server(&[]).await;
    // A hello of TLS 1.1 with one cipher suite of that time.
    let mut hello = vec![0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2];
    hello.extend_from_slice(&[7; 32]);
    hello.extend_from_slice(&[0, 0, 2, 0xC0, 0x13, 1, 0]);
    let mut stream = TcpStream::connect(server.https).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
    let _ = soon("end", read).await;
    // An alert record: fatal, protocol_version (70) or handshake_failure (40).
    assert!(matches!(answer[..], [0x15, 3, _, 0, 2, 2, 70 | 40]), "{answer:02x?}");

    let mut stream = TcpStream::connect(server.https).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: cc.test\r\n\r\n").await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
    server.stop().await;
}
