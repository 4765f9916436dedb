//! Who publishes much, or subscribes much, is served like everybody else. That all who listen hear
//! one order is in `tests/resumption/order.rs`.

use std::thread;

use crate::desk::Desk;
use crate::server::Server;

#[test]
fn who_publishes_in_one_breath_hears_himself_and_is_not_slow() {
    // Twice what a mailbox holds.
    const IN_ONE_BREATH: usize = 2000;
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let mut desk = Desk::open(&server.address, "publisher/cti");
    desk.come("0");
    assert_eq!(desk.pubsub("set", "<create node='n'/>"), "create n");
    assert!(
        desk.pubsub("set", "<subscribe node='n' jid='publisher@cc.test/cti'/>").contains("cti")
    );
    let mut writer = desk.second_half();
    let writing = thread::spawn(move || {
        for at in 0..IN_ONE_BREATH {
            writer.send(&format!(
                "<iq xmlns='jabber:client' type='set' id='p{at}' to='pubsub.cc.test'>\
                 <pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'>\
                 <item id='{at}'><x xmlns='y'/></item></publish></pubsub></iq>"
            ));
        }
    });
    let heard: Vec<_> = (0..IN_ONE_BREATH).map(|_| desk.next_item()).collect();
    writing.join().unwrap();
    assert_eq!(heard, (0..IN_ONE_BREATH).map(|at| at.to_string()).collect::<Vec<_>>());
}

#[test]
fn who_takes_another_resource_each_time_is_not_shut_out() {
    // What an account may have, by `SUBSCRIPTIONS_OF_ONE_MAX`.
    const SUBSCRIPTIONS: usize = aplomb::limits::SUBSCRIPTIONS_OF_ONE_MAX;
    const DESKS: usize = 10;
    let subscribe = |desk: &mut Desk, resource: &str| {
        let node = "/finesse/api/User/1001";
        desk.pubsub("set", &format!("<subscribe node='{node}' jid='1001@cc.test/{resource}'/>"))
    };
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let mut here = Desk::open(&server.address, "1001/here");
    here.come("0");
    assert!(subscribe(&mut here, "here").starts_with("subscribed"));
    thread::scope(|scope| {
        for desk in 0..DESKS {
            let (subscribe, address) = (&subscribe, &server.address);
            scope.spawn(move || {
                let mut session = Desk::open(address, &format!("1001/d{desk}"));
                let count = SUBSCRIPTIONS / DESKS - usize::from(desk == 0);
                for at in 0..count {
                    let told = subscribe(&mut session, &format!("gone-{desk}-{at}"));
                    assert!(told.starts_with("subscribed"), "{told}");
                }
            });
        }
    });
    let listed = |desk: &mut Desk| desk.pubsub("get", "<subscriptions/>");
    assert_eq!(listed(&mut here).matches("1001@cc.test/").count(), SUBSCRIPTIONS);
    assert!(subscribe(&mut here, "one-more").starts_with("subscribed"));
    let left = listed(&mut here);
    assert!(left.contains("/here") && left.contains("/one-more") && !left.contains("/gone"));
    assert_eq!(server.set_state("1001", "LOGIN"), 202);
    let heard = here.hears("1001@cc.test/here …NOT_READY…");
    assert!(heard.contains("NOT_READY"), "{heard}");
}
