//! Sessions from the login to each kind of end.

use std::net::SocketAddr;

use aplomb_core::websocket::{Opcode, push_frame};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::desk::{Desk, Heard, PASSWORD, clear, read_all, server, soon, tls};

/// Changes the state of `user` over REST; the answer must be 202.
pub(crate) async fn put_state(at: SocketAddr, user: &str, state: &str) {
    let blob = STANDARD.encode(format!("{user}:{PASSWORD}"));
    let extension =
        if state == "LOGIN" { format!("<extension>{user}</extension>") } else { String::new() };
    let body = format!("<User><state>{state}</state>{extension}</User>");
    let request = format!(
        "PUT /finesse/api/User/{user} HTTP/1.0\r\nContent-Type: application/xml\r\n\
         Authorization: Basic {blob}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let all = read_all(&mut stream).await;
    assert!(all.starts_with("HTTP/1.0 202 "), "{all}");
}

#[tokio::test]
async fn a_state_changed_over_rest_arrives_as_an_event() {
    let server = server(&[]).await;
    let mut desk = Desk::login(clear(&server), "1001", "desktop").await;
    put_state(clear(&server), "1001", "LOGIN").await;
    let event = desk.until("NOT_READY").await.replace("&lt;", "<").replace("&gt;", ">");
    assert!(
        event.starts_with("<message xmlns=\"jabber:client\" from=\"pubsub.cc.test\""),
        "{event}"
    );
    assert!(event.contains("/finesse/api/User/1001") && event.contains("NOT_READY"), "{event}");
    server.stop().await;
}

#[tokio::test]
async fn the_same_walk_goes_over_tls() {
    let server = server(&[]).await;
    let stream = tls(server.https, &["http/1.1"]).await;
    let mut desk = Desk::open_over(stream, server.https).await;
    desk.walk("1001", "desktop").await;
    put_state(clear(&server), "1001", "LOGIN").await;
    desk.until("NOT_READY").await;
    server.stop().await;
}

#[tokio::test]
async fn a_second_desk_of_the_same_name_ends_the_first_with_conflict() {
    let server = server(&[]).await;
    let mut first = Desk::login(clear(&server), "1001", "desktop").await;
    let mut other = Desk::login(clear(&server), "1001", "crm").await;
    let mut second = Desk::login(clear(&server), "1001", "desktop").await;
    first.until("<conflict").await;
    first.until("<close").await;
    first.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").await;
    assert_eq!(first.until_end().await, ["Close(1000)"]);
    put_state(clear(&server), "1001", "LOGIN").await;
    second.until("NOT_READY").await;
    other.until("NOT_READY").await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_closes_its_stream_is_closed_in_order() {
    let server = server(&[]).await;
    let mut desk = Desk::login(clear(&server), "1001", "desktop").await;
    desk.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").await;
    desk.until("<close").await;
    assert_eq!(desk.hear().await, Heard::Close(1000));
    assert_eq!(desk.hear().await, Heard::End);
    soon("seat to be free", async {
        while server.sessions() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_violation_of_the_stream_gets_its_error_and_a_close() {
    let server = server(&[]).await;
    for (unit, condition) in [
        ("<!DOCTYPE x [<!ENTITY y 'z'>]><open/>", "restricted-xml"),
        ("<?xml version='1.0'?><open/>", "xml"),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>", ""),
        ("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='cc.test' version='1.0'/><a/>", ""),
        ("<iq xmlns='jabber:client' type='get' id='1'/>", ""),
        ("nonsense", ""),
    ] {
        let mut desk = Desk::open(clear(&server)).await;
        desk.say(unit).await;
        let error = desk.until("<stream:error").await;
        assert!(error.contains(condition), "{unit} gave {error}");
        desk.until("<close").await;
        desk.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").await;
        assert_eq!(desk.until_end().await, ["Close(1008)"], "{unit}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_pinged_and_then_taken_for_dead() {
    let server = server(&[("ping-after", "1s"), ("dead-after", "2s")]).await;
    let mut silent = Desk::login(clear(&server), "1001", "silent").await;
    let mut alive = Desk::login(clear(&server), "1002", "alive").await;
    tokio::join!(
        async {
            assert_eq!(silent.hear().await, Heard::Ping);
            // It is not answered: the connection just ends, for there is nobody to talk to.
            assert_eq!(silent.hear().await, Heard::End);
        },
        async {
            for _ in 0..4 {
                assert_eq!(alive.hear().await, Heard::Ping);
                alive.frame(Opcode::Pong, b"").await;
            }
        },
    );
    assert_eq!(server.sessions(), 1);
    server.stop().await;
}

#[tokio::test]
async fn an_agent_whose_desktop_is_lost_is_signed_out_with_reason_255() {
    let server = server(&[("forced-logout-after", "1s")]).await;
    let mut supervisor = Desk::login(clear(&server), "sup1", "desktop").await;
    supervisor
        .say(
            "<iq xmlns='jabber:client' type='set' id='t1' to='pubsub.cc.test'><pubsub \
             xmlns='http://jabber.org/protocol/pubsub'><subscribe jid='sup1@cc.test/desktop' \
             node='/finesse/api/Team/1/Users'/></pubsub></iq>",
        )
        .await;
    supervisor.until("subscribed").await;
    let agent = Desk::login(clear(&server), "1001", "desktop").await;
    put_state(clear(&server), "1001", "LOGIN").await;
    supervisor.until("NOT_READY").await;
    drop(agent);
    let event = supervisor.until("&lt;state&gt;LOGOUT").await;
    assert!(event.contains("&lt;code&gt;255&lt;"), "{event}");
    server.stop().await;
}

#[tokio::test]
async fn a_reader_that_stops_is_cut_off_and_nobody_waits_for_it() {
    let server = server(&[("mailbox-letters", "8"), ("mailbox-bytes", "65536")]).await;
    let mut stuck = stuck_desk(clear(&server)).await;
    let mut reader = Desk::login(clear(&server), "1001", "reader").await;
    let mut publisher = Desk::login(clear(&server), "publisher", "bridge").await;
    stuck.walk("1001", "stuck").await;
    let payload = "x".repeat(60_000);
    // Each event is more than what a stuck connection takes in the end.
    for round in 0..400 {
        if server.sessions() == 2 {
            break;
        }
        publisher
            .say(&format!(
                "<iq xmlns='jabber:client' type='set' id='p{round}' to='pubsub.cc.test'><pubsub \
                 xmlns='http://jabber.org/protocol/pubsub'><publish node='/finesse/api/User/1001'>\
                 <item><e xmlns='x'>{payload}</e></item></publish></pubsub></iq>"
            ))
            .await;
        publisher.until(&format!("id=\"p{round}\"")).await;
        reader.until("xxxx").await;
    }
    assert_eq!(server.sessions(), 2, "the stuck session is still there");
    server.stop().await;
}

/// A desk whose connection takes little before it is full.
async fn stuck_desk(at: SocketAddr) -> Desk {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    Desk::open_over(socket.connect(at).await.unwrap(), at).await
}

#[tokio::test]
async fn a_flood_of_pings_that_reads_no_pong_gets_no_memory() {
    let server = server(&[]).await;
    let mut desk = stuck_desk(clear(&server)).await;
    let mut pings = Vec::new();
    for _ in 0..1000 {
        push_frame(&mut pings, Opcode::Ping, &[0; 125], Some([0; 4]));
    }
    // The server stops reading when its answers are not taken, so the socket fills up.
    let mut taken_bytes = 0_usize;
    let is_blocked = loop {
        let write =
            tokio::time::timeout(std::time::Duration::from_secs(1), desk.stream.write(&pings));
        match write.await {
            Ok(taken) => taken_bytes += taken.unwrap(),
            Err(_) => break true,
        }
        if taken_bytes > 64 * 1024 * 1024 {
            break false;
        }
    };
    assert!(is_blocked, "the server took {taken_bytes} bytes of pings");
    let mut other = Desk::login(clear(&server), "1001", "other").await;
    other.frame(Opcode::Ping, b"").await;
    assert_eq!(other.hear().await, Heard::Pong(0));
    server.stop().await;
}

#[tokio::test]
async fn a_stop_tells_every_stream_and_closes_every_websocket() {
    let server = server(&[]).await;
    let mut bound = Desk::login(clear(&server), "1001", "desktop").await;
    let mut opened = Desk::open(clear(&server)).await;
    opened.open_stream().await;
    put_state(clear(&server), "1001", "LOGIN").await;
    let stopping = tokio::spawn(server.stop());
    // What was in the mailbox comes first.
    bound.until("NOT_READY").await;
    for desk in [&mut bound, &mut opened] {
        desk.until("<system-shutdown").await;
        desk.until("<close").await;
        assert_eq!(desk.hear().await, Heard::Close(1001));
        assert_eq!(desk.hear().await, Heard::End);
    }
    soon("stop", stopping).await.unwrap();
}

#[tokio::test]
async fn a_stream_tells_its_limits_before_login_and_after_it() {
    let server = server(&[("ping-after", "17s")]).await;
    let mut desk = Desk::open(clear(&server)).await;
    for (bytes, secs) in [("16384", "30"), ("1048576", "17")] {
        desk.say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='cc.test' version='1.0'/>")
            .await;
        let features = desk.until("<stream:features").await;
        let limits = format!(
            "<limits xmlns=\"urn:xmpp:stream-limits:0\"><max-bytes>{bytes}</max-bytes>\
             <idle-seconds>{secs}</idle-seconds></limits>"
        );
        assert!(features.contains(&limits), "{features}");
        if bytes == "16384" {
            desk.say(
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\
                 ADEwMDEAc2VjcmV0</auth>",
            )
            .await;
            desk.until("<success").await;
        }
    }
    server.stop().await;
}
