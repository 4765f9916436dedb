//! Rosters, subscriptions and presence between people, on real sockets, over every carrier
//! (RFC 6121).

mod ends;
mod friends;
mod strangers;

use aplomb::serve::Running;

use crate::at;
use crate::client::{Carrier, Client, attribute};

/// A laboratory: 1001 and 1003 are of one team, 1002 and 1004 of another.
async fn server() -> Running {
    crate::server(&[("lab-teams", "2")]).await
}

/// Somebody who is there and has asked for his roster.
async fn person(server: &Running, carrier: Carrier, name: &str, resource: &str) -> Client {
    let mut client = Client::log_in(carrier, at(server, carrier), name).await.unwrap();
    client.bind(resource).await.unwrap();
    roster(&mut client).await;
    client
}

/// What is in somebody's roster, as he is told.
async fn roster(client: &mut Client) -> String {
    client
        .say("<iq xmlns='jabber:client' type='get' id='ros'><query xmlns='jabber:iq:roster'/></iq>")
        .await;
    client.until("id=\"ros\"").await.unwrap()
}

/// Says something about a subscription, or is there for somebody.
async fn say(client: &mut Client, kind: &str, to: &str) {
    let kind = if kind.is_empty() { String::new() } else { format!("type='{kind}'") };
    client.say(&format!("<presence xmlns='jabber:client' to='{to}@cc.test' {kind}/>")).await;
}

/// Waits for a presence of `from`, of this kind; empty is available.
async fn presence(client: &mut Client, from: &str, kind: &str) -> String {
    loop {
        let text = client.until(&format!("from=\"{from}")).await.unwrap();
        let found = attribute(&text, "type").unwrap_or_default();
        if text.starts_with("<presence") && found == kind {
            return text;
        }
    }
}

/// Two people let each other see them.
async fn befriend(ada: &mut Client, bob: &mut Client) {
    say(ada, "subscribe", "1003").await;
    presence(bob, "1001@cc.test\"", "subscribe").await;
    say(bob, "subscribed", "1001").await;
    say(bob, "subscribe", "1001").await;
    presence(ada, "1003@cc.test\"", "subscribe").await;
    say(ada, "subscribed", "1003").await;
    presence(bob, "1001@cc.test/", "").await;
}

/// All that a client hears before what it asks for comes through its mailbox, behind all that waits
/// there.
async fn rest(client: &mut Client) -> Vec<String> {
    client.say("<presence xmlns='jabber:client' to='finesse@cc.test' type='probe'/>").await;
    let mut heard = Vec::new();
    loop {
        let text = client.hear().await.unwrap();
        if text.contains("from=\"finesse@cc.test") {
            return heard;
        }
        heard.push(text);
    }
}
