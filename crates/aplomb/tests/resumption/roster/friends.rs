//! People of one team.

use super::{befriend, person, presence, rest, roster, say, server};
use crate::at;
use crate::client::{Carrier, Client};

#[tokio::test]
async fn two_people_come_to_see_each_other_over_every_carrier() {
    for (one, other) in Carrier::ALL.into_iter().zip(Carrier::ALL.into_iter().cycle().skip(1)) {
        let server = server().await;
        let mut ada = person(&server, one, "1001", "desk").await;
        let mut bob = person(&server, other, "1003", "desk").await;
        say(&mut ada, "subscribe", "1003").await;
        let push = ada.until("push-").await.unwrap();
        assert!(push.contains("jid=\"1003@cc.test\" subscription=\"none\" ask=\"subscribe\""));
        presence(&mut bob, "1001@cc.test\"", "subscribe").await;
        say(&mut bob, "subscribed", "1001").await;
        let push = bob.until("push-").await.unwrap();
        assert!(push.contains("jid=\"1001@cc.test\" subscription=\"from\""), "{push}");
        presence(&mut ada, "1003@cc.test\"", "subscribed").await;
        let push = ada.until("push-").await.unwrap();
        assert!(push.contains("jid=\"1003@cc.test\" subscription=\"to\""), "{push}");
        presence(&mut ada, "1003@cc.test/desk", "").await;
        bob.say("<presence xmlns='jabber:client'><show>dnd</show><status>busy</status></presence>")
            .await;
        let seen = presence(&mut ada, "1003@cc.test/desk", "").await;
        assert!(seen.contains("<show>dnd</show><status>busy</status>"), "{seen}");
        assert!(seen.contains("to=\"1001@cc.test/desk\""), "{seen}");
        // He does not see her, as he did not ask for it.
        let heard = rest(&mut bob).await;
        assert!(!heard.iter().any(|text| text.contains("1001@cc.test/")), "{heard:?}");
        say(&mut bob, "unsubscribed", "1001").await;
        presence(&mut ada, "1003@cc.test\"", "unsubscribed").await;
        presence(&mut ada, "1003@cc.test/desk", "unavailable").await;
        drop((ada, bob));
        server.stop().await;
    }
}

#[tokio::test]
async fn who_comes_later_sees_who_is_there_and_his_other_session_sees_him() {
    let server = server().await;
    let mut ada = person(&server, Carrier::WebSocket, "1001", "desk").await;
    let mut bob = person(&server, Carrier::Tcp, "1003", "desk").await;
    befriend(&mut ada, &mut bob).await;
    let mut phone = Client::log_in(Carrier::Tcp, at(&server, Carrier::Tcp), "1001").await.unwrap();
    let offered = ["urn:xmpp:features:rosterver", "urn:xmpp:features:pre-approval"];
    assert!(offered.iter().all(|feature| phone.features.contains(feature)), "{}", phone.features);
    phone.bind("phone").await.unwrap();
    let heard = rest(&mut phone).await;
    let from = |who: &str| heard.iter().any(|text| text.contains(&format!("from=\"{who}\"")));
    // What came before the presence of `finesse@domain` is passed over by `bind`.
    phone.say("<presence xmlns='jabber:client' to='1003@cc.test' type='probe'/>").await;
    presence(&mut phone, "1003@cc.test/desk", "").await;
    assert!(!from("1001@cc.test/phone"), "no echo: {heard:?}");
    presence(&mut ada, "1001@cc.test/phone", "").await;
    presence(&mut bob, "1001@cc.test/phone", "").await;
    // He did not ask for the roster, and is not told of its changes.
    say(&mut ada, "unsubscribe", "1003").await;
    ada.until("push-").await.unwrap();
    presence(&mut ada, "1003@cc.test/desk", "unavailable").await;
    let heard = rest(&mut phone).await;
    assert!(!heard.iter().any(|text| text.contains("push-")), "{heard:?}");
    assert!(heard.iter().any(|text| text.contains("type=\"unavailable\"")), "{heard:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_wish_waits_for_who_is_not_there_until_it_is_answered() {
    let server = server().await;
    let mut ada = person(&server, Carrier::WebSocket, "1001", "desk").await;
    ada.say(
        "<presence xmlns='jabber:client' to='1003@cc.test' type='subscribe' id='w'>\
         <status>Ada from sales</status></presence>",
    )
    .await;
    ada.until("push-").await.unwrap();
    for resource in ["desk", "phone"] {
        let mut bob = person(&server, Carrier::Tcp, "1003", resource).await;
        bob.say("<presence xmlns='jabber:client' type='unavailable'/>").await;
        bob.say("<presence xmlns='jabber:client'/>").await;
        let wish = presence(&mut bob, "1001@cc.test\"", "subscribe").await;
        assert!(wish.contains("<status>Ada from sales</status>"), "{wish}");
        assert!(wish.contains("id=\"w\"") && wish.contains("to=\"1003@cc.test\""), "{wish}");
        assert!(!roster(&mut bob).await.contains("1001"), "who waits is not in the roster");
    }
    let mut bob = person(&server, Carrier::Tcp, "1003", "desk").await;
    say(&mut bob, "unsubscribed", "1001").await;
    presence(&mut ada, "1003@cc.test\"", "unsubscribed").await;
    bob.say("<presence xmlns='jabber:client' type='unavailable'/>").await;
    bob.say("<presence xmlns='jabber:client'/>").await;
    let heard = rest(&mut bob).await;
    assert!(!heard.iter().any(|text| text.contains("\"subscribe\"")), "{heard:?}");
    server.stop().await;
}

#[tokio::test]
async fn all_sessions_that_know_the_roster_are_told_of_its_changes() {
    let server = server().await;
    let mut desk = person(&server, Carrier::WebSocket, "1001", "desk").await;
    let mut phone = person(&server, Carrier::Bosh, "1001", "phone").await;
    desk.say(
        "<iq xmlns='jabber:client' type='set' id='s'><query xmlns='jabber:iq:roster'>\
         <item jid='1003@cc.test' name='Bob'><group>Team</group></item></query></iq>",
    )
    .await;
    let heard = rest(&mut desk).await;
    let has = |part: &str| heard.iter().any(|text| text.contains(part));
    assert!(has("push-") && has("type=\"result\" id=\"s\""), "{heard:?}");
    let push = phone.until("push-").await.unwrap();
    assert!(push.contains("to=\"1001@cc.test/phone\""), "{push}");
    let whole = roster(&mut phone).await;
    assert!(whole.contains("name=\"Bob\" subscription=\"none\"><group>Team</group>"), "{whole}");
    let version = {
        phone
            .say(
                "<iq xmlns='jabber:client' type='get' id='v'>\
                 <query xmlns='jabber:iq:roster' ver=''/></iq>",
            )
            .await;
        let versioned = phone.until("id=\"v\"").await.unwrap();
        versioned.split("ver=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    phone
        .say(&format!(
            "<iq xmlns='jabber:client' type='get' id='k'>\
             <query xmlns='jabber:iq:roster' ver='{version}'/></iq>"
        ))
        .await;
    assert!(!phone.until("id=\"k\"").await.unwrap().contains("<query"), "it is known");
    server.stop().await;
}
