//! What others see when a session ends, however it ends.

use super::{befriend, person, presence, rest, roster, server};
use crate::at;
use crate::client::{Carrier, Client, Resumption};

#[tokio::test]
async fn a_lost_connection_shows_as_unavailable() {
    for carrier in [Carrier::WebSocket, Carrier::Tcp] {
        let server = server().await;
        let mut ada = person(&server, carrier, "1001", "desk").await;
        let mut bob = person(&server, carrier, "1003", "desk").await;
        befriend(&mut ada, &mut bob).await;
        drop(ada);
        presence(&mut bob, "1001@cc.test/desk", "unavailable").await;
        server.stop().await;
    }
}

#[tokio::test]
async fn a_stream_that_can_be_resumed_is_available_until_nobody_comes_back_for_it() {
    let server = server().await;
    let mut ada = person(&server, Carrier::WebSocket, "1001", "desk").await;
    let mut bob = person(&server, Carrier::Tcp, "1003", "desk").await;
    befriend(&mut ada, &mut bob).await;
    ada.say("<enable xmlns='urn:xmpp:sm:3' resume='true' max='1'/>").await;
    ada.until("<enabled").await.unwrap();
    drop(ada);
    // It is kept: whoever asks sees it.
    bob.say("<presence xmlns='jabber:client' to='1001@cc.test' type='probe'/>").await;
    presence(&mut bob, "1001@cc.test/desk", "").await;
    presence(&mut bob, "1001@cc.test/desk", "unavailable").await;
    server.stop().await;
}

#[tokio::test]
async fn who_resumes_was_never_away_and_hears_what_others_did_meanwhile() {
    let server = server().await;
    let mut ada = person(&server, Carrier::WebSocket, "1001", "desk").await;
    let mut bob = person(&server, Carrier::Tcp, "1003", "desk").await;
    befriend(&mut ada, &mut bob).await;
    let id = ada.enable().await.unwrap();
    drop(ada);
    bob.say("<presence xmlns='jabber:client'><show>xa</show></presence>").await;
    bob.until("from=\"finesse@cc.test").await.unwrap();
    let mut ada = Client::log_in(Carrier::Tcp, at(&server, Carrier::Tcp), "1001").await.unwrap();
    assert_eq!(ada.resume(&id, 0).await.unwrap(), Resumption::Resumed(0));
    ada.until("<show>xa</show>").await.unwrap();
    assert_eq!(rest(&mut bob).await, Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn who_takes_an_address_over_is_unavailable_first() {
    let server = server().await;
    let mut ada = person(&server, Carrier::WebSocket, "1001", "desk").await;
    let mut bob = person(&server, Carrier::Tcp, "1003", "desk").await;
    befriend(&mut ada, &mut bob).await;
    let _newer = person(&server, Carrier::Tcp, "1001", "desk").await;
    presence(&mut bob, "1001@cc.test/desk", "unavailable").await;
    presence(&mut bob, "1001@cc.test/desk", "").await;
    drop(ada);
    assert_eq!(rest(&mut bob).await, Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn a_contact_that_is_removed_is_seen_no_more_on_either_side() {
    let server = server().await;
    let mut ada = person(&server, Carrier::Bosh, "1001", "desk").await;
    let mut bob = person(&server, Carrier::Tcp, "1003", "desk").await;
    befriend(&mut ada, &mut bob).await;
    ada.say(
        "<iq xmlns='jabber:client' type='set' id='s'><query xmlns='jabber:iq:roster'>\
         <item jid='1003@cc.test' subscription='remove'/></query></iq>",
    )
    .await;
    presence(&mut bob, "1001@cc.test\"", "unsubscribe").await;
    presence(&mut bob, "1001@cc.test\"", "unsubscribed").await;
    let push = bob.until("push-").await.unwrap();
    assert!(push.contains("jid=\"1001@cc.test\" subscription=\"none\""), "{push}");
    presence(&mut bob, "1001@cc.test/desk", "unavailable").await;
    presence(&mut ada, "1003@cc.test/desk", "unavailable").await;
    assert!(!roster(&mut ada).await.contains("1003"));
    server.stop().await;
}
