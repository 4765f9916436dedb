//! TCP cuts and joins as it likes: what a client said is the same in any pieces.

use aplomb_core::limits::STANZA_BYTES_MAX;
use proptest::prelude::*;

use crate::desk::{Carrier, Desk, Seen, World};

/// A client that waits for nothing: a login, a bind, stanzas, spaces, the end.
const SESSION: &str = "<?xml version='1.0'?><stream:stream to='cc.test' version='1.0' \
    xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>\
    <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFkYQBwZW5jaWw=</auth>\n\
    <?xml version='1.0'?>\n<stream:stream to='cc.test' version='1.0' \
    xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>\
    <iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>  \n \
    <presence/><message to='bob@cc.test'><body>\u{e4} &amp; \u{1f980}</body></message>\
    </stream:stream>";

fn play(text: &[u8], lengths: &[usize]) -> (Vec<String>, Vec<Seen>) {
    let passwords = vec![("ada".to_owned(), "pencil".to_owned())];
    let mut desk = Desk::new(&World { passwords, carrier: Carrier::Tcp, ..World::default() });
    let (mut seen, mut rest, mut lengths) = (Vec::new(), text, lengths.iter().cycle());
    while !rest.is_empty() {
        let length = lengths.next().map_or(rest.len(), |length| rest.len().min(*length));
        let (piece, after) = rest.split_at(length);
        seen.extend(desk.receive(piece));
        rest = after;
    }
    (desk.told, seen)
}

#[test]
fn a_client_that_waits_for_nothing_is_served_one_element_after_the_other() {
    let (told, seen) = play(SESSION.as_bytes(), &[]);
    assert_eq!(
        told,
        [
            "ada logged in",
            "ada@cc.test/fresh is bound",
            "<presence xmlns='jabber:client' from='ada@cc.test/fresh'/>",
            "<message xmlns='jabber:client' from='ada@cc.test/fresh' to='bob@cc.test'>\
             <body>\u{e4} &amp; \u{1f980}</body></message>",
        ]
    );
    assert_eq!(seen.last(), Some(&Seen::HangUp(None)));
    assert_eq!(play(SESSION.as_bytes(), &[1]), (told, seen));
}

#[test]
fn a_stanza_grows_up_to_its_bound_and_not_beyond() {
    let end = SESSION.find("<presence").unwrap();
    let body = |bytes: usize| {
        let message = format!("<message><body>{}</body></message>", "x".repeat(bytes));
        [&SESSION[..end], &message].concat()
    };
    let (told, _) = play(body(STANZA_BYTES_MAX - 100).as_bytes(), &[16_000]);
    assert!(told.last().unwrap().contains("xxx"));
    let (_, seen) = play(body(STANZA_BYTES_MAX).as_bytes(), &[16_000]);
    assert!(matches!(seen.last(), Some(Seen::HangUp(Some(_)))), "{:?}", seen.last());
}

proptest! {
    #[test]
    fn the_pieces_make_no_difference(lengths in prop::collection::vec(1_usize..200, 1..20)) {
        prop_assert_eq!(play(SESSION.as_bytes(), &lengths), play(SESSION.as_bytes(), &[]));
    }

    #[test]
    fn a_byte_that_is_changed_makes_no_panic_and_the_pieces_no_difference(
        at in 0..SESSION.len(),
        byte: u8,
        lengths in prop::collection::vec(1_usize..50, 1..20),
    ) {
        let mut bytes = SESSION.as_bytes().to_vec();
        bytes[at] = byte;
        prop_assert_eq!(play(&bytes, &lengths), play(&bytes, &[]));
    }
}
