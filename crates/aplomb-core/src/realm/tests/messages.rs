//! Messages between people, and their copies (RFC 6121 §8.5, XEP-0280).

use super::*;
use crate::limits::MESSAGE_BYTES_MAX;

#[test]
fn a_message_goes_to_whom_its_type_and_address_mean_and_comes_back_otherwise() {
    check(
        "
        C: <message to='1002@cc.test' id='m' type='chat' xml:lang='de'><body>hi</body>
           <thread>t</thread></message>
        S: Message 1002@cc.test copied <message type='chat' xml:lang='de' id='m' …
            from='1001@cc.test/desk' to='1002@cc.test'><body>hi</body><thread>t</thread></message> …
            or <message type='error' xml:lang='de' id='m' from='1002@cc.test' …
            to='1001@cc.test/desk'><body>hi</body><thread>t</thread>
           <error code='503' type='cancel'><service-unavailable …
        C: <message to='1002@cc.test/desk' type='chat'/>
        S: Message 1002@cc.test/desk copied <message …<service-unavailable …
        C: <message to='1002@cc.test'><body>hi</body></message>
        S: Message 1002@cc.test copied <message …<service-unavailable …
        C: <message to='1002@cc.test/desk' type='from-the-future'><body>hi</body></message>
        S: Session 1002@cc.test/desk copied <message …<service-unavailable …
        C: <message to='1002@cc.test'><received xmlns='urn:xmpp:receipts'/></message>
        S: Message 1002@cc.test <message …<service-unavailable …
        C: <message to='1002@cc.test' type='headline'><body>hi</body></message>
        S: Message 1002@cc.test <message … or nothing
        C: <message to='1002@cc.test/desk' type='headline'><body>hi</body></message>
        S: Session 1002@cc.test/desk <message … or nothing
        C: <message to='1002@cc.test/desk' type='groupchat'><body>hi</body></message>
        S: Session 1002@cc.test/desk <message …<service-unavailable …
        C: <message to='1002@cc.test' type='groupchat'><body>hi</body></message>
        S: <message type='error' …<service-unavailable …
        C: <message to='1002@cc.test/desk' type='error'><error type='cancel'/></message>
        S: Session 1002@cc.test/desk <message … or nothing
        C: <message to='1002@cc.test' type='error'><error type='cancel'/></message>
        S: nothing
        C: <message type='chat'><body>note</body></message>
        S: Message 1001@cc.test copied <message type='chat' from='1001@cc.test/desk' …
            to='1001@cc.test'><body>note</body></message> or …
        ",
    );
}

#[test]
fn what_is_nobody_of_ours_gets_no_message() {
    check(
        "
        C: <message to='x@cc.other' id='m' type='chat'/>
        S: <message type='error' id='m' from='x@cc.other' …<remote-server-not-found …
        C: <message to='cc.test' id='m'><body>hi</body></message>
        S: <message type='error' id='m' from='cc.test' …<service-unavailable …
        C: <message to='pubsub.cc.test'><body>hi</body></message>
        S: <message type='error' …<service-unavailable …
        C: <message to='finesse@cc.test'><body>hi</body></message>
        S: <message type='error' …<service-unavailable …
        C: <message to='1002@pubsub.cc.test'><body>hi</body></message>
        S: <message type='error' …<service-unavailable …
        C: <message to='x@cc.other' type='error'/>
        S: nothing
        ",
    );
}

#[test]
fn a_message_may_forbid_its_copies_and_arrives_without_the_mark() {
    check(
        "
        C: <message to='1002@cc.test/desk' type='chat'><body>hi</body>
           <private xmlns='urn:xmpp:carbons:2'/></message>
        S: Message 1002@cc.test/desk <message type='chat' from='1001@cc.test/desk' …
            to='1002@cc.test/desk'><body>hi</body></message> or …
        C: <message to='1002@cc.test/desk' type='chat'><body>hi</body>
           <no-copy xmlns='urn:xmpp:hints'/></message>
        S: Message 1002@cc.test/desk <message …<no-copy …
        C: <iq type='set' id='1'><enable xmlns='urn:xmpp:carbons:2'/></iq>
        S: carbons true then <iq type='result' id='1' to='1001@cc.test/desk'/>
        C: <iq type='set' id='2' to='1001@cc.test'><disable xmlns='urn:xmpp:carbons:2'/></iq>
        S: carbons false then <iq type='result' id='2' …
        C: <iq type='get' id='3'><enable xmlns='urn:xmpp:carbons:2'/></iq>
        S: <iq type='error' …
        C: <iq type='set' id='4' to='cc.test'><enable xmlns='urn:xmpp:carbons:2'/></iq>
        S: <iq type='error' …
        ",
    );
}

#[test]
fn a_message_that_is_too_long_comes_back_without_what_was_in_it() {
    let mut stage = Stage::new();
    let long = |bytes| {
        let body = "x".repeat(bytes);
        format!("<message to='1002@cc.test' id='m' type='chat'><body>{body}</body></message>")
    };
    assert!(stage.says(&long(MESSAGE_BYTES_MAX - 200)).starts_with("Message 1002@cc.test"));
    let said = stage.says(&long(MESSAGE_BYTES_MAX));
    let refused = "<message type='error' id='m' …<error code='402' type='modify'>\
                   <policy-violation …<stanza-too-big xmlns='urn:xmpp:errors'/></error></message>";
    assert!(matches(&said, refused), "{said:.1000}");
}

#[test]
fn a_copy_is_from_ones_own_account_and_holds_the_message() {
    let message = Element::new(ns::CLIENT, "message").with_attr("type", "chat");
    let to: FullJid = "1001@cc.test/phone".parse().unwrap();
    let copy = carbon(Carbon::Received, &to, &message);
    assert_eq!(
        plain(&copy),
        "<message from='1001@cc.test' to='1001@cc.test/phone' type='chat'>\
         <received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
         <message xmlns='jabber:client' type='chat'/></forwarded></received></message>"
            .replace(" xmlns='jabber:client'", "")
    );
}
