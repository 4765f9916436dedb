//! How subscribers want their events (XEP-0060 §6.3), through the real program.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aplomb_core::time::WallTime;

use crate::desk::Desk;
use crate::play;
use crate::server::Server;

/// Milliseconds of a short lease: so long that a busy machine has the request before it is over.
const LEASE_MILLIS: u64 = 2_000;

/// A form of options: `deliver=0`, `show-values=away xa`, each a field.
fn form(fields: &[&str]) -> String {
    let field = |field: &&str| {
        let (name, values) = field.split_once('=').unwrap();
        let values = values.split_whitespace().map(|value| format!("<value>{value}</value>"));
        format!("<field var='pubsub#{name}'>{}</field>", values.collect::<String>())
    };
    let fields: String = fields.iter().map(field).collect();
    format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>")
}

#[test]
fn who_wants_no_events_gets_none_until_he_does() {
    let (silent, loud) = (form(&["deliver=0"]), form(&["deliver=1"]));
    play(&format!(
        "
        publisher/cti is here
        publisher/cti sets <create node='n'/> → create n
        publisher/cti gives n to 1001 as member → done
        1001/a is here
        1001/a sets <subscribe node='n' jid='1001@cc.test/a'/><options>{silent}</options> → …
        publisher/cti publishes n 1 → publish n
        1001/a hears nothing
        restart
        1001/a is here
        publisher/cti is here
        publisher/cti publishes n 2 → publish n
        1001/a hears nothing
        1001/a sets <options node='n' jid='1001@cc.test/a'>{loud}</options> → done
        publisher/cti publishes n 3 → publish n
        1001/a hears 1001@cc.test/a n: item 3
        1001/a sets <options node='n' jid='1001@cc.test/b'>{loud}</options> → …not-subscribed
        publisher/cti gets <options node='n' jid='1001@cc.test/a'/> → forbidden
        "
    ));
}

#[test]
fn events_come_in_the_states_in_which_they_are_wanted() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let mut publisher = Desk::open(&server.address, "publisher/cti");
    let mut desk = Desk::open(&server.address, "publisher/desk");
    assert_eq!(publisher.pubsub("set", "<create node='n'/>"), "create n");
    let options = form(&["show-values=away dnd"]);
    let subscribe =
        format!("<subscribe node='n' jid='publisher@cc.test/desk'/><options>{options}</options>");
    assert!(desk.pubsub("set", &subscribe).starts_with("subscribed"));
    for (at, (show, is_wanted)) in
        [("", false), ("away", true), ("xa", false), ("dnd", true), ("chat", false)]
            .into_iter()
            .enumerate()
    {
        let show = if show.is_empty() { String::new() } else { format!("<show>{show}</show>") };
        desk.send(&format!("<presence xmlns='jabber:client'>{show}</presence>"));
        // Presence is taken before what comes after it.
        desk.ask("get", "", "<ping xmlns='urn:xmpp:ping'/>");
        let item = format!("<publish node='n'><item id='{at}'><x xmlns='y'/></item></publish>");
        assert_eq!(publisher.pubsub("set", &item), "publish n");
        let expected = match is_wanted {
            true => format!("publisher@cc.test/desk n: item {at}"),
            false => "nothing".to_owned(),
        };
        assert_eq!(desk.hears(&expected), expected, "{show}");
    }
}

#[test]
fn a_lease_ends_by_itself_also_while_the_server_was_away() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let mut desk = Desk::open(&server.address, "1001/short");
    desk.come("0");
    let lease = |desk: &mut Desk, resource: &str, millis: u64| {
        let now = SystemTime::now() + Duration::from_millis(millis);
        let at = now.duration_since(UNIX_EPOCH).unwrap().as_millis();
        let at = WallTime(i64::try_from(at).unwrap()).to_iso();
        let options = form(&[&format!("expire={at}")]);
        let node = "/finesse/api/User/1001";
        let who = format!("<subscribe node='{node}' jid='1001@cc.test/{resource}'/>");
        let told = desk.pubsub("set", &format!("{who}<options>{options}</options>"));
        assert!(told.starts_with("subscribed"), "{told}");
    };
    let has = |desk: &mut Desk, resource: &str| {
        let all = desk.pubsub("get", "<subscriptions node='/finesse/api/User/1001'/>");
        all.contains(&format!("1001@cc.test/{resource}"))
    };
    lease(&mut desk, "short", LEASE_MILLIS);
    lease(&mut desk, "long", 600_000);
    while has(&mut desk, "short") {}
    assert!(has(&mut desk, "long"));
    let told = "1001@cc.test/short ~User/1001: 1001@cc.test/short none";
    assert_eq!(desk.hears(told), told);
    lease(&mut desk, "short", LEASE_MILLIS);
    drop(server);
    let server = Server::start(home.path());
    let mut desk = Desk::open(&server.address, "1001/desk");
    while has(&mut desk, "short") {}
    assert!(has(&mut desk, "long"));
}

/// A form of a node's configuration.
fn config(fields: &[&str]) -> String {
    format!("<configure>{}</configure>", form(fields))
}

#[test]
fn items_expire_by_themselves_and_are_gone_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let mut desk = Desk::open(&server.address, "publisher/cti");
    let create = format!("<create node='n'/>{}", config(&["item_expire=1"]));
    assert_eq!(desk.pubsub("set", &create), "create n");
    let publish = |desk: &mut Desk, id: &str| {
        let item = format!("<publish node='n'><item id='{id}'><x xmlns='y'/></item></publish>");
        assert_eq!(desk.pubsub("set", &item), "publish n");
    };
    let items = |desk: &mut Desk| desk.pubsub("get", "<items node='n'/>");
    publish(&mut desk, "a");
    assert_eq!(items(&mut desk), "items n: a");
    while items(&mut desk) != "items n:" {}
    publish(&mut desk, "b");
    drop(server);
    let server = Server::start(home.path());
    let mut desk = Desk::open(&server.address, "publisher/cti");
    while items(&mut desk) != "items n:" {}
    let bad = format!("<create node='m'/>{}", config(&["item_expire=soon"]));
    assert_eq!(desk.pubsub("set", &bad), "not-acceptable");
}

#[test]
fn the_newest_item_comes_to_who_subscribes_and_to_who_comes_back() {
    let greeting = config(&["send_last_published_item=on_sub_and_presence"]);
    let once = config(&["send_last_published_item=on_sub"]);
    play(&format!(
        "
        publisher/cti is here
        publisher/cti sets <create node='all'/>{greeting} → create all
        publisher/cti sets <create node='once'/>{once} → create once
        publisher/cti sets <create node='never'/> → create never
        publisher/cti gives all to 1001 as member → done
        publisher/cti gives once to 1001 as member → done
        publisher/cti gives never to 1001 as member → done
        publisher/cti publishes all 1 → publish all
        publisher/cti publishes once 2 → publish once
        publisher/cti publishes never 3 → publish never
        publisher/cti publishes ~User/1001 4 → publish …
        1001/a is here
        1001/a subscribes all as 1001@cc.test → subscribed …
        1001/a hears 1001@cc.test all: item 1 delayed
        1001/a subscribes once → subscribed …
        1001/a hears 1001@cc.test/a once: item 2 delayed
        1001/a subscribes never → subscribed …
        1001/a subscribes all as 1001@cc.test → subscribed …
        1001/a hears nothing
        1001/b is here
        1001/b hears 1001@cc.test/b all: item 1 delayed
        1001/a hears nothing
        restart
        1001/a is here
        1001/a hears 1001@cc.test/a all: item 1 delayed
        "
    ));
}
