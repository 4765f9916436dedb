//! Options of subscriptions on the wire (XEP-0060 §6.3, §6.4).

use super::*;

const NODE: &str = "/finesse/api/User/1001";

#[test]
fn a_subscriber_reads_and_sets_his_options() {
    check(
        "
        C: <iq type='get' id='d' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'><default/></pubsub></iq>
        S: …<default><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'>
           <value>http://jabber.org/protocol/pubsub#subscribe_options</value></field>
           <field var='pubsub#deliver' …><value>1</value></field>
           <field var='pubsub#expire' …/>
           <field var='pubsub#show-values' …<value>online</value><value>chat</value>
           <value>away</value><value>xa</value><value>dnd</value></field></x></default>…
        C: <iq type='set' id='s' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <subscribe node='/finesse/api/User/1001' jid='1001@cc.test/desk'/>
           <options><x xmlns='jabber:x:data' type='submit'>
           <field var='FORM_TYPE' type='hidden'>
           <value>http://jabber.org/protocol/pubsub#subscribe_options</value></field>
           <field var='pubsub#deliver'><value>1</value></field>
           <field var='pubsub#digest'><value>0</value></field>
           <field var='pubsub#include_body'><value>false</value></field>
           <field var='pubsub#expire'><value>2030-01-01T00:00:00Z</value></field>
           <field var='pubsub#show-values'><value>chat</value><value>online</value></field>
           </x></options></pubsub></iq>
        S: …<subscription node='…' jid='1001@cc.test/desk' subscription='subscribed'>
           <subscribe-options/></subscription><options><x xmlns='jabber:x:data' type='result'>…
           <field var='pubsub#expire' …<value>2030-01-01T00:00:00.000Z</value></field>…
           <value>online</value><value>chat</value></field></x></options></pubsub></iq>
        C: <iq type='set' id='o' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <options node='/finesse/api/User/1001' jid='1001@cc.test/desk' subid='ignored'>
           <x xmlns='jabber:x:data' type='submit'>
           <field var='pubsub#deliver'><value>false</value></field>
           <field var='pubsub#expire'><value/></field></x></options></pubsub></iq>
        S: <iq type='result' id='o' from='pubsub.cc.test' to='1001@cc.test/desk'/>
        C: <iq type='set' id='o' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <options node='/finesse/api/User/1001' jid='1001@cc.test/desk'>
           <x xmlns='jabber:x:data' type='cancel'/></options></pubsub></iq>
        S: <iq type='result' id='o' from='pubsub.cc.test' to='1001@cc.test/desk'/>
        C: <iq type='get' id='o' to='pubsub.cc.test'>
           <pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <options node='/finesse/api/User/1001' jid='1001@cc.test/desk'/></pubsub></iq>
        S: …<options node='/finesse/api/User/1001' jid='1001@cc.test/desk'>
           <x xmlns='jabber:x:data' type='form'>…<value>0</value></field>
           <field var='pubsub#expire' …/>…<option><value>dnd</value></option>
           <value>online</value><value>chat</value></field></x></options></pubsub></iq>
        ",
    );
}

#[test]
fn options_that_cannot_be_are_refused_by_name() {
    let field =
        |name: &str, value: &str| format!("<field var='{name}'><value>{value}</value></field>");
    let invalid = "<bad-request …<invalid-options ";
    for (fields, jid, expected) in [
        (field("pubsub#deliver", "perhaps"), "1001@cc.test/desk", invalid),
        (field("pubsub#digest", "1"), "1001@cc.test/desk", invalid),
        (field("pubsub#digest_frequency", "1000"), "1001@cc.test/desk", invalid),
        (field("pubsub#include_body", "true"), "1001@cc.test/desk", invalid),
        (field("pubsub#expire", "presence"), "1001@cc.test/desk", invalid),
        (field("pubsub#expire", "2017-09-28T17:33:40Z"), "1001@cc.test/desk", invalid),
        (field("pubsub#show-values", "offline"), "1001@cc.test/desk", invalid),
        (field("FORM_TYPE", "jabber:iq:register"), "1001@cc.test/desk", "<bad-request "),
        (
            field("pubsub#deliver", "0"),
            "1001@cc.test/phone",
            "<unexpected-request …<not-subscribed ",
        ),
        (field("pubsub#deliver", "0"), "1002@cc.test", "<forbidden "),
        (field("pubsub#deliver", "0"), "1001@cc.test", "<not-allowed "),
    ] {
        let mut stage = Stage::new();
        let subscribe = format!("<subscribe node='{NODE}' jid='1001@cc.test/desk'/>");
        stage.says(&to_service("set", "pubsub", &subscribe));
        let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>");
        let options = format!("<options node='{NODE}' jid='{jid}'>{form}</options>");
        let said = stage.says(&to_service("set", "pubsub", &options));
        assert!(matches(&said, &format!("…type='error'…{expected}…")), "{options}\n{said}");
    }
    let both = format!("<subscribe node='{NODE}' jid='1001@cc.test'/><options node='{NODE}'/>");
    let said = Stage::new().says(&to_service("set", "pubsub", &both));
    assert!(matches(&said, "…type='error'…<bad-request …"), "{said}");
}
