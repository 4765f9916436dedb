//! Access and publish models, by who somebody is.

use super::*;

/// Each line of the table: who, and what comes of subscribing, reading, and being told.
fn check_model(model: &str, table: &[(&str, &str, &str, bool)]) {
    for &(who, subscribing, items, is_told) in table {
        let may = if is_told { "yes" } else { "no" };
        let audience = if is_told { format!("{who}@cc.test/desk") } else { "nothing".to_owned() };
        check(&format!(
            r#"
            given pub is owner
            given friend is friend
            given grouped is grouped
            given foreign is stranger
            pub create n with access={model} groups=team
            pub give n member@cc.test member outcast@cc.test outcast
            pub give n only@cc.test publish-only publisher@cc.test publisher
            pub publish n <p/> as a
            {who} subscribe n {who}@cc.test/desk = {subscribing}
            {who} items n = {items}
            audience n = {audience}
            {who} may read n = {may}
            restart
            audience n = {audience}
            "#
        ));
    }
}

fn subscribed(who: &str) -> String {
    format!("subscribed n:{who}@cc.test/desk")
}

#[test]
fn an_open_node_is_everybodys_but_the_outcasts() {
    check_model(
        "open",
        &[
            ("member", &subscribed("member"), "a", true),
            ("publisher", &subscribed("publisher"), "a", true),
            ("friend", &subscribed("friend"), "a", true),
            ("grouped", &subscribed("grouped"), "a", true),
            ("nobody", &subscribed("nobody"), "a", true),
            ("outcast", "Forbidden", "Forbidden", false),
            ("only", "Forbidden", "Forbidden", false),
            ("foreign", "NodeUnknown", "NodeUnknown", false),
        ],
    );
}

#[test]
fn a_node_by_presence_is_for_whom_an_owner_shows_himself_to() {
    let closed = "Closed(Presence)";
    check_model(
        "presence",
        &[
            ("member", &subscribed("member"), "a", true),
            ("friend", &subscribed("friend"), "a", true),
            ("grouped", closed, closed, false),
            ("nobody", closed, closed, false),
            ("outcast", "Forbidden", "Forbidden", false),
            ("only", "Forbidden", "Forbidden", false),
            ("foreign", "NodeUnknown", "NodeUnknown", false),
        ],
    );
}

#[test]
fn a_node_by_roster_is_for_the_named_groups() {
    let closed = "Closed(Roster)";
    check_model(
        "roster",
        &[
            ("member", &subscribed("member"), "a", true),
            ("friend", closed, closed, false),
            ("grouped", &subscribed("grouped"), "a", true),
            ("nobody", closed, closed, false),
            ("outcast", "Forbidden", "Forbidden", false),
            ("foreign", "NodeUnknown", "NodeUnknown", false),
        ],
    );
}

#[test]
fn a_node_by_authorization_makes_everybody_wait_who_has_no_right() {
    let closed = "Closed(Authorize)";
    let waits =
        |who: &str| format!("pending n:{who}@cc.test/desk @pub@cc.test: may {who}@cc.test/desk?");
    check_model(
        "authorize",
        &[
            ("member", &subscribed("member"), "a", true),
            ("friend", &waits("friend"), closed, false),
            ("nobody", &waits("nobody"), closed, false),
            ("outcast", "Forbidden", "Forbidden", false),
            ("only", "Forbidden", "Forbidden", false),
            ("foreign", "NodeUnknown", "NodeUnknown", false),
        ],
    );
}

#[test]
fn of_a_whitelisted_node_nobody_learns_who_is_not_on_the_list() {
    let unknown = "NodeUnknown";
    check_model(
        "whitelist",
        &[
            ("member", &subscribed("member"), "a", true),
            ("friend", unknown, unknown, false),
            ("grouped", unknown, unknown, false),
            ("nobody", unknown, unknown, false),
            ("outcast", unknown, unknown, false),
            ("only", "Forbidden", "Forbidden", false),
            ("foreign", unknown, unknown, false),
        ],
    );
}

#[test]
fn who_may_publish_follows_the_model_and_nobody_edits_others_items_by_it() {
    let item = r#"epoch-1 1<items node="n"><item id="epoch-1"><p/></item></items>"#;
    for (model, who, comes) in [
        ("publishers", "publisher", item),
        ("publishers", "only", item),
        ("publishers", "member", "Forbidden"),
        ("publishers", "nobody", "Forbidden"),
        ("publishers", "reader", "Forbidden"),
        ("subscribers", "reader", item),
        ("subscribers", "only", item),
        ("subscribers", "member", "Forbidden"),
        ("subscribers", "nobody", "Forbidden"),
        ("subscribers", "outcast", "Forbidden"),
        ("open", "nobody", item),
        ("open", "member", item),
        ("open", "outcast", "Forbidden"),
        ("open", "foreign", "NodeUnknown"),
    ] {
        check(&format!(
            r#"
            given pub is owner
            given foreign is stranger
            pub create n with access=open publish={model}
            pub give n member@cc.test member outcast@cc.test outcast
            pub give n only@cc.test publish-only publisher@cc.test publisher
            reader subscribe n reader@cc.test/desk
            {who} publish n <p/> = {comes}
            "#
        ));
    }
    check(
        r#"
        given pub is owner
        pub create n with publish=open
        nobody publish n <p/> as a = a 1<items node="n"><item id="a"><p/></item></items>
        nobody items n = Closed(Whitelist)
        nobody retract n a = Forbidden
        nobody subscribe n nobody@cc.test = Closed(Whitelist)
        "#,
    );
}

#[test]
fn a_model_that_changes_ends_and_begins_deliveries_at_once() {
    check(
        r#"
        given pub is owner
        pub create n with access=open
        ada subscribe n ada@cc.test = subscribed n:ada@cc.test
        audience n = ada@cc.test
        pub configure n with access=whitelist = done 1<configuration node="n"/>
        audience n = nothing
        ada items n = NodeUnknown
        pub configure n with access=authorize = done 2<configuration node="n"/>
        audience n = ada@cc.test
        ada subscribe n ada@cc.test/desk = subscribed n:ada@cc.test/desk
        ada unsubscribe n ada@cc.test = done
        ada unsubscribe n ada@cc.test/desk = done
        ada items n = Closed(Authorize)
        pub configure n with access=open = done 3<configuration node="n"/>
        ada items n = nothing
        "#,
    );
}

#[test]
fn a_node_that_may_be_known_is_listed_and_described_to_all() {
    check(
        r"
        given pub is owner
        given foreign is stranger
        pub create open with access=open
        pub create asks with access=authorize
        pub create hidden with access=whitelist
        ada nodes = asks open
        ada info asks = there is asks
        ada info hidden = NodeUnknown
        foreign nodes = nothing
        foreign info open = NodeUnknown
        pub nodes = asks hidden open
        ada affiliations = nothing
        ",
    );
}

#[test]
fn the_nodes_of_the_contact_centre_keep_their_own_rights() {
    check(
        r"
        given pub is owner
        given reader is reader
        given other is stranger
        given node n is served
        pub configure n with access=open = ModelsFixed
        pub configure n with publish=open = ModelsFixed
        reader subscribe n reader@cc.test = subscribed n:reader@cc.test
        other subscribe n other@cc.test = NodeUnknown
        reader publish n <p/> = Forbidden
        ",
    );
}

#[test]
fn rosters_are_asked_only_where_they_decide() {
    let mut stage = Stage::new();
    stage.standings.insert("pub".into(), Standing::Owner);
    let terms = |stage: &Stage| {
        let terms = stage.service.roster_terms("n")?;
        Some((terms.owners.len(), terms.groups.to_vec()))
    };
    stage.ask("pub", &request(&["create", "n", "with", "access=open"])).unwrap();
    assert_eq!(terms(&stage), None);
    let roster = ["configure", "n", "with", "access=roster", "groups=a,b"];
    stage.ask("pub", &request(&roster)).unwrap();
    assert_eq!(terms(&stage), Some((1, vec!["a".to_owned(), "b".to_owned()])));
    stage.ask("pub", &request(&["configure", "n", "with", "access=presence"])).unwrap();
    assert!(terms(&stage).is_some());
    let asks = |who: &str| stage.service.asks_roster_of(&format!("{who}@cc.test").parse().unwrap());
    assert!(asks("pub") && !asks("ada"));
}
