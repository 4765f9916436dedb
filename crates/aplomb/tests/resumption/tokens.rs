//! Login, address and lost stream in one step, by password and by token (XEP-0388, 0386, 0484).

use std::path::Path;

use aplomb::config::Config;
use aplomb::control;
use aplomb::office::{NewPassword, Password, Person, Reply, Request};
use aplomb::serve::Running;
use aplomb_core::sasl::Hash;
use aplomb_core::sasl::announced::{Announced, Flag};
use aplomb_core::sasl::binding::Bindings;
use aplomb_core::sasl::fast;
use aplomb_core::sasl::scram::ClientExchange;
use aplomb_core::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::client::{Carrier, Client, Gone, Resumption, attribute, soon};
use crate::{PASSWORD, at, server};

const AGENT: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";

/// What a desktop keeps from one connection for the next.
#[derive(Debug, Clone)]
struct Kept {
    jid: String,
    /// By which the stream is resumed.
    id: String,
    token: Secret<String>,
}

/// The name of a child of an answer, and its attribute.
fn inner(answer: &str, child: &str, name: &str) -> Option<String> {
    let from = answer.find(&format!("<{child}"))?;
    attribute(&answer[from..], name)
}

fn text_of(answer: &str, child: &str) -> Option<String> {
    Some(answer.split(&format!("<{child}>")).nth(1)?.split('<').next()?.to_owned())
}

fn by_password(user: &str, wants: &str) -> String {
    let first = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
    format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
         <initial-response>{first}</initial-response><user-agent id='{AGENT}'/>{wants}\
         </authenticate>"
    )
}

fn by_token(user: &str, agent: &str, token: &Secret<String>, count: u32, wants: &str) -> String {
    let first = STANDARD.encode(fast::initiator_message(user, token, b"").expose());
    format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'>\
         <initial-response>{first}</initial-response><user-agent id='{agent}'/>{wants}\
         <fast xmlns='urn:xmpp:fast:0' count='{count}'/></authenticate>"
    )
}

const BIND: &str = "<bind xmlns='urn:xmpp:bind:0'><tag>desk</tag>\
                    <enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>";
const REQUEST: &str = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>";

async fn connect(server: &Running, carrier: Carrier) -> Client {
    Client::connect(carrier, at(server, carrier)).await.unwrap()
}

/// Logs 1001 in by password with all that comes with it.
async fn first_time(server: &Running, carrier: Carrier) -> (Client, Kept) {
    let mut desk = connect(server, carrier).await;
    let features = desk.open_stream().await.unwrap();
    assert!(features.contains("urn:xmpp:sasl:2"), "{features}");
    desk.say(&by_password("1001", &format!("{BIND}{REQUEST}"))).await;
    let success = desk.hear().await.unwrap();
    assert_eq!(desk.trips(), 2, "one for the header, one for all the rest");
    let kept = Kept {
        jid: text_of(&success, "authorization-identifier").unwrap(),
        id: inner(&success, "enabled", "id").unwrap(),
        token: Secret::new(inner(&success, "token", "token").unwrap()),
    };
    assert!(desk.hear().await.unwrap().starts_with("<stream:features"));
    desk.say("<presence xmlns='jabber:client'/>").await;
    desk.until("from=\"finesse@cc.test").await.unwrap();
    (desk, kept)
}

fn resume(id: &str, handled: u32) -> String {
    format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='{handled}'/>{BIND}")
}

#[tokio::test]
async fn a_desktop_is_back_with_its_stream_in_one_round_trip() {
    for carrier in Carrier::ALL {
        let server = server(&[]).await;
        let mut publisher = connect_publisher(&server).await;
        let (desk, kept) = first_time(&server, carrier).await;
        assert!(kept.jid.starts_with("1001@cc.test/desk/"), "{}", kept.jid);
        drop(desk);
        publisher.publish(1).await;
        let mut desk = connect(&server, carrier).await;
        let back = by_token("1001", AGENT, &kept.token, 1, &resume(&kept.id, 1));
        // Who knows what the server offers need not wait to be told.
        let trips = if carrier == Carrier::Bosh {
            desk.open_stream().await.unwrap();
            2
        } else {
            desk.say_open().await;
            1
        };
        desk.say(&back).await;
        let success = desk.until("<success").await.unwrap();
        assert_eq!(desk.trips(), trips, "{carrier:?}");
        assert!(success.contains("<resumed "), "{success}");
        assert_eq!(text_of(&success, "authorization-identifier"), Some(kept.jid.clone()));
        let proof = STANDARD.encode(fast::responder_message(&kept.token, b""));
        assert_eq!(text_of(&success, "additional-data"), Some(proof), "the server knows it too");
        assert!(desk.hear().await.unwrap().starts_with("<stream:features"));
        assert_eq!(desk.numbers(1).await, [1], "{carrier:?}");
        assert_eq!(server.sessions(), 2);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_desktop_whose_stream_is_gone_gets_its_address_again() {
    let server = server(&[]).await;
    let (mut old, kept) = first_time(&server, Carrier::WebSocket).await;
    for (count, carrier) in (1..).zip(Carrier::ALL) {
        let mut desk = connect(&server, carrier).await;
        desk.open_stream().await.unwrap();
        let wants = resume("another", 0);
        desk.say(&by_token("1001", AGENT, &kept.token, count, &wants)).await;
        let success = desk.hear().await.unwrap();
        assert!(success.contains("<bound ") && success.contains("<enabled "), "{success}");
        assert!(success.contains("<item-not-found "), "{success}");
        assert_eq!(text_of(&success, "authorization-identifier"), Some(kept.jid.clone()));
        // The one before it had the same address.
        assert!(old.until("<stream:error").await.unwrap().contains("<conflict "));
        old = desk;
    }
    assert_eq!(server.sessions(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_token_is_refused_to_others_and_a_second_time() {
    let server = server(&[]).await;
    let (desk, kept) = first_time(&server, Carrier::WebSocket).await;
    drop(desk);
    let mut guess = connect(&server, Carrier::Tcp).await;
    guess.open_stream().await.unwrap();
    let other = "00000000-0000-4000-8000-000000000000";
    let wrong = Secret::new("wrong".to_owned());
    for refused in [
        by_token("1002", AGENT, &kept.token, 1, ""),
        by_token("nobody", AGENT, &kept.token, 1, ""),
        by_token("1001", other, &kept.token, 1, ""),
        by_token("1001", AGENT, &wrong, 1, ""),
    ] {
        guess.say(&refused).await;
        let answer = guess.hear().await.unwrap();
        assert!(answer.starts_with("<failure ") && answer.contains("<not-authorized "), "{answer}");
    }
    let first = by_token("1001", AGENT, &kept.token, 5, "");
    guess.say(&first).await;
    assert!(guess.hear().await.unwrap().starts_with("<success "));
    for count in [5, 4, 0] {
        let mut replay = connect(&server, Carrier::Tcp).await;
        replay.open_stream().await.unwrap();
        replay.say(&by_token("1001", AGENT, &kept.token, count, "")).await;
        assert!(replay.hear().await.unwrap().contains("<not-authorized "), "{count}");
    }
    server.stop().await;
}

#[tokio::test]
async fn who_gives_a_token_back_gets_no_other() {
    let server = server(&[]).await;
    let (desk, kept) = first_time(&server, Carrier::WebSocket).await;
    drop(desk);
    let mut desk = connect(&server, Carrier::Tcp).await;
    desk.open_stream().await.unwrap();
    let last = by_token("1001", AGENT, &kept.token, 1, REQUEST);
    desk.say(&last.replace("<fast ", "<fast invalidate='true' ")).await;
    let success = desk.hear().await.unwrap();
    assert!(success.starts_with("<success ") && !success.contains("<token "), "{success}");
    server.stop().await;
}

async fn office(data: &Path, request: Request) {
    let config = Config::of(&[("data-dir", data.to_str().unwrap())]).unwrap();
    let done = tokio::task::spawn_blocking(move || control::ask(&config, &request)).await.unwrap();
    let done = done.unwrap();
    assert!(matches!(done, Reply::Done(_)), "{done:?}");
}

fn password(text: &str) -> NewPassword {
    NewPassword::Is(Password(Secret::new(text.to_owned())))
}

fn person(id: &str, login_name: &str) -> Person {
    Person { id: id.to_owned(), login_name: login_name.to_owned(), ..Person::default() }
}

/// Tries to get an address in the words of RFC 6120; the answer.
async fn try_bind(desk: &mut Client) -> String {
    desk.say(
        "<iq xmlns='jabber:client' type='set' id='b'>\
         <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    )
    .await;
    desk.until("id=\"b\"").await.unwrap()
}

#[tokio::test]
async fn what_was_proved_before_a_change_brings_no_address_and_no_stream() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&[("data-dir", data.path().to_str().unwrap())]).await;
    let at = at(&server, Carrier::Tcp);
    office(
        data.path(),
        Request::AddUser { person: person("2001", "rose"), password: password(PASSWORD) },
    )
    .await;
    let (desk, kept) = first_time(&server, Carrier::WebSocket).await;
    let mut others = Vec::new();
    for user in ["1001", "1002", "1003", "rose"] {
        others.push(Client::log_in(Carrier::Tcp, at, user).await.unwrap());
    }
    let user = "1001".to_owned();
    office(data.path(), Request::SetPassword { user, password: password("another") }).await;
    office(data.path(), Request::RemoveUser { user: "1002".to_owned() }).await;
    let fields = ["id", "login_name"].map(str::to_owned).to_vec();
    let people = vec![
        (person("2001", "dahlia"), NewPassword::Keep),
        (person("1004", "rose"), NewPassword::Keep),
    ];
    office(data.path(), Request::ImportUsers { people, fields }).await;
    drop(desk);
    assert!(others[0].resume(&kept.id, 0).await.is_ok_and(|r| matches!(r, Resumption::Failed(_))));
    let mut answers = Vec::new();
    for desk in &mut others {
        answers.push(try_bind(desk).await);
    }
    let [changed, removed, same, renamed] = answers.as_slice() else { unreachable!("of four") };
    for refused in [changed, removed] {
        assert!(refused.contains("<not-authorized "), "{refused}");
    }
    assert!(same.contains(">1003@cc.test/") && renamed.contains(">2001@cc.test/"), "{renamed}");
    server.stop().await;
}

#[tokio::test]
async fn an_exchange_under_way_proves_the_old_password_and_the_old_name() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&[("data-dir", data.path().to_str().unwrap())]).await;
    let new = Request::AddUser { person: person("2001", "rose"), password: password(PASSWORD) };
    office(data.path(), new).await;
    let fields = ["id", "login_name"].map(str::to_owned).to_vec();
    let people = vec![
        (person("2001", "dahlia"), NewPassword::Keep),
        (person("1004", "rose"), NewPassword::Keep),
    ];
    let renamed = Request::ImportUsers { people, fields };
    let user = "1001".to_owned();
    let changed = Request::SetPassword { user, password: password("another") };
    for (name, change, bound) in
        [("rose", renamed, Some("2001@cc.test/desk/")), ("1001", changed, None)]
    {
        let mut desk = connect(&server, Carrier::Tcp).await;
        desk.open_stream().await.unwrap();
        let how = (Hash::Sha256, Flag::Unable { is_odd: false });
        let (exchange, first) = ClientExchange::start(name, "abc", how, &Bindings::default());
        let begin = by_password(name, BIND).replace("PLAIN", "SCRAM-SHA-256");
        let plain = STANDARD.encode(format!("\0{name}\0{PASSWORD}"));
        desk.say(&begin.replace(&plain, &STANDARD.encode(first))).await;
        let challenge = text_of_element(&desk.until("<challenge").await.unwrap());
        office(data.path(), change).await;
        let password = Secret::new(PASSWORD.to_owned());
        let answer = exchange.answer(&challenge, &password, &Announced::default());
        let last = STANDARD.encode(answer.unwrap().1);
        desk.say(&format!("<response xmlns='urn:xmpp:sasl:2'>{last}</response>")).await;
        let success = desk.until("<success").await.unwrap();
        assert_eq!(success.contains("<bound "), bound.is_some(), "{success}");
        let identifier = text_of(&success, "authorization-identifier").unwrap();
        assert!(identifier.starts_with(bound.unwrap_or("1001@cc.test")), "{identifier}");
        assert!(bound.is_some() || try_bind(&mut desk).await.contains("<not-authorized "));
    }
    server.stop().await;
}

/// What an element of text carries, base64 taken off.
fn text_of_element(element: &str) -> Vec<u8> {
    let text = element.split('>').nth(1).and_then(|rest| rest.split('<').next());
    STANDARD.decode(text.unwrap()).unwrap()
}

#[tokio::test]
async fn of_two_that_resume_with_their_login_one_has_the_stream() {
    let server = server(&[]).await;
    let mut publisher = connect_publisher(&server).await;
    for round in 1..=20 {
        let (holder, kept) = first_time(&server, Carrier::WebSocket).await;
        publisher.publish(round).await;
        let holder = (round % 2 == 0).then_some(holder);
        let mut racers = Vec::new();
        for carrier in [Carrier::Tcp, Carrier::WebSocket] {
            let mut racer = connect(&server, carrier).await;
            racer.open_stream().await.unwrap();
            racers.push(racer);
        }
        let wants = format!("<resume xmlns='urn:xmpp:sm:3' previd='{}' h='1'/>", kept.id);
        let wish = by_password("1001", &wants);
        let [one, other] = racers.as_mut_slice() else { unreachable!("there are two") };
        let race = async |racer: &mut Client| {
            racer.say(&wish).await;
            racer.until("<success").await.unwrap().contains("<resumed ")
        };
        let outcomes = <[bool; 2]>::from(tokio::join!(race(one), race(other)));
        publisher.publish(1_000 + round).await;
        let mut winners = 0;
        for (mut racer, is_resumed) in racers.into_iter().zip(outcomes) {
            winners += u32::from(is_resumed && keeps(&mut racer, round).await);
        }
        assert_eq!(winners, 1, "round {round}: {outcomes:?}");
        drop(holder);
    }
    server.stop().await;
}

/// Whether it hears the stream to its end, and was not told that another has it.
async fn keeps(racer: &mut Client, round: u32) -> bool {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&(1_000 + round)) {
        match soon("event", racer.hear()).await {
            Ok(text) if text.starts_with("<stream:error") => return false,
            Ok(text) => numbers.extend(crate::events::number(&text)),
            Err(Gone) => return false,
        }
    }
    assert_eq!(numbers, [round, 1_000 + round]);
    true
}

#[tokio::test]
async fn the_features_say_what_the_site_wants_said() {
    for (settings, is_offered) in [
        (&[][..], true),
        (&[("sasl2", "off")][..], false),
        (&[("plain-without-tls", "false")][..], false),
    ] {
        let server = server(settings).await;
        for carrier in Carrier::ALL {
            let mut desk = connect(&server, carrier).await;
            let features = desk.open_stream().await.unwrap();
            assert_eq!(features.contains("urn:xmpp:sasl:2"), is_offered, "{settings:?}");
            desk.say(&by_password("1001", BIND)).await;
            let answer = desk.hear().await;
            let is_in = answer.as_ref().is_ok_and(|answer| answer.starts_with("<success "));
            assert_eq!(is_in, is_offered, "{settings:?}: {answer:?}");
        }
        server.stop().await;
    }
}

async fn connect_publisher(server: &Running) -> Client {
    let carrier = Carrier::WebSocket;
    let mut publisher = Client::log_in(carrier, at(server, carrier), "publisher").await.unwrap();
    publisher.bind("bridge").await.unwrap();
    publisher
}
