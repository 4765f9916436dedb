//! People of different teams, and people who do not exist.

use aplomb::serve::Running;

use super::{befriend, person, rest, say, server};
use crate::client::{Carrier, Client};

/// All that comes of asking for somebody in every way, without his name and the versions.
async fn asked(server: &Running, name: &str) -> Vec<String> {
    let mut ada = person(server, Carrier::WebSocket, "1001", "desk").await;
    let mut heard = rest(&mut ada).await;
    for kind in ["subscribe", "probe", "", "unavailable", "subscribe", "unsubscribe", "subscribed"]
    {
        say(&mut ada, kind, name).await;
        heard.extend(rest(&mut ada).await);
    }
    ada.say(&format!(
        "<iq xmlns='jabber:client' type='set' id='s'><query xmlns='jabber:iq:roster'>\
         <item jid='{name}@cc.test' subscription='remove'/></query></iq>"
    ))
    .await;
    heard.extend(rest(&mut ada).await);
    heard.iter().map(|text| without_numbers(&text.replace(name, "somebody"))).collect()
}

fn without_numbers(text: &str) -> String {
    let mut words = text.split(['-', '"']);
    let is_version = |word: &str| word.len() > 10 && word.bytes().all(|b| b.is_ascii_digit());
    words.by_ref().filter(|word| !is_version(word)).collect()
}

#[tokio::test]
async fn nobody_learns_whether_a_stranger_exists_and_the_stranger_hears_nothing() {
    let server = server().await;
    let mut stranger = person(&server, Carrier::Tcp, "1002", "desk").await;
    let there = asked(&server, "1002").await;
    let nowhere = asked(&server, "9999").await;
    assert_eq!(there, nowhere);
    assert!(there.len() == 5, "{there:?}");
    assert_eq!(rest(&mut stranger).await, Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn presence_goes_to_nobody_who_may_not_see_it() {
    let server = server().await;
    let mut ada = person(&server, Carrier::WebSocket, "1001", "desk").await;
    let mut bob = person(&server, Carrier::WebSocket, "1003", "desk").await;
    let mut others: Vec<Client> = Vec::new();
    for name in ["1002", "sup1", "admin"] {
        others.push(person(&server, Carrier::WebSocket, name, "desk").await);
    }
    befriend(&mut ada, &mut bob).await;
    ada.say("<presence xmlns='jabber:client'><show>away</show></presence>").await;
    bob.until("<show>away</show>").await.unwrap();
    for other in &mut others {
        assert_eq!(rest(other).await, Vec::<String>::new());
    }
    // She shows herself to her supervisor, who did not ask.
    say(&mut ada, "", "sup1").await;
    let heard = others[1].until("from=\"1001@cc.test/desk\"").await.unwrap();
    assert!(heard.contains("to=\"sup1@cc.test/desk\""), "{heard}");
    drop(ada);
    others[1].until("type=\"unavailable\"").await.unwrap();
    server.stop().await;
}
