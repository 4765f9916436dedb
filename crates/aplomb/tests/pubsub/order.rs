//! Many publish at once, and all who listen hear the same.

use std::sync::Barrier;
use std::thread;

use crate::desk::Desk;
use crate::server::Server;

/// As many as two accounts may have sessions, beside the listeners.
const PUBLISHERS: usize = 90;
const ITEMS_EACH: usize = 5;
const LISTENERS: usize = 4;

#[test]
fn every_subscriber_hears_one_order_and_every_number_once() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let mut listeners: Vec<_> = (0..LISTENERS)
        .map(|at| {
            let mut desk = Desk::open(&server.address, &format!("admin/{at}"));
            desk.come("0");
            if at == 0 {
                assert_eq!(desk.pubsub("set", "<create node='n'/>"), "create n");
            }
            let ask = format!("<subscribe node='n' jid='admin@cc.test/{at}'/>");
            assert!(desk.pubsub("set", &ask).starts_with("subscribed"));
            desk
        })
        .collect();
    let start = Barrier::new(PUBLISHERS);
    let mut answered: Vec<String> = thread::scope(|scope| {
        let publish = |at: usize| {
            let (start, address) = (&start, &server.address);
            scope.spawn(move || {
                let account = if at.is_multiple_of(2) { "publisher" } else { "admin" };
                let mut desk = Desk::open(address, &format!("{account}/p{at}"));
                start.wait();
                let item = "<publish node='n'><item><x xmlns='y'/></item></publish>";
                let space = "http://jabber.org/protocol/pubsub";
                let body = format!("<pubsub xmlns='{space}'>{item}</pubsub>");
                let publish = || desk.ask("set", "to='pubsub.cc.test'", &body);
                let id_in = |answer: String| {
                    let (_, rest) = answer.split_once("<item id=\"").expect(&answer);
                    rest.split('"').next().unwrap().to_owned()
                };
                std::iter::repeat_with(publish).take(ITEMS_EACH).map(id_in).collect::<Vec<_>>()
            })
        };
        let tasks: Vec<_> = (0..PUBLISHERS).map(publish).collect();
        tasks.into_iter().flat_map(|task| task.join().unwrap()).collect()
    });
    let count = PUBLISHERS * ITEMS_EACH;
    let heard: Vec<Vec<String>> =
        listeners.iter_mut().map(|desk| (0..count).map(|_| desk.next_item()).collect()).collect();
    let numbers: Vec<usize> = heard[0].iter().map(|id| id[36..].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "gapless, and in order");
    for other in &heard[1..] {
        assert_eq!(*other, heard[0]);
    }
    // What was answered is what was heard.
    let mut told = heard[0].clone();
    told.sort();
    answered.sort();
    assert_eq!(answered, told);
}

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
