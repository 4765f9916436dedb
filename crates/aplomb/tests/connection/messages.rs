//! Messages from one person to another, and their copies, over the wire.
//!
//! 1001, 1003 and their supervisor sup1 are one team; 1002 and 1004 another.

use std::collections::HashMap;

use aplomb::serve::Running;
use tokio::net::TcpStream;

use crate::desk::{Desk, Heard, clear, server, soon};

/// Plays a scene. A line that begins with `<` or `…` goes on with the one before.
///
/// - `ada = 1001/desk` logs in.
/// - `ada says …` sends one element; `$ada` in it stands for the id of ada's managed stream.
/// - `ada hears …` waits for the next message, in which the parts between `…` must come in this
///   order; without a `…` in front, for whatever has that in it. `ada hears nothing`: no message.
/// - `ada is spared X` until a ping is answered; `ada looks and hears X`: she is active again, and
///   one presence comes before the answer to a ping; `ada publishes an event` and hears it.
/// - `ada drops` loses her connection, `ada returns 1001` logs in without a bind, `ada leaves`
///   closes her stream, and `gone 2` waits until so many sessions are left.
async fn check(settings: &[(&str, &str)], scene: &str) {
    let server = server(settings).await;
    let mut stage = Stage { server, desks: HashMap::new(), ids: HashMap::new(), pings: 0 };
    let mut lines: Vec<String> = Vec::new();
    for line in scene.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match lines.last_mut().filter(|_| line.starts_with(['<', '…'])) {
            Some(before) => before.push_str(line),
            None => lines.push(line.to_owned()),
        }
    }
    for line in &lines {
        stage.play(line).await;
    }
    stage.server.stop().await;
}

struct Stage {
    server: Running,
    desks: HashMap<String, Desk>,
    /// The ids of managed streams.
    ids: HashMap<String, String>,
    pings: usize,
}

impl Stage {
    async fn play(&mut self, line: &str) {
        let (name, rest) = line.split_once(' ').unwrap();
        let (verb, what) = rest.split_once(' ').unwrap_or((rest, ""));
        match (name, verb) {
            ("gone", count) => self.until_sessions(count.parse().unwrap()).await,
            (_, "=") => {
                let (user, resource) = what.split_once('/').unwrap();
                let desk = Desk::login(clear(&self.server), user, resource).await;
                self.desks.insert(name.to_owned(), desk);
            }
            (_, "returns") => {
                let mut desk = Desk::open(clear(&self.server)).await;
                desk.authenticate(what).await;
                self.desks.insert(name.to_owned(), desk);
            }
            (_, "says") => self.say(name, what).await,
            (_, "hears") if what == "nothing" => {
                let heard = self.before_pong(name).await;
                assert!(!heard.contains("<message"), "{line}: {heard}");
            }
            (_, "hears") => {
                let heard = match what.strip_prefix('…') {
                    Some(_) => self.desk(name).until("<message").await,
                    None => self.desk(name).until(&what.replace('\'', "\"")).await,
                };
                assert!(has_in_order(&heard, what), "{line}\n{heard}");
            }
            (_, "is") => {
                let heard = self.before_pong(name).await;
                let spared = what.strip_prefix("spared ").unwrap();
                assert!(!heard.contains(spared), "{line}: {heard}");
            }
            (_, "looks") => {
                self.desk(name).say("<active xmlns='urn:xmpp:csi:0'/>").await;
                let heard = self.before_pong(name).await;
                let wanted = what.strip_prefix("and hears ").unwrap();
                assert!(heard.contains(wanted), "{line}: {heard}");
                assert_eq!(heard.matches("<presence").count(), 1, "{line}: {heard}");
            }
            (_, "publishes") => {
                crate::sessions::put_state(clear(&self.server), "1001", "LOGIN").await;
                self.desk(name).until("NOT_READY").await;
            }
            (_, "drops") => drop(self.desks.remove(name)),
            (_, "leaves") => {
                let mut desk = self.desks.remove(name).unwrap();
                desk.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").await;
                desk.until_end().await;
            }
            _ => panic!("no such line: {line}"),
        }
    }

    async fn say(&mut self, name: &str, what: &str) {
        let ids = self.ids.iter();
        let what = ids.fold(what.to_owned(), |what, (of, id)| what.replace(&format!("${of}"), id));
        self.desk(name).say(&what).await;
        if what.starts_with("<enable ") {
            let enabled = self.desk(name).until("<enabled").await;
            let id = enabled.split(" id=\"").nth(1).unwrap().split('"').next().unwrap();
            self.ids.insert(name.to_owned(), id.to_owned());
        }
    }

    fn desk(&mut self, name: &str) -> &mut Desk<TcpStream> {
        self.desks.get_mut(name).unwrap_or_else(|| panic!("nobody is {name}"))
    }

    /// All that comes before the answer to a ping.
    async fn before_pong(&mut self, name: &str) -> String {
        self.pings += 1;
        let id = format!("pong-{}", self.pings);
        let desk = self.desk(name);
        desk.say(&format!(
            "<iq xmlns='jabber:client' type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>"
        ))
        .await;
        let mut all = String::new();
        loop {
            match desk.hear().await {
                Heard::Text(text) if text.contains(&id) => return all,
                Heard::Text(text) => all.push_str(&text),
                Heard::Ping | Heard::Pong(_) => {}
                Heard::Close(_) | Heard::End => panic!("{name} was sent away"),
            }
        }
    }

    async fn until_sessions(&self, count: usize) {
        soon(&format!("{count} sessions"), async {
            while self.server.sessions() != count {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

fn has_in_order(text: &str, pattern: &str) -> bool {
    let text = text.replace('"', "'");
    let mut rest = text.as_str();
    pattern.split('…').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[tokio::test]
async fn people_of_one_team_talk_and_of_others_nobody_learns_anything() {
    check(
        &[],
        "
        ada = 1001/desk
        bob = 1003/desk
        boss = sup1/desk
        eve = 1002/desk
        ada says <message to='1003@cc.test' id='m1' type='chat' xml:lang='de'><body>hallo</body>
            <thread>t</thread></message>
        bob hears …
            <message …type='chat' xml:lang='de' id='m1' from='1001@cc.test/desk' to='1003@cc.test'>
            <body>hallo</body><thread>t</thread></message>
        bob says <message to='1001@cc.test/desk' id='m2' from='1003@cc.test/desk'>
            <subject>s</subject></message>
        ada hears …id='m2' from='1003@cc.test/desk' to='1001@cc.test/desk'><subject>s</subject>
        boss says <message to='1001@cc.test' id='m3' type='headline'><body>meet</body></message>
        ada hears …type='headline' id='m3' from='sup1@cc.test/desk'
        eve says <message to='1001@cc.test' id='e1' type='chat'><body>psst</body></message>
        eve hears …type='error' id='e1' from='1001@cc.test' to='1002@cc.test/desk'>
            <body>psst</body><error code='503' type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        eve says <message to='nobody@cc.test' id='e1' type='chat'><body>psst</body></message>
        eve hears …type='error' id='e1' from='nobody@cc.test' to='1002@cc.test/desk'>
            <body>psst</body><error code='503' type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
        ada hears nothing
        ",
    )
    .await;
}

#[tokio::test]
async fn who_is_absent_gets_nothing_and_the_sender_knows_it() {
    check(
        &[],
        "
        ada = 1001/desk
        ada says <message to='1003@cc.test' id='m1' type='chat'><body>hi</body></message>
        ada hears …type='error' id='m1' …<body>hi</body>…<service-unavailable
        bob = 1003/desk
        ada says <message to='1003@cc.test/other' id='m2' type='chat'><body>hi</body></message>
        bob hears …id='m2' …to='1003@cc.test/other'
        ada says <message to='1003@cc.test/other' id='m3'><body>hi</body></message>
        ada hears …type='error' id='m3' …<service-unavailable
        bob says <presence><priority>-1</priority></presence>
        bob hears nothing
        ada says <message to='1003@cc.test' id='m4' type='chat'><body>hi</body></message>
        ada hears …type='error' id='m4' …<service-unavailable
        ada says <message to='1003@cc.test/desk' id='m5' type='chat'><body>hi</body></message>
        bob hears …id='m5'
        bob leaves
        gone 1
        ada says <message to='1003@cc.test/desk' id='m6' type='chat'><body>hi</body></message>
        ada hears …type='error' id='m6' …<service-unavailable
        ",
    )
    .await;
}

#[tokio::test]
async fn a_lost_session_takes_its_messages_along_and_gives_back_what_it_could_not_deliver() {
    check(
        &[("resume-within", "1s")],
        "
        ada = 1001/desk
        bob = 1003/desk
        bob says <enable xmlns='urn:xmpp:sm:3' resume='true'/>
        ada says <message to='1003@cc.test/desk' id='m1' type='chat'><body>one</body></message>
        bob hears …id='m1'
        bob drops
        ada says <message to='1003@cc.test/desk' id='m2' type='chat'><body>two</body></message>
        ada hears nothing
        bob returns 1003
        bob says <resume xmlns='urn:xmpp:sm:3' previd='$bob' h='0'/>
        bob hears …id='m1' …<body>one</body>
        bob hears …id='m2' …<body>two</body>
        bob says <a xmlns='urn:xmpp:sm:3' h='1'/>
        bob hears nothing
        bob drops
        gone 1
        ada hears …type='error' id='m2' …<service-unavailable
        ada hears nothing
        ",
    )
    .await;
}

#[tokio::test]
async fn what_a_lost_session_leaves_behind_goes_to_another_of_the_same_person() {
    check(
        &[("resume-within", "1s")],
        "
        ada = 1001/desk
        bob = 1003/desk
        bob says <enable xmlns='urn:xmpp:sm:3' resume='true'/>
        bob drops
        ada says <message to='1003@cc.test/desk' id='m1' type='chat'><body>one</body></message>
        ada says <message to='1003@cc.test/desk' id='m2'><body>two</body></message>
        phone = 1003/phone
        ada says <message to='1003@cc.test' id='m3' type='chat'><body>both</body></message>
        phone hears …id='m3'
        gone 2
        phone hears …id='m1' …to='1003@cc.test/desk'
        ada hears …type='error' id='m2' …<service-unavailable
        phone hears nothing
        ada hears nothing
        ",
    )
    .await;
}

#[tokio::test]
async fn a_flood_of_messages_is_refused_and_takes_no_event_its_place() {
    let settings = [("mailbox-letters", "8"), ("mailbox-bytes", "64KiB")];
    let server = server(&settings).await;
    let at = clear(&server);
    let mut ada = Desk::login(at, "1001", "desk").await;
    let mut bob = Desk::login(at, "1003", "desk").await;
    bob.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await;
    let enabled = bob.until("<enabled").await;
    let id = enabled.split(" id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    drop(bob);
    let body = "x".repeat(2000);
    for at in 0..90 {
        ada.say(&format!(
            "<message xmlns='jabber:client' to='1003@cc.test/desk' id='m{at}' type='chat'>\
             <body>{body}</body></message>"
        ))
        .await;
    }
    let refused = ada.until("resource-constraint").await;
    assert!(refused.contains("id=\"m64\"") && refused.contains("type=\"wait\""), "{refused}");
    for state in ["LOGIN", "READY", "NOT_READY"] {
        crate::sessions::put_state(at, "1003", state).await;
    }
    let mut bob = Desk::open(at).await;
    bob.authenticate("1003").await;
    bob.say(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>")).await;
    bob.until("<resumed").await;
    for at in 0..64 {
        bob.until(&format!("id=\"m{at}\"")).await;
    }
    for state in ["NOT_READY", "READY", "NOT_READY"] {
        bob.until(&format!("&lt;state&gt;{state}&lt;/state")).await;
    }
    // What he has taken makes room again.
    bob.say("<r xmlns='urn:xmpp:sm:3'/>").await;
    bob.say("<a xmlns='urn:xmpp:sm:3' h='64'/>").await;
    bob.say("<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    bob.until("id=\"p\"").await;
    let more = "<message xmlns='jabber:client' to='1003@cc.test/desk' id='more'><body/></message>";
    ada.say(more).await;
    bob.until("id=\"more\"").await;
    server.stop().await;
}

#[tokio::test]
async fn carbons_show_both_sides_to_those_who_want_them_and_to_nobody_else() {
    check(
        &[],
        "
        ada = 1001/desk
        phone = 1001/phone
        deaf = 1001/deaf
        bob = 1003/desk
        tablet = 1003/tablet
        phone says <iq type='set' id='c' xmlns='jabber:client'>
            <enable xmlns='urn:xmpp:carbons:2'/></iq>
        phone hears type='result'
        tablet says <iq type='set' id='c' xmlns='jabber:client'>
            <enable xmlns='urn:xmpp:carbons:2'/></iq>
        tablet hears type='result'
        ada says <message to='1003@cc.test/desk' id='m1' type='chat'><body>hi</body></message>
        bob hears …<message …id='m1' from='1001@cc.test/desk' to='1003@cc.test/desk'><body>hi
        phone hears …<message …from='1001@cc.test' to='1001@cc.test/phone' type='chat'>
            <sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>
            <message …id='m1' …<body>hi
        tablet hears …<message …from='1003@cc.test' to='1003@cc.test/tablet' type='chat'>
            <received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>
            <message …id='m1' …<body>hi
        deaf hears nothing
        ada hears nothing
        bob hears nothing
        ada says <message to='1003@cc.test' id='m2' type='chat'><body>all</body></message>
        bob hears …id='m2'
        tablet hears …<message …id='m2' from='1001@cc.test/desk' to='1003@cc.test'><body>all
        tablet hears nothing
        phone hears …<sent …id='m2'
        ada says <message to='1003@cc.test/desk' id='m3' type='chat'><body>x</body>
            <private xmlns='urn:xmpp:carbons:2'/></message>
        bob hears …id='m3' …<body>x</body></message>
        ada says <message to='1003@cc.test/desk' id='m4' type='chat'><body>x</body>
            <no-copy xmlns='urn:xmpp:hints'/></message>
        bob hears …id='m4'
        ada says <message to='1003@cc.test/nowhere' id='m5'><body>x</body></message>
        ada hears …type='error' id='m5'
        phone hears nothing
        tablet hears nothing
        tablet says <iq type='set' id='d' xmlns='jabber:client'>
            <disable xmlns='urn:xmpp:carbons:2'/></iq>
        tablet hears type='result'
        ada says <message to='1003@cc.test/desk' id='m6' type='chat'><body>x</body></message>
        bob hears …id='m6'
        phone hears …<sent …id='m6'
        tablet hears nothing
        bob says <message to='1001@cc.test/desk' id='f' type='chat'>
            <received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>
            <message xmlns='jabber:client' from='sup1@cc.test' to='1001@cc.test'>
            <body>forged</body></message></forwarded></received></message>
        ada hears …<message …from='1003@cc.test/desk' to='1001@cc.test/desk'><received
        phone hears …<received …from='1003@cc.test/desk' to='1001@cc.test/desk'><received
        ",
    )
    .await;
}

#[tokio::test]
async fn carbons_outlive_a_lost_connection_and_end_with_the_session() {
    check(
        &[],
        "
        ada = 1001/desk
        phone = 1001/phone
        bob = 1003/desk
        phone says <iq type='set' id='c' xmlns='jabber:client'>
            <enable xmlns='urn:xmpp:carbons:2'/></iq>
        phone hears type='result'
        phone says <enable xmlns='urn:xmpp:sm:3' resume='true'/>
        phone drops
        ada says <message to='1003@cc.test' id='m1' type='chat'><body>hi</body></message>
        bob hears …id='m1'
        phone returns 1001
        phone says <resume xmlns='urn:xmpp:sm:3' previd='$phone' h='0'/>
        phone hears …<sent …id='m1'
        ada says <message to='1003@cc.test' id='m2' type='chat'><body>hi</body></message>
        phone hears …<sent …id='m2'
        bob hears …id='m2'
        phone leaves
        gone 2
        phone = 1001/phone
        ada says <message to='1003@cc.test' id='m3' type='chat'><body>hi</body></message>
        bob hears …id='m3'
        phone hears nothing
        ",
    )
    .await;
}

#[tokio::test]
async fn who_looks_away_is_spared_presences_and_nothing_else() {
    let befriend = "
        ada = 1001/desk
        bob = 1003/desk
        ada says <presence to='1003@cc.test' type='subscribe'/>
        bob hears type='subscribe'
        bob says <presence to='1001@cc.test' type='subscribed'/>
        ada hears from='1003@cc.test/desk'
        ";
    let rest = "
        ada says <inactive xmlns='urn:xmpp:csi:0'/>
        ada hears nothing
        bob says <presence><show>away</show></presence>
        bob says <presence><show>dnd</show></presence>
        bob hears nothing
        ada is spared <presence
        ada publishes an event
        ada is spared <presence
        bob says <message to='1001@cc.test' id='m1' type='chat'><body>hi</body></message>
        ada hears <show>dnd</show>
        ada hears …id='m1'
        bob says <presence><show>chat</show></presence>
        bob says <presence><show>xa</show></presence>
        bob hears nothing
        ada is spared <presence
        ada looks and hears <show>xa</show>
        bob says <presence/>
        ada hears from='1003@cc.test/desk'
        ";
    check(&[], &[befriend, rest].concat()).await;
}

#[tokio::test]
async fn what_was_held_back_is_not_lost_with_the_connection() {
    check(
        &[],
        "
        ada = 1001/desk
        bob = 1003/desk
        ada says <presence to='1003@cc.test' type='subscribe'/>
        bob hears type='subscribe'
        bob says <presence to='1001@cc.test' type='subscribed'/>
        ada hears from='1003@cc.test/desk'
        ada says <enable xmlns='urn:xmpp:sm:3' resume='true'/>
        ada says <inactive xmlns='urn:xmpp:csi:0'/>
        ada hears nothing
        bob says <presence><show>away</show></presence>
        bob hears nothing
        ada is spared <presence
        ada drops
        bob says <presence><show>dnd</show></presence>
        bob hears nothing
        ada returns 1001
        ada says <resume xmlns='urn:xmpp:sm:3' previd='$ada' h='0'/>
        ada hears <show>away</show>
        ada hears <show>dnd</show>
        bob says <presence><show>xa</show></presence>
        ada hears <show>xa</show>
        ",
    )
    .await;
}

#[tokio::test]
async fn carbons_and_silence_may_be_wanted_in_the_one_step_of_a_login() {
    let server = server(&[]).await;
    let at = clear(&server);
    let mut phone = Desk::open(at).await;
    phone.open_stream().await;
    phone
        .say(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
             <initial-response>ADEwMDEAc2VjcmV0</initial-response>\
             <bind xmlns='urn:xmpp:bind:0'><tag>phone</tag>\
             <enable xmlns='urn:xmpp:carbons:2'/><inactive xmlns='urn:xmpp:csi:0'/></bind>\
             </authenticate>",
        )
        .await;
    phone.until("<bound ").await;
    let mut ada = Desk::login(at, "1001", "desk").await;
    let _bob = Desk::login(at, "1003", "desk").await;
    let message = "<message xmlns='jabber:client' to='1003@cc.test' type='chat'><body/></message>";
    ada.say(message).await;
    let copy = phone.until("<message").await;
    assert!(copy.contains("<sent xmlns=\"urn:xmpp:carbons:2\""), "{copy}");
    server.stop().await;
}

#[tokio::test]
async fn who_begs_to_be_seen_without_end_ends_nobodys_session() {
    let server = server(&[("mailbox-letters", "8")]).await;
    let at = clear(&server);
    let mut ada = Desk::login(at, "1001", "desk").await;
    let mut bob = Desk::login(at, "1003", "desk").await;
    bob.say("<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
        .await;
    bob.until("id=\"r\"").await;
    bob.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await;
    let enabled = bob.until("<enabled").await;
    let id = enabled.split(" id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    drop(bob);
    for kind in ["subscribe", "unsubscribe"].repeat(20) {
        ada.say(&format!("<presence xmlns='jabber:client' to='1003@cc.test' type='{kind}'/>"))
            .await;
    }
    ada.say("<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    ada.until("id=\"p\"").await;
    crate::sessions::put_state(at, "1003", "LOGIN").await;
    let mut bob = Desk::open(at).await;
    bob.authenticate("1003").await;
    bob.say(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>")).await;
    bob.until("<resumed").await;
    bob.until("NOT_READY").await;
    server.stop().await;
}
