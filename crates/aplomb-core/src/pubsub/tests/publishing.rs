//! What may be published where, and the options of a publish request.

use super::*;

#[test]
fn what_goes_with_which_kind_of_node() {
    check(
        r#"
        given pub is owner
        pub create n
        pub signal n = ItemRequired
        pub publish n = PayloadRequired
        pub configure n with persist_items=0 = done 1<configuration node="n"/>
        pub signal n = ItemRequired
        pub publish n <p/> = epoch-2 2<items node="n"><item id="epoch-2"><p/></item></items>
        pub purge n = NothingKept
        pub retract n epoch-2 = NothingKept
        pub configure n with deliver_payloads=0 = done 3<configuration node="n"/>
        pub publish n <p/> = ItemForbidden
        pub publish n = ItemForbidden
        pub signal n = 4<items node="n"/>
        pub configure n with persist_items=1 = done 5<configuration node="n"/>
        pub signal n = ItemRequired
        pub publish n = epoch-6 6<items node="n"><item id="epoch-6"/></items>
        "#,
    );
}

#[test]
fn a_node_without_events_keeps_items_and_tells_nothing() {
    check(
        r#"
        given pub is owner
        pub create n with deliver_notifications=0
        pub publish n <p/> as a = a
        pub publish n <p/> as b = b
        pub items n = a b
        pub retract n a = done
        pub configure n with title=x = done
        pub purge n = done
        pub publish n <p/> as c = c
        pub configure n with deliver_notifications=1 = done 4<configuration node="n"/>
        pub configure n with deliver_notifications=0 = done
        pub delete n = done
        "#,
    );
}

#[test]
fn a_payload_is_of_the_type_and_size_that_the_node_says() {
    check(
        r#"
        given pub is owner
        pub create n with max_payload_size=4
        pub publish n <p/> = epoch-1 1<items node="n"><item id="epoch-1"><p/></item></items>
        pub publish n <pp/> = PayloadTooBig(4)
        pub create m with max_payload_size=101 =
            | BadConfig("pubsub#max_payload_size must be 1 to 100")
        pub create m with max_payload_size=0 = BadConfig("pubsub#max_payload_size must be 1 to 100")
        pub create m with type=urn:x
        pub publish m <p/> = PayloadInvalid("urn:x")
        "#,
    );
    let mut stage = Stage::new();
    stage.standings.insert("pub".into(), Standing::Owner);
    stage.ask("pub", &request(&["create", "m", "with", "type=urn:x"])).unwrap();
    let item = Publication { id: None, payload: Some("<x/>".into()), namespace: "urn:x".into() };
    let publish = Request::Publish { node: "m".into(), item: Some(item), preconditions: None };
    assert!(stage.ask("pub", &publish).is_ok());
}

#[test]
fn a_precondition_is_met_or_nothing_happens() {
    check(
        r#"
        given pub is owner
        pub create n with access=open
        pub publish n <p/> if access=open =
            | epoch-1 1<items node="n"><item id="epoch-1"><p/></item></items>
        pub publish n <p/> if access=whitelist = PreconditionNotMet("pubsub#access_model")
        pub publish n <p/> if access=open max_items=2 = PreconditionNotMet("pubsub#max_items")
        pub publish n <p/> if max_items=99 =
            | epoch-2 2<items node="n"><item id="epoch-2"><p/></item></items>
        ada publish n <p/> if access=whitelist = Forbidden
        pub items n = epoch-1 epoch-2
        "#,
    );
}

#[test]
fn a_node_that_is_not_there_is_made_as_the_options_say_by_who_may() {
    check(
        r#"
        given pub is owner
        pub publish n <p/> = NodeUnknown
        ada publish n <p/> if access=open = NodeUnknown
        pub publish n <p/> if access=open max_items=0 = BadConfig("pubsub#max_items must be 1 to 3")
        pub nodes = nothing
        pub publish n <p/> if access=open max_items=1 =
            | epoch-1 1<items node="n"><item id="epoch-1"><p/></item></items>
        pub configure n = keeps 1
        pub publish n <p/> = epoch-2 2<items node="n"><item id="epoch-2"><p/></item></items>
        ada items n = epoch-2
        pub rights n = pub@cc.test:Owner
        pub publish other <p/> if persist_items=0 deliver_payloads=0 = ItemForbidden
        pub nodes = n
        "#,
    );
}

#[test]
fn who_deletes_a_node_may_say_where_to_look_instead() {
    check(
        r#"
        given pub is owner
        pub create n
        pub delete n for xmpp:a?b&c =
            | done 1<delete node="n"><redirect uri="xmpp:a?b&amp;c"/></delete>
        "#,
    );
}

#[test]
fn a_node_says_who_made_it_and_when() {
    let mut stage = Stage::new();
    stage.standings.insert("pub".into(), Standing::Owner);
    stage.now = WallTime(5);
    stage.ask("pub", &request(&["create", "n", "with", "access=open", "title=News"])).unwrap();
    stage.ask("ada", &request(&["subscribe", "n", "ada@cc.test"])).unwrap();
    restart(&mut stage);
    let Reply::NodeInfo(_, meta) = stage.ask("ada", &request(&["info", "n"])).unwrap().reply else {
        panic!("it tells of the node");
    };
    assert_eq!((meta.config.title.as_str(), meta.subscribers), ("News", 1));
    let creator: BareJid = "pub@cc.test".parse().unwrap();
    assert_eq!(meta.origin, Some(Origin { creator: creator.clone(), at: WallTime(5) }));
    assert_eq!(meta.owners, [creator]);
}
