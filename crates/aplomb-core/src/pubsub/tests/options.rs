//! Options of subscriptions, what ends by itself, and the newest item without waiting.

use super::*;

#[test]
fn options_are_told_set_and_kept() {
    check(
        r#"
        given ada is reader
        given node n is served
        ada options n ada@cc.test = NotSubscribed
        ada options m ada@cc.test = NodeUnknown
        ada options n bob@cc.test = Forbidden
        ada options n bob@cc.test silent = Forbidden
        ada defaults n = loud online,chat,away,xa,dnd for-ever
        ada defaults m = NodeUnknown
        ada subscribe n ada@cc.test/a = subscribed n:ada@cc.test/a
        ada options n ada@cc.test/a = loud online,chat,away,xa,dnd for-ever
        ada options n ada@cc.test/a silent = done
        audience n = nothing
        ada options n ada@cc.test/a in away xa = done
        ada options n ada@cc.test/a until 100 = done
        restart
        ada options n ada@cc.test/a = silent away,xa until 100
        ada options n ada@cc.test/a loud = done
        audience n = ada@cc.test/a
        ada options n ada@cc.test/a for-ever = done
        ada options n ada@cc.test/a = loud away,xa for-ever
        ada subscribe n ada@cc.test/b silent = subscribed n:ada@cc.test/b
        ada options n ada@cc.test/b = silent online,chat,away,xa,dnd for-ever
        ada subscribe n ada@cc.test/b in dnd = subscribed n:ada@cc.test/b
        ada subscribe n ada@cc.test/b = subscribed n:ada@cc.test/b
        ada options n ada@cc.test/b = silent dnd for-ever
        given ada is stranger
        ada options n ada@cc.test/b loud = done
        ada options n ada@cc.test/c loud = NodeUnknown
        ada defaults n = NodeUnknown
        "#,
    );
}

#[test]
fn the_options_of_a_subscription_that_comes_with_the_account_are_fixed() {
    check(
        r#"
        given ada is reader
        given node n is served
        given node n is automatic
        ada options n ada@cc.test = loud online,chat,away,xa,dnd for-ever
        ada options n ada@cc.test silent = Automatic
        ada subscribe n ada@cc.test silent = Automatic
        ada subscribe n ada@cc.test loud = subscribed n:ada@cc.test
        audience n = nothing
        ada subscribe n ada@cc.test/a silent = subscribed n:ada@cc.test/a
        "#,
    );
}

#[test]
fn a_lease_ends_at_its_time_and_can_be_renewed() {
    check(
        r#"
        given ada is reader
        given node n is served
        ada subscribe n ada@cc.test/a until 100 = subscribed n:ada@cc.test/a
        ada subscribe n ada@cc.test/b until 50 = subscribed n:ada@cc.test/b
        ada subscribe n ada@cc.test/c = subscribed n:ada@cc.test/c
        next lapse = 50
        lapse = nothing
        given 50 seconds pass
        restart
        lapse = n-ada@cc.test/b @ada@cc.test/b: ada@cc.test/b gone
        next lapse = 100
        audience n = ada@cc.test/a ada@cc.test/c
        ada options n ada@cc.test/a until 200 = done
        next lapse = 200
        given 50 seconds pass
        lapse = nothing
        ada unsubscribe n ada@cc.test/a = done
        next lapse = never
        ada subscriptions = n:ada@cc.test/c
        "#,
    );
}

#[test]
fn options_outlast_the_wait_for_an_owner_who_may_answer_in_time() {
    check(
        r#"
        given pub is owner
        pub create n with access=authorize = created n
        ada subscribe n ada@cc.test until 100 = pending n:ada@cc.test @pub@cc.test: may ada@cc.test?
        ada subscribe n ada@cc.test/b = pending n:ada@cc.test/b @pub@cc.test: may ada@cc.test/b?
        ada options n ada@cc.test/b silent = done
        pub let in n ada@cc.test/b = done @ada@cc.test/b: ada@cc.test/b Subscribed
        ada options n ada@cc.test/b = silent online,chat,away,xa,dnd for-ever
        next lapse = 100
        given 100 seconds pass
        lapse = n-ada@cc.test @ada@cc.test: ada@cc.test gone
        next lapse = never
        "#,
    );
}

#[test]
fn items_expire_by_the_time_of_their_node() {
    check(
        r#"
        given pub is owner
        pub create n = created n
        pub configure n expiring 10 = done 1<configuration node="n"/>
        next lapse = never
        pub publish n <a/> = epoch-2 2<items node="n"><item id="epoch-2"><a/></item></items>
        given 5 seconds pass
        pub publish n <b/> = epoch-3 3<items node="n"><item id="epoch-3"><b/></item></items>
        next lapse = 10
        given 5 seconds pass
        pub items n = epoch-3
        pub since n epoch- 1 = HistoryTooShort at 3
        pub items n page 9 after epoch-1 = Lost(HistoryTooShort)
        pub items n page 9 after epoch-2 = epoch-3 at 0 of 1: epoch-3 epoch-3
        lapse = n<=2
        restart
        next lapse = 15
        pub configure n expiring 2 = done 4<configuration node="n"/>
        next lapse = 7
        pub configure n expiring never = done 5<configuration node="n"/>
        next lapse = never
        pub items n = epoch-3
        pub configure n expiring 5 = done 6<configuration node="n"/>
        given 5 seconds pass
        pub items n = nothing
        lapse = n<=3
        next lapse = never
        "#,
    );
}

#[test]
fn a_new_subscriber_gets_the_newest_item_where_the_node_says_so() {
    let late = r#"late to ada@cc.test/a: 2<items node="n"><item id="epoch-2"><a/></item></items>"#;
    let delay = r#"<delay xmlns="urn:xmpp:delay" stamp="1970-01-01T00:00:00.000Z"/>"#;
    check(&format!(
        r#"
        given pub is owner
        pub create n = created n
        pub give n ada@cc.test member = ada@cc.test:Member pub@cc.test:Owner @ada@cc.test: Member
        ada subscribe n ada@cc.test/a = subscribed n:ada@cc.test/a
        ada unsubscribe n ada@cc.test/a = done
        pub configure n greeting subscribers = done 1<configuration node="n"/>
        ada subscribe n ada@cc.test/a = subscribed n:ada@cc.test/a
        pub publish n <a/> = epoch-2 2<items node="n"><item id="epoch-2"><a/></item></items>
        ada subscribe n ada@cc.test/a = subscribed n:ada@cc.test/a
        ada unsubscribe n ada@cc.test/a = done
        ada subscribe n ada@cc.test/a = subscribed n:ada@cc.test/a {late}{delay}
        ada subscribe n ada@cc.test/b silent = subscribed n:ada@cc.test/b
        ada comes = nothing
        given 61 seconds pass
        ada subscribe n ada@cc.test/c = subscribed n:ada@cc.test/c
        "#
    ));
}

#[test]
fn whom_an_owner_lets_in_gets_the_newest_item_and_whom_he_turns_away_does_not() {
    let late = r#"late to ada@cc.test/a: 2<items node="n"><item id="epoch-2"><a/></item></items>"#;
    let delay = r#"<delay xmlns="urn:xmpp:delay" stamp="1970-01-01T00:00:00.000Z"/>"#;
    let asked = |who: &str| format!("pending n:{who} @pub@cc.test: may {who}?");
    let (ada, eve) = (asked("ada@cc.test/a"), asked("eve@cc.test/a"));
    let gone = "@eve@cc.test/a: eve@cc.test/a gone";
    check(&format!(
        r#"
        given pub is owner
        pub create n with access=authorize = created n
        pub configure n greeting subscribers = done 1<configuration node="n"/>
        pub publish n <a/> = epoch-2 2<items node="n"><item id="epoch-2"><a/></item></items>
        ada subscribe n ada@cc.test/a = {ada}
        eve subscribe n eve@cc.test/a = {eve}
        pub let in n ada@cc.test/a = done @ada@cc.test/a: ada@cc.test/a Subscribed {late}{delay}
        pub turn away n eve@cc.test/a = done {gone}
        "#
    ));
}

#[test]
fn who_becomes_available_gets_the_newest_item_once_where_the_node_says_so() {
    let item = r#"2<items node="n"><item id="epoch-2"><a/></item></items>"#;
    let late = format!("late to ada@cc.test/desk: {item}");
    let delay = r#"<delay xmlns="urn:xmpp:delay" stamp="1970-01-01T00:00:00.000Z"/>"#;
    check(&format!(
        r#"
        given pub is owner
        pub create n = created n
        pub give n ada@cc.test member = ada@cc.test:Member pub@cc.test:Owner @ada@cc.test: Member
        pub configure n greeting all = done 1<configuration node="n"/>
        pub publish n <a/> = epoch-2 {item}
        ada comes = nothing
        ada subscribe n ada@cc.test silent = subscribed n:ada@cc.test
        ada comes = nothing
        ada options n ada@cc.test loud = done
        ada comes = {late}{delay}
        ada subscribe n ada@cc.test/desk silent = subscribed n:ada@cc.test/desk
        ada comes = nothing
        ada options n ada@cc.test/desk loud = done
        ada comes = {late}{delay}
        restart
        ada comes = {late}{delay}
        pub give n ada@cc.test none = pub@cc.test:Owner @ada@cc.test: None
        ada comes = nothing
        pub give n ada@cc.test member = ada@cc.test:Member pub@cc.test:Owner @ada@cc.test: Member
        pub configure n greeting none = done 3<configuration node="n"/>
        ada comes = nothing
        "#
    ));
}
