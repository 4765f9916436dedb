//! Conversations of a client's requests with the session layer.
//!
//! - `client A <body …/>`: request A comes. `lost A`: its connection breaks. `wait N s`.
//! - `stream hears TEXT`: the next request that was taken has this in it. `stream says XML`.
//! - `answer A TEXT`: the next answer is of A and has this in it; `=` before the text: is just it.
//! - `end` or `end CONDITION`: the server ends the session. `gone` and `there`: the client is so.
//!
//! Nothing may be left over at the end.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::*;
use crate::time::Moment;

#[derive(Default)]
struct Play {
    binding: Option<Binding<String>>,
    now: Moment,
    heard: VecDeque<String>,
    answers: VecDeque<(String, Answer)>,
    lost: BTreeSet<String>,
}

impl Play {
    fn line(&mut self, line: &str) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (who, what) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        let what = what.trim();
        match verb {
            "client" => self.receive(who, what),
            "lost" => drop(self.lost.insert(who.to_owned())),
            "wait" => self.now = self.now + Duration::from_secs(who.parse().unwrap()),
            "stream" if who == "says" => {
                self.binding().say().extend_from_slice(what.as_bytes());
            }
            "stream" => {
                let heard = self.heard.pop_front().expect("it hears nothing");
                assert!(heard.contains(what), "it hears {heard}");
            }
            "answer" => {
                let (asker, answer) = self.answers.pop_front().expect("nobody is answered");
                let body = String::from_utf8(answer.body.to_vec()).unwrap();
                let text = format!("{} {body}", answer.status).replace('"', "'");
                assert_eq!(asker, who, "{text}");
                match what.strip_prefix('=') {
                    Some(whole) => assert_eq!(text, format!("200 {}", whole.trim())),
                    None => assert!(text.contains(what), "{text}"),
                }
                return;
            }
            "end" => {
                let named = ALL.into_iter().find(|condition| condition.name() == who);
                assert_eq!(named.is_none(), who.is_empty());
                self.binding().end(named);
            }
            "gone" | "there" => {
                let now = self.now;
                return assert_eq!(self.binding().is_gone(now), verb == "gone");
            }
            other => panic!("not understood: {other}"),
        }
        self.settle();
    }

    fn receive(&mut self, who: &str, what: &str) {
        let head = Head::read(what.as_bytes()).expect("a body");
        let now = self.now;
        let new = || Binding::new(now, "SID".to_owned(), "cc.test", true, &head);
        let binding = self.binding.get_or_insert_with(new);
        binding.receive(now, head.clone(), what.as_bytes().to_vec(), who.to_owned());
    }

    /// As a link does it: settle what was taken, then take the next.
    fn settle(&mut self) {
        let (now, lost) = (self.now, self.lost.clone());
        let Some(binding) = &mut self.binding else { return };
        binding.forget(now, |asker| lost.contains(asker));
        loop {
            binding.settle(now);
            let taken = binding.take(now);
            self.answers.extend(std::iter::from_fn(|| binding.poll()));
            match taken {
                Some(unit) => self.heard.push_back(String::from_utf8(unit).unwrap()),
                None => break,
            }
        }
    }

    fn binding(&mut self) -> &mut Binding<String> {
        self.binding.as_mut().expect("a client came")
    }
}

fn check(talk: &str) {
    let mut play = Play::default();
    let body = format!("<body xmlns='{}'", ns::HTTP_BIND);
    let empty = format!("<body xmlns='{}'/>", ns::HTTP_BIND);
    for line in talk.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = line.replace("<body ", &format!("{body} ")).replace("<body/>", &empty);
        println!("{line}");
        play.line(&line);
    }
    assert!(
        play.heard.is_empty() && play.answers.is_empty(),
        "{:?} {:?}",
        play.heard,
        play.answers
    );
}

/// A session as it is after its first request, number 10.
fn check_session(talk: &str) {
    check(&format!("{CREATED}{talk}"));
}

const CREATED: &str = "
    client  a <body rid='10' to='cc.test' wait='60' hold='1' ver='1.6'/>
    stream  hears rid='10'
    stream  says <features/>
    answer  a <features/></body>
";

const ALL: [Condition; 9] = [
    Condition::BadRequest,
    Condition::HostGone,
    Condition::HostUnknown,
    Condition::ImproperAddressing,
    Condition::InternalServerError,
    Condition::ItemNotFound,
    Condition::PolicyViolation,
    Condition::RemoteStreamError,
    Condition::SystemShutdown,
];

#[test]
fn the_first_answer_says_what_is_agreed_on() {
    check(
        "client  a <body rid='1400000000' to='cc.test' wait='60' hold='1' ver='1.6'/>
         stream  hears rid='1400000000'
         stream  says <features/>
         answer  a =<body xmlns:stream='http://etherx.jabber.org/streams' \
xmlns:xmpp='urn:xmpp:xbosh' from='cc.test' authid='SID' sid='SID' secure='true' requests='2' \
inactivity='30' polling='5' wait='60' hold='1' ack='1400000000' maxpause='300' ver='1.6' \
xmpp:version='1.0' xmpp:restartlogic='true'>\
<features/></body>",
    );
    let terms = |asked: &str, agreed: &str| {
        check(&format!(
            "client  a <body rid='1' ver='1.6'{asked}/>
             stream  hears rid
             stream  says <features/>
             answer  a {agreed}"
        ));
    };
    terms(" wait='3600' hold='9'", "wait='60' hold='1'");
    terms(" wait='20' hold='1'", "inactivity='30' polling='5' wait='20' hold='1'");
    terms("", "requests='2' inactivity='30' polling='5' wait='60' hold='1'");
    // Who polls holds nothing and may be away for longer.
    check(
        "client  a <body rid='1' ver='1.6' wait='0' hold='1'/>
         answer  a requests='1' inactivity='60' polling='5' wait='0' hold='0'
         stream  hears rid",
    );
}

#[test]
fn a_request_is_held_until_there_is_something_to_say() {
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         wait    59 s
         stream  says <a/>
         stream  says <b/>
         answer  b <a/></body>
         client  c <body sid='SID' rid='12'/>
         answer  c <b/></body>
         stream  hears rid='12'",
    );
}

#[test]
fn nothing_to_say_is_said_after_the_wait() {
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         wait    59 s
         there
         wait    1 s
         answer  b =<body/>
         wait    29 s
         there
         wait    1 s
         gone",
    );
}

#[test]
fn one_request_is_held_and_the_one_before_is_let_go_with_an_acknowledgement() {
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         wait    1 s
         client  c <body sid='SID' rid='12'><presence/></body>
         answer  b =<body ack='12'/>
         stream  hears <presence/>
         stream  says <a/>
         answer  c <a/></body>",
    );
}

#[test]
fn requests_are_taken_in_their_order() {
    check_session(
        "client  c <body sid='SID' rid='12'><b/></body>
         client  b <body sid='SID' rid='11'><a/></body>
         answer  b ack='12'
         stream  hears <a/>
         stream  hears <b/>",
    );
}

#[test]
fn a_request_beyond_the_window_ends_the_session() {
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         client  c <body sid='SID' rid='14'/>
         answer  b type='terminate' condition='item-not-found'
         answer  c type='terminate' condition='item-not-found'
         client  d <body sid='SID' rid='12'/>
         answer  d condition='item-not-found'",
    );
    // One more is allowed to those that end or pause.
    check_session(
        "client  c <body sid='SID' rid='12'><b/></body>
         client  d <body sid='SID' rid='13' type='terminate'/>
         client  b <body sid='SID' rid='11'><a/></body>
         stream  hears <a/>
         stream  hears <b/>
         stream  hears terminate
         answer  b ack='12'
         answer  c ack='13'",
    );
}

#[test]
fn a_repeat_is_answered_with_the_same_body_and_not_taken_twice() {
    check_session(
        "client  b <body sid='SID' rid='11'><q/></body>
         stream  hears <q/>
         stream  says <a/>
         answer  b <a/></body>
         client  c <body sid='SID' rid='12'><r/></body>
         stream  hears <r/>
         stream  says <b/>
         answer  c <b/></body>
         client  d <body sid='SID' rid='11'><q/></body>
         answer  d <a/></body>
         client  e <body sid='SID' rid='12'><r/></body>
         answer  e <b/></body>
         client  f <body sid='SID' rid='10' to='cc.test'/>
         answer  f sid='SID'
         client  g <body sid='SID' rid='9'/>
         answer  g condition='item-not-found'",
    );
}

#[test]
fn an_answer_that_is_no_longer_kept_is_not_found() {
    check_session(
        "client  b <body sid='SID' rid='11'><q/></body>
         stream  says <a/>
         stream  hears <q/>
         answer  b <a/>
         client  c <body sid='SID' rid='12'><q/></body>
         stream  says <a/>
         stream  hears <q/>
         answer  c <a/>
         client  d <body sid='SID' rid='13'><q/></body>
         stream  says <a/>
         stream  hears <q/>
         answer  d <a/>
         client  e <body sid='SID' rid='10'/>
         answer  e condition='item-not-found'",
    );
}

#[test]
fn a_client_that_loses_patience_is_answered_on_all_its_connections() {
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         wait    2 s
         client  c <body sid='SID' rid='11'/>
         stream  says <a/>
         answer  b <a/></body>
         answer  c <a/></body>",
    );
}

#[test]
fn what_is_to_say_waits_for_a_client_whose_connection_is_lost() {
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         lost    b
         stream  says <a/>
         wait    29 s
         there
         client  c <body sid='SID' rid='11'/>
         answer  c <a/></body>",
    );
    // The client goes on with the next number: it is not too early for it.
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         lost    b
         stream  says <a/>
         client  c <body sid='SID' rid='12'/>
         answer  c <a/></body>
         stream  hears rid='12'",
    );
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         lost    b
         wait    30 s
         gone",
    );
}

#[test]
fn a_pause_lets_all_go_with_nothing_and_may_last() {
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         client  c <body sid='SID' rid='12' pause='300'/>
         answer  b =<body ack='12'/>
         answer  c =<body/>
         stream  hears pause
         stream  says <a/>
         wait    299 s
         there
         client  d <body sid='SID' rid='13'/>
         answer  d <a/></body>
         stream  hears rid='13'
         wait    30 s
         gone",
    );
    check_session(
        "client  b <body sid='SID' rid='11' pause='120'/>
         answer  b =<body/>
         stream  hears pause
         wait    120 s
         gone",
    );
}

#[test]
fn a_pause_that_is_too_long_is_against_the_rules() {
    check_session(
        "client  b <body sid='SID' rid='11' pause='301'/>
         answer  b type='terminate' condition='policy-violation'",
    );
}

#[test]
fn empty_requests_that_nobody_needs_are_against_the_rules() {
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         wait    4 s
         client  c <body sid='SID' rid='12'/>
         answer  b condition='policy-violation'
         answer  c condition='policy-violation'",
    );
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         wait    5 s
         client  c <body sid='SID' rid='12'/>
         answer  b ack='12'
         stream  hears rid='12'",
    );
    // A restart is needed, however empty it looks.
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         client  c <body sid='SID' rid='12' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'/>
         answer  b ack='12'
         stream  hears restart",
    );
}

#[test]
fn who_polls_is_answered_at_once_and_may_not_poll_too_often() {
    check(
        "client  a <body rid='1' ver='1.6' hold='0' wait='60'/>
         answer  a hold='0'
         stream  hears rid='1'
         client  b <body sid='SID' rid='2'/>
         answer  b =<body/>
         stream  hears rid='2'
         wait    5 s
         stream  says <a/>
         client  c <body sid='SID' rid='3'/>
         answer  c <a/></body>
         stream  hears rid='3'
         client  d <body sid='SID' rid='4'/>
         answer  d =<body/>
         stream  hears rid='4'
         wait    4 s
         client  e <body sid='SID' rid='5'/>
         answer  e condition='policy-violation'",
    );
}

#[test]
fn the_end_is_told_on_every_request_or_on_the_next() {
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         end     system-shutdown
         answer  b =<body type='terminate' condition='system-shutdown'/>",
    );
    check_session(
        "client  b <body sid='SID' rid='11'/>
         stream  hears rid='11'
         client  c <body sid='SID' rid='12' type='terminate'><bye/></body>
         answer  b ack='12'
         stream  hears <bye/>
         end
         answer  c =<body type='terminate'/>",
    );
}

#[test]
fn a_client_of_old_is_told_by_http() {
    check(
        "client  a <body rid='1' hold='1'/>
         stream  hears rid='1'
         stream  says <features/>
         answer  a 200 <body
         client  b <body sid='SID' rid='7'/>
         answer  b 404 <body type='terminate' condition='item-not-found'",
    );
}

/// K(1) to K(3) of the seed `x`.
const KEYS: [&str; 3] = [
    "11f6ad8ec52a2984abaafd7c3b516503785c2072",
    "fa60ce20b1442fcdbaa626556aa6cc2afed028ba",
    "26baf4304e1894d67684b0e3bc68258a3c8a2e5e",
];

#[test]
fn a_sequence_of_keys_is_followed() {
    let [k1, k2, k3] = KEYS;
    let begin = format!(
        "client  a <body rid='1' ver='1.6' newkey='{k3}'/>
         stream  hears newkey
         stream  says <features/>
         answer  a <features/>
         client  b <body sid='SID' rid='2' key='{k2}'/>
         stream  hears {k2}
         stream  says <a/>
         answer  b <a/>
        "
    );
    check(&format!(
        "{begin}
         client  c <body sid='SID' rid='3' key='{k1}' newkey='{k3}'/>
         stream  hears {k1}
         stream  says <b/>
         answer  c <b/>
         client  d <body sid='SID' rid='4' key='{k2}'/>
         stream  hears {k2}
         client  e <body sid='SID' rid='3' key='{k1}'/>
         answer  e <b/>"
    ));
    for wrong in [format!(" key='{k3}'"), String::new()] {
        check(&format!(
            "{begin}
             client  c <body sid='SID' rid='3'{wrong}/>
             answer  c condition='item-not-found'"
        ));
        // Nor is an answer repeated to somebody who does not know the key.
        check(&format!(
            "{begin}
             client  c <body sid='SID' rid='2'{wrong}/>
             answer  c condition='item-not-found'"
        ));
    }
}

#[test]
fn a_start_tag_that_makes_no_sense_is_refused() {
    let read = |text: &str| Head::read(text.as_bytes()).is_some();
    let body = |rest: &str| format!("<body xmlns='{}' {rest}", ns::HTTP_BIND);
    assert!(read(&body("rid='1'/>")));
    assert!(read(&body("rid='9007199254740991' sid='x'/>")));
    assert!(read(&format!("<?xml version='1.0'?>\n{}", body("rid='1'/>"))));
    for text in ["", "x", "<body rid='1'/>", "<body", "<!DOCTYPE a><body/>", "\u{0}", "{}"] {
        assert!(!read(text), "{text}");
    }
    for rest in [
        "/>",
        "rid='0'/>",
        "rid='-1'/>",
        "rid='9007199254740992'/>",
        "rid='99999999999999999999999'/>",
        "rid='1e3'/>",
        "rid='1' wait='x'/>",
        "rid='1' hold='-1'/>",
        "rid='1' pause='1.5'/>",
        "rid='1' rid='2'/>",
        "rid='1' x='&lol;'/>",
        "rid='1'",
    ] {
        assert!(!read(&body(rest)), "{rest}");
    }
    assert!(!read(&body(&format!("rid='1' {}/>", " ".repeat(9_000)))));
}

#[test]
fn a_request_knows_whether_it_carries_anything() {
    let is_empty = |rest: &str| {
        let text = format!("<body xmlns='{}' rid='1'{rest}", ns::HTTP_BIND);
        Head::read(text.as_bytes()).unwrap().is_empty
    };
    for empty in ["/>", " />", "></body>", "> </body>"] {
        assert!(is_empty(empty), "{empty}");
    }
    for full in ["><a/></body>", "> <a>x</a></body>", ">text</body>"] {
        assert!(!is_empty(full), "{full}");
    }
}

fn frames(body: impl AsRef<[u8]>) -> Result<Vec<Frame>, StreamCondition> {
    let (mut bodies, mut input, mut frames) = (Bodies::default(), body.as_ref(), Vec::new());
    while !input.is_empty() {
        frames.extend(bodies.read(&mut input, 4096).map_err(|error| error.condition)?);
    }
    Ok(frames)
}

#[test]
fn a_body_is_a_header_or_stanzas_or_an_end() {
    let body = |rest: &str| format!("<body xmlns='{}' rid='1'{rest}", ns::HTTP_BIND);
    let open = Open {
        to: Some("cc.test".to_owned()),
        version: Some("1.0".to_owned()),
        lang: Some("en".to_owned()),
        ..Open::default()
    };
    let attributes = " to='cc.test' xml:lang='en' xmlns:x='urn:xmpp:xbosh' x:version='1.0'";
    assert_eq!(frames(body(&format!("{attributes}/>"))), Ok(vec![Frame::Open(open)]));
    let restart = " sid='s' to='cc.test' xmlns:x='urn:xmpp:xbosh' x:restart='true'/>";
    assert!(matches!(frames(body(restart)).unwrap()[..], [Frame::Open(_)]));
    assert_eq!(frames(body(" sid='s'/>")), Ok(Vec::new()));
    let last = " sid='s' type='terminate'><presence xmlns='jabber:client' type='unavailable'/>\
                </body>";
    let read = frames(body(last)).unwrap();
    let [Frame::Element(presence), Frame::Close(_)] = &read[..] else { panic!("{read:?}") };
    assert!(presence.is(ns::CLIENT, "presence"));
}

#[test]
fn a_stanza_that_inherits_the_namespace_of_the_wrapper_is_a_stanza() {
    let text = format!(
        "<body xmlns='{}' rid='1' sid='s'><iq><query xmlns='urn:q'><a/></query></iq>\
         <message><body>hello</body></message></body>",
        ns::HTTP_BIND
    );
    let read = frames(&text).unwrap();
    let [Frame::Element(iq), Frame::Element(message)] = &read[..] else { panic!("{read:?}") };
    assert!(iq.is(ns::CLIENT, "iq") && iq.child("urn:q", "query").is_some());
    assert!(message.child(ns::CLIENT, "body").is_some());
}

#[test]
fn every_breach_in_a_body_has_its_condition() {
    use StreamCondition::{NotWellFormed, PolicyViolation, RestrictedXml, UnsupportedEncoding};
    let inside = |content: &str, condition| {
        let text = format!("<body xmlns='{}' rid='1' sid='s'>{content}", ns::HTTP_BIND);
        assert_eq!(frames(&text), Err(condition), "{content}");
    };
    inside("", NotWellFormed);
    inside("<a>", NotWellFormed);
    inside("<a></b></body>", NotWellFormed);
    inside("text</body>", NotWellFormed);
    inside("<a/></body><a/>", NotWellFormed);
    inside("<a/></body>text", NotWellFormed);
    inside("<!-- c --></body>", RestrictedXml);
    inside("<?php x?></body>", RestrictedXml);
    inside("<a>&lol;</a></body>", RestrictedXml);
    inside(&format!("<a>{}</a></body>", "x".repeat(5_000)), PolicyViolation);
    inside(&format!("{}{}</body>", "<a>".repeat(70), "</a>".repeat(70)), PolicyViolation);
    let text = b"<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='s'><a>\xff</a>";
    assert_eq!(frames(text), Err(UnsupportedEncoding));
}
