//! Our client walks against our server, in memory.

use std::time::Duration;

use aplomb_core::framing::StreamCondition;
use aplomb_core::sasl::binding::Bindings;
use aplomb_core::sasl::fast::{Agent, FastMechanism, FastToken};
use aplomb_core::sasl::{Hash, Mechanism};
use aplomb_core::secret::Secret;
use aplomb_core::stream::initiator::{Event, Held, Output, Sasl2Wish, StartTls, Trouble, Wish};
use aplomb_core::stream::responder;
use aplomb_core::stream::{Initiator, Report, Sasl2, Side, Witness};
use aplomb_core::time::WallTime;
use aplomb_core::xml::{Element, Prologue, read_element};

use crate::desk::{self, Carrier, Desk, Seen, TODAY, TOKEN_LIFE_MS, World};

fn world() -> World {
    let passwords = vec![("ada".to_owned(), "pencil".to_owned())];
    World { passwords, ..World::default() }
}

fn wish() -> Wish {
    Wish {
        domain: "cc.test".to_owned(),
        user: "ada".to_owned(),
        password: Secret::new("pencil".to_owned()),
        resource: Some("desktop".to_owned()),
        allows_plain: true,
        bindings: Bindings::default(),
        sasl2: None,
        starttls: StartTls::IfOffered,
        nonce: "client-nonce".to_owned(),
    }
}

/// A client and a server, and a witness between them who must have nothing to complain about.
struct Walk {
    desk: Desk,
    client: Initiator,
    witness: Witness,
    /// What the client believes that it can bind to, over TLS.
    bindings: Bindings,
    story: Vec<String>,
    token: Option<Held>,
}

impl Walk {
    fn new(world: &World, wish: Wish) -> Self {
        let desk = Desk::new(world);
        let client = Initiator::new(desk.now(), world.carrier.framing(), wish);
        let witness = Witness::new(world.carrier.framing(), world.carrier.framing());
        let bindings = world.bindings.clone();
        let mut walk = Self { desk, client, witness, bindings, story: Vec::new(), token: None };
        walk.go_on();
        walk
    }

    /// Carries units back and forth until both are silent.
    fn go_on(&mut self) {
        while let Some(output) = self.client.poll() {
            match output {
                Output::Transmit(unit) => {
                    self.see(Side::Client, &unit);
                    let seen = self.desk.receive(&unit);
                    self.carry(seen);
                }
                Output::Event(Event::Passed(passage)) => {
                    self.story.extend(passage.milestone.map(|m| m.to_string()));
                }
                Output::Event(Event::Token(held)) => {
                    self.story.push(format!("A token: {}.", held.is_some()));
                    self.token = held;
                }
                Output::Event(Event::Ready(jid)) => self.story.push(format!("Ready as {jid}.")),
                Output::Event(Event::Stanza(stanza)) => self.story.push(stanza.to_xml()),
                Output::StartTls => self.client.encrypted(self.desk.now(), self.bindings.clone()),
                Output::Hangup(trouble) => self.story.push(format!("Over: {trouble:?}")),
            }
        }
    }

    fn carry(&mut self, seen: Vec<Seen>) {
        for seen in seen {
            if let Seen::Unit(unit) = seen {
                self.see(Side::Server, unit.as_bytes());
                self.client.receive(self.desk.now(), unit.as_bytes());
            }
        }
    }

    fn see(&mut self, from: Side, unit: &[u8]) {
        for report in self.witness.see(from, unit) {
            let unit = String::from_utf8_lossy(unit);
            assert!(matches!(report, Report::Milestone(_)), "{report:?}\n{unit}");
        }
    }

    fn end(&self) -> &str {
        self.story.last().unwrap()
    }
}

fn ends_with_trouble(world: &World, wish: Wish, trouble: &Trouble) {
    assert_eq!(Walk::new(world, wish).end(), format!("Over: {:?}", Some(trouble)));
}

#[test]
fn a_client_logs_in_by_scram_and_binds() {
    for carrier in Carrier::ALL {
        let walk = Walk::new(&World { carrier, ..world() }, wish());
        assert_eq!(walk.story, LOGIN_STORY, "{carrier:?}");
        assert_eq!(walk.desk.told, ["ada logged in", "ada@cc.test/desktop is bound"]);
    }
}

#[test]
fn a_client_takes_tls_where_it_is_offered_and_insists_where_it_must() {
    for starttls in [responder::StartTls::Offered, responder::StartTls::Required] {
        let walk = Walk::new(&World { carrier: Carrier::Tcp, starttls, ..world() }, wish());
        let tls = walk.story.iter().position(|line| line.contains("TLS begins")).unwrap();
        assert_eq!(walk.story[tls + 1..], LOGIN_STORY);
        assert!(!walk.story[..tls].iter().any(|line| line.contains("logs in")));
    }
    let insists = Wish { starttls: StartTls::Always, ..wish() };
    ends_with_trouble(&World { carrier: Carrier::Tcp, ..world() }, insists, &Trouble::NoTls);
}

const LOGIN_STORY: [&str; 15] = [
    "The client opens a stream to cc.test.",
    "The server cc.test opens it too and names it 8x2m9k0q1.",
    "The server takes logins by SCRAM-SHA-256, PLAIN.",
    "The client logs in by SCRAM-SHA-256.",
    "The server sends a challenge.",
    "The client answers it.",
    "The login worked.",
    "The client opens the stream anew, as everybody must after a login.",
    "The server opens it anew as 8x2m9k0q1.",
    "The server offers an address, and a session as of RFC 3921.",
    "The client wants the resource desktop.",
    "The client is ada@cc.test/desktop from now on.",
    "The client asks for a session, as older ones do.",
    "It is given; nothing changes by it.",
    "Ready as ada@cc.test/desktop.",
];

#[test]
fn a_client_falls_back_to_plain_where_it_is_allowed() {
    let plain_only = World { mechanisms: vec![Mechanism::Plain], ..world() };
    assert_eq!(Walk::new(&plain_only, wish()).end(), "Ready as ada@cc.test/desktop.");
    let cautious = Wish { allows_plain: false, ..wish() };
    let offered = Trouble::NoMechanism(vec!["PLAIN".to_owned()]);
    ends_with_trouble(&plain_only, cautious, &offered);
}

#[test]
fn a_client_binds_its_login_to_the_connection_and_says_so() {
    let bindings = Bindings { exporter: Some(Secret::new([1; 32])), server_end_point: None };
    let world = World { mechanisms: Mechanism::ALL.to_vec(), bindings, ..world() };
    let login = |wish| {
        let walk = Walk::new(&world, wish);
        walk.story.into_iter().find(|line| line.contains("logs in by"))
    };
    let bound = Wish { bindings: world.bindings.clone(), ..wish() };
    let words =
        "The client logs in by SCRAM-SHA-512-PLUS, bound to this connection by tls-exporter.";
    assert_eq!(login(bound).as_deref(), Some(words));
    assert_eq!(login(wish()).as_deref(), Some("The client logs in by SCRAM-SHA-512."));
    let elsewhere = Bindings { exporter: Some(Secret::new([2; 32])), server_end_point: None };
    let end = Walk::new(&world, Wish { bindings: elsewhere, ..wish() });
    assert!(end.end().contains("bound to another TLS connection"), "{}", end.end());
}

#[test]
fn each_hash_logs_in() {
    for hash in Hash::ALL {
        let only = World { mechanisms: vec![Mechanism::Scram(hash)], ..world() };
        assert_eq!(Walk::new(&only, wish()).end(), "Ready as ada@cc.test/desktop.", "{hash:?}");
    }
}

#[test]
fn a_wrong_password_ends_the_walk_by_either_mechanism() {
    let wrong = Wish { password: Secret::new("pen".to_owned()), ..wish() };
    let refused = Trouble::Login("not-authorized".to_owned(), None);
    ends_with_trouble(&world(), wrong.clone(), &refused);
    let plain_only = World { mechanisms: vec![Mechanism::Plain], ..world() };
    ends_with_trouble(&plain_only, wrong, &refused);
    let nobody = Wish { user: "nobody".to_owned(), ..wish() };
    ends_with_trouble(&world(), nobody, &refused);
}

#[test]
fn a_name_with_an_at_sign_logs_in() {
    let passwords = vec![("d'arc@site".to_owned(), "pencil".to_owned())];
    let walk = Walk::new(
        &World { passwords, ..world() },
        Wish { user: "D'Arc@Site".to_owned(), ..wish() },
    );
    assert_eq!(walk.end(), "Ready as d\\27arc\\40site@cc.test/desktop.");
}

#[test]
fn a_server_that_refuses_the_resource_or_the_host_is_believed() {
    let taken = World { online: vec!["ada@cc.test/desktop".to_owned()], ..world() };
    let end = Walk::new(&taken, wish());
    assert!(end.end().starts_with("Over: Some(Bind("), "{}", end.end());
    let strict = World { is_strict_host: true, ..world() };
    let elsewhere = Wish { domain: "other.test".to_owned(), ..wish() };
    let end = Walk::new(&strict, elsewhere);
    assert!(end.end().contains("HostUnknown"), "{}", end.end());
}

#[test]
fn stanzas_go_both_ways_and_either_side_closes() {
    for carrier in Carrier::ALL {
        let mut walk = Walk::new(&World { carrier, ..world() }, wish());
        walk.client.send(walk.desk.now(), &Element::new("jabber:client", "presence"));
        walk.go_on();
        let stamped = "<presence xmlns='jabber:client' from='ada@cc.test/desktop'/>";
        assert_eq!(walk.desk.told.last().unwrap(), stamped);
        let message = read_element("<message xmlns='jabber:client' id='1'/>", Prologue::Forbidden);
        let seen = walk.desk.push(&message.unwrap());
        walk.carry(seen);
        walk.go_on();
        assert_eq!(walk.end(), "<message xmlns=\"jabber:client\" id=\"1\"/>");
        walk.client.close(walk.desk.now());
        walk.go_on();
        assert_eq!(walk.end(), "Over: None");
    }
}

#[test]
fn a_client_that_is_thrown_out_says_why() {
    let mut walk = Walk::new(&world(), wish());
    let seen = walk.desk.close(Some(StreamCondition::Conflict));
    walk.carry(seen);
    walk.go_on();
    assert!(walk.end().contains("Conflict"), "{}", walk.end());
}

#[test]
fn a_session_that_is_given_after_our_close_does_not_keep_the_stream_open() {
    let mut desk = Desk::new(&world());
    let mut client = Initiator::new(desk.now(), Carrier::WebSocket.framing(), wish());
    while let Some(output) = client.poll() {
        let Output::Transmit(unit) = output else { continue };
        let unit = String::from_utf8(unit).unwrap();
        if unit.contains("<session") {
            client.close(desk.now());
            client.receive(desk.now(), b"<iq type='result' id='session'/>");
            break;
        }
        for seen in desk.receive(unit.as_bytes()) {
            let Seen::Unit(unit) = seen else { continue };
            client.receive(desk.now(), unit.as_bytes());
        }
    }
    client.tick(desk.now() + Duration::from_secs(60));
    let last = std::iter::from_fn(|| client.poll()).last();
    assert!(matches!(last, Some(Output::Hangup(None))), "{last:?}");
}

#[test]
fn a_silent_server_is_given_up() {
    let desk = Desk::new(&world());
    let mut client = Initiator::new(desk.now(), Carrier::WebSocket.framing(), wish());
    while client.poll().is_some() {}
    let deadline = client.deadline().unwrap();
    client.tick(deadline);
    client.tick(deadline + Duration::from_secs(5));
    let last = std::iter::from_fn(|| client.poll()).last();
    assert!(matches!(last, Some(Output::Hangup(Some(Trouble::Silent)))), "{last:?}");
}

#[test]
fn a_server_without_proof_of_the_password_is_distrusted() {
    let mut desk = Desk::new(&world());
    let mut client = Initiator::new(desk.now(), Carrier::WebSocket.framing(), wish());
    let mut last = None;
    while let Some(output) = client.poll() {
        if let Output::Transmit(unit) = &output {
            for seen in desk.receive(unit) {
                let Seen::Unit(unit) = seen else { continue };
                let tampered = match unit.find("<success") {
                    Some(_) => "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".to_owned(),
                    None => unit,
                };
                client.receive(desk.now(), tampered.as_bytes());
            }
        }
        last = Some(output);
    }
    client.tick(desk.now() + Duration::from_secs(60));
    let last = client.poll().or(last);
    assert!(matches!(last, Some(Output::Hangup(Some(Trouble::Distrust(_))))), "{last:?}");
}

const AGENT: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";

fn agent() -> Agent {
    Agent::parse(AGENT).unwrap()
}

fn bindings() -> Bindings {
    Bindings { exporter: Some(Secret::new([5; 32])), server_end_point: Some(vec![6; 32]) }
}

/// A server with SASL2, where `ada` has a token for the best mechanism.
fn world_of_tokens(bindings: &Bindings) -> World {
    let mechanism = FastMechanism::possible(bindings)[0];
    let expires = WallTime(TODAY.0 + TOKEN_LIFE_MS);
    let (agent, seed) = (agent(), [1; 16]);
    let token = FastToken { agent, mechanism, seed, expires, is_used: true, count: 0 };
    let tokens = vec![desk::Held { account: "ada".to_owned(), token }];
    World { sasl2: Sasl2::Offered, tokens, bindings: bindings.clone(), ..world() }
}

fn wish_of(bindings: &Bindings, token: Option<Held>) -> Wish {
    let sasl2 = Sasl2Wish { agent: agent(), tag: Some("watch".to_owned()), token };
    Wish { sasl2: Some(sasl2), bindings: bindings.clone(), resource: None, ..wish() }
}

#[test]
fn a_client_that_knows_sasl2_is_in_with_its_address_and_gets_a_token() {
    let bound = bindings();
    for (carrier, bindings, by) in [
        (Carrier::WebSocket, Bindings::default(), "SCRAM-SHA-256."),
        (Carrier::Tcp, bound, "SCRAM-SHA-256-PLUS, bound to this connection by tls-exporter."),
    ] {
        let plus = [Mechanism::ScramPlus(Hash::Sha256), Mechanism::Scram(Hash::Sha256)];
        let world = World {
            carrier,
            mechanisms: plus.to_vec(),
            tokens: Vec::new(),
            ..world_of_tokens(&bindings)
        };
        let walk = Walk::new(&world, wish_of(&bindings, None));
        let jid = format!("ada@cc.test/watch/{}", agent().mark());
        let story: Vec<&str> = walk.story.iter().skip(3).map(String::as_str).collect();
        assert_eq!(
            story,
            [
                &format!("The client logs in by {by}"),
                "The server sends a challenge.",
                "The client answers it.",
                &format!("The login worked, and the client is {jid} from now on."),
                "A token: true.",
                "The server has no further steps.",
                &format!("Ready as {jid}."),
            ],
            "{carrier:?}"
        );
        let best = if bindings.is_empty() { "HT-SHA-256-NONE" } else { "HT-SHA-256-EXPR" };
        assert_eq!(walk.token.unwrap().mechanism.name(), best);
    }
}

#[test]
fn a_client_with_a_token_is_in_by_one_message() {
    for (bindings, mechanism) in
        [(Bindings::default(), FastMechanism::Unbound), (bindings(), FastMechanism::Exporter)]
    {
        let world = world_of_tokens(&bindings);
        let text = world.tokens[0].token.text(&desk::making("ada"));
        let token = Some(Held { mechanism, text, count: 1 });
        let walk = Walk::new(&world, wish_of(&bindings, token.clone()));
        let jid = format!("ada@cc.test/watch/{}", agent().mark());
        let story: Vec<&str> = walk.story.iter().skip(3).map(String::as_str).collect();
        assert_eq!(
            story,
            [
                &format!("The client logs in by {}.", mechanism.name()),
                &format!("The login worked, and the client is {jid} from now on."),
                "The server has no further steps.",
                &format!("Ready as {jid}."),
            ]
        );
        // Where the server has no SASL2, the token is kept to itself.
        let old = World { sasl2: Sasl2::Off, ..world };
        let walk = Walk::new(&old, wish_of(&bindings, token));
        assert_eq!(walk.end(), "Ready as ada@cc.test/fresh.");
    }
}

#[test]
fn a_token_that_is_refused_is_followed_by_the_password() {
    let none = Bindings::default();
    let text = Secret::new("never given".to_owned());
    let token = Some(Held { mechanism: FastMechanism::Unbound, text, count: 1 });
    let walk = Walk::new(&world_of_tokens(&none), wish_of(&none, token));
    let tries: Vec<&String> = walk.story.iter().filter(|l| l.contains("logs in by")).collect();
    assert_eq!(
        tries,
        ["The client logs in by HT-SHA-256-NONE.", "The client logs in by SCRAM-SHA-256."]
    );
    assert!(walk.story.contains(&"A token: false.".to_owned()));
    assert!(walk.end().starts_with("Ready as ada@cc.test/watch/") && walk.token.is_some());
}

#[test]
fn a_new_token_is_kept_for_the_mechanism_that_was_asked_for() {
    let here = Bindings { exporter: None, ..bindings() };
    let world = World { tokens: Vec::new(), ..world_of_tokens(&here) };
    let text = Secret::new("of another carrier".to_owned());
    let token = Some(Held { mechanism: FastMechanism::Exporter, text, count: 1 });
    let walk = Walk::new(&world, wish_of(&here, token));
    assert_eq!(walk.token.unwrap().mechanism, FastMechanism::EndPoint);
}

#[test]
fn a_client_that_wants_its_own_resource_binds_as_of_old() {
    let none = Bindings::default();
    let mut wish = Wish { resource: Some("desktop".to_owned()), ..wish_of(&none, None) };
    wish.sasl2.as_mut().unwrap().tag = None;
    let walk = Walk::new(&world_of_tokens(&none), wish);
    assert_eq!(walk.end(), "Ready as ada@cc.test/desktop.");
    assert!(!walk.story.iter().any(|line| line.contains("opens the stream anew")));
}

#[test]
fn a_server_without_proof_of_the_token_is_distrusted() {
    let none = Bindings::default();
    let world = world_of_tokens(&none);
    let text = world.tokens[0].token.text(&desk::making("ada"));
    let token = Some(Held { mechanism: FastMechanism::Unbound, text, count: 1 });
    for forged in ["", "<additional-data>AAAA</additional-data>"] {
        let mut desk = Desk::new(&world);
        let wish = wish_of(&none, token.clone());
        let mut client = Initiator::new(desk.now(), Carrier::WebSocket.framing(), wish);
        let mut last = None;
        while let Some(output) = client.poll() {
            if let Output::Transmit(unit) = &output {
                for seen in desk.receive(unit) {
                    let Seen::Unit(unit) = seen else { continue };
                    let (before, rest) =
                        unit.split_once("<additional-data>").unwrap_or((&unit, ""));
                    let after =
                        rest.split_once("</additional-data>").map_or("", |(_, after)| after);
                    let tampered = match rest.is_empty() {
                        true => unit.clone(),
                        false => format!("{before}{forged}{after}"),
                    };
                    client.receive(desk.now(), tampered.as_bytes());
                }
            }
            last = Some(output);
        }
        client.tick(desk.now() + Duration::from_secs(60));
        let last = client.poll().or(last);
        let is_distrusted = matches!(last, Some(Output::Hangup(Some(Trouble::Distrust(_)))));
        assert!(is_distrusted, "{last:?}");
    }
}
