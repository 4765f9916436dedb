//! Long lists, page by page (XEP-0059).

use super::*;
use crate::limits::PUBSUB_NODES_LISTED_MAX;

/// Three nodes, and on the first of them three items, subscriptions and members.
fn full_stage() -> Stage {
    let mut stage = Stage::new();
    stage.standing = Standing::Owner;
    for node in ["n2", "n1", "n3"] {
        stage.says(&to_service("set", "pubsub", &format!("<create node='{node}'/>")));
    }
    for id in ["b", "a", "c"] {
        let item = format!("<publish node='n1'><item id='{id}'><x xmlns='y'/></item></publish>");
        stage.says(&to_service("set", "pubsub", &item));
        let own = format!("<subscribe node='n1' jid='1001@cc.test/{id}'/>");
        stage.says(&to_service("set", "pubsub", &own));
        let give = format!("<affiliation jid='{id}@cc.test' affiliation='member'/>");
        let give = format!("<affiliations node='n1'>{give}</affiliations>");
        stage.says(&to_service("set", "pubsub#owner", &give));
    }
    stage
}

fn set(inside: &str) -> String {
    format!("<set xmlns='{}'>{inside}</set>", ns::RESULT_SET)
}

fn ask(kind: &str, space: &str, verb: &str, page: &str) -> String {
    to_service(kind, space, &format!("{verb}{}", set(page)))
}

fn items(page: &str) -> String {
    ask("get", "pubsub", "<items node='n1'/>", page)
}

fn discover(node: &str, page: &str) -> String {
    let query = format!("<query xmlns='{}'{node}>{}</query>", ns::DISCO_ITEMS, set(page));
    format!("<iq type='get' id='x' to='pubsub.cc.test'>{query}</iq>")
}

#[track_caller]
fn check_pages(pages: &[(String, &str)]) {
    let mut stage = full_stage();
    for (request, expected) in pages {
        let said = stage.says(request);
        assert!(matches(&said, expected), "{request}\n{said}");
    }
}

#[test]
fn items_come_in_pages_or_not_with_the_reason() {
    check_pages(&[
        (
            items("<max>2</max>"),
            "…<items node='n1'><item id='b'>…<item id='a'>…</items>\
             <set xmlns='http://jabber.org/protocol/rsm'><first index='0'>epoch-1</first>\
             <last>epoch-2</last><count>3</count></set></pubsub></iq>",
        ),
        (
            items("<max>2</max><after>epoch-2</after>"),
            "…<items node='n1'><item id='c'>…</items><set …<first index='2'>epoch-3</first>…",
        ),
        (
            items("<max>1</max><before/>"),
            "…<items node='n1'><item id='c'>…</items><set …<first index='2'>epoch-3</first>…",
        ),
        (
            items("<max>0</max>"),
            "…<items node='n1'/><set xmlns='…/rsm'><count>3</count></set></pubsub></iq>",
        ),
        (
            items("<after>other-2</after>"),
            "…type='error'…<item-not-found …<text …<epoch-changed xmlns='urn:aplomb:lost:0'/>…",
        ),
        (
            items("<after>b</after>"),
            "…type='error'…<item-not-found …<unknown xmlns='urn:aplomb:lost:0'/>…",
        ),
    ]);
}

#[test]
fn every_long_list_comes_in_pages() {
    check_pages(&[
        (
            discover(" node='n1'", "<max>1</max><index>1</index>"),
            "…<item jid='pubsub.cc.test' name='a'/><set …<first index='1'>epoch-2</first>…",
        ),
        (
            discover("", "<max>2</max>"),
            "…<item jid='pubsub.cc.test' node='n1'/><item jid='pubsub.cc.test' node='n2'/><set …\
             <first index='0'>n1</first><last>n2</last><count>3</count></set></query></iq>",
        ),
        (
            discover("", "<max>2</max><after>n2</after>"),
            "…<query …><item jid='pubsub.cc.test' node='n3'/><set …<last>n3</last>…",
        ),
        (
            ask(
                "get",
                "pubsub",
                "<subscriptions/>",
                "<max>1</max><after>n1\t1001@cc.test/a</after>",
            ),
            "…<subscriptions><subscription node='n1' jid='1001@cc.test/b'…</subscriptions><set …\
             <count>4</count></set></pubsub></iq>",
        ),
        (
            ask("get", "pubsub", "<affiliations/>", "<max>1</max><before/>"),
            "…<affiliations><affiliation node='n3' affiliation='owner'/></affiliations><set …",
        ),
        (
            ask("get", "pubsub#owner", "<affiliations node='n1'/>", "<max>1</max>"),
            "…<affiliations node='n1'><affiliation jid='1001@cc.test' …</affiliations><set …\
             <first index='0'>1001@cc.test</first>…<count>4</count></set></pubsub></iq>",
        ),
        (
            ask(
                "get",
                "pubsub#owner",
                "<subscriptions node='n1'/>",
                "<max>1</max><index>2</index>",
            ),
            "…<subscriptions node='n1'><subscription jid='1001@cc.test/c'…<first index='2'>…",
        ),
    ]);
}

#[test]
fn a_page_that_is_none_is_refused() {
    let mut stage = full_stage();
    let two = "<after/><before/>";
    for page in ["<max/>", "<max>-1</max>", "<max>many</max>", "<index>x</index>", two] {
        for request in [items(page), discover("", page)] {
            let said = stage.says(&request);
            assert!(matches(&said, "…type='error'…<bad-request …"), "{request}\n{said}");
        }
    }
}

#[test]
fn a_service_of_many_nodes_lists_a_part_and_says_so() {
    let mut stage = Stage::new();
    stage.standing = Standing::Owner;
    stage.service = PubSub::new(
        "epoch-",
        Bounds {
            items_max: 1,
            age_max: Duration::from_secs(1),
            bytes_max: 1000,
            payload_bytes_max: 1000,
            nodes_max: 2000,
            subscriptions_max: 1,
        },
    );
    for at in 0..PUBSUB_NODES_LISTED_MAX + 5 {
        stage.says(&to_service("set", "pubsub", &format!("<create node='n{at:04}'/>")));
    }
    let said = stage.says(&discover("", "").replace(&set(""), ""));
    assert_eq!(said.matches("<item ").count(), PUBSUB_NODES_LISTED_MAX);
    let set = "…<first index='0'>n0000</first><last>n0999</last><count>1005</count></set>…";
    assert!(matches(&said, set), "{said}");
    let said = stage.says(&discover("", "<after>n0999</after>"));
    assert_eq!(said.matches("<item ").count(), 5);
}
