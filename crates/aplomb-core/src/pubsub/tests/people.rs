//! What owners do to people: rights, subscriptions of others, those who wait.

use super::*;

#[test]
fn who_waits_is_let_in_or_turned_away_by_an_owner() {
    check(
        r#"
        given pub is owner
        pub create n with access=authorize
        pub publish n <p/> as a
        ada subscribe n ada@cc.test/x = pending n:ada@cc.test/x @pub@cc.test: may ada@cc.test/x?
        ada subscribe n ada@cc.test/x = StillPending
        ada subscriptions = pending n:ada@cc.test/x
        pub readers n = pending n:ada@cc.test/x
        pub pending = n
        pub pending n = done @pub@cc.test/desk: may ada@cc.test/x?
        ada pending = Forbidden
        ada pending n = Forbidden
        ada let in n ada@cc.test/x = Forbidden
        pub publish n <p/> as b = b 2<items node="n"><item id="b"><p/></item></items>
        audience n = nothing
        restart
        pub let in n ada@cc.test/x = done @ada@cc.test/x: ada@cc.test/x Subscribed
        pub let in n ada@cc.test/x = done
        pub readers n = n:ada@cc.test/x
        audience n = ada@cc.test/x
        ada items n = a b
        ada subscribe n ada@cc.test = subscribed n:ada@cc.test
        eve subscribe n eve@cc.test = pending n:eve@cc.test @pub@cc.test: may eve@cc.test?
        pub turn away n eve@cc.test = done @eve@cc.test: eve@cc.test gone
        eve subscriptions n = nothing
        eve unsubscribe n eve@cc.test = NotSubscribed
        eve subscribe n eve@cc.test = pending n:eve@cc.test @pub@cc.test: may eve@cc.test?
        eve unsubscribe n eve@cc.test = done
        pub pending = nothing
        "#,
    );
}

#[test]
fn whoever_waits_too_long_may_ask_again() {
    check(
        r"
        given pub is owner
        pub create n with access=authorize
        ada subscribe n ada@cc.test = pending n:ada@cc.test @pub@cc.test: may ada@cc.test?
        given 604799 seconds pass
        ada subscribe n ada@cc.test = StillPending
        given 1 seconds pass
        ada subscribe n ada@cc.test = pending n:ada@cc.test @pub@cc.test: may ada@cc.test?
        given 604800 seconds pass
        eve subscribe n eve@cc.test = pending n:eve@cc.test @pub@cc.test: may eve@cc.test?
        ada subscriptions = nothing
        pub pending n = done @pub@cc.test/desk: may eve@cc.test?
        ",
    );
}

#[test]
fn a_right_or_another_model_answers_those_who_wait() {
    check(
        r#"
        given pub is owner
        pub create n with access=authorize
        ada subscribe n ada@cc.test = pending n:ada@cc.test @pub@cc.test: may ada@cc.test?
        bob subscribe n bob@cc.test = pending n:bob@cc.test @pub@cc.test: may bob@cc.test?
        eve subscribe n eve@cc.test = pending n:eve@cc.test @pub@cc.test: may eve@cc.test?
        pub give n ada@cc.test publisher = ada@cc.test:Publisher pub@cc.test:Owner
            | @ada@cc.test: Publisher @ada@cc.test: ada@cc.test Subscribed
        pub give n bob@cc.test outcast =
            | ada@cc.test:Publisher bob@cc.test:Outcast pub@cc.test:Owner @bob@cc.test: Outcast
            | @bob@cc.test: bob@cc.test gone
        pub configure n with access=open = done 1<configuration node="n"/>
            | @eve@cc.test: eve@cc.test Subscribed
        pub pending = nothing
        pub configure n with access=authorize = done 2<configuration node="n"/>
        dan subscribe n dan@cc.test = pending n:dan@cc.test @pub@cc.test: may dan@cc.test?
        pub configure n with access=whitelist = done 3<configuration node="n"/>
            | @dan@cc.test: dan@cc.test gone
        "#,
    );
}

#[test]
fn an_owner_who_was_away_is_asked_when_he_comes() {
    let mut stage = Stage::new();
    stage.standings.insert("pub".into(), Standing::Owner);
    let mut ask = |who: &str, words: &str| {
        let words: Vec<_> = words.split(' ').collect();
        stage.ask(who, &request(&words)).unwrap();
        let mut came = Vec::new();
        for who in ["pub", "ada"] {
            let outcome =
                stage.service.greet(&stage.asker(who, None), WallTime(0), |_| Standing::UNKNOWN);
            came.extend(outcome.tidings.into_iter().map(|t| (t.to.to_string(), t.tiding)));
        }
        assert_eq!(stage.service.is_greeting(), !came.is_empty());
        came
    };
    assert_eq!(ask("pub", "create n with access=authorize"), []);
    let question = Tiding::MaySubscribe("ada@cc.test".parse().unwrap());
    let asked = [("pub@cc.test/desk".to_owned(), question)];
    assert_eq!(ask("ada", "subscribe n ada@cc.test"), asked);
    assert_eq!(ask("pub", "let in n ada@cc.test"), []);
    ask("ada", "unsubscribe n ada@cc.test");
    assert_eq!(ask("ada", "subscribe n ada@cc.test"), asked);
    assert_eq!(ask("pub", "delete n"), []);
}

#[test]
fn who_was_let_in_with_one_address_need_not_wait_with_another() {
    check(
        r"
        given pub is owner
        pub create n with access=authorize
        ada subscribe n ada@cc.test/x = pending n:ada@cc.test/x @pub@cc.test: may ada@cc.test/x?
        ada subscribe n ada@cc.test/y = pending n:ada@cc.test/y @pub@cc.test: may ada@cc.test/y?
        pub let in n ada@cc.test/x = done @ada@cc.test/x: ada@cc.test/x Subscribed
        audience n = ada@cc.test/x
        ada subscribe n ada@cc.test/y = subscribed n:ada@cc.test/y
        audience n = ada@cc.test/x ada@cc.test/y
        ada unsubscribe n ada@cc.test/x = done
        ada unsubscribe n ada@cc.test/y = done
        ada subscribe n ada@cc.test/y = pending n:ada@cc.test/y @pub@cc.test: may ada@cc.test/y?
        ",
    );
}

#[test]
fn an_outcast_loses_what_he_had_and_is_told_so() {
    check(
        r#"
        given pub is owner
        pub create n with access=open
        ada subscribe n ada@cc.test = subscribed n:ada@cc.test
        ada subscribe n ada@cc.test/x = subscribed n:ada@cc.test/x
        eve subscribe n eve@cc.test = subscribed n:eve@cc.test
        pub give n ada@cc.test outcast = ada@cc.test:Outcast pub@cc.test:Owner
            | @ada@cc.test: Outcast @ada@cc.test: ada@cc.test gone
            | @ada@cc.test/x: ada@cc.test/x gone
        pub give n ada@cc.test outcast = ada@cc.test:Outcast pub@cc.test:Owner
        ada subscriptions = nothing
        audience n = eve@cc.test
        pub set n ada@cc.test subscribed =
            | BadConfig("ada@cc.test is an outcast; take that away first")
        pub give n ada@cc.test none = pub@cc.test:Owner @ada@cc.test: None
        ada subscribe n ada@cc.test = subscribed n:ada@cc.test
        "#,
    );
}

#[test]
fn a_node_keeps_an_owner() {
    check(
        r#"
        given pub is owner
        pub create n
        pub give n pub@cc.test member = LastOwner(BareJid("pub@cc.test"))
        pub give n pub@cc.test none = LastOwner(BareJid("pub@cc.test"))
        pub give n ada@cc.test member ada@cc.test owner = Repeated
        pub rights n = pub@cc.test:Owner
        pub give n pub@cc.test none ada@cc.test owner = ada@cc.test:Owner @pub@cc.test: None
            | @ada@cc.test: Owner
        ada give n ada@cc.test none bob@cc.test owner = bob@cc.test:Owner @ada@cc.test: None
            | @bob@cc.test: Owner
        ada rights n = NodeUnknown
        bob configure n = keeps 3
        "#,
    );
}

#[test]
fn owners_set_the_subscriptions_of_others() {
    check(
        r#"
        given pub is owner
        pub create o with access=open
        pub set o ada@cc.test pending =
            | BadConfig("only where the access model is authorize does a subscription wait")
        pub create n with access=authorize
        pub set n ada@cc.test subscribed = done @ada@cc.test: ada@cc.test Subscribed
        pub set n ada@cc.test subscribed = done
        audience n = ada@cc.test
        pub set n ada@cc.test pending eve@cc.test/x subscribed = done
            | @ada@cc.test: ada@cc.test Pending @eve@cc.test/x: eve@cc.test/x Subscribed
        audience n = eve@cc.test/x
        pub readers n = pending n:ada@cc.test n:eve@cc.test/x
        pub set n ada@cc.test none eve@cc.test/x none = done @ada@cc.test: ada@cc.test gone
            | @eve@cc.test/x: eve@cc.test/x gone
        pub set n ada@cc.test none = done
        pub set n ada@cc.test none ada@cc.test subscribed = Repeated
        ada set n ada@cc.test subscribed = Forbidden
        pub readers n = nothing
        pub set n ada@cc.test/1 subscribed ada@cc.test/2 subscribed = done
            | @ada@cc.test/1: ada@cc.test/1 Subscribed @ada@cc.test/2: ada@cc.test/2 Subscribed
        pub set n ada@cc.test/3 subscribed ada@cc.test/4 subscribed = done
            | @ada@cc.test/3: ada@cc.test/3 Subscribed @ada@cc.test/4: ada@cc.test/4 Subscribed
        pub set n ada@cc.test/5 subscribed = TooMany("subscriptions of that person")
        "#,
    );
}

#[test]
fn owners_who_want_to_hear_who_comes_and_goes() {
    check(
        r"
        given pub is owner
        pub create n with access=open notify_sub=1
        ada subscribe n ada@cc.test = subscribed n:ada@cc.test @pub@cc.test: ada@cc.test Subscribed
        ada subscribe n ada@cc.test = subscribed n:ada@cc.test
        ada unsubscribe n ada@cc.test = done @pub@cc.test: ada@cc.test gone
        ",
    );
}
