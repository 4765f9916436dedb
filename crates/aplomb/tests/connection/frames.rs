//! Frame rules on a live connection: the close code that each fault gets.

use aplomb_core::websocket::Opcode;

use crate::desk::{Desk, Heard, clear, server};

/// Sends bytes after the upgrade; the server must close with the code, and end the connection.
async fn check(rows: &[(&[u8], u16)]) {
    let server = server(&[]).await;
    for (bytes, code) in rows {
        let mut desk = Desk::open(clear(&server)).await;
        desk.raw(bytes).await;
        assert_eq!(desk.hear().await, Heard::Close(*code), "{bytes:02x?}");
        assert_eq!(desk.hear().await, Heard::End, "{bytes:02x?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn each_broken_frame_is_closed_with_its_code() {
    check(&[
        // Not masked.
        (b"\x81\x05Hello", 1002),
        // Reserved bits, reserved opcodes.
        (b"\xC1\x80\0\0\0\0", 1002),
        (b"\xA1\x80\0\0\0\0", 1002),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x8B\x80\0\0\0\0", 1002),
        // A ping of 126 bytes, a ping in pieces.
        (b"\x89\xFE\x00\x7E\0\0\0\0", 1002),
        (b"\x09\x80\0\0\0\0", 1002),
        // Nothing to continue.
        (b"\x80\x80\0\0\0\0", 1002),
        // Binary.
        (b"\x82\x81\0\0\0\0a", 1003),
        // Not UTF-8.
        (b"\x81\x81\0\0\0\0\xFF", 1007),
        // 2^40 bytes are announced, and one byte more than is allowed before login.
        (b"\x81\xFF\0\0\x01\0\0\0\0\0\0\0\0\0", 1009),
        (b"\x81\xFE\x40\x01\0\0\0\0", 1009),
        // Close codes that must not be sent, and half a code.
        (b"\x88\x82\0\0\0\0\x03\xED", 1002),
        (b"\x88\x82\0\0\0\0\0\0", 1002),
        (b"\x88\x81\0\0\0\0\x03", 1002),
        (b"\x88\x83\0\0\0\0\x03\xE8\xFF", 1007),
    ])
    .await;
}

#[tokio::test]
async fn a_close_is_echoed_and_ends_the_connection() {
    check(&[
        (b"\x88\x82\0\0\0\0\x03\xE8", 1000),
        (b"\x88\x82\0\0\0\0\x03\xE9", 1001),
        (b"\x88\x82\0\0\0\0\x13\x87", 4999),
        (b"\x88\x80\0\0\0\0", 1000),
    ])
    .await;
}

#[tokio::test]
async fn pings_are_answered_even_between_the_pieces_of_a_message() {
    let server = server(&[]).await;
    let mut desk = Desk::open(clear(&server)).await;
    desk.frame(Opcode::Ping, b"are you there").await;
    assert_eq!(desk.hear().await, Heard::Pong(13));
    let open = b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='cc.test' version='1.0'/>";
    let (first, rest) = open.split_at(20);
    desk.raw(&[b"\x01\x94\0\0\0\0", first].concat()).await;
    desk.frame(Opcode::Ping, b"").await;
    assert_eq!(desk.hear().await, Heard::Pong(0));
    let header = [0x80, 0x80 | u8::try_from(rest.len()).unwrap(), 0, 0, 0, 0];
    desk.raw(&[&header, rest].concat()).await;
    desk.until("<stream:features").await;
    server.stop().await;
}

#[tokio::test]
async fn a_million_tiny_pieces_end_at_the_count() {
    let server = server(&[]).await;
    let mut desk = Desk::open(clear(&server)).await;
    let mut pieces = b"\x01\x81\0\0\0\0a".to_vec();
    for _ in 0..aplomb_core::limits::WS_FRAGMENTS_MAX {
        pieces.extend_from_slice(b"\x00\x80\0\0\0\0");
    }
    desk.raw(&pieces).await;
    assert_eq!(desk.hear().await, Heard::Close(1009));
    server.stop().await;
}

#[tokio::test]
async fn the_bound_of_a_message_grows_with_the_login() {
    let server = server(&[]).await;
    let mut desk = Desk::login(clear(&server), "1001", "big").await;
    let filler = "x".repeat(100_000);
    desk.say(&format!(
        "<iq xmlns='jabber:client' type='get' id='big' to='cc.test'><q xmlns='x'>{filler}</q></iq>"
    ))
    .await;
    desk.until("service-unavailable").await;
    desk.raw(b"\x81\xFF\0\0\0\0\0\x10\0\x01\0\0\0\0").await;
    assert_eq!(desk.hear().await, Heard::Close(1009));
    server.stop().await;
}
