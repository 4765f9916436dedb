//! Input made to hurt, over every link: it ends or is refused at the party that sent it, and nobody
//! else notices. `rows` is a table of what is sent, `scenes` what takes more than one step.

mod party;
mod rows;
mod scenes;

use aplomb::serve::Running;

use crate::desk;
use party::{Link, Party};
use rows::{Must, Row, Sent, When};

/// A laboratory that listens everywhere, and `more` settings. 1001 and 1003 are of team 1, 1002 of
/// team 2.
async fn server(more: &[(&str, &str)]) -> Running {
    let all = [
        ("xmpp", "127.0.0.1:0"),
        ("xmpps", "127.0.0.1:0"),
        ("logins-per-second-per-address", "1000000"),
    ];
    desk::server(&[&all, more].concat()).await
}

/// Plays every row over every link it is for, beside a neighbour who must not notice.
async fn check(rows: &[Row]) {
    let server = server(&[]).await;
    let mut neighbour = Party::bound(&server, Link::WebSocket, "1002/desk").await;
    let mut played = 0;
    for row in rows {
        assert!(!row.not_on_others.is_empty(), "{}", row.what);
        for link in Link::ALL.into_iter().filter(|link| row.on.contains(link)) {
            let name = format!("{} over {link:?}", row.what);
            play(&server, row, link, &name).await;
            let heard = neighbour.ping(&format!("life{played}")).await;
            assert!(!heard.contains("<message"), "{name}: the neighbour heard {heard}");
            played += 1;
        }
    }
    assert!(played >= rows.len());
    server.stop().await;
}

async fn play(server: &Running, row: &Row, link: Link, name: &str) {
    let mut party = match row.when {
        When::Fresh => Party::connect(server, link).await,
        When::Opened => {
            let mut party = Party::connect(server, link).await;
            party.open().await;
            party
        }
        When::Bound => Party::bound(server, link, "1001/hostile").await,
        When::Publishing => Party::bound(server, link, "publisher/hostile").await,
    };
    send(&mut party, &row.sent).await;
    match row.must {
        Must::Close(code) => {
            let heard = party.until_end().await;
            assert!(heard.contains(&format!("[close {code}]")), "{name}: {heard}");
        }
        Must::StreamError(condition) => ends(&mut party, condition, name).await,
        Must::NotText if link == Link::WebSocket => {
            let heard = party.until_end().await;
            assert!(heard.contains("[close 1007]"), "{name}: {heard}");
        }
        // Which of the two depends on whether it is found out with the bytes or with the grammar.
        Must::NotText => {
            let heard = party.until_end().await;
            let told = ["<unsupported-encoding", "<not-well-formed", "condition=\"bad-request\""];
            assert!(told.iter().any(|told| heard.contains(told)), "{name}: {heard}");
        }
        Must::Refused(condition) => {
            let heard = party.until("</iq>").await;
            let is_error = heard.contains("type=\"error\"") && heard.contains("id=\"1\"");
            assert!(is_error && heard.contains(&format!("<{condition}")), "{name}: {heard}");
            party.ping("still").await;
        }
        Must::Nothing => {
            let heard = party.ping("still").await;
            assert!(!heard.contains("<stream:error"), "{name}: {heard}");
        }
        Must::Terminate(condition) => {
            let heard = party.until_end().await;
            let end = format!("type=\"terminate\" condition=\"{condition}\"");
            assert!(heard.contains(&end), "{name}: {heard}");
        }
        Must::Status(status) => {
            let heard = match link {
                Link::Bosh => party.until_end().await,
                _ => party.head().await,
            };
            let is_told = [format!("[status {status}]"), format!("HTTP/1.1 {status} ")];
            assert!(is_told.iter().any(|told| heard.contains(told)), "{name}: {heard}");
        }
    }
}

async fn send(party: &mut Party, sent: &Sent) {
    match sent {
        Sent::Bytes(bytes) => party.raw(&bytes()).await,
        Sent::Unit(unit) => party.say(&unit()).await,
        Sent::Units(units) => {
            for unit in *units {
                party.say(unit.as_bytes()).await;
            }
        }
        Sent::Request(attributes) => party.ask_wrong(attributes).await,
        Sent::PubSub(kind, owner, verb) => party.say(&rows::of_pubsub(kind, owner, verb)).await,
    }
}

/// The stream ends with a condition; over BOSH the session does, with what stands for it.
async fn ends(party: &mut Party, condition: &str, name: &str) {
    let heard = party.until_end().await;
    let is_of_xml = ["not-well-formed", "restricted-xml", "unsupported-encoding"];
    match party.link {
        Link::Bosh => {
            assert!(heard.contains("type=\"terminate\""), "{name}: {heard}");
            let is_told = match is_of_xml.contains(&condition) {
                true => heard.contains("condition=\"bad-request\""),
                false => heard.contains(condition),
            };
            assert!(is_told, "{name}: {heard}");
        }
        _ => {
            assert!(heard.contains("<stream:error"), "{name}: {heard}");
            assert!(heard.contains(&format!("<{condition}")), "{name}: {heard}");
        }
    }
}

#[tokio::test]
async fn frames() {
    check(rows::FRAMES).await;
}

#[tokio::test]
async fn http() {
    check(rows::HTTP).await;
}

#[tokio::test]
async fn xml() {
    check(rows::XML).await;
}

#[tokio::test]
async fn stanzas() {
    check(rows::STANZAS).await;
}

#[tokio::test]
async fn sessions_over_http() {
    check(rows::BOSH).await;
}
