//! What a login costs, and what it tells. The clock stands still for the length of a test.

use std::net::Ipv4Addr;

use aplomb_core::domain::{Change, Desk, Flavour, ReasonShown, Role, User};

use super::*;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const ROUNDS: NonZeroU32 = NonZeroU32::new(4).unwrap();

/// Tries each password for each name in order and holds the answers, and how many derivations
/// they took, against `expected`.
#[track_caller]
fn check(accounts: &Accounts, tries: &[(&str, &str)], expected: &[&str], derivations: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let before = accounts.derivations.get();
    let answers: Vec<_> = tries
        .iter()
        .map(|(name, password)| {
            let password = Secret::new((*password).to_owned());
            match runtime.block_on(accounts.verify(name, &password, PEER)) {
                Ok(login) => login.name().to_owned(),
                Err(failure) => failure.name().to_owned(),
            }
        })
        .collect();
    assert_eq!(answers, expected);
    assert_eq!(accounts.derivations.get() - before, derivations, "derivations");
}

#[test]
fn the_right_password_logs_in_by_id_and_by_login_name() {
    let tries = [("1001", "secret"), ("Ada", "secret"), ("ADA", "secret")];
    check(&accounts(), &tries, &["1001"; 3], 1);
}

#[test]
fn a_remembered_password_costs_no_derivation_and_a_new_one_counts_at_once() {
    let accounts = accounts();
    check(&accounts, &[("1001", "secret"), ("1001", "secret")], &["1001", "1001"], 1);
    accounts.adopt("1001", Some(keys("changed")));
    check(&accounts, &[("1001", "secret")], &["not-authorized"], 1);
    check(&accounts, &[("1001", "changed")], &["1001"], 1);
    accounts.adopt("1001", None);
    check(&accounts, &[("1001", "changed")], &["not-authorized"], 1);
}

#[test]
fn an_unknown_name_a_wrong_password_and_a_locked_account_are_answered_after_equal_work() {
    let accounts = accounts();
    check(&accounts, &[("nobody", "secret")], &["not-authorized"], 1);
    check(&accounts, &[("1001", "wrong")], &["not-authorized"], 1);
    check(&accounts, &[("1001", "wrong"); 2], &["not-authorized"; 2], 2);
    // Locked now: the right password takes as long and gets the same answer.
    check(&accounts, &[("1001", "secret")], &["not-authorized"], 1);
}

#[test]
fn a_lock_holds_for_a_password_that_is_remembered_and_not_for_a_neighbour() {
    let accounts = accounts();
    check(&accounts, &[("1001", "secret")], &["1001"], 1);
    check(&accounts, &[("1001", "wrong"); 3], &["not-authorized"; 3], 3);
    check(&accounts, &[("1001", "secret")], &["not-authorized"], 1);
    check(&accounts, &[("1002", "secret")], &["1002"], 1);
    accounts.adopt("1001", Some(keys("fresh")));
    check(&accounts, &[("1001", "fresh")], &["1001"], 1);
}

#[test]
fn a_name_is_slowed_down_alike_whether_somebody_has_it_or_not() {
    for name in ["1001", "nobody"] {
        let accounts = accounts();
        let mut expected = vec!["not-authorized"; 10];
        expected.push("temporary-auth-failure");
        check(&accounts, &[(name, "wrong"); 11], &expected, 10);
        check(&accounts, &[("1002", "secret")], &["1002"], 1);
    }
}

#[test]
fn scram_sees_the_same_salt_whether_the_account_is_locked_or_not() {
    let accounts = accounts();
    let open = accounts.keys("1001", Hash::Sha256, PEER).unwrap().0;
    for _ in 0..3 {
        accounts.note("1001", PEER, false);
    }
    let locked = accounts.keys("1001", Hash::Sha256, PEER).unwrap().0;
    assert_eq!((&open.salt, open.iterations), (&locked.salt, locked.iterations));
    assert_ne!(open.stored_key, locked.stored_key);
    let password = Secret::new("secret".to_owned());
    assert!(open.check("1001", &password).is_some() && locked.check("1001", &password).is_none());
}

#[test]
fn a_login_name_means_the_account_of_its_id() {
    let accounts = accounts();
    assert_eq!(
        accounts.keys("ada", Hash::Sha256, PEER).unwrap().0,
        accounts.keys("1001", Hash::Sha256, PEER).unwrap().0
    );
    let names = ["ada", "Ada", "1001", "NoBody"].map(|name| accounts.account_of(name));
    assert_eq!(names, ["1001", "1001", "1001", "nobody"]);
}

#[test]
fn what_was_proved_is_worth_nothing_once_the_password_is_another_or_the_user_gone() {
    let accounts = accounts();
    let eras = || [accounts.era("Ada"), accounts.keys("ada", Hash::Sha512, PEER).unwrap().1];
    let are_still = |eras: &[Era]| {
        let each: Vec<_> = eras.iter().map(|era| accounts.is_still(era)).collect();
        assert!(each.iter().all(|is| *is == each[0]));
        each[0]
    };
    let (first, nobody) = (eras(), accounts.era("nobody"));
    assert!(first.iter().all(|era| era.account() == "1001"));
    assert!(are_still(&first) && !accounts.is_still(&nobody));
    for _ in 0..3 {
        accounts.note("1001", PEER, false);
    }
    assert!(are_still(&first), "a lock is no other password");
    accounts.adopt("1001", Some(keys("secret")));
    assert!(!are_still(&first), "another salt, so another password");
    let second = eras();
    accounts.domain.write().adopt(&user("1003", "ada"));
    assert!(are_still(&second) && second[0].account() == "1001", "the name is another's now");
    accounts.adopt("1001", None);
    assert!(!are_still(&second));
}

#[test]
fn scram_sees_one_decoy_for_a_name_that_nobody_has() {
    let accounts = accounts();
    let (first, second) =
        (accounts.keys("nobody", Hash::Sha256, PEER), accounts.keys("NoBody", Hash::Sha256, PEER));
    assert_eq!(first.unwrap().0, second.unwrap().0);
}

#[test]
fn after_a_change_of_the_rounds_a_name_that_nobody_has_shows_those_that_accounts_have() {
    let accounts = accounts();
    let (password, more) = (Secret::new("secret".to_owned()), NonZeroU32::new(8).unwrap());
    let changed = || KeyRing::derive(&password, random::bytes, more).ok();
    let shown = || -> Vec<u32> {
        let peer = |number| IpAddr::V4(Ipv4Addr::from_bits(number));
        let of = |number| accounts.keys(&format!("n{number}"), Hash::Sha512, peer(number));
        (0..200).map(|number| of(number).unwrap().0.iterations.get()).collect()
    };
    let old = ROUNDS.get();
    assert!(shown().iter().all(|rounds| *rounds == old));
    accounts.adopt("1001", changed());
    let mixed = shown();
    let new = mixed.iter().filter(|rounds| **rounds == 8).count();
    assert!((60..140).contains(&new), "half of the accounts have them: {new} of 200");
    assert_eq!(mixed, shown());
    accounts.adopt("1002", changed());
    assert!(shown().iter().all(|rounds| *rounds == 8));
}

#[test]
fn many_at_once_with_one_new_password_derive_once_for_each_turn_at_most() {
    let accounts = Arc::new(accounts());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let password = Secret::new("secret".to_owned());
    runtime.block_on(async {
        let logins: Vec<_> = (0..50)
            .map(|_| {
                let (accounts, password) = (accounts.clone(), password.clone());
                tokio::spawn(async move { accounts.verify("1001", &password, PEER).await })
            })
            .collect();
        for login in logins {
            assert!(login.await.unwrap().is_ok());
        }
    });
    let turns = available_parallelism().unwrap().get() as u64;
    assert!(accounts.derivations.get() <= turns, "{} derivations", accounts.derivations.get());
}

#[test]
fn a_login_by_password_makes_the_keys_that_an_account_lacks_and_nothing_seems_to_change() {
    let (kept, more) = std::sync::mpsc::sync_channel(8);
    let accounts = accounts_that(Arc::new(move |more| drop(kept.send(more))));
    let all = [Mechanism::Scram(Hash::Sha512), Mechanism::Scram(Hash::Sha256), Mechanism::Plain];
    assert_eq!(accounts.serve_all(&all), all);
    let old: KeyRing = keys("secret").of(Hash::Sha256).cloned().into_iter().collect();
    accounts.adopt("1001", Some(old));
    assert_eq!(accounts.serve_all(&all), all[1..], "one account has no keys for it");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let password = Secret::new("secret".to_owned());
    let seen = |hash| accounts.keys("1001", hash, PEER).unwrap().0;
    let before = Hash::ALL.map(seen);
    for (name, sent) in [("1001", "wrong"), ("nobody", "secret"), ("1001", "secret")] {
        let sent = Secret::new(sent.to_owned());
        let _ = runtime.block_on(accounts.verify(name, &sent, PEER));
    }
    let more: MoreKeys = more.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!((more.user.as_str(), more.keys.iter().count()), ("1001", 2));
    accounts.adopt_more(&more);
    for (before, after) in before.iter().zip(Hash::ALL.map(seen)) {
        assert_eq!((&before.salt, before.iterations), (&after.salt, after.iterations));
        assert!(after.check("1001", &password).is_some());
    }
    assert_eq!(accounts.serve_all(&all), all);
    // What comes late, after the password was changed, adds nothing.
    let changed: KeyRing = keys("changed").of(Hash::Sha256).cloned().into_iter().collect();
    accounts.adopt("1001", Some(changed));
    accounts.adopt_more(&more);
    assert_eq!(seen(Hash::Sha1).check("1001", &password), None);
    assert_eq!(accounts.serve_all(&all), all[1..]);
}

fn accounts() -> Accounts {
    accounts_that(Arc::new(|_| {}))
}

fn accounts_that(keep: Keep) -> Accounts {
    let policy = Policy {
        logins_per_second_per_address: 100,
        lockout_failures: 3,
        lockout: Duration::from_secs(300),
        remember_password: Duration::from_secs(3600),
        token_life: Duration::from_secs(600),
        scram_iterations: ROUNDS,
    };
    let mut domain = Domain::new(Flavour::Uccx);
    domain.adopt(&user("1001", "ada"));
    domain.adopt(&user("1002", "grace"));
    let (jobs, _) = tokio::sync::mpsc::channel(1);
    let fast = Fast::new(Secret::new([7; 32]), Duration::from_secs(3600), jobs);
    let domain = Arc::new(RwLock::new(domain));
    let accounts = Accounts::new(&policy, [7; 32], domain, Counter::default(), keep, fast);
    accounts.adopt("1001", Some(keys("secret")));
    accounts.adopt("1002", Some(keys("secret")));
    accounts
}

fn keys(password: &str) -> KeyRing {
    KeyRing::derive(&Secret::new(password.to_owned()), random::bytes, ROUNDS).unwrap()
}

fn user(id: &str, login_name: &str) -> Change {
    Change::UserSet(Arc::new(User {
        id: id.into(),
        login_name: login_name.into(),
        first_name: String::new(),
        last_name: String::new(),
        roles: vec![Role::Agent],
        team: None,
        supervises: Vec::new(),
        phone: None,
        desk: Desk {
            state: aplomb_core::domain::AgentState::Logout,
            pending: None,
            reason: ReasonShown::Absent,
            extension: None,
            since: None,
        },
    }))
}
