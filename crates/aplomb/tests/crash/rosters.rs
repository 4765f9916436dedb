//! Rosters over a kill: what was answered is there, and the two sides of a subscription agree.

use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use crate::desk::Desk;
use crate::server::Server;
use crate::{Random, setting, wait_for};

#[test]
fn a_roster_that_was_changed_survives_a_kill_and_both_sides_agree() {
    let rounds: u32 = setting("CRASH_ROUNDS").unwrap_or(4);
    let seed = setting("CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("CRASH_ROUNDS={rounds} CRASH_SEED={seed}");
    let (dir, mut random) = (tempfile::tempdir().unwrap(), Random(seed | 1));
    let mut kept = Vec::new();
    for round in 0..rounds {
        let server = Server::start(dir.path()).until_it_listens();
        check(&server, &kept);
        kept.extend(change_until_killed(server, round, &mut random));
    }
    let server = Server::start(dir.path()).until_it_listens();
    check(&server, &kept);
    println!("{} contacts were answered, and all of them are there", kept.len());
}

/// Lists contacts, asks and allows, until the server is killed; returns what was answered.
fn change_until_killed(server: Server, round: u32, random: &mut Random) -> Vec<String> {
    let (told, answers) = mpsc::channel();
    let address = server.address.clone();
    thread::scope(|scope| {
        let (of_list, address) = (told.clone(), &address);
        let listing = scope.spawn(move || list(address, round, &of_list));
        scope.spawn(move || come_and_go(address, &told));
        wait_for(&answers, 1 + random.below(80));
        server.kill_within(Duration::from_micros(random.below(3_000)));
        listing.join().unwrap()
    })
}

fn list(address: &str, round: u32, told: &Sender<()>) -> Vec<String> {
    let mut answered = Vec::new();
    let Some(mut desk) = Desk::open(address, "1002") else { return answered };
    for count in 0..200 {
        let contact = format!("c{round}-{count}@cc.test");
        if desk.list(&contact).is_none() {
            break;
        }
        answered.push(contact);
        // The test stops counting once it kills.
        let _ = told.send(());
    }
    answered
}

/// One asks, the other allows, the first wants it no more; each waits until it is told so.
fn come_and_go(address: &str, told: &Sender<()>) -> Option<()> {
    let mut one = Desk::open(address, "1001")?;
    let mut other = Desk::open(address, "1003")?;
    one.roster()?;
    other.roster()?;
    // What an earlier round left.
    one.presence("unsubscribe", "1003@cc.test")?;
    loop {
        one.presence("subscribe", "1003@cc.test")?;
        one.pushed("ask=")?;
        other.presence("subscribed", "1001@cc.test")?;
        other.pushed("\"from\"")?;
        let _ = told.send(());
        one.presence("unsubscribe", "1003@cc.test")?;
        one.pushed("\"none\"")?;
        other.pushed("\"none\"")?;
        let _ = told.send(());
    }
}

fn check(server: &Server, kept: &[String]) {
    let roster = |name: &str| {
        let mut desk = Desk::open(&server.address, name).expect("he logs in");
        desk.roster().expect("the roster is told")
    };
    let list = roster("1002");
    for contact in kept {
        assert!(list.contains(&format!("jid=\"{contact}\"")), "{contact} in {list}");
    }
    let (one, other) = (roster("1001"), roster("1003"));
    let sees = one.contains("subscription=\"to\"");
    assert_eq!(sees, other.contains("subscription=\"from\""), "{one}\n{other}");
}
