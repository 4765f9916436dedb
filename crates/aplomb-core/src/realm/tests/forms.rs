//! Forms that are not filled in, and what errors say to do next.

use super::*;

/// Requests with a form in them, and the type that a form has which is filled in.
const WITH_FORM: [(&str, &str); 5] = [
    ("pubsub#owner", "<configure node='n'>FORM</configure>"),
    ("pubsub", "<create node='m'/><configure>FORM</configure>"),
    ("pubsub", "<subscribe node='n' jid='1001@cc.test/desk'/><options>FORM</options>"),
    ("pubsub", "<options node='n' jid='1001@cc.test/desk'>FORM</options>"),
    (
        "pubsub",
        "<publish node='n'><item><x xmlns='y'/></item></publish>\
         <publish-options>FORM</publish-options>",
    ),
];

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.standing = Standing::Owner;
    stage.says(&to_service("set", "pubsub", "<create node='n'/>"));
    stage.says(&to_service("set", "pubsub", "<subscribe node='n' jid='1001@cc.test/desk'/>"));
    stage
}

#[test]
fn only_a_form_that_is_submitted_is_done() {
    for (space, verb) in WITH_FORM {
        for (kind, expected) in [
            ("type='submit'", "…type='result'…"),
            ("type='cancel'", "…type='result'…"),
            ("type='form'", "…<bad-request …a form that is filled in has the type submit…"),
            ("type='result'", "…<bad-request …a form that is filled in has the type submit…"),
            ("", "…<bad-request …a form that is filled in has the type submit…"),
        ] {
            let form = format!("<x xmlns='jabber:x:data' {kind}/>");
            let request = to_service("set", space, &verb.replace("FORM", &form));
            let said = stage().says(&request);
            assert!(matches(&said, expected), "{request}\n{said}");
        }
    }
}

#[test]
fn an_errors_text_says_what_would_be_taken() {
    let submit = |fields: &str| format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>");
    let field = |name: &str, value: &str| {
        submit(&format!("<field var='{name}'><value>{value}</value></field>"))
    };
    let configure = |form: &str| format!("<configure node='n'>{form}</configure>");
    let publish = "<publish node='n'><item><x xmlns='y'>12345678901234567890</x></item></publish>";
    for (before, space, verb, text) in [
        (
            String::new(),
            "pubsub#owner",
            configure(&field("pubsub#access_model", "acl")),
            "the access models are open, presence, roster, authorize, whitelist",
        ),
        (
            String::new(),
            "pubsub#owner",
            configure(&field("FORM_TYPE", "jabber:iq:register")),
            "FORM_TYPE must be http://jabber.org/protocol/pubsub#node_config",
        ),
        (
            configure(&field("pubsub#max_payload_size", "20")),
            "pubsub",
            publish.to_owned(),
            "a payload has at most 20 bytes here",
        ),
        (
            configure(&field("pubsub#type", "urn:x")),
            "pubsub",
            publish.to_owned(),
            "this node takes payloads of the namespace",
        ),
        (
            String::new(),
            "pubsub",
            "<paint node='n'/>".to_owned(),
            "there is no such request: paint in http://jabber.org/protocol/pubsub",
        ),
    ] {
        let mut stage = stage();
        if !before.is_empty() {
            let said = stage.says(&to_service("set", "pubsub#owner", &before));
            assert!(said.contains("type='result'"), "{said}");
        }
        let said = stage.says(&to_service("set", space, &verb));
        assert!(matches(&said, &format!("…type='error'…{text}…")), "{verb}\n{said}");
    }
    let mut stage = stage();
    stage.standing = Standing::Reader;
    let said = stage.says(&to_service("set", "pubsub", "<create node='m'/>"));
    assert!(matches(&said, "…<forbidden …administrators and publishers make nodes…"), "{said}");
}

#[test]
fn a_nodes_title_is_its_name_in_discovery() {
    let mut stage = stage();
    let info = "<iq type='get' id='i' to='pubsub.cc.test'>\
                <query xmlns='http://jabber.org/protocol/disco#info' node='n'/></iq>";
    let told = stage.says(info);
    assert!(matches(&told, "…<identity category='pubsub' type='leaf' name='aplomb'/>…"), "{told}");
    let title = "<configure node='n'><x xmlns='jabber:x:data' type='submit'>\
                 <field var='pubsub#title'><value>Ours</value></field></x></configure>";
    stage.says(&to_service("set", "pubsub#owner", title));
    let told = stage.says(info);
    assert!(matches(&told, "…<identity category='pubsub' type='leaf' name='Ours'/>…"), "{told}");
}

#[test]
fn each_run_of_the_command_is_a_session_of_its_own() {
    let mut stage = stage();
    let mut session = |id: &str| {
        let run = format!(
            "<iq type='set' id='{id}' to='pubsub.cc.test'><command \
             xmlns='http://jabber.org/protocol/commands' action='execute' \
             node='http://jabber.org/protocol/pubsub#get-pending'/></iq>"
        );
        let said = stage.says(&run);
        let session = said.split("sessionid='").nth(1).unwrap_or_else(|| panic!("{said}"));
        session.split('\'').next().unwrap().to_owned()
    };
    assert_ne!(session("1"), session("2"));
}
