//! What takes more than one step: floods, silence, races, rights that go, names that look alike.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use aplomb::config::Config;
use aplomb::control;
use aplomb::limits::{FEED_NODES_MAX, FEED_WAIT_SECS_MAX};
use aplomb::office::{NewPassword, Person, Reply, Request, RoleName};
use aplomb::serve::Running;
use aplomb_core::websocket::{Opcode, push_frame};
use tokio::time::timeout;

use super::party::{Link, Party, basic, feed_upgrade, plain, soon};
use super::{rows, server};

const NODE: &str = "/finesse/api/User/1001";
const FEEDS: [Link; 4] = [Link::Poll, Link::LongPoll, Link::Sse, Link::FeedSocket];

/// Resident memory of this program, which is the server and its clients: bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

async fn until_sessions(server: &Running, count: usize) {
    soon(&format!("{count} sessions"), async {
        while server.sessions() != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Asks a feed once; gives the status and the answer.
async fn ask_feed(server: &Running, link: Link, user: &str, query: &str) -> (u16, String) {
    let request = match link {
        Link::FeedSocket => feed_upgrade(user, query),
        _ => {
            let (path, basic) = (link.path(), basic(user));
            format!("GET {path}?wait=0&node={query} HTTP/1.0\r\nHost: cc.test\r\n{basic}\r\n\r\n")
        }
    };
    let mut stream = soon("line", tokio::net::TcpStream::connect(link.at(server))).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let head = crate::desk::read_head(&mut stream).await;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    soon("body", tokio::io::AsyncReadExt::read_exact(&mut stream, &mut body)).await.unwrap();
    (status, String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn who_floods_and_never_reads_is_read_no_further() {
    let server = server(&[]).await;
    let ping = |opcode, payload: &[u8]| {
        let mut bytes = Vec::new();
        push_frame(&mut bytes, opcode, payload, Some([1, 2, 3, 4]));
        bytes
    };
    let request = "<iq xmlns='jabber:client' type='get' id='i' to='cc.test'>\
        <query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    for (link, unit) in [
        (Link::WebSocket, ping(Opcode::Ping, &[b'p'; 125])),
        (Link::FeedSocket, ping(Opcode::Ping, &[b'p'; 125])),
        (Link::WebSocket, ping(Opcode::Text, request.as_bytes())),
        (Link::Tcp, request.into()),
        (Link::Tls, request.into()),
    ] {
        let mut party = match link {
            Link::FeedSocket => Party::connect(&server, link).await,
            _ => Party::bound(&server, link, "1001/flood").await,
        };
        let (all, mut taken) = (unit.repeat(1000), 0);
        while let Some(bytes) = party.push(&all[taken % all.len()..]).await {
            taken += bytes;
            assert!(taken < 64 << 20, "{link:?}: {taken} bytes were taken");
        }
    }
    let mut other = Party::bound(&server, Link::Tcp, "1002/desk").await;
    other.ping("life").await;
    server.stop().await;
}

#[tokio::test]
async fn who_is_silent_is_taken_for_dead_in_the_stated_time() {
    let server = server(&[("ping-after", "1s"), ("dead-after", "2s")]).await;
    let mut cables = Vec::new();
    for link in Link::STREAMS {
        cables.push(Party::bound(&server, *link, &format!("1001/{link:?}")).await);
    }
    assert_eq!(server.sessions(), 4);
    let mut feed = Party::connect(&server, Link::FeedSocket).await;
    // Nobody answers, and no connection ends: the three are gone in two seconds, and the one over
    // HTTP when it has asked nothing for 30.
    until_sessions(&server, 1).await;
    until_sessions(&server, 0).await;
    drop(cables);
    // This one does answer the close, but no ping.
    let heard = feed.until_end().await;
    assert!(heard.contains("[ping]") && heard.contains("[close 1001]"), "{heard}");
    server.stop().await;
}

#[tokio::test]
async fn connections_that_come_and_go_before_login_leave_nothing() {
    let server = server(&[]).await;
    let mut before = 0;
    for round in 0..1500 {
        for link in [Link::WebSocket, Link::Tcp, Link::Bosh, Link::Poll] {
            let mut party = Party::connect(&server, link).await;
            match link {
                Link::Poll => party.raw(b"GET /feeds/poll?node=").await,
                Link::Bosh => party.raw(b"POST /http-bind/ HTTP/1.1\r\nContent-Le").await,
                _ => party.open().await,
            }
        }
        if round == 500 {
            before = resident();
        }
    }
    let more = resident().saturating_sub(before);
    assert!(more < 16 << 20, "4,000 more connections cost {more} bytes");
    until_sessions(&server, 0).await;
    server.stop().await;
}

#[tokio::test]
async fn stanzas_without_number_in_one_stream_leave_nothing() {
    let server = server(&[]).await;
    let ping = "<iq xmlns='jabber:client' type='get' id='i'><ping xmlns='urn:xmpp:ping'/></iq>";
    for link in Link::STREAMS {
        let mut party = Party::bound(&server, *link, "1001/busy").await;
        let (mut before, batch) = (0, if *link == Link::WebSocket { 1 } else { 100 });
        for round in 0..3000 / batch {
            party.say(ping.repeat(batch).as_bytes()).await;
            party.ping("round").await;
            if round == 1000 / batch {
                before = resident();
            }
        }
        let more = resident().saturating_sub(before);
        assert!(more < 16 << 20, "{link:?}: {more} bytes");
    }
    server.stop().await;
}

const ENABLE: &[u8] = b"<enable xmlns='urn:xmpp:sm:3' resume='true'/>";

/// A party whose stream is managed, and the request that resumes it.
async fn managed(server: &Running, link: Link) -> (Party, String) {
    let mut party = Party::bound(server, link, "1001/managed").await;
    party.say(ENABLE).await;
    let enabled = party.until("resume=\"true\"").await;
    let id = enabled.split(" id=\"").last().unwrap().split('"').next().unwrap().to_owned();
    (party, format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"))
}

#[tokio::test]
async fn a_resume_id_is_worth_nothing_to_another_and_tells_him_nothing() {
    let server = server(&[]).await;
    for link in Link::STREAMS {
        let (holder, resume) = managed(&server, *link).await;
        let unknown = "<resume xmlns='urn:xmpp:sm:3' previd='nobodys' h='0'/>";
        let mut answers = HashSet::new();
        for request in [resume.as_str(), unknown] {
            let mut thief = Party::logged_in(&server, *link, "1003").await;
            thief.say(request.as_bytes()).await;
            let answer = thief.until("</failed>").await;
            assert!(answer.contains("<item-not-found"), "{link:?}: {answer}");
            answers.insert(answer);
            let mut nobody = Party::connect(&server, *link).await;
            nobody.open().await;
            nobody.say(request.as_bytes()).await;
            let end = nobody.until_end().await;
            assert!(end.contains("<not-authorized"), "{link:?}: {end}");
        }
        assert_eq!(answers.len(), 1, "{link:?}: {answers:?}");
        let mut owner = Party::logged_in(&server, *link, "1001").await;
        owner.say(resume.as_bytes()).await;
        owner.until("<resumed").await;
        drop(holder);
    }
    server.stop().await;
}

#[tokio::test]
async fn of_two_that_resume_at_once_one_has_the_stream() {
    let server = server(&[]).await;
    for link in Link::STREAMS {
        for round in 0..6 {
            let (holder, resume) = managed(&server, *link).await;
            // Half of the time the connection is lost, which the server may know or not yet.
            let _holder = (round % 2 == 0).then_some(holder);
            let mut one = Party::logged_in(&server, *link, "1001").await;
            let mut other = Party::logged_in(&server, Link::Tcp, "1001").await;
            tokio::join!(one.say(resume.as_bytes()), other.say(resume.as_bytes()));
            let mut winners = 0;
            for party in [&mut one, &mut other] {
                let answer = party.until("urn:xmpp:sm:3").await;
                // The first may have the stream for a moment, until the second takes it.
                let is_its = answer.contains("<resumed")
                    && timeout(Duration::from_secs(2), party.until("<conflict")).await.is_err();
                winners += usize::from(is_its);
            }
            assert_eq!(winners, 1, "{link:?} in round {round}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stanza_beyond_the_bound_ends_the_session_and_is_not_resumed() {
    let server = server(&[]).await;
    let body = "x".repeat(aplomb_core::limits::STANZA_BYTES_MAX);
    let long = format!("<message xmlns='jabber:client'><body>{body}</body></message>");
    for link in [Link::WebSocket, Link::Tcp, Link::Tls] {
        let (mut party, resume) = managed(&server, link).await;
        party.say(long.as_bytes()).await;
        party.until_end().await;
        let mut again = Party::logged_in(&server, link, "1001").await;
        again.say(resume.as_bytes()).await;
        let answer = again.until("</failed>").await;
        assert!(answer.contains("<item-not-found"), "{link:?}: {answer}");
    }
    server.stop().await;
}

/// Publishes `#n#` to the node of 1001.
async fn publish(publisher: &mut Party, n: usize) {
    publisher
        .say(
            format!(
                "<iq xmlns='jabber:client' type='set' id='p{n}' to='pubsub.cc.test'><pubsub \
                 xmlns='http://jabber.org/protocol/pubsub'><publish node='{NODE}'>\
                 <item><n xmlns='x'>#{n}#</n></item></publish></pubsub></iq>"
            )
            .as_bytes(),
        )
        .await;
    let answer = publisher.until(&format!("id=\"p{n}\"")).await;
    assert!(!answer.contains("type=\"error\""), "{answer}");
}

#[tokio::test]
async fn more_unacknowledged_than_is_kept_is_said_and_offered_again() {
    let server = server(&[("mailbox-letters", "20")]).await;
    let mut publisher = Party::bound(&server, Link::Tcp, "publisher/desk").await;
    for link in Link::STREAMS {
        let (absent, resume) = managed(&server, *link).await;
        drop(absent);
        for n in 0..60 {
            publish(&mut publisher, n).await;
        }
        let mut back = Party::logged_in(&server, *link, "1001").await;
        back.say(resume.as_bytes()).await;
        let answer = back.until("</failed>").await;
        assert!(answer.contains("<item-not-found"), "{link:?}: {answer}");
        back.bind("managed").await;
        let all = format!("<items node='{NODE}' max_items='60'/>");
        back.say(&rows::of_pubsub("get", "", &all)).await;
        let items = back.until("</iq>").await;
        let numbers = numbers(&items);
        assert_eq!(numbers.len(), 60, "{link:?}: {items}");
    }
    server.stop().await;
}

/// The numbers between `#` in a text.
fn numbers(text: &str) -> Vec<usize> {
    text.split('#').filter_map(|part| part.parse().ok()).collect()
}

#[tokio::test]
async fn nobody_learns_of_a_node_that_is_not_his() {
    let server = server(&[]).await;
    for link in FEEDS {
        for (user, foreign, unknown) in [
            ("1001", "/finesse/api/User/1002", "/finesse/api/User/9999"),
            ("1001", "/finesse/api/Team/1/Users", "/finesse/api/Team/9/Users"),
            ("sup2", "/finesse/api/User/1001", "/finesse/api/User/9999"),
            // One that may be read does not carry one along that may not.
            ("1001", &format!("{NODE}&node=/finesse/api/User/1002"), "/finesse/api/User/9999"),
        ] {
            let (status, told) = ask_feed(&server, link, user, foreign).await;
            let (same_status, same) = ask_feed(&server, link, user, unknown).await;
            assert_eq!((status, same_status), (404, 404), "{link:?} {user} {foreign}");
            let foreign = foreign.rsplit('=').next().unwrap();
            assert_eq!(told, same.replace(unknown, foreign), "{link:?}");
        }
        let many: String = (0..=FEED_NODES_MAX).map(|n| format!("&node={n}")).collect();
        assert_eq!(ask_feed(&server, link, "1001", &many).await.0, 400, "{link:?}");
        let long = "n".repeat(1024);
        assert!(ask_feed(&server, link, "1001", &long).await.0 >= 400, "{link:?}");
    }
    let wait = FEED_WAIT_SECS_MAX + 1;
    let query = format!("{NODE}&wait={wait}");
    assert_eq!(ask_feed(&server, Link::FeedSocket, "1001", &query).await.0, 400);
    server.stop().await;
}

/// Names that look like those of others, or like nothing. Each is refused, or is the same as
/// written: never somebody else.
#[tokio::test]
async fn a_name_has_one_form_on_every_link() {
    let server = server(&[("logins-per-second-per-address", "1000000")]).await;
    let long = "1001".repeat(300);
    for (name, whose) in [
        ("sup1", "sup1"),
        // One case, one width, nothing that is not seen (RFC 3454, RFC 3491): at every door alike.
        ("SUP1", "sup1"),
        ("sup\u{FF11}", "sup1"),
        ("\u{24D0}dmin", "admin"),
        ("\u{17F}up1", "sup1"),
        ("1001\u{200B}", "1001"),
        // What only looks alike is nobody.
        ("s\u{1D1C}p1", NOBODY),
        ("\u{455}up1", NOBODY),
        ("1001.", NOBODY),
        ("1001@cc.test.", NOBODY),
        ("\u{202E}1001", NOBODY),
        ("xn--1001", NOBODY),
        ("1001\u{0}", NOBODY),
        ("", NOBODY),
        (long.as_str(), NOBODY),
    ] {
        let mut outcomes = Vec::new();
        for link in Link::STREAMS {
            let mut party = Party::connect(&server, *link).await;
            party.open().await;
            party.say(plain(name).as_bytes()).await;
            let answer = party.until("urn:ietf:params:xml:ns:xmpp-sasl\"").await;
            let is_let_in = answer.contains("<success");
            if is_let_in {
                party.open().await;
                party.say(rows::BIND.as_bytes()).await;
                let bound = party.until("</jid>").await;
                assert!(
                    bound.contains(&format!(">{whose}@cc.test/")),
                    "{link:?} {name:?}: {bound}"
                );
            }
            outcomes.push((*link, is_let_in));
        }
        for link in FEEDS {
            let status = ask_feed(&server, link, name, "/finesse/api/User/sup1").await.0;
            assert!([101, 200, 401, 404].contains(&status), "{link:?} {name:?}: {status}");
            outcomes.push((link, status != 401));
        }
        let is_one = outcomes.iter().all(|(_, outcome)| *outcome == (whose != NOBODY));
        assert!(is_one, "{name:?}: {outcomes:?}");
    }
    server.stop().await;
}

/// Who is not let in.
const NOBODY: &str = "";

async fn office(data: &Path, request: Request) {
    let config = Config::of(&[("data-dir", data.to_str().unwrap())]).unwrap();
    let done = tokio::task::spawn_blocking(move || control::ask(&config, &request)).await.unwrap();
    assert!(matches!(done.unwrap(), Reply::Done(_)));
}

/// What makes `sup1` the supervisor of these teams.
fn supervisor(teams: &[&str]) -> Request {
    let person = Person {
        id: "sup1".to_owned(),
        roles: vec![RoleName::Supervisor],
        supervises: teams.iter().map(|team| (*team).to_owned()).collect(),
        ..Person::default()
    };
    let fields = ["id", "roles", "supervises"].map(str::to_owned).to_vec();
    Request::ImportUsers { people: vec![(person, NewPassword::Keep)], fields }
}

#[tokio::test]
async fn nothing_comes_after_a_right_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = server(&[("data-dir", data.to_str().unwrap())]).await;
    let mut publisher = Party::bound(&server, Link::Tcp, "publisher/desk").await;
    let mut subscribers = Vec::new();
    for link in Link::STREAMS {
        let resource = format!("{link:?}");
        let mut party = Party::bound(&server, *link, &format!("sup1/{resource}")).await;
        let verb = format!("<subscribe node='{NODE}' jid='sup1@cc.test/{resource}'/>");
        party.say(&rows::of_pubsub("set", "", &verb)).await;
        party.until("subscription=\"subscribed\"").await;
        subscribers.push(party);
    }
    publish(&mut publisher, 1).await;
    for party in &mut subscribers {
        party.until("#1#").await;
    }
    office(&data, supervisor(&["2"])).await;
    publish(&mut publisher, 2).await;
    for party in &mut subscribers {
        let heard = party.ping("then").await;
        assert!(!heard.contains("#2#"), "{:?}: {heard}", party.link);
    }
    for link in FEEDS {
        assert_eq!(ask_feed(&server, link, "sup1", NODE).await.0, 404, "{link:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_link_tells_one_order_of_what_many_publish_at_once() {
    const PUBLISHERS: usize = 8;
    const EACH: usize = 25;
    let server = server(&[]).await;
    let mut subscribers = Vec::new();
    for link in Link::STREAMS {
        subscribers.push(Party::bound(&server, *link, &format!("1001/{link:?}")).await);
    }
    let mut socket = Party::connect(&server, Link::FeedSocket).await;
    let mut sse = Party::connect(&server, Link::Sse).await;
    let get = |path: &str, more: &str| {
        let basic = basic("1001");
        format!("GET {path}?node={NODE}{more} HTTP/1.0\r\nHost: cc.test\r\n{basic}\r\n\r\n")
    };
    sse.raw(get("/feeds/sse", "").as_bytes()).await;
    sse.until("\nid: ").await;
    let start = socket.until("\",").await;
    let cursor = start.split('"').nth(3).unwrap().to_owned();
    let mut publishers = Vec::new();
    for at in 0..PUBLISHERS {
        publishers.push(Party::bound(&server, Link::Tcp, &format!("publisher/{at}")).await);
    }
    let publishing = publishers.iter_mut().enumerate().map(|(at, publisher)| async move {
        for n in 0..EACH {
            publish(publisher, at * EACH + n).await;
        }
    });
    futures_all(publishing.collect()).await;
    subscribers.extend([socket, sse]);
    let mut orders = Vec::new();
    for party in &mut subscribers {
        let mut order = Vec::new();
        while order.len() < PUBLISHERS * EACH {
            let text = party.until("</n>").await;
            order.extend(numbers(&text));
        }
        orders.push((party.link, order));
    }
    for link in [Link::Poll, Link::LongPoll] {
        let mut poll = Party::connect(&server, link).await;
        poll.raw(get(link.path(), &format!("&cursor={cursor}")).as_bytes()).await;
        orders.push((link, numbers(&poll.until_end().await)));
    }
    for (link, order) in &orders {
        assert_eq!(order, &orders[0].1, "{link:?}");
    }
    server.stop().await;
}

/// Waits for all of them at once.
async fn futures_all(mut all: Vec<impl Future<Output = ()>>) {
    let mut all: Vec<_> = all.drain(..).map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        all.retain_mut(|one| one.as_mut().poll(cx).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
