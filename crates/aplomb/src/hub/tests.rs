use std::collections::HashMap;

use aplomb_core::ns;
use aplomb_core::pubsub::{NotificationType, Told};
use aplomb_core::realm::{Reach, Show, Shown, Sight};
use aplomb_core::xml::{Prologue, read_element};

use super::*;
use crate::limits::PACE_BURST;

/// A hub, its sessions by name, and a writer that the script plays.
struct Stage {
    hub: Arc<Hub>,
    seats: HashMap<String, Seat>,
}

impl Stage {
    fn new() -> (Self, mpsc::Receiver<Question>) {
        let (questions, asked) = mpsc::channel(4);
        let realm = Realm { domain: "cc.test".into(), version: "1".into() };
        (Self { hub: Hub::new(realm, questions), seats: HashMap::new() }, asked)
    }

    fn bind(&mut self, name: &str, jid: &str) -> Result<(), StanzaError> {
        let mailbox = Arc::new(Mailbox::new(6, 4000));
        let seat = self.hub.bind(jid.parse().unwrap(), mailbox)?;
        self.seats.insert(name.to_owned(), seat);
        Ok(())
    }

    fn see(&self, seer: &str, seen: &str, is_seen: bool) {
        let [seer, seen] = [seer, seen].map(|name| name.parse().unwrap());
        self.hub.tell_people(&[], &[], &[Sight { seen, seer, is_seen }]);
    }

    /// What lies in a mailbox, in a few words each.
    fn read(&self, name: &str) -> String {
        let mut letters = Vec::new();
        self.seats[name].mailbox.drain(&mut letters);
        let words: Vec<_> = letters.iter().map(word).collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
    }
}

fn word(letter: &Letter) -> String {
    match letter {
        Letter::Notice { notice, to_full: true } => format!("{} full", notice.node),
        Letter::Notice { notice, to_full: false } => format!("{} bare", notice.node),
        Letter::Presence(shown) => {
            let from = shown.tail.split('"').find(|text| text.contains('@')).unwrap_or_default();
            format!("{from} {:?}", shown.show)
        }
        Letter::Parcel(parcel) => {
            let from = parcel.stanza.attr("from").unwrap_or_default();
            format!("{from} {}", parcel.stanza.attr("type").unwrap_or("available"))
        }
        Letter::Stanza(element) => {
            let from = element.attr("from").unwrap_or_default();
            format!("{from} {}", element.attr("type").unwrap_or("available"))
        }
        Letter::End(reason) => format!("{reason:?}"),
    }
}

/// The presence of somebody who is there.
fn here() -> Arc<Shown> {
    Arc::new(Shown { priority: 0, show: Show::Online, tail: " here/>".into() })
}

fn notice(node: &str) -> Arc<Notice> {
    let (id, body) = ("12345678".into(), "<event/>".into());
    Arc::new(Notice {
        node: node.into(),
        seq: 1,
        id,
        kind: NotificationType::Normal,
        told: Told::Purge,
        body,
    })
}

/// Lines: `a binds JID`, `a refused JID`, `a sends STANZA`, `a leaves`, `NODE to JID…`,
/// `NODE to everyone`, `JID sees JID`, `JID loses JID`, `gone =ACCOUNTS`, `service on|off`,
/// `end ACCOUNT`, `a has LETTERS`, `N sessions`.
async fn play(script: &str) {
    let (mut stage, _asked) = Stage::new();
    stage.hub.ask_about_people(Box::new(|one, other| {
        !one.as_str().contains("eve") && !other.as_str().contains("eve")
    }));
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<_> = line.splitn(3, ' ').collect();
        match words[..] {
            ["service", flag] => stage.hub.set_in_service(flag == "on"),
            ["gone", expected] => {
                let mut gone = stage.hub.gone_before(Moment::new(Duration::MAX));
                gone.sort();
                let gone: Vec<_> = gone.iter().map(|jid| jid.as_str()).collect();
                assert_eq!(gone.join(","), expected.trim_start_matches('='), "{line}");
            }
            ["end", account] => stage.hub.end(Some(account), EndReason::AccountChanged),
            [name, "leaves"] => stage.hub.leave(&stage.seats[name]),
            [count, "sessions"] => assert_eq!(stage.hub.sessions().to_string(), count, "{line}"),
            [name, "binds", jid] => stage.bind(name, jid).expect(line),
            [name, "refused", jid] => {
                let error = stage.bind(name, jid).expect_err(line);
                assert_eq!(error.condition, Condition::ResourceConstraint);
            }
            [name, "sends", stanza] => {
                let stanza = stanza.replacen("presence", "presence xmlns='jabber:client'", 1);
                let stanza = read_stanza(&stanza);
                let replies = stage.hub.receive(&stage.seats[name], stanza).await;
                assert_eq!(replies, [], "{line}");
            }
            [seer, "sees", seen] => stage.see(seer, seen, true),
            [seer, "loses", seen] => stage.see(seer, seen, false),
            [node, "to", "everyone"] => {
                stage.hub.publish(&notice(node), &Audience::Everyone);
            }
            [node, "to", jids] => {
                let jids = jids.split(' ').map(reader).collect();
                stage.hub.publish(&notice(node), &Audience::These(jids));
            }
            [name, "has", expected] => assert_eq!(stage.read(name), expected, "{line}"),
            _ => panic!("no such line: {line}"),
        }
    }
}

/// An address, and perhaps the states in which it takes events: `1001@cc.test+away,dnd`.
fn reader(text: &str) -> Reader {
    let (jid, shows) = text.split_once('+').unwrap_or((text, ""));
    let reader = Reader::always(jid.parse::<Jid>().unwrap());
    match shows {
        "" => reader,
        shows => Reader { shows: Shows::of(shows.split(',')).unwrap(), ..reader },
    }
}

fn check(script: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(play(script));
}

#[test]
fn nothing_comes_before_presence() {
    check(
        "
        a binds 1001@cc.test/desk
        n to 1001@cc.test 1001@cc.test/desk
        n to everyone
        service off
        a has nothing
        a sends <presence/>
        a has finesse@cc.test/publisher unavailable
        n to 1001@cc.test
        a has n bare
        a sends <presence type='unavailable'/>
        n to 1001@cc.test
        n to everyone
        a has nothing
        ",
    );
}

#[test]
fn who_is_meant_twice_gets_it_once_at_the_full_address() {
    check(
        "
        a binds 1001@cc.test/desk
        b binds 1001@cc.test/phone
        c binds 1002@cc.test/desk
        a sends <presence/>
        b sends <presence/>
        c sends <presence/>
        a has finesse@cc.test/publisher available, 1001@cc.test/phone Online
        b has 1001@cc.test/desk Online, finesse@cc.test/publisher available
        n to 1001@cc.test 1001@cc.test/desk 1001@cc.test/gone 1003@cc.test
        a has n full
        b has n bare
        c has finesse@cc.test/publisher available
        n to 1001@cc.test/desk 1001@cc.test
        a has n full
        m to everyone
        a has m bare
        c has m bare
        ",
    );
}

#[test]
fn an_account_is_gone_when_its_last_available_session_is_and_is_told_once() {
    check(
        "
        a binds 1001@cc.test/desk
        b binds 1001@cc.test/phone
        c binds 1002@cc.test/desk
        a sends <presence/>
        b sends <presence/>
        a leaves
        c leaves
        gone =
        b sends <presence type='unavailable'/>
        gone =1001@cc.test
        gone =
        b sends <presence/>
        b leaves
        d binds 1001@cc.test/desk
        d sends <presence/>
        gone =
        ",
    );
}

#[test]
fn a_negative_priority_takes_only_what_is_for_the_full_address() {
    check(
        "
        a binds 1001@cc.test/desk
        a sends <presence><priority>-1</priority></presence>
        a has finesse@cc.test/publisher available
        n to 1001@cc.test
        n to everyone
        a has nothing
        n to 1001@cc.test/desk
        a has n full
        ",
    );
}

#[test]
fn a_second_desk_ends_the_first_and_the_first_cannot_disturb_it() {
    check(
        "
        a binds 1001@cc.test/desk
        a sends <presence/>
        b binds 1001@cc.test/desk
        1 sessions
        a has finesse@cc.test/publisher available, Conflict
        a sends <presence/>
        n to 1001@cc.test
        b has nothing
        b sends <presence/>
        a leaves
        n to 1001@cc.test
        b has finesse@cc.test/publisher available, n bare
        b leaves
        0 sessions
        ",
    );
}

#[test]
fn each_session_gets_events_in_the_states_that_its_subscription_names() {
    check(
        "
        a binds 1001@cc.test/desk
        b binds 1001@cc.test/phone
        a sends <presence/>
        b sends <presence><show>away</show></presence>
        a has finesse@cc.test/publisher available, 1001@cc.test/phone Away
        b has 1001@cc.test/desk Online, finesse@cc.test/publisher available
        n to 1001@cc.test+away,dnd
        a has nothing
        b has n bare
        n to 1001@cc.test+online 1001@cc.test/phone+xa
        a has n bare
        b has nothing
        n to 1001@cc.test 1001@cc.test/phone+xa
        a has n bare
        b has n bare
        b sends <presence><show>xa</show></presence>
        b has finesse@cc.test/publisher available
        n to 1001@cc.test/phone+xa
        b has n full
        ",
    );
}

#[test]
fn a_slow_reader_is_closed_and_the_others_go_on() {
    check(
        "
        a binds 1001@cc.test/desk
        b binds 1001@cc.test/phone
        a sends <presence/>
        b sends <presence/>
        b has 1001@cc.test/desk Online, finesse@cc.test/publisher available
        n to 1001@cc.test
        m to 1001@cc.test
        b has n bare, m bare
        n to 1001@cc.test
        n to 1001@cc.test
        b has n bare, n bare
        o to 1001@cc.test
        p to 1001@cc.test
        a has SlowReader
        b has o bare, p bare
        ",
    );
}

#[test]
fn the_service_goes_and_comes_for_everybody_who_is_available() {
    check(
        "
        a binds 1001@cc.test/desk
        b binds 1002@cc.test/desk
        c binds d\\27arc@cc.test/desk
        a sends <presence/>
        c sends <presence><priority>-5</priority></presence>
        a has finesse@cc.test/publisher available
        c has finesse@cc.test/publisher available
        service on
        a has nothing
        service off
        service off
        a has finesse@cc.test/publisher unavailable
        b has nothing
        c has finesse@cc.test/publisher unavailable
        end d'Arc
        c has AccountChanged
        a has nothing
        end nobody
        ",
    );
}

#[test]
fn an_account_has_only_so_many_sessions() {
    let resources = 0..SESSIONS_PER_ACCOUNT_MAX;
    let binds: String = resources.map(|n| format!("a binds 1001@cc.test/{n}\n")).collect();
    check(&format!(
        "{binds}
        b refused 1001@cc.test/more
        b binds 1001@cc.test/0
        c binds 1002@cc.test/more
        "
    ));
}

fn read_stanza(text: &str) -> Stanza {
    Stanza::parse(read_element(text, Prologue::Forbidden).unwrap()).unwrap()
}

fn iq(id: &str, node: &str) -> Stanza {
    let text = format!(
        "<iq xmlns='jabber:client' type='get' id='{id}' to='pubsub.cc.test'>
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'/></pubsub></iq>"
    );
    read_stanza(&text)
}

#[tokio::test]
async fn a_question_waits_for_the_writers_answer() {
    let (mut stage, mut asked) = Stage::new();
    stage.bind("a", "1001@cc.test/desk").unwrap();
    let (replies, ()) = tokio::join!(stage.hub.receive(&stage.seats["a"], iq("1", "n")), async {
        let Some(Question::PubSub(job)) = asked.recv().await else { panic!("a pubsub request") };
        assert_eq!(job.asker.as_str(), "1001@cc.test/desk");
        assert_eq!(job.request.node(), Some("n"));
        job.answer.send(Err(pubsub::Refusal::NodeUnknown)).unwrap();
    });
    assert!(replies[0].to_xml().contains("<item-not-found "));
}

#[tokio::test]
async fn a_question_without_an_answer_ends_in_try_again() {
    let (mut stage, mut asked) = Stage::new();
    stage.bind("a", "1001@cc.test/desk").unwrap();
    // The writer takes the question and says nothing.
    Arc::get_mut(&mut stage.hub).unwrap().answer_wait = Duration::from_millis(1);
    let replies = stage.hub.receive(&stage.seats["a"], iq("1", "n")).await;
    assert!(replies[0].to_xml().contains("<resource-constraint "));
    let taken = asked.recv().await;
    assert!(taken.is_some());
    // The writer is gone.
    drop(asked);
    let replies = stage.hub.receive(&stage.seats["a"], iq("2", "n")).await;
    assert!(replies[0].to_xml().contains("<resource-constraint "));
}

/// Sessions come and go at the same few addresses while two publish; in the end nobody is left
/// over, and nobody is told anything who left.
#[test]
fn a_crowd_at_the_same_addresses_leaves_nothing_behind() {
    let (questions, _asked) = mpsc::channel(4);
    let hub = Hub::new(Realm { domain: "cc.test".into(), version: "1".into() }, questions);
    let jids: Vec<FullJid> =
        (0..4).map(|n| format!("100{}@cc.test/{}", n % 2, n / 2).parse().unwrap()).collect();
    let audience = Audience::These(jids.iter().cloned().map(Reader::always).collect());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    assert!(hub.publish(&notice("n"), &audience) <= jids.len());
                }
            });
        }
        for at in 0..4 {
            let (hub, jids) = (&hub, &jids);
            scope.spawn(move || {
                for round in 0..2_000 {
                    let jid = jids[(at + round) % jids.len()].clone();
                    let seat = hub.bind(jid, Arc::new(Mailbox::new(10, 1000))).unwrap();
                    hub.present(&seat, &here());
                    hub.leave(&seat);
                    seat.mailbox.drain(&mut Vec::new());
                }
            });
        }
    });
    assert_eq!((hub.sessions(), hub.publish(&notice("n"), &audience)), (0, 0));
    assert!(!jids.iter().any(|jid| hub.is_taken(jid)));
}

#[test]
fn a_stanza_reaches_who_may_be_known_and_otherwise_its_sender_is_told() {
    let (mut stage, _asked) = Stage::new();
    let know = |one: &BareJid, other: &BareJid| {
        !one.as_str().contains("eve") && !other.as_str().contains("eve")
    };
    stage.hub.ask_about_people(Box::new(know));
    for (name, jid) in
        [("a", "ada@cc.test/desk"), ("b", "bob@cc.test/desk"), ("e", "eve@cc.test/x")]
    {
        stage.bind(name, jid).unwrap();
        stage.hub.present(&stage.seats[name], &here());
    }
    let stanza = Arc::new(Element::new(ns::CLIENT, "message").with_attr("from", "somebody"));
    let otherwise = Element::new(ns::CLIENT, "error");
    let reaches = |from: &str, to: &str| {
        let (to, reach) = (to.parse().unwrap(), Reach::Message);
        let (stanza, otherwise) = (Arc::clone(&stanza), Some(otherwise.clone()));
        let message = Message { to, reach, stanza, otherwise, is_copied: false };
        stage.hub.carry(&stage.seats[from], message).is_none()
    };
    assert!(reaches("a", "bob@cc.test"));
    assert_eq!(stage.read("b"), "somebody available");
    assert!(reaches("a", "bob@cc.test/gone"));
    assert!(reaches("a", "ada@cc.test") && !reaches("a", "nobody@cc.test"));
    assert!(!reaches("a", "eve@cc.test") && !reaches("e", "bob@cc.test"));
    assert_eq!(stage.read("b"), "somebody available");
    assert_eq!(stage.read("e"), "nothing");
}

/// Four ask bob as much as they may; he answers all of it, and what nobody asked, and is as quick
/// as ever. The asker is slowed down, whatever sessions he has.
#[tokio::test]
async fn who_is_asked_by_many_is_not_slowed_down_and_who_asks_is() {
    let (mut stage, _asked) = Stage::new();
    stage.hub.ask_about_people(Box::new(|_, _| true));
    stage.bind("bob", "bob@cc.test/desk").unwrap();
    let iq = |kind: &str, id: u32, to: &str| {
        read_stanza(&format!("<iq xmlns='jabber:client' type='{kind}' id='{id}' to='{to}'/>"))
    };
    let ask = |id| {
        let ping = "<ping xmlns='urn:xmpp:ping'/>";
        read_stanza(&format!(
            "<iq xmlns='jabber:client' type='get' id='{id}' to='bob@cc.test/desk'>{ping}</iq>"
        ))
    };
    let work = async {
        for asker in ["ada", "cleo", "dan", "eli"] {
            let jid = format!("{asker}@cc.test/desk");
            stage.bind(asker, &jid).unwrap();
            for id in 0..PACE_BURST {
                assert_eq!(stage.hub.receive(&stage.seats[asker], ask(id)).await, []);
                assert!(stage.read("bob").contains("get"));
                for _ in 0..3 {
                    let answer = iq("result", id, &jid);
                    assert_eq!(stage.hub.receive(&stage.seats["bob"], answer).await, []);
                }
                assert_eq!(stage.read(asker), "bob@cc.test/desk result");
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), work).await.expect("answers cost no time");
    // Another session of his, and one begun anew, have no burst of their own.
    for jid in ["ada@cc.test/phone", "ada@cc.test/desk"] {
        stage.bind("ada", jid).unwrap();
        for id in 0..PACE_BURST {
            let asked = stage.hub.receive(&stage.seats["ada"], ask(id));
            if tokio::time::timeout(Duration::from_millis(1), asked).await.is_err() {
                break;
            }
            assert!(id < PACE_BURST / 2, "{jid}");
        }
    }
}

#[test]
fn who_comes_is_shown_to_those_who_see_him_and_sees_those_he_may() {
    check(
        "
        ada@cc.test sees bob@cc.test
        bob@cc.test sees ada@cc.test
        cleo@cc.test sees ada@cc.test
        a binds ada@cc.test/desk
        b binds bob@cc.test/desk
        c binds cleo@cc.test/desk
        a sends <presence><show>away</show></presence>
        a has finesse@cc.test/publisher available
        b has nothing
        b sends <presence><priority>-1</priority></presence>
        a has bob@cc.test/desk Online
        b has ada@cc.test/desk Away, finesse@cc.test/publisher available
        c sends <presence/>
        c has ada@cc.test/desk Away, finesse@cc.test/publisher available
        b sends <presence><show>dnd</show></presence>
        a has bob@cc.test/desk Busy
        b has finesse@cc.test/publisher available
        c has nothing
        ",
    );
}

#[test]
fn who_goes_is_shown_as_gone_whether_he_says_so_or_not() {
    check(
        "
        ada@cc.test sees bob@cc.test
        a binds ada@cc.test/desk
        b binds bob@cc.test/desk
        d binds bob@cc.test/phone
        a sends <presence/>
        b sends <presence/>
        a has finesse@cc.test/publisher available, bob@cc.test/desk Online
        b sends <presence type='unavailable'/>
        a has bob@cc.test/desk Gone
        b sends <presence type='unavailable'/>
        a has nothing
        b sends <presence/>
        a has bob@cc.test/desk Online
        b leaves
        a has bob@cc.test/desk Gone
        b leaves
        a has nothing
        d leaves
        a has nothing
        ",
    );
}

#[test]
fn who_loses_his_address_to_a_newer_session_is_gone_until_that_comes() {
    check(
        "
        ada@cc.test sees bob@cc.test
        a binds ada@cc.test/desk
        b binds bob@cc.test/desk
        a sends <presence/>
        b sends <presence/>
        a has finesse@cc.test/publisher available, bob@cc.test/desk Online
        c binds bob@cc.test/desk
        a has bob@cc.test/desk Gone
        b leaves
        a has nothing
        c sends <presence/>
        a has bob@cc.test/desk Online
        gone =
        ",
    );
}

#[test]
fn a_right_to_see_somebody_shows_him_at_once_and_its_end_takes_him_away() {
    check(
        "
        a binds ada@cc.test/desk
        b binds bob@cc.test/desk
        a sends <presence/>
        b sends <presence><show>chat</show></presence>
        a has finesse@cc.test/publisher available
        ada@cc.test sees bob@cc.test
        a has bob@cc.test/desk Chat
        ada@cc.test sees bob@cc.test
        a has nothing
        ada@cc.test loses bob@cc.test
        a has bob@cc.test/desk Gone
        ada@cc.test loses bob@cc.test
        b sends <presence/>
        b leaves
        a has nothing
        ",
    );
}

#[test]
fn directed_presence_is_taken_back_at_the_end_and_strangers_get_none() {
    check(
        "
        a binds ada@cc.test/desk
        b binds bob@cc.test/desk
        c binds cleo@cc.test/desk
        e binds eve@cc.test/desk
        b sends <presence/>
        c sends <presence/>
        e sends <presence/>
        b has finesse@cc.test/publisher available
        c has finesse@cc.test/publisher available
        e has finesse@cc.test/publisher available
        a sends <presence to='bob@cc.test/desk'><show>dnd</show></presence>
        a sends <presence to='cleo@cc.test'/>
        a sends <presence to='eve@cc.test'/>
        b has ada@cc.test/desk Busy
        c has ada@cc.test/desk Online
        e has nothing
        a sends <presence to='cleo@cc.test' type='unavailable'/>
        c has ada@cc.test/desk Gone
        a sends <presence><show>away</show></presence>
        b has nothing
        a leaves
        b has ada@cc.test/desk Gone
        c has nothing
        e has nothing
        ",
    );
}

#[test]
fn a_probe_shows_what_may_be_seen_and_nothing_else() {
    check(
        "
        ada@cc.test sees bob@cc.test
        a binds ada@cc.test/desk
        b binds bob@cc.test/desk
        c binds cleo@cc.test/desk
        a sends <presence to='bob@cc.test' type='probe'/>
        a has bob@cc.test Gone
        b sends <presence><show>xa</show></presence>
        c sends <presence/>
        a sends <presence to='bob@cc.test' type='probe'/>
        a has bob@cc.test/desk ExtendedAway
        a sends <presence to='bob@cc.test/phone' type='probe'/>
        a has bob@cc.test/phone Gone
        a sends <presence to='cleo@cc.test' type='probe'/>
        a sends <presence to='nobody@cc.test' type='probe'/>
        a has nothing
        ",
    );
}

/// One of many who see somebody comes late, another reads nothing: neither delays anybody, and all
/// get the very same rendering.
#[test]
fn a_presence_is_rendered_once_for_a_thousand_readers() {
    let (mut stage, _asked) = Stage::new();
    let readers: Vec<String> = (0..1_000).map(|at| format!("r{at}@cc.test")).collect();
    for reader in &readers {
        stage.see(reader, "ada@cc.test", true);
        stage.bind(reader, &format!("{reader}/desk")).unwrap();
        stage.hub.present(&stage.seats[reader], &here());
    }
    stage.bind("ada", "ada@cc.test/desk").unwrap();
    let shown = Arc::new(Shown::gone(&stage.seats["ada"].jid));
    let shown = Arc::new(Shown { show: Show::Busy, ..Shown::clone(&shown) });
    stage.hub.present(&stage.seats["ada"], &shown);
    for reader in &readers {
        let mut letters = Vec::new();
        stage.seats[reader].mailbox.drain(&mut letters);
        let [Letter::Presence(read)] = &letters[..] else { panic!("{letters:?}") };
        assert!(Arc::ptr_eq(read, &shown));
    }
}
