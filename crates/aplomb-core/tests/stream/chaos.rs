//! Whatever one side sends, in whatever order, the other keeps to the grammar and never panics.

use std::time::Duration;

use aplomb_core::framing::StreamCondition;
use aplomb_core::sasl::binding::Bindings;
use aplomb_core::sasl::fast::Agent;
use aplomb_core::secret::Secret;
use aplomb_core::stream::initiator::{self, Event, Output, Wish};
use aplomb_core::stream::responder::StartTls;
use aplomb_core::stream::{Initiator, Report, Side, Witness};
use aplomb_core::time::Moment;
use aplomb_core::xml::Element;
use proptest::prelude::*;

use crate::desk::{Carrier, Desk, Seen, World};

/// What a client may do to a server.
#[derive(Debug, Clone)]
enum Move {
    Send(&'static str),
    Wait(u64),
    Push,
    Close(bool),
}

const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='cc.test' version='1.0'/>";
const CLOSE: &str = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";
const BIND: &str = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
// NUL ada NUL pencil.
const LOGIN: &str = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\
                     AGFkYQBwZW5jaWw=</auth>";

const CLIENT_UNITS: [&str; 28] = [
    OPEN,
    OPEN,
    OPEN,
    LOGIN,
    LOGIN,
    BIND,
    BIND,
    CLOSE,
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='0.9'/>",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>=</auth>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFkYQB4</auth>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'>eA==</auth>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>\
     biwsbj1hZGEscj1hYmM=</auth>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>biwsbj1hZGEscj1hYmM=</response>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Yz1iaXdzLHI9YWJj</response>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%</response>",
    "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
    "<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>\u{7f}</resource>\
     </bind></iq>",
    "<iq type='get' id='1'/>",
    "<iq type='result' id='1'/>",
    "<presence/>",
    "<message from='bob@cc.test'/>",
    "<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>",
    "hello",
];

fn client_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        20 => prop::sample::select(CLIENT_UNITS.to_vec()).prop_map(Move::Send),
        1 => (0_u64..40).prop_map(Move::Wait),
        1 => Just(Move::Push),
        1 => any::<bool>().prop_map(Move::Close),
    ]
}

/// A good beginning, so that the later phases are met as often as the first.
fn client_moves() -> impl Strategy<Value = Vec<Move>> {
    let good = [OPEN, LOGIN, OPEN, BIND].map(Move::Send).to_vec();
    (0..=good.len(), prop::collection::vec(client_move(), 0..12))
        .prop_map(move |(kept, bad)| good.iter().take(kept).cloned().chain(bad).collect())
}

fn carrier() -> impl Strategy<Value = Carrier> {
    prop::sample::select(Carrier::ALL.to_vec())
}

fn starttls() -> impl Strategy<Value = StartTls> {
    prop::sample::select(vec![StartTls::Absent, StartTls::Offered, StartTls::Required])
}

fn witness(carrier: Carrier) -> Witness {
    Witness::new(carrier.framing(), carrier.framing())
}

fn server_legal(witness: &mut Witness, unit: &str) -> Result<(), TestCaseError> {
    for report in witness.see(Side::Server, unit.as_bytes()) {
        prop_assert!(matches!(report, Report::Milestone(_)), "{:?}", report);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_server_keeps_to_the_grammar_whatever_a_client_does(
        moves in client_moves(),
        carrier in carrier(),
        starttls in starttls(),
    ) {
        let passwords = vec![("ada".to_owned(), "pencil".to_owned())];
        let world = World { passwords, carrier, starttls, ..World::default() };
        let (mut desk, mut witness) = (Desk::new(&world), witness(carrier));
        let mut is_over = false;
        for step in moves {
            let seen = match step {
                Move::Send(unit) => {
                    let sent = carrier.bytes_of(unit);
                    witness.see(Side::Client, &sent);
                    desk.receive(&sent)
                }
                Move::Wait(secs) => desk.wait(Duration::from_secs(secs)),
                Move::Push => desk.push(&Element::new("jabber:client", "message")),
                Move::Close(is_error) => desk.close(is_error.then_some(StreamCondition::Reset)),
            };
            prop_assert!(!is_over || seen.is_empty(), "after the end: {:?}", seen);
            for seen in seen {
                prop_assert!(!is_over, "after the end: {:?}", seen);
                match seen {
                    Seen::Unit(unit) => server_legal(&mut witness, &unit)?,
                    Seen::StartTls => {}
                    Seen::HangUp(_) => is_over = true,
                }
            }
        }
        // However it went, it ends: nothing waits for ever but a bound client.
        let is_bound = desk.told.iter().any(|told| told.ends_with("is bound"));
        if !is_over && !is_bound {
            let seen: Vec<Seen> = (0..2).flat_map(|_| desk.wait(Duration::from_secs(60))).collect();
            prop_assert!(matches!(seen.last(), Some(Seen::HangUp(_))), "{:?}", seen);
        }
    }

    #[test]
    fn a_client_keeps_to_the_grammar_whatever_a_server_does(
        kept in 0..SERVER_UNITS_GOOD.len(),
        bad in prop::collection::vec(prop::sample::select(SERVER_UNITS.to_vec()), 0..10),
        carrier in carrier(),
    ) {
        let mut now = Moment::new(Duration::from_secs(1000));
        let mut client = Initiator::new(now, carrier.framing(), wish());
        let mut witness = witness(carrier);
        let mut is_over = false;
        for unit in SERVER_UNITS_GOOD.iter().take(kept).chain(&bad) {
            drain(now, &mut client, &mut witness, &mut is_over)?;
            let sent = carrier.bytes_of(unit);
            witness.see(Side::Server, &sent);
            client.receive(now, &sent);
        }
        drain(now, &mut client, &mut witness, &mut is_over)?;
        client.close(now);
        drain(now, &mut client, &mut witness, &mut is_over)?;
        for _ in 0..2 {
            now = now + Duration::from_secs(60);
            client.tick(now);
            drain(now, &mut client, &mut witness, &mut is_over)?;
        }
        prop_assert!(is_over, "a client that closes comes to an end");
    }
}

fn drain(
    now: Moment,
    client: &mut Initiator,
    witness: &mut Witness,
    is_over: &mut bool,
) -> Result<(), TestCaseError> {
    while let Some(output) = client.poll() {
        prop_assert!(!*is_over, "after the end: {:?}", output);
        match output {
            Output::Transmit(unit) => {
                for report in witness.see(Side::Client, &unit) {
                    prop_assert!(matches!(report, Report::Milestone(_)), "{:?}", report);
                }
            }
            Output::Event(Event::Passed(passage)) => {
                prop_assert!(!passage.text.contains("cGVuY2ls"), "the password is shown");
            }
            Output::Event(Event::Ready(_) | Event::Token(_) | Event::Stanza(_)) => {}
            Output::StartTls => client.encrypted(now, Bindings::default()),
            Output::Hangup(_) => *is_over = true,
        }
    }
    Ok(())
}

fn wish() -> Wish {
    Wish {
        domain: "cc.test".to_owned(),
        user: "ada".to_owned(),
        password: Secret::new("pencil".to_owned()),
        resource: None,
        allows_plain: true,
        bindings: Bindings::default(),
        sasl2: Some(initiator::Sasl2Wish {
            agent: Agent::parse("d4565fa7-4d72-4749-b3d3-740edbf87770").unwrap(),
            tag: Some("watch".to_owned()),
            token: None,
        }),
        starttls: initiator::StartTls::IfOffered,
        nonce: "client-nonce".to_owned(),
    }
}

const PLAIN_FEATURES: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
    <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>\
    </stream:features>";
const BIND_FEATURES: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
    <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
    <session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const SASL2_FEATURES: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
    <authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism></authentication>\
    </stream:features>";
const ARRIVAL: &str = "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>\
    ada@cc.test/watch/1</authorization-identifier><bound xmlns='urn:xmpp:bind:0'/></success>";
const BOUND: &str = "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
    <jid>ada@cc.test/x</jid></bind></iq>";

const SERVER_UNITS_GOOD: [&str; 8] = [
    OPEN,
    PLAIN_FEATURES,
    SUCCESS,
    OPEN,
    BIND_FEATURES,
    BOUND,
    "<iq type='result' id='session'/>",
    "<presence/>",
];

const SERVER_UNITS: [&str; 23] = [
    SASL2_FEATURES,
    ARRIVAL,
    "<challenge xmlns='urn:xmpp:sasl:2'/>",
    "<failure xmlns='urn:xmpp:sasl:2'/>",
    OPEN,
    CLOSE,
    PLAIN_FEATURES,
    BIND_FEATURES,
    SUCCESS,
    BOUND,
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>",
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
     <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism>\
     </mechanisms></stream:features>",
    "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
     cj1jbGllbnQtbm9uY2V4LHM9QUFBQSxpPTQwOTY=</challenge>",
    "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
     <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
    "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "<iq type='result' id='session'/>",
    "<iq type='error' id='bind'/>",
    "<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>",
    "<message/>",
    "hello",
];
