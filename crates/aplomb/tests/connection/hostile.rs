//! Input made to hurt: it ends its own session, and nobody else's.

use aplomb_core::limits::XML_TOKEN_BYTES_MAX;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::desk::{Desk, clear, read_all, server, soon};

/// Each is sent by a bound client; the stream must end with the condition while a neighbour's ping
/// is answered.
async fn check(rows: &[(String, &str)]) {
    let server = server(&[]).await;
    let mut neighbour = Desk::login(clear(&server), "1002", "desktop").await;
    for (at, (unit, condition)) in rows.iter().enumerate() {
        let start: String = unit.chars().take(60).collect();
        let mut desk = Desk::login(clear(&server), "1001", "desktop").await;
        desk.say(unit).await;
        let error = desk.until("<stream:error").await;
        assert!(error.contains(condition), "{start} gave {error}");
        desk.until("<close").await;
        desk.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").await;
        desk.until_end().await;
        neighbour
            .say(&format!(
                "<iq xmlns='jabber:client' type='get' id='n{at}' to='cc.test'>\
                 <ping xmlns='urn:xmpp:ping'/></iq>"
            ))
            .await;
        neighbour.until(&format!("id=\"n{at}\"")).await;
    }
    server.stop().await;
}

/// A request of a client around `inner`.
fn iq(inner: &str) -> String {
    format!("<iq xmlns='jabber:client' type='get' id='1' to='cc.test'>{inner}</iq>")
}

#[tokio::test]
async fn bombs_are_refused_before_they_go_off() {
    let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
    let attributes: String = (0..60_000).map(|n| format!(" a{n}='1'")).collect();
    let namespaces: String = (0..30_000).map(|n| format!(" xmlns:a{n}='u:{n}'")).collect();
    let laughs = "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>";
    check(&[
        (iq(&deep), "policy-violation"),
        (iq(&format!("<a{attributes}/>")), "policy-violation"),
        (iq(&format!("<a{namespaces}/>")), "policy-violation"),
        (
            iq(&format!("<items node='{}'/>", "n".repeat(XML_TOKEN_BYTES_MAX + 1))),
            "policy-violation",
        ),
        (format!("{laughs}{}", iq("<a>&b;</a>")), "restricted-xml"),
        (iq("<a>&b;</a>"), ""),
        (iq("<a b='&#0;'/>"), ""),
    ])
    .await;
}

#[tokio::test]
async fn nothing_is_smuggled_past_the_one_element_of_a_message() {
    let ping = iq("<ping xmlns='urn:xmpp:ping'/>");
    check(&[
        (format!("{ping}{ping}"), ""),
        (format!("{ping}</stream:stream>"), ""),
        (format!("text{ping}"), ""),
        (format!("<?xml version='1.0'?>{ping}"), ""),
        (format!("<!-- x -->{ping}"), ""),
        (format!("<?php x?>{ping}"), ""),
        (ping.replace("</iq>", ""), ""),
        ("</iq>".to_owned(), ""),
        (iq("<a></b>"), ""),
        (iq("<a b='1' b='2'/>"), ""),
        (iq("<p:a/>"), ""),
        (ping.replace("<iq ", "<iq from='1002@cc.test/desktop' "), "invalid-from"),
        (ping.replace("jabber:client", "jabber:server"), ""),
        (
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='cc.test' version='1.0'/>".into(),
            "",
        ),
    ])
    .await;
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
