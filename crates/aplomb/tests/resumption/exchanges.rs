//! One exchange after another: what is promised, and what is refused.

use aplomb::limits::{PARCEL_BYTES_MAX, PARCELS_MAX, UNACKNOWLEDGED_MAILBOXES};
use aplomb::serve::Running;

use crate::client::{Carrier, Client, Gone, Resumption, attribute, soon};
use crate::events::{is_stanza, number};
use crate::{at, server};

async fn client(server: &Running, carrier: Carrier, user: &str) -> Client {
    Client::log_in(carrier, at(server, carrier), user).await.unwrap()
}

async fn ws(server: &Running, user: &str) -> Client {
    client(server, Carrier::WebSocket, user).await
}

async fn publisher(server: &Running) -> Client {
    let mut publisher = ws(server, "publisher").await;
    publisher.bind("bridge").await.unwrap();
    publisher
}

/// A client of 1001 whose stream is managed, and the stream's id.
async fn managed(server: &Running, carrier: Carrier) -> (Client, String) {
    let mut desk = client(server, carrier, "1001").await;
    desk.bind("desktop").await.unwrap();
    let id = desk.enable().await.unwrap();
    (desk, id)
}

fn failed(condition: &str) -> Resumption {
    Resumption::Failed(condition.to_owned())
}

async fn until_sessions(server: &Running, count: usize) {
    soon(&format!("{count} sessions"), async {
        while server.sessions() != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_is_lost_goes_on_over_any_carrier() {
    for (first, second) in
        Carrier::ALL.iter().flat_map(|a| Carrier::ALL.map(|b| (*a, b))).collect::<Vec<_>>()
    {
        let server = server(&[]).await;
        let mut publisher = publisher(&server).await;
        let (mut desk, id) = managed(&server, first).await;
        publisher.publish(1).await;
        publisher.publish(2).await;
        assert_eq!(desk.numbers(2).await, [1, 2], "{first:?}");
        drop(desk);
        publisher.publish(3).await;
        let mut desk = client(&server, second, "1001").await;
        assert_eq!(desk.resume(&id, 1).await.unwrap(), Resumption::Resumed(0));
        publisher.publish(4).await;
        assert_eq!(desk.numbers(3).await, [2, 3, 4], "{first:?} to {second:?}");
        // It is the same session, available as before, and counts on.
        assert_eq!(server.sessions(), 2);
        desk.say("<iq xmlns='jabber:client' type='get' id='v'><ping xmlns='urn:xmpp:ping'/></iq>")
            .await;
        let answer = desk.until("id=\"v\"").await.unwrap();
        assert_eq!(attribute(&answer, "to").as_deref(), Some("1001@cc.test/desktop"));
        drop(desk);
        let mut desk = client(&server, first, "1001").await;
        assert_eq!(desk.resume(&id, 5).await.unwrap(), Resumption::Resumed(1));
        desk.say("<r xmlns='urn:xmpp:sm:3'/>").await;
        assert!(desk.hear().await.unwrap().starts_with("<a "), "nothing was left to send");
        server.stop().await;
    }
}

#[tokio::test]
async fn an_id_is_worthless_to_another_and_without_login() {
    let server = server(&[]).await;
    let mut publisher = publisher(&server).await;
    let (desk, id) = managed(&server, Carrier::WebSocket).await;
    drop(desk);
    publisher.publish(1).await;
    for carrier in Carrier::ALL {
        let mut thief = client(&server, carrier, "1002").await;
        assert_eq!(thief.resume(&id, 0).await.unwrap(), failed("item-not-found"));
        // A refused resumption is followed by a bind, as any login is.
        thief.bind("desktop").await.unwrap();
        let mut nobody = Client::connect(carrier, at(&server, carrier)).await.unwrap();
        nobody.open_stream().await.unwrap();
        let Resumption::Ended(words) = nobody.resume(&id, 0).await.unwrap() else {
            panic!("it was answered before login")
        };
        assert!(words.contains("<not-authorized "), "{words}");
    }
    let mut guess = ws(&server, "1001").await;
    assert_eq!(guess.resume("another", 0).await.unwrap(), failed("item-not-found"));
    assert_eq!(guess.resume(&id, 0).await.unwrap(), Resumption::Resumed(0));
    assert_eq!(guess.numbers(1).await, [1]);
    server.stop().await;
}

#[tokio::test]
async fn a_connection_that_still_lives_is_ended_with_conflict() {
    let server = server(&[]).await;
    let mut publisher = publisher(&server).await;
    let (mut old, id) = managed(&server, Carrier::Tcp).await;
    publisher.publish(1).await;
    assert_eq!(old.numbers(1).await, [1]);
    let mut new = ws(&server, "1001").await;
    assert_eq!(new.resume(&id, 1).await.unwrap(), Resumption::Resumed(0));
    assert!(old.until("<stream:error").await.unwrap().contains("<conflict "));
    assert!(matches!(old.hear().await, Err(Gone)));
    publisher.publish(2).await;
    assert_eq!(new.numbers(1).await, [2]);
    assert_eq!(server.sessions(), 2);
    server.stop().await;
}

#[tokio::test]
async fn of_two_that_resume_at_once_one_has_the_stream() {
    let server = server(&[]).await;
    let mut publisher = publisher(&server).await;
    for round in 1..=40 {
        let (holder, id) = managed(&server, Carrier::WebSocket).await;
        publisher.publish(round).await;
        // Half of the time the connection is lost, which the server may know or not yet.
        let holder = (round % 2 == 0).then_some(holder);
        let mut one = client(&server, Carrier::ALL[round as usize / 2 % 3], "1001").await;
        let mut other = ws(&server, "1001").await;
        let (first, second) = tokio::join!(one.resume(&id, 0), other.resume(&id, 0));
        publisher.publish(1_000 + round).await;
        let mut winners = Vec::new();
        for (racer, outcome) in [(one, first), (other, second)] {
            match outcome.unwrap() {
                Resumption::Resumed(0) => winners.extend(hear_out(racer, 1_000 + round).await),
                outcome => assert_eq!(outcome, failed("item-not-found")),
            }
        }
        assert_eq!(winners, [vec![round, 1_000 + round]], "round {round}");
        drop(holder);
    }
    server.stop().await;
}

/// The numbers up to `last`, or nothing from a client that lost its stream to another.
async fn hear_out(mut desk: Client, last: u32) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let text = desk.hear().await.unwrap();
        if text.starts_with("<stream:error") {
            assert!(text.contains("<conflict "), "{text}");
            return None;
        }
        numbers.extend(number(&text));
    }
    Some(numbers)
}

#[tokio::test]
async fn a_count_that_lies_ends_the_stream_for_good() {
    let server = server(&[]).await;
    let (desk, id) = managed(&server, Carrier::WebSocket).await;
    drop(desk);
    let mut liar = ws(&server, "1001").await;
    let Resumption::Ended(words) = liar.resume(&id, 7).await.unwrap() else { panic!("believed") };
    assert!(words.contains("<handled-count-too-high "), "{words}");
    assert!(words.contains(" h=\"7\" send-count=\"0\""), "{words}");
    let mut honest = ws(&server, "1001").await;
    assert_eq!(honest.resume(&id, 0).await.unwrap(), failed("item-not-found"));
    until_sessions(&server, 0).await;
    server.stop().await;
}

#[tokio::test]
async fn too_much_for_an_absent_client_is_not_recovered_and_nothing_of_it_comes() {
    let server = server(&[("mailbox-letters", "8")]).await;
    let mut publisher = publisher(&server).await;
    let (desk, id) = managed(&server, Carrier::WebSocket).await;
    drop(desk);
    for n in 1..=40 {
        publisher.publish(n).await;
    }
    until_sessions(&server, 1).await;
    let mut desk = ws(&server, "1001").await;
    assert_eq!(desk.resume(&id, 0).await.unwrap(), failed("item-not-found"));
    desk.bind("desktop").await.unwrap();
    publisher.publish(41).await;
    assert_eq!(desk.numbers(1).await, [41]);
    server.stop().await;
}

#[tokio::test]
async fn a_large_request_that_is_refused_is_not_remembered() {
    let server = server(&[]).await;
    for carrier in [Carrier::WebSocket, Carrier::Tcp] {
        let (mut desk, id) = managed(&server, carrier).await;
        let large = "x".repeat(1_000_000);
        for n in 1..=10 {
            let iq = format!(
                "<iq xmlns='jabber:client' type='get' id='i{n}' to='cc.test'>\
                 <a xmlns='urn:nobody'>{large}</a></iq>"
            );
            desk.say(&iq).await;
            let refusal = desk.until(&format!("id=\"i{n}\"")).await.unwrap();
            assert!(
                refusal.contains("<service-unavailable ") && refusal.len() < 1024,
                "{carrier:?}"
            );
        }
        drop(desk);
        let mut desk = client(&server, carrier, "1001").await;
        assert_eq!(desk.resume(&id, 0).await.unwrap(), Resumption::Resumed(10));
        drop(desk);
    }
    server.stop().await;
}

/// What is remembered is weighed as what it takes, whatever is asked for.
#[tokio::test]
async fn who_asks_for_much_and_never_acknowledges_cannot_resume() {
    const ITEM_BYTES: usize = 200_000;
    const MAILBOX_BYTES: usize = 512 * 1024;
    let server = server(&[("mailbox-bytes", &MAILBOX_BYTES.to_string())]).await;
    let mut publisher = publisher(&server).await;
    publisher.publish_text(&"x".repeat(ITEM_BYTES)).await;
    let remembered = MAILBOX_BYTES * UNACKNOWLEDGED_MAILBOXES + PARCEL_BYTES_MAX;
    for (answers, is_kept) in [(2, true), (remembered / ITEM_BYTES + 1, false)] {
        let (mut desk, id) = managed(&server, Carrier::WebSocket).await;
        for n in 0..answers {
            desk.say(&format!(
                "<iq xmlns='jabber:client' type='get' id='i{n}' to='pubsub.cc.test'><pubsub \
                 xmlns='http://jabber.org/protocol/pubsub'>\
                 <items node='/finesse/api/User/1001'/></pubsub></iq>"
            ))
            .await;
            let items = desk.until(&format!("id=\"i{n}\"")).await.unwrap();
            assert!(items.len() > ITEM_BYTES, "{items}");
        }
        drop(desk);
        let mut desk = ws(&server, "1001").await;
        let resumption = desk.resume(&id, 0).await.unwrap();
        match is_kept {
            true => assert!(matches!(resumption, Resumption::Resumed(_)), "{resumption:?}"),
            false => assert_eq!(resumption, failed("item-not-found"), "{answers} answers"),
        }
        drop(desk);
    }
    server.stop().await;
}

#[tokio::test]
async fn who_never_acknowledges_is_served_on_and_cannot_resume() {
    let server = server(&[("mailbox-letters", "8")]).await;
    let mut publisher = publisher(&server).await;
    let (mut desk, id) = managed(&server, Carrier::WebSocket).await;
    let mut asked = 0;
    // More than is remembered of events and of what other people sent.
    let all = u32::try_from(8 * UNACKNOWLEDGED_MAILBOXES + PARCELS_MAX + 8).unwrap();
    for n in 1..=all {
        publisher.publish(n).await;
        let event = loop {
            let text = desk.hear().await.unwrap();
            if is_stanza(&text) {
                break text;
            }
            asked += u32::from(text.starts_with("<r "));
        };
        assert_eq!(number(&event), Some(n));
    }
    assert!(asked > 3, "an acknowledgement was asked for {asked} times");
    drop(desk);
    let mut desk = ws(&server, "1001").await;
    assert_eq!(desk.resume(&id, all).await.unwrap(), failed("item-not-found"));
    server.stop().await;
}

#[tokio::test]
async fn nobody_is_kept_for_ever_nor_after_a_goodbye() {
    let server = server(&[("resume-within", "1s")]).await;
    let (desk, id) = managed(&server, Carrier::Tcp).await;
    drop(desk);
    until_sessions(&server, 0).await;
    let mut desk = ws(&server, "1001").await;
    assert_eq!(desk.resume(&id, 0).await.unwrap(), failed("item-not-found"));
    let (mut desk, id) = managed(&server, Carrier::WebSocket).await;
    desk.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").await;
    assert!(matches!(desk.hear().await, Err(Gone)));
    until_sessions(&server, 0).await;
    let mut desk = ws(&server, "1001").await;
    assert_eq!(desk.resume(&id, 0).await.unwrap(), failed("item-not-found"));
    server.stop().await;
}

#[tokio::test]
async fn a_new_login_of_the_same_name_ends_what_was_kept() {
    let server = server(&[]).await;
    let (desk, id) = managed(&server, Carrier::WebSocket).await;
    drop(desk);
    let (desk, _) = managed(&server, Carrier::WebSocket).await;
    let mut late = ws(&server, "1001").await;
    assert_eq!(late.resume(&id, 0).await.unwrap(), failed("item-not-found"));
    assert_eq!(server.sessions(), 1);
    drop(desk);
    server.stop().await;
}

#[tokio::test]
async fn the_features_say_what_the_site_wants_said() {
    for (setting, is_offered, answer) in [
        ("off", false, "<feature-not-implemented "),
        ("on-request", false, "<enabled "),
        ("offered", true, "<enabled "),
    ] {
        let server = server(&[("stream-management", setting), ("sasl2", "off")]).await;
        for carrier in Carrier::ALL {
            let mut desk = Client::connect(carrier, at(&server, carrier)).await.unwrap();
            let before = desk.open_stream().await.unwrap();
            assert!(!before.contains("urn:xmpp:sm:3"), "{setting}: {before}");
            let mut desk = client(&server, carrier, "1001").await;
            assert_eq!(desk.features.contains("urn:xmpp:sm:3"), is_offered, "{setting}");
            desk.bind("desktop").await.unwrap();
            desk.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await;
            assert!(desk.hear().await.unwrap().contains(answer), "{setting}");
        }
        server.stop().await;
    }
}
