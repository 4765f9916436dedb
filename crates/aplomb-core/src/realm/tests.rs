mod forms;
mod messages;
mod options;
mod pages;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::limits::{
    ROSTER_CONTACTS_MAX, ROSTER_GROUPS_MAX, ROSTER_NAME_BYTES_MAX, STANZA_BYTES_MAX,
};
use crate::pubsub::{Asker, Bounds, PubSub, Refusal, Reply, Request, Standing};
use crate::roster::{self, Roster};
use crate::xml::{Prologue, read_element};

/// The realm with a pubsub service behind it, as the shell puts them together.
struct Stage {
    realm: Realm,
    service: PubSub,
    roster: Roster,
    asker: FullJid,
    standing: Standing,
}

impl Stage {
    fn new() -> Self {
        let bounds = Bounds {
            items_max: 10,
            age_max: Duration::from_secs(3600),
            bytes_max: 100_000,
            payload_bytes_max: 1000,
            nodes_max: 10,
            subscriptions_max: 10,
        };
        Self {
            realm: Realm { domain: "cc.test".to_owned(), version: "1.2.3".to_owned() },
            service: PubSub::new("epoch-", bounds),
            roster: Roster::default(),
            asker: "1001@cc.test/desk".parse().unwrap(),
            standing: Standing::Reader,
        }
    }

    /// What comes of a stanza: replies as text, the rest in words.
    fn says(&mut self, stanza: &str) -> String {
        let stanza = with_default_namespace(stanza);
        let element = read_element(&stanza, Prologue::Forbidden).expect(&stanza);
        let stanza = Stanza::parse(element).expect(&stanza);
        let now = Now { moment: Moment::default(), wall: WallTime(1_506_620_020_875) };
        let effects = self.realm.handle(&self.asker, stanza, now);
        let lines: Vec<_> = effects.into_iter().map(|effect| self.perform(effect)).collect();
        if lines.is_empty() { "nothing".to_owned() } else { lines.join(" then ") }
    }

    fn perform(&mut self, effect: Effect) -> String {
        match effect {
            Effect::Reply(element) => plain(&element),
            Effect::FinessePresence => plain(&self.realm.finesse_presence(&self.asker, true)),
            Effect::Present(shown) => match shown.is_available() {
                true => format!("available {}", shown.priority),
                false => "unavailable".to_owned(),
            },
            Effect::Direct { to, shown, .. } => format!("{:?} to {to}", shown.show),
            Effect::Probe(to) => format!("probe {to}"),
            Effect::Contacts(iq) => {
                let (owner, roster) = (self.asker.to_bare(), &self.roster);
                let answer =
                    self.realm.roster_answer(&iq, roster.version(&owner), roster.contacts(&owner));
                plain(&answer)
            }
            Effect::Roster { stanza, request } => self.change_roster(*stanza, &request),
            Effect::Request { to, stanza, otherwise, .. } => {
                format!("Request {to} {} or {}", plain(&stanza), plain(&otherwise))
            }
            Effect::Answer { to, stanza, .. } => format!("Answer {to} {}", plain(&stanza)),
            Effect::Message { to, reach, stanza, otherwise, is_copied } => format!(
                "{reach:?} {to}{} {} or {}",
                if is_copied { " copied" } else { "" },
                plain(&stanza),
                otherwise.map_or_else(|| "nothing".to_owned(), |other| plain(&other)),
            ),
            Effect::Carbons { is_on } => format!("carbons {is_on}"),
            Effect::PubSub { iq, request } => {
                let (outcome, told) = self.ask(&request);
                [plain(&self.realm.pubsub_answer(&iq, outcome)), told].concat()
            }
            Effect::PubSubMessage { message, request } => match self.ask(&request) {
                (Ok(_), told) => format!("taken{told}"),
                (Err(refusal), _) => plain(&self.realm.pubsub_refused(*message, &refusal)),
            },
        }
    }

    /// The answer, and what single persons are told then.
    fn ask(&mut self, request: &Request) -> (Result<Reply, Refusal>, String) {
        let node = request.node().unwrap_or_default();
        let asker = Asker {
            jid: self.asker.clone(),
            standing: self.standing,
            is_served: node.starts_with("/finesse/api/User/1001"),
            automatic: vec!["/finesse/api/User/1001".to_owned()],
        };
        match self.service.plan(&asker, request, WallTime(0)) {
            Err(refusal) => (Err(refusal), String::new()),
            Ok(outcome) => {
                outcome.changes.iter().for_each(|change| self.service.adopt(change));
                let tell = |tidings| format!(" then {}", plain(&self.realm.told(tidings)));
                (Ok(outcome.reply), outcome.tidings.iter().map(tell).collect())
            }
        }
    }
}

/// What is said to others comes after the answer.
impl Stage {
    fn change_roster(&mut self, stanza: Stanza, request: &roster::Request) -> String {
        let owner = self.asker.to_bare();
        let planned = self.roster.plan(&owner, request, true, WallTime(0));
        let (outcome, done) = match planned {
            Ok(outcome) => (outcome, Ok(())),
            Err(refusal) => (Default::default(), Err(refusal)),
        };
        outcome.changes.iter().for_each(|change| self.roster.adopt(change));
        let answer = self.realm.roster_reply(stanza, done);
        let told = outcome.deliveries.iter().map(|delivery| match delivery {
            roster::Delivery::Push { owner, contact, version } => {
                self.realm.roster_push(owner, "desk", contact, *version)
            }
            roster::Delivery::Say { word, from, to, stanza } => {
                self.realm.said(*word, from, to, stanza.as_deref())
            }
        });
        let all: Vec<_> = answer.into_iter().chain(told).map(|element| plain(&element)).collect();
        if all.is_empty() { "nothing".to_owned() } else { all.join(" then ") }
    }
}

fn with_default_namespace(stanza: &str) -> String {
    let at = stanza.find([' ', '/', '>']).expect("a stanza has a name");
    format!("{} xmlns='jabber:client'{}", &stanza[..at], &stanza[at..])
}

fn plain(element: &Element) -> String {
    element.to_xml().replace(r#" xmlns="jabber:client""#, "").replace('"', "'")
}

/// Plays a talk. `C: ` is the client, `S: ` all that comes of it; `…` stands for anything. A line
/// without either goes on with the one before; `as owner` changes who the client is.
fn check(talk: &str) {
    let mut stage = Stage::new();
    let mut said = String::new();
    for (kind, text) in turns(talk) {
        match kind {
            "as" => {
                stage.standing = match text.as_str() {
                    "owner" => Standing::Owner,
                    "reader" => Standing::Reader,
                    _ => Standing::Stranger,
                }
            }
            "C:" => said = stage.says(&text),
            _ => assert!(matches(&said, &text), "\nexpected {text}\n    came {said}"),
        }
    }
}

fn turns(talk: &str) -> Vec<(&str, String)> {
    let mut turns: Vec<(&str, String)> = Vec::new();
    for line in talk.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(' ') {
            Some((kind @ ("C:" | "S:" | "as"), text)) => turns.push((kind, text.to_owned())),
            _ => turns.last_mut().expect("a talk starts with a turn").1.push_str(line),
        }
    }
    turns
}

fn matches(said: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('…');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = said.strip_prefix(first) else { return false };
    let mut is_open = false;
    for piece in pieces {
        is_open = piece.is_empty();
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    is_open || rest.is_empty()
}

#[test]
fn a_ping_is_answered_at_the_domain_at_home_and_without_address() {
    check(
        "
        C: <iq type='get' id='1' to='cc.test'><ping xmlns='urn:xmpp:ping'/></iq>
        S: <iq type='result' id='1' from='cc.test' to='1001@cc.test/desk'/>
        C: <iq type='get' id='2' to='1001@cc.test'><ping xmlns='urn:xmpp:ping'/></iq>
        S: <iq type='result' id='2' from='1001@cc.test' to='1001@cc.test/desk'/>
        C: <iq type='get' id='3'><ping xmlns='urn:xmpp:ping'/></iq>
        S: <iq type='result' id='3' to='1001@cc.test/desk'/>
        C: <iq type='set' id='4'><ping xmlns='urn:xmpp:ping'/></iq>
        S: <iq type='error' id='4' …<service-unavailable …
        ",
    );
}

#[test]
fn what_nobody_understands_is_refused_and_answers_are_dropped() {
    check(
        "
        C: <iq type='get' id='1' to='cc.test'><vCard xmlns='vcard-temp'/></iq>
        S: <iq type='error' id='1' from='cc.test' to='1001@cc.test/desk'><vCard xmlns='vcard-temp'/>
           <error code='503' type='cancel'>
           <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        C: <iq type='result' id='2' to='cc.test'/>
        S: nothing
        C: <iq type='error' id='3' to='cc.test'><error type='cancel'/></iq>
        S: nothing
        ",
    );
}

#[test]
fn other_people_are_not_revealed_and_other_domains_not_reached() {
    check(
        "
        C: <iq type='get' id='1' to='1002@cc.test'><ping xmlns='urn:xmpp:ping'/></iq>
        S: …<error code='503' type='cancel'><service-unavailable …
        C: <iq type='get' id='1' to='1002@cc.test/desk'><ping xmlns='urn:xmpp:ping'/></iq>
        S: Request 1002@cc.test/desk <iq …<ping …</iq> or …<service-unavailable …
        C: <iq type='result' id='1' to='1002@cc.test/desk'/>
        S: Answer 1002@cc.test/desk <iq …/>
        C: <iq type='get' id='1' to='nobody@pubsub.cc.test'><ping xmlns='urn:xmpp:ping'/></iq>
        S: …<error code='503' type='cancel'><service-unavailable …
        C: <iq type='get' id='1' to='cc.other'><ping xmlns='urn:xmpp:ping'/></iq>
        S: …<error code='404' type='cancel'><remote-server-not-found …
        C: <iq type='get' id='1' to='chat.cc.test'><ping xmlns='urn:xmpp:ping'/></iq>
        S: …<error code='404' type='cancel'><remote-server-not-found …
        ",
    );
}

#[test]
fn presence_opens_the_gate() {
    check(
        "
        C: <presence/>
        S: available 0 then <presence from='finesse@cc.test/publisher' to='1001@cc.test/desk'>
           <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' …
        C: <presence><priority>-1</priority><show>away</show></presence>
        S: available -1 then <presence from='finesse@…
        C: <presence type='unavailable'/>
        S: unavailable
        C: <presence to='finesse@cc.test' type='probe'/>
        S: <presence from='finesse@cc.test/publisher' …
        C: <presence to='finesse@cc.test' type='subscribe'/>
        S: <presence type='subscribed' from='finesse@cc.test' to='1001@cc.test'/> then <presence …
        C: <presence to='pubsub.cc.test' type='subscribe'/>
        S: <presence type='unsubscribed' from='pubsub.cc.test' to='1001@cc.test'/>
        C: <presence to='finesse@cc.test' type='unsubscribe'/>
        S: nothing
        C: <presence to='finesse@cc.test'/>
        S: nothing
        C: <presence to='1002@cc.test' type='probe'/>
        S: probe 1002@cc.test
        C: <presence to='1002@cc.test/desk'><show>xa</show></presence>
        S: ExtendedAway to 1002@cc.test/desk
        C: <presence to='1002@cc.test' type='unavailable'/>
        S: Gone to 1002@cc.test
        C: <presence to='1002@cc.other' id='p'><show>xa</show></presence>
        S: <presence type='error' id='p' from='1002@cc.other' to='1001@cc.test/desk'>
           <show>xa</show><error code='404' type='cancel'><remote-server-not-found …
        C: <presence to='1002@cc.other' type='unavailable'/>
        S: nothing
        C: <presence to='1002@cc.other' type='probe'/>
        S: …<remote-server-not-found …
        C: <presence type='error'/>
        S: nothing
        ",
    );
}

#[test]
fn a_centre_out_of_service_is_shown_as_unavailable() {
    let stage = Stage::new();
    let presence = stage.realm.finesse_presence(&stage.asker, false);
    assert_eq!(
        plain(&presence),
        "<presence from='finesse@cc.test/publisher' to='1001@cc.test/desk' type='unavailable'/>"
    );
}

#[test]
fn the_answer_for_a_full_roster_fits_into_a_stanza() {
    let mut stage = Stage::new();
    let owner = stage.asker.to_bare();
    let text = |at: usize| format!("{at:03}{}", "&".repeat(ROSTER_NAME_BYTES_MAX - 3));
    let refused = (0..ROSTER_CONTACTS_MAX).find_map(|at| {
        let contact = format!("b{at}@cc.test").parse().unwrap();
        let groups = (0..ROSTER_GROUPS_MAX).map(text).collect();
        let request = roster::Request::Set { contact, name: Some(text(at)), groups };
        let planned = stage.roster.plan(&owner, &request, true, WallTime(0));
        planned.map(|done| done.changes.iter().for_each(|c| stage.roster.adopt(c))).err()
    });
    assert_eq!(refused, Some(roster::Refusal::Full));
    let request = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>";
    let request = with_default_namespace(request);
    let request = Stanza::parse(read_element(&request, Prologue::Forbidden).unwrap()).unwrap();
    let Stanza::Iq(request) = request else { panic!("a request") };
    let contacts = stage.roster.contacts(&owner);
    let bytes = stage.realm.roster_answer(&request, 1, contacts).to_xml().len();
    assert!(bytes > STANZA_BYTES_MAX / 4 && bytes < STANZA_BYTES_MAX, "{bytes}");
}

#[test]
fn session_roster_version_and_time_are_there() {
    check(
        "
        C: <iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
        S: <iq type='result' id='s' to='1001@cc.test/desk'/>
        C: <iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>
        S: <iq type='result' id='r' to='1001@cc.test/desk'><query xmlns='jabber:iq:roster'/></iq>
        C: <iq type='get' id='r'><query xmlns='jabber:iq:roster' ver=''/></iq>
        S: …<query xmlns='jabber:iq:roster' ver='0'/></iq>
        C: <iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='0'/></iq>
        S: <iq type='result' id='r' to='1001@cc.test/desk'/>
        C: <iq type='get' id='v' to='cc.test'><query xmlns='jabber:iq:version'/></iq>
        S: …<query xmlns='jabber:iq:version'><name>aplomb</name><version>1.2.3</version></query>
           </iq>
        C: <iq type='get' id='t' to='cc.test'><time xmlns='urn:xmpp:time'/></iq>
        S: …<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2017-09-28T17:33:40.875Z</utc>
           </time></iq>
        ",
    );
}

#[test]
fn discovery_tells_what_is_where() {
    check(
        "
        C: <iq type='get' id='1' to='cc.test'><query xmlns='http://jabber.org/protocol/disco#info'/>
           </iq>
        S: …<identity category='server' type='im' name='aplomb'/>…
           <feature var='urn:xmpp:ping'/>…
        C: <iq type='get' id='1' to='cc.test'>
           <query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        S: …<item jid='pubsub.cc.test' name='aplomb'/></query></iq>
        C: <iq type='get' id='1' to='pubsub.cc.test'>
           <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        S: …<identity category='pubsub' type='service' name='aplomb'/>…
           <feature var='http://jabber.org/protocol/pubsub'/>…
        C: <iq type='get' id='1' to='pubsub.cc.test'>
           <query xmlns='http://jabber.org/protocol/disco#info' node='/finesse/api/User/1001'/></iq>
        S: …<query xmlns='http://jabber.org/protocol/disco#info' node='/finesse/api/User/1001'>
           <identity category='pubsub' type='leaf' name='aplomb'/>
           <feature var='http://jabber.org/protocol/disco#info'/>
           <feature var='http://jabber.org/protocol/pubsub'/><x …pubsub#meta-data<…</query></iq>
        C: <iq type='get' id='1' to='pubsub.cc.test'>
           <query xmlns='http://jabber.org/protocol/disco#info' node='none'/></iq>
        S: …<item-not-found …
        C: <iq type='get' id='1' to='1001@cc.test'>
           <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        S: …<identity category='account' type='registered' name='aplomb'/>…
        C: <iq type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        S: …<query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        C: <iq type='get' id='1' to='finesse@cc.test/publisher'>
           <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        S: …<identity category='client' type='bot' name='aplomb'/>…
        C: <iq type='get' id='1' to='cc.test'>
           <query xmlns='http://jabber.org/protocol/disco#info' node='x'/></iq>
        S: …<item-not-found …
        as owner
        C: <iq type='set' id='c' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n'/></pubsub></iq>
        S: …type='result'…
        C: <iq type='set' id='p' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <publish node='n'><item id='a'><x xmlns='y'/></item></publish></pubsub></iq>
        S: …type='result'…
        C: <iq type='get' id='1' to='pubsub.cc.test'>
           <query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        S: …<item jid='pubsub.cc.test' node='n'/></query></iq>
        C: <iq type='get' id='1' to='pubsub.cc.test'>
           <query xmlns='http://jabber.org/protocol/disco#items' node='n'/></iq>
        S: …<query xmlns='http://jabber.org/protocol/disco#items' node='n'>
           <item jid='pubsub.cc.test' name='a'/></query></iq>
        ",
    );
}

#[test]
fn the_hash_in_a_presence_leads_to_what_it_stands_for() {
    let mut stage = Stage::new();
    let features = stage.realm.stream_features(StreamFacts { element_bytes_max: 1, idle_secs: 1 });
    assert_eq!(
        features.iter().map(Element::name).collect::<Vec<_>>(),
        ["ver", "sub", "c", "limits"]
    );
    let presence = stage.realm.finesse_presence(&stage.asker, true);
    let server = (&features[2], "cc.test");
    let finesse = (presence.child(ns::CAPS, "c").unwrap(), "finesse@cc.test/publisher");
    for (caps, to) in [server, finesse] {
        let node = format!("{}#{}", caps.attr("node").unwrap(), caps.attr("ver").unwrap());
        let said = stage.says(&format!(
            "<iq type='get' id='1' to='{to}'><query xmlns='{}' node='{node}'/></iq>",
            ns::DISCO_INFO
        ));
        assert!(said.contains(&format!("node='{node}'")) && said.contains("type='result'"));
    }
}

#[test]
fn the_walk_of_the_tech_note_subscribes() {
    check(
        "
        C: <iq from='1001@cc.test/desk' to='pubsub.cc.test' type='set' id='1234:subscribenode'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <subscribe node='/finesse/api/User/1001' jid='1001@cc.test/desk'/></pubsub></iq>
        S: <iq type='result' id='1234:subscribenode' from='pubsub.cc.test' to='1001@cc.test/desk'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <subscription node='…/User/1001' jid='1001@cc.test/desk' subscription='subscribed'>
           <subscribe-options/></subscription></pubsub></iq>
        C: <iq type='get' id='ls1' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions/></pubsub></iq>
        S: <iq type='result' id='ls1' from='pubsub.cc.test' to='1001@cc.test/desk'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions>
           <subscription node='…/User/1001' jid='1001@cc.test' subscription='subscribed'/>
           <subscription node='…/User/1001' jid='1001@cc.test/desk' subscription='subscribed'/>
           </subscriptions></pubsub></iq>
        C: <iq type='set' id='un1' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <unsubscribe node='/finesse/api/User/1001' jid='1001@cc.test/desk'/></pubsub></iq>
        S: <iq type='result' id='un1' from='pubsub.cc.test' to='1001@cc.test/desk'/>
        C: <iq type='set' id='un1' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <unsubscribe node='/finesse/api/User/1001' jid='1001@cc.test/desk'/></pubsub></iq>
        S: …<error code='400' type='cancel'><unexpected-request …/>
           <not-subscribed xmlns='http://jabber.org/protocol/pubsub#errors'/></error></iq>
        C: <iq type='set' id='un1' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <unsubscribe node='/finesse/api/User/1001' jid='1001@cc.test'/></pubsub></iq>
        S: …<not-allowed …
        C: <iq type='set' id='sub1' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <subscribe node='/finesse/api/Team/none/Users' jid='1001@cc.test/desk'/></pubsub></iq>
        S: <iq type='error' id='sub1' from='pubsub.cc.test' to='1001@cc.test/desk'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <subscribe node='/finesse/api/Team/none/Users' jid='1001@cc.test/desk'/></pubsub>
           <error code='404' type='cancel'>
           <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        C: <iq type='set' id='x' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <subscribe node='/finesse/api/User/1001' jid='1002@cc.test'/></pubsub></iq>
        S: …<bad-request …/>
           <invalid-jid xmlns='http://jabber.org/protocol/pubsub#errors'/></error>
           </iq>
        ",
    );
}

#[test]
fn a_publisher_walks_through_the_life_of_a_node() {
    check(
        "
        as owner
        C: <iq type='set' id='1' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <create node='n'/><configure><x xmlns='jabber:x:data' type='submit'>
           <field var='pubsub#title'><value>Ours</value></field>
           <field var='pubsub#max_items'><value>max</value></field></x></configure></pubsub></iq>
        S: …type='result'…<create node='n'/></pubsub></iq>
        C: <iq type='get' id='2' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'/></pubsub>
           </iq>
        S: …<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'>
           <x xmlns='jabber:x:data' type='form'>
           <field var='FORM_TYPE' type='hidden'>
           <value>http://jabber.org/protocol/pubsub#node_config</value></field>
           <field var='pubsub#title' type='text-single' label='A short name'>
           <value>Ours</value></field>…
           <field var='pubsub#max_items' type='text-single' label='…'><value>10</value></field>…
        C: <iq type='set' id='3' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'>
           <x xmlns='jabber:x:data' type='submit'>
           <field var='pubsub#access_model'><value>acl</value></field></x></configure></pubsub>
           </iq>
        S: …<not-acceptable …<unsupported-access-model …
        C: <iq type='set' id='3' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'>
           <x xmlns='jabber:x:data' type='cancel'/></configure></pubsub></iq>
        S: <iq type='result' id='3' from='pubsub.cc.test' to='1001@cc.test/desk'/>
        C: <iq type='set' id='4' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <publish node='n'><item><notification>&lt;Update/&gt;</notification></item></publish>
           </pubsub></iq>
        S: …<publish node='n'><item id='epoch-1'/></publish></pubsub></iq>
        C: <iq type='get' id='5' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <items node='n' max_items='1'/></pubsub></iq>
        S: …<items node='n'><item id='epoch-1'><notification>&lt;Update/&gt;</notification></item>
           </items>…
        C: <iq type='set' id='6' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><affiliations node='n'>
           <affiliation jid='1002@cc.test' affiliation='member'/></affiliations></pubsub></iq>
        S: <iq type='result' id='6' from='pubsub.cc.test' to='1001@cc.test/desk'/> then 
           …<message …to='1002@cc.test'…><pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <affiliations node='n'><affiliation jid='1002@cc.test' affiliation='member'/>…
        C: <iq type='get' id='7' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><affiliations node='n'/></pubsub>
           </iq>
        S: …<affiliations node='n'><affiliation jid='1001@cc.test' affiliation='owner'/>
           <affiliation jid='1002@cc.test' affiliation='member'/></affiliations></pubsub></iq>
        C: <iq type='get' id='8' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <affiliations/></pubsub></iq>
        S: …<affiliations><affiliation node='n' affiliation='owner'/></affiliations></pubsub></iq>
        C: <iq type='set' id='9' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <subscribe node='n' jid='1001@cc.test/desk'/></pubsub></iq>
        S: …type='result'…
        C: <iq type='get' id='10' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><subscriptions node='n'/>
           </pubsub></iq>
        S: …<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><subscriptions node='n'>
           <subscription jid='1001@cc.test/desk' subscription='subscribed'/></subscriptions>
           </pubsub></iq>
        C: <iq type='set' id='11' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete node='n'/></pubsub></iq>
        S: <iq type='result' id='11' from='pubsub.cc.test' to='1001@cc.test/desk'/>
        C: <iq type='get' id='12' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><default/></pubsub></iq>
        S: …<default><x xmlns='jabber:x:data' type='form'>…
        ",
    );
}

fn to_service(kind: &str, space: &str, verb: &str) -> String {
    let space = format!("http://jabber.org/protocol/{space}");
    format!(
        "<iq type='{kind}' id='x' to='pubsub.cc.test'><pubsub xmlns='{space}'>{verb}</pubsub></iq>"
    )
}

/// Every pubsub request, with the attributes and children that it needs, and what their absence
/// is called.
type Needs = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const NEEDS: &[Needs] = &[
    (
        "set",
        "pubsub",
        "<subscribe node='n' jid='1001@cc.test/desk'/>",
        &[(" node='n'", "nodeid-required"), (" jid='1001@cc.test/desk'", "jid-required")],
    ),
    (
        "set",
        "pubsub",
        "<unsubscribe node='n' jid='1001@cc.test/desk'/>",
        &[(" node='n'", "nodeid-required"), (" jid='1001@cc.test/desk'", "jid-required")],
    ),
    (
        "get",
        "pubsub",
        "<options node='n' jid='1001@cc.test/desk'/>",
        &[(" node='n'", "nodeid-required"), (" jid='1001@cc.test/desk'", "jid-required")],
    ),
    (
        "set",
        "pubsub",
        "<options node='n' jid='1001@cc.test/desk'><x xmlns='jabber:x:data' type='submit'/>\
         </options>",
        &[
            (" node='n'", "nodeid-required"),
            (" jid='1001@cc.test/desk'", "jid-required"),
            ("<x xmlns='jabber:x:data' type='submit'/>", "invalid-options"),
        ],
    ),
    (
        "get",
        "pubsub",
        "<items node='n'><item id='a'/></items>",
        &[(" node='n'", "nodeid-required"), (" id='a'", "item-required")],
    ),
    (
        "set",
        "pubsub",
        "<publish node='n'><item id='b'><x xmlns='y'/></item></publish>",
        &[
            (" node='n'", "nodeid-required"),
            ("<item id='b'><x xmlns='y'/></item>", "item-required"),
            ("<x xmlns='y'/>", "payload-required"),
        ],
    ),
    (
        "set",
        "pubsub",
        "<retract node='n'><item id='a'/></retract>",
        &[
            (" node='n'", "nodeid-required"),
            (" id='a'", "item-required"),
            ("<item id='a'/>", "item-required"),
        ],
    ),
    ("get", "pubsub#owner", "<configure node='n'/>", &[(" node='n'", "nodeid-required")]),
    (
        "set",
        "pubsub#owner",
        "<configure node='n'><x xmlns='jabber:x:data' type='submit'/></configure>",
        &[
            (" node='n'", "nodeid-required"),
            ("<x xmlns='jabber:x:data' type='submit'/>", "bad-request"),
        ],
    ),
    ("get", "pubsub#owner", "<affiliations node='n'/>", &[(" node='n'", "nodeid-required")]),
    (
        "set",
        "pubsub#owner",
        "<affiliations node='n'><affiliation jid='a@b' affiliation='member'/></affiliations>",
        &[
            (" node='n'", "nodeid-required"),
            (" jid='a@b'", "jid-required"),
            (" affiliation='member'", "bad-request"),
            ("<affiliation jid='a@b' affiliation='member'/>", "bad-request"),
        ],
    ),
    ("get", "pubsub#owner", "<subscriptions node='n'/>", &[(" node='n'", "nodeid-required")]),
    ("set", "pubsub#owner", "<purge node='n'/>", &[(" node='n'", "nodeid-required")]),
    ("set", "pubsub#owner", "<delete node='n'/>", &[(" node='n'", "nodeid-required")]),
];

#[test]
fn what_a_request_needs_is_named_when_it_is_absent() {
    for (kind, space, verb, needs) in NEEDS {
        let mut stage = Stage::new();
        stage.standing = Standing::Owner;
        stage.says(&to_service("set", "pubsub", "<create node='n'/>"));
        let item = "<publish node='n'><item id='a'><x xmlns='y'/></item></publish>";
        stage.says(&to_service("set", "pubsub", item));
        stage.says(&to_service("set", "pubsub", "<subscribe node='n' jid='1001@cc.test/desk'/>"));
        for (part, condition) in *needs {
            let without = verb.replacen(part, "", 1);
            let said = stage.says(&to_service(kind, space, &without));
            let is_refused = said.contains("type='error'") && said.contains("<bad-request ");
            assert!(is_refused && said.contains(&format!("<{condition} ")), "{without}\n{said}");
        }
        let said = stage.says(&to_service(kind, space, verb));
        assert!(said.contains("type='result'"), "{verb}\n{said}");
    }
}

#[test]
fn a_verb_in_the_wrong_place_is_refused_and_never_a_panic() {
    for space in ["pubsub", "pubsub#owner"] {
        for (kind, home, verb, _) in NEEDS {
            let other = if *kind == "get" { "set" } else { "get" };
            let said = Stage::new().says(&to_service(other, space, verb));
            assert!(said.contains("type='error'"), "{other} {space} {verb}\n{said}");
            if space != *home {
                let said = Stage::new().says(&to_service(kind, space, verb));
                assert!(said.contains("type='error'"), "{kind} {space} {verb}\n{said}");
            }
        }
        for junk in ["", "<nothing/>", "<items node='n' max_items='many'/>", "<create node=''/>"] {
            assert!(Stage::new().says(&to_service("get", space, junk)).contains("type='error'"));
        }
    }
    let two = "<publish node='n'><item><x xmlns='y'/></item><item><x xmlns='y'/></item></publish>";
    assert!(Stage::new().says(&to_service("set", "pubsub", two)).contains("<max-items-exceeded "));
    let twice = "<publish node='n'><item><x xmlns='y'/><x xmlns='y'/></item></publish>";
    assert!(Stage::new().says(&to_service("set", "pubsub", twice)).contains("<invalid-payload "));
    let bad = "<subscribe node='n' jid='@@'/>";
    assert!(Stage::new().says(&to_service("set", "pubsub", bad)).contains("<invalid-jid "));
}

#[test]
fn the_bytes_of_a_strangers_refusal_do_not_tell_whether_the_node_exists() {
    let mut stage = Stage::new();
    stage.standing = Standing::Owner;
    stage.says(&to_service("set", "pubsub", "<create node='n'/>"));
    stage.standing = Standing::Stranger;
    let info = "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>";
    let items = "<query xmlns='http://jabber.org/protocol/disco#items' node='n'/>";
    let discoveries = [info, items]
        .map(|query| format!("<iq type='get' id='x' to='pubsub.cc.test'>{query}</iq>"));
    let requests = NEEDS.iter().map(|(kind, space, verb, _)| to_service(kind, space, verb));
    let create = to_service("set", "pubsub", "<create node='n'/>");
    for request in requests.chain(discoveries).chain([create]) {
        let of_one = stage.says(&request);
        let of_none = stage.says(&request.replace("node='n'", "node='m'"));
        assert!(of_one.contains("type='error'"), "{of_one}");
        assert_eq!(of_one, of_none.replace("node='m'", "node='n'"));
    }
}

#[test]
fn a_payload_keeps_the_namespaces_it_came_with() {
    let mut stage = Stage::new();
    stage.standing = Standing::Owner;
    stage.says(&to_service("set", "pubsub", "<create node='n'/>"));
    let bare = "<publish node='n'><item id='a'><x xmlns=''><y xmlns='z'/></x></item></publish>";
    stage.says(&to_service("set", "pubsub", bare));
    let said = stage.says(&to_service("get", "pubsub", "<items node='n'/>"));
    assert!(said.contains("<item id='a'><x xmlns=''><y xmlns='z'/></x></item>"), "{said}");
}

#[test]
fn an_answer_holds_the_newest_items_that_fit_and_says_that_there_were_more() {
    let mut stage = Stage::new();
    stage.standing = Standing::Owner;
    stage.service = PubSub::new(
        "epoch-",
        Bounds {
            items_max: 10,
            age_max: Duration::from_secs(3600),
            bytes_max: 10_000_000,
            payload_bytes_max: 300_000,
            nodes_max: 1,
            subscriptions_max: 1,
        },
    );
    stage.says(&to_service("set", "pubsub", "<create node='n'/>"));
    let text = "p".repeat(200_000);
    let item = format!("<publish node='n'><item><x xmlns='y'>{text}</x></item></publish>");
    for _ in 0..4 {
        stage.says(&to_service("set", "pubsub", &item));
    }
    let said = stage.says(&to_service("get", "pubsub", "<items node='n'/>")).replace(&text, "p");
    assert!(
        matches(
            &said,
            "…<items node='n'><item id='epoch-3'>…</item><item id='epoch-4'>…</item></items>\
             <set xmlns='http://jabber.org/protocol/rsm'><first index='2'>epoch-3</first>\
             <last>epoch-4</last><count>4</count></set></pubsub></iq>"
        ),
        "{said}"
    );
    let said = stage.says(&to_service("get", "pubsub", "<items node='n' max_items='2'/>"));
    assert!(!said.contains("rsm"));
}

/// Names that some feature or other looks for.
const NAMES: &[&str] = &[
    "pubsub",
    "query",
    "subscribe",
    "unsubscribe",
    "items",
    "item",
    "publish",
    "retract",
    "create",
    "configure",
    "x",
    "field",
    "value",
    "delete",
    "purge",
    "affiliations",
    "affiliation",
    "subscriptions",
    "default",
    "options",
    "set",
    "max",
    "after",
    "before",
    "index",
    "ping",
    "session",
    "time",
];

/// An element out of the words that the features listen to, nested at random.
fn any_element() -> impl Strategy<Value = Element> {
    let words = |words: &[&'static str]| prop::sample::select(words.to_vec());
    let ns = prop::sample::select(
        [ns::CLIENT, ns::PUBSUB, ns::PUBSUB_OWNER, ns::DISCO_INFO, ns::DISCO_ITEMS, ns::PING]
            .into_iter()
            .chain([
                ns::RESULT_SET,
                ns::ROSTER,
                ns::SESSION,
                ns::VERSION,
                ns::TIME,
                ns::DATA_FORMS,
                "",
            ])
            .collect::<Vec<_>>(),
    );
    let name = words(NAMES);
    let attribute = (
        words(&["node", "jid", "id", "max_items", "type", "var", "affiliation", "notify", "ver"]),
        words(&[
            "n",
            "",
            "1001@cc.test/desk",
            "@",
            "0",
            "-1",
            "max",
            "owner",
            "submit",
            "FORM_TYPE",
        ]),
    );
    let head = (ns, name, prop::collection::vec(attribute, 0..4));
    let build = |(ns, name, attributes): (&'static str, &'static str, Vec<_>)| {
        let element = Element::new(ns, name);
        attributes.into_iter().fold(element, |element: Element, (name, value): (&str, &str)| {
            element.with_attr(name, value)
        })
    };
    let leaf = head.clone().prop_map(build);
    leaf.prop_recursive(4, 12, 3, move |inside| {
        (head.clone(), prop::collection::vec(inside, 0..3))
            .prop_map(move |(head, children)| build(head).with_children(children))
    })
}

proptest! {
    #[test]
    fn whatever_is_asked_has_one_answer(
        payload in any_element(),
        is_set in any::<bool>(),
        to in prop::sample::select(vec![
            None, Some("cc.test"), Some("pubsub.cc.test"), Some("1001@cc.test"),
            Some("finesse@cc.test"), Some("1002@cc.test/x"), Some("elsewhere"),
        ]),
        standing in prop::sample::select(vec![
            Standing::Owner, Standing::Reader, Standing::Stranger, Standing::UNKNOWN,
        ]),
    ) {
        let mut stage = Stage::new();
        stage.standing = standing;
        let kind = if is_set { IqKind::Set(payload) } else { IqKind::Get(payload) };
        let to = to.map(|to| to.parse().unwrap());
        let iq = Iq { from: None, to, id: "x".to_owned(), kind };
        let now = Now { moment: Moment::default(), wall: WallTime(0) };
        let asker = stage.asker.clone();
        let mut effects = stage.realm.handle(&asker, Stanza::Iq(iq), now);
        prop_assert_eq!(effects.len(), 1);
        let answer = stage.perform(effects.remove(0));
        prop_assert!(answer.contains("id='x'") && answer.contains("to='1001@cc.test/desk'"));
    }
}

#[test]
fn a_roster_is_changed_one_contact_at_a_time() {
    check(
        "
        C: <iq type='set' id='1'><query xmlns='jabber:iq:roster'>
           <item jid='1002@cc.test' name='Bob &amp; co'><group>Work</group><group>Friends</group>
           </item></query></iq>
        S: <iq type='result' id='1' to='1001@cc.test/desk'/> then…
           <iq type='set' id='push-1' to='1001@cc.test/desk'>
           <query xmlns='jabber:iq:roster' ver='1'>
           <item jid='1002@cc.test' name='Bob &amp; co' subscription='none'>
           <group>Friends</group><group>Work</group></item></query></iq>
        C: <iq type='get' id='2' to='1001@cc.test'><query xmlns='jabber:iq:roster'/></iq>
        S: <iq type='result' id='2' from='1001@cc.test' to='1001@cc.test/desk'>
           <query xmlns='jabber:iq:roster'><item jid='1002@cc.test' …
        C: <iq type='get' id='2'><query xmlns='jabber:iq:roster' ver='0'/></iq>
        S: …<query xmlns='jabber:iq:roster' ver='1'><item …
        C: <iq type='get' id='2'><query xmlns='jabber:iq:roster' ver='1'/></iq>
        S: <iq type='result' id='2' to='1001@cc.test/desk'/>
        C: <iq type='set' id='3'><query xmlns='jabber:iq:roster'>
           <item jid='1002@cc.test' subscription='remove'/></query></iq>
        S: <iq type='result' id='3' …<query xmlns='jabber:iq:roster' ver='2'>
           <item jid='1002@cc.test' subscription='remove'/></query></iq>
        C: <iq type='set' id='3'><query xmlns='jabber:iq:roster'>
           <item jid='1002@cc.test' subscription='remove'/></query></iq>
        S: <iq type='error' …<item-not-found …
        ",
    );
}

#[test]
fn a_change_of_a_roster_that_cannot_be_read_is_refused() {
    for (item, condition) in [
        ("", "bad-request"),
        ("<item jid='a@cc.test'/><item jid='b@cc.test'/>", "bad-request"),
        ("<group>x</group>", "bad-request"),
        ("<item/>", "bad-request"),
        ("<item jid='@'/>", "jid-malformed"),
        ("<item jid='a@cc.test/desk'/>", "bad-request"),
        ("<item jid='a@cc.test'><group>x</group><group>x</group></item>", "bad-request"),
        ("<item jid='a@cc.test'><group/></item>", "not-acceptable"),
        ("<item jid='1001@cc.test'/>", "not-allowed"),
    ] {
        check(&format!(
            "
            C: <iq type='set' id='1'><query xmlns='jabber:iq:roster'>{item}</query></iq>
            S: <iq type='error' …<{condition} …
            "
        ));
    }
    check(
        "
        C: <iq type='get' id='1' to='1002@cc.test'><query xmlns='jabber:iq:roster'/></iq>
        S: <iq type='error' …<service-unavailable …
        C: <iq type='set' id='1' to='cc.test'><query xmlns='jabber:iq:roster'>
           <item jid='a@cc.test'/></query></iq>
        S: <iq type='error' …<service-unavailable …
        C: <iq type='get' id='1'><query xmlns='jabber:iq:roster'><item jid='a@cc.test'/></query>
           </iq>
        S: <iq type='error' …<bad-request …
        C: <iq type='set' id='1'><item xmlns='jabber:iq:roster' jid='a@cc.test'/></iq>
        S: <iq type='error' …<service-unavailable …
        ",
    );
}

#[test]
fn a_subscription_is_between_bare_addresses_and_says_what_its_sender_wrote() {
    check(
        "
        C: <presence to='1002@cc.test/desk' type='subscribe' id='s'><status>It is me</status>
           <priority>7</priority></presence>
        S: <presence type='subscribe' id='s' from='1001@cc.test' to='1002@cc.test'>
           <status>It is me</status></presence> then…
           <iq type='set' id='push-1' …ask='subscribe'/></query></iq>
        C: <presence to='1002@cc.test' type='unsubscribe'/>
        S: <presence type='unsubscribe' from='1001@cc.test' to='1002@cc.test'/> then <iq …
        C: <presence to='1003@cc.test' type='subscribed'/>
        S: <iq …<item jid='1003@cc.test' subscription='none' approved='true'/></query></iq>
        C: <presence to='1003@cc.test' type='unsubscribed'/>
        S: <iq …<item jid='1003@cc.test' subscription='none'/></query></iq>
        C: <presence to='1001@cc.test' type='subscribe' id='me'/>
        S: <presence type='error' id='me' from='1001@cc.test' to='1001@cc.test/desk'>
           <error code='405' type='cancel'><not-allowed …
        C: <presence to='a@cc.other' type='subscribe'/>
        S: <presence type='error' …<remote-server-not-found …
        C: <presence to='a@pubsub.cc.test' type='subscribe'/>
        S: <presence type='error' …<service-unavailable …
        C: <presence to='a@cc.other' type='unsubscribed'/>
        S: nothing
        C: <presence type='subscribe'/>
        S: <presence type='error' to='1001@cc.test/desk'>…<bad-request …
        ",
    );
}

#[test]
fn a_presence_or_a_wish_that_is_too_long_is_refused() {
    let status = "x".repeat(crate::limits::PRESENCE_BYTES_MAX);
    check(&format!(
        "
        C: <presence><status>{status}</status></presence>
        S: <presence type='error' to='1001@cc.test/desk'><error …<policy-violation …
        C: <presence to='1002@cc.test'><status>{status}</status></presence>
        S: <presence type='error' from='1002@cc.test' …<policy-violation …
        C: <presence type='subscribe' to='1002@cc.test'><status>{status}</status></presence>
        S: <presence type='error' …<not-acceptable …
        "
    ));
}
