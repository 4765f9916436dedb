//! What every store must do; each store is held against the same facts.
//!
//! `check(open)` gets a function that opens the same store again, as a restart would.

use std::num::NonZeroU32;
use std::sync::Arc;

use aplomb_core::domain::{
    self, AgentState, Category, Desk, Reason, ReasonShown, Role, Team, User,
};
use aplomb_core::pubsub::{
    self, AccessModel, Affiliation, Item, NodeConfig, NotificationType, Options, Origin,
    PublishModel, SendLast, Shows, SubscriptionState, Terms,
};
use aplomb_core::roster::{self, Consent, Contact};
use aplomb_core::sasl::fast::{Agent, FastChange, FastMechanism, FastToken};
use aplomb_core::sasl::{Hash, KeyRing, MoreKeys, ScramKeys};
use aplomb_core::secret::Secret;
use aplomb_core::time::WallTime;

use super::{Change, Memory, Sqlite, Store};

/// Commits each batch, and holds what is loaded against `expected`, before and after a restart.
#[track_caller]
fn check(batches: &[Vec<Change>], expected: &[Change]) {
    let dir = tempfile::tempdir().unwrap();
    let mut memory = Memory::new().unwrap();
    let mut sqlite = Sqlite::open(dir.path()).unwrap();
    for batch in batches {
        memory.commit(batch).unwrap();
        sqlite.commit(batch).unwrap();
    }
    assert_eq!(memory.load().unwrap().changes, expected, "memory");
    assert_eq!(sqlite.load().unwrap().changes, expected, "sqlite");
    drop(sqlite);
    let mut again = Sqlite::open(dir.path()).unwrap();
    assert_eq!(again.load().unwrap().changes, expected, "sqlite, opened again");
}

#[test]
fn what_was_committed_is_loaded() {
    let everything = vec![
        Change::Keys { user: "1001".into(), keys: Some(key_ring(1)) },
        team("5"),
        reason(7),
        user("1001", AgentState::NotReady),
        contact("a", "b", Consent::Given),
        contact("a", "c", Consent::Pending),
        contact("b", "a", Consent::None),
        version("a", u64::MAX),
        version("b", 7),
        token(1, 0),
        token(2, 7),
        node_set("n", "title"),
        made("n"),
        trimmed("n", 3),
        subscribed("n", "1001@cc.test/desk"),
        on_terms("n", "1001@cc.test/phone", with_options()),
        affiliated("n", "1001@cc.test", Affiliation::Owner),
        affiliated("n", "1002@cc.test", Affiliation::PublishOnly),
        published("n", 4, "four"),
        published("m", 1, "one"),
        published("n", 5, "five"),
    ];
    check(std::slice::from_ref(&everything), &everything);
    let one_by_one: Vec<_> = everything.iter().map(|change| vec![change.clone()]).collect();
    check(&one_by_one, &everything);
}

#[test]
fn a_new_value_replaces_the_old_one() {
    check(
        &[
            vec![user("1001", AgentState::Logout), team("5")],
            vec![Change::Keys { user: "1001".into(), keys: Some(key_ring(1)) }],
            vec![
                user("1001", AgentState::Ready),
                Change::Keys { user: "1001".into(), keys: Some(key_ring(2)) },
            ],
            vec![token(2, 0), token(1, 0), token(2, 3)],
            vec![node_set("n", "old"), node_set("n", "new")],
            vec![on_terms("n", "a@cc.test", pending())],
            vec![on_terms("n", "b@cc.test", pending()), subscribed("n", "a@cc.test")],
            vec![affiliated("n", "a@cc.test", Affiliation::Owner)],
            vec![affiliated("n", "a@cc.test", Affiliation::Member)],
        ],
        &[
            Change::Keys { user: "1001".into(), keys: Some(key_ring(2)) },
            team("5"),
            user("1001", AgentState::Ready),
            token(2, 3),
            token(1, 0),
            node_set("n", "new"),
            subscribed("n", "a@cc.test"),
            on_terms("n", "b@cc.test", pending()),
            affiliated("n", "a@cc.test", Affiliation::Member),
        ],
    );
}

#[test]
fn keys_are_added_beside_those_that_they_were_checked_with() {
    let user = || "1001".to_owned();
    let sha256 = |seed| key_ring(seed).of(Hash::Sha256).unwrap().clone();
    let more = |seed| MoreKeys { user: user(), beside: sha256(seed), keys: key_ring(2) };
    let kept = Change::Keys { user: user(), keys: Some(key_ring(1)) };
    let mut ring = key_ring(2);
    ring.put(sha256(1));
    let all = Change::Keys { user: user(), keys: Some(ring) };
    check(&[vec![kept.clone()], vec![Change::MoreKeys(more(1))]], std::slice::from_ref(&all));
    check(&[vec![kept.clone()], vec![Change::MoreKeys(more(2))]], std::slice::from_ref(&kept));
    check(&[vec![Change::MoreKeys(more(1))]], &[]);
    // In one transaction with a new password: the new one stays alone.
    let keys = Some([sha256(2)].into_iter().collect());
    let changed = Change::Keys { user: user(), keys };
    check(&[vec![kept, changed.clone(), Change::MoreKeys(more(1))]], &[changed]);
}

#[test]
fn what_was_removed_is_gone() {
    check(
        &[
            vec![
                team("5"),
                reason(7),
                user("1001", AgentState::Logout),
                Change::Keys { user: "1001".into(), keys: Some(key_ring(1)) },
                token(1, 0),
                subscribed("n", "a@cc.test/x"),
                affiliated("n", "a@cc.test", Affiliation::Owner),
            ],
            vec![
                Change::Domain(domain::Change::UserRemoved("1001".into())),
                Change::Domain(domain::Change::TeamRemoved("5".into())),
                Change::Domain(domain::Change::ReasonRemoved(7)),
                Change::Keys { user: "1001".into(), keys: None },
                Change::Token(FastChange::Dropped { account: "1001".into(), seed: [1; 16] }),
                Change::PubSub(pubsub::Change::Unsubscribed {
                    node: "n".into(),
                    jid: "a@cc.test/x".parse().unwrap(),
                }),
                affiliated("n", "a@cc.test", Affiliation::None),
            ],
        ],
        &[],
    );
}

#[test]
fn a_contact_is_replaced_and_removed_and_a_roster_forgotten() {
    let [a, b] = ["a", "b"].map(|name| format!("{name}@cc.test").parse().unwrap());
    let removed = roster::Change::Removed { owner: a, contact: "c@cc.test".parse().unwrap() };
    check(
        &[
            vec![contact("a", "b", Consent::None), contact("a", "c", Consent::None)],
            vec![contact("b", "a", Consent::Given), version("a", 1), version("b", 1)],
            vec![contact("a", "b", Consent::Given), version("a", 2), Change::Roster(removed)],
            vec![Change::Roster(roster::Change::Forgotten { owner: b })],
        ],
        &[contact("a", "b", Consent::Given), version("a", 2)],
    );
}

#[test]
fn a_removed_node_takes_all_it_had_and_may_come_back() {
    check(
        &[
            vec![node_set("n", "t"), subscribed("n", "a@cc.test"), published("n", 1, "x")],
            vec![affiliated("n", "a@cc.test", Affiliation::Owner), published("m", 1, "y")],
            vec![Change::PubSub(pubsub::Change::NodeRemoved { node: "n".into() })],
            vec![published("n", 2, "z")],
        ],
        &[published("m", 1, "y"), published("n", 2, "z")],
    );
}

#[test]
fn items_up_to_the_trimmed_one_are_gone_and_the_number_stays() {
    check(
        &[
            vec![published("n", 1, "a"), published("n", 2, "b"), published("m", 1, "c")],
            vec![trimmed("n", 2)],
        ],
        &[trimmed("n", 2), published("m", 1, "c")],
    );
}

#[test]
fn an_item_replaces_the_one_of_its_id() {
    check(
        &[
            vec![published("n", 1, "a"), published("m", 1, "a")],
            vec![published("n", 2, "b"), published("n", 3, "a")],
        ],
        &[published("m", 1, "a"), published("n", 2, "b"), published("n", 3, "a")],
    );
}

#[test]
fn a_retraction_is_remembered_with_its_number() {
    let retracted =
        |seq| Change::PubSub(pubsub::Change::Retracted { node: "n".into(), id: "a".into(), seq });
    let counted = Change::PubSub(pubsub::Change::Counted { node: "n".into(), seq: 3 });
    check(
        &[
            vec![published("n", 1, "a"), published("n", 2, "b")],
            vec![retracted(3)],
            // Without a notice there is no number of its own.
            vec![retracted(2)],
        ],
        &[counted, published("n", 2, "b")],
    );
}

#[test]
fn numbers_outlive_the_notices_and_the_nodes_that_used_them() {
    let counted = Change::PubSub(pubsub::Change::Counted { node: "n".into(), seq: 2 });
    let retired = Change::PubSub(pubsub::Change::Retired { through: 9 });
    let removed = Change::PubSub(pubsub::Change::NodeRemoved { node: "m".into() });
    check(
        &[vec![counted.clone(), published("m", 9, "x")], vec![removed, retired.clone()]],
        &[retired, counted],
    );
}

#[test]
fn a_batch_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let stores: [Box<dyn Store>; 2] =
        [Box::new(Memory::new().unwrap()), Box::new(Sqlite::open(dir.path()).unwrap())];
    for mut store in stores {
        store.commit(&[published("n", 1, "a")]).unwrap();
        // The same number twice on one node is refused by the index.
        let batch = [team("5"), published("other", 1, "x"), published("n", 1, "b")];
        store.commit(&batch).unwrap_err();
        assert_eq!(store.load().unwrap().changes, [published("n", 1, "a")]);
        // The node of the failed batch is made anew.
        store.commit(&[published("other", 1, "x")]).unwrap();
        assert_eq!(store.load().unwrap().changes.len(), 2);
    }
}

#[test]
fn an_empty_batch_changes_nothing_that_is_loaded() {
    check(&[vec![team("5")], vec![], vec![]], &[team("5")]);
}

#[test]
fn a_history_keeps_its_name_and_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let first = Sqlite::open(dir.path()).unwrap().load().unwrap();
    let second = Sqlite::open(dir.path()).unwrap().load().unwrap();
    assert_eq!((&first.epoch, first.decoy_key), (&second.epoch, second.decoy_key));
    assert_eq!(first.token_key, second.token_key);
    let database = std::fs::read(dir.path().join("aplomb.db")).unwrap();
    let key = first.token_key.expose();
    assert!(!database.windows(32).any(|bytes| bytes == key), "it lies beside the database");
    assert_eq!(first.epoch.len(), 36);
    let other = Memory::new().unwrap().load().unwrap();
    assert_ne!((first.epoch, first.decoy_key), (other.epoch, other.decoy_key));
}

fn team(id: &str) -> Change {
    let team = Team { id: id.into(), name: format!("Team {id}") };
    Change::Domain(domain::Change::TeamSet(Arc::new(team)))
}

fn reason(id: u32) -> Change {
    Change::Domain(domain::Change::ReasonSet(Arc::new(Reason {
        id,
        category: Category::Logout,
        code: 32_767,
        label: "Gone <home> & 'dry'".into(),
        for_all: true,
        system: false,
    })))
}

fn user(id: &str, state: AgentState) -> Change {
    let user = User {
        id: id.into(),
        login_name: "ada".into(),
        first_name: "Ada \u{1F600}".into(),
        last_name: "\"O'Hara\"".into(),
        roles: vec![Role::Agent, Role::Supervisor],
        team: Some("5".into()),
        supervises: vec!["5".into(), "6".into()],
        phone: Some("1001".into()),
        desk: Desk {
            state,
            pending: Some(AgentState::NotReady),
            reason: ReasonShown::Given(7),
            extension: None,
            since: Some(WallTime(1_700_000_000_123)),
        },
    };
    Change::Domain(domain::Change::UserSet(Arc::new(user)))
}

fn token(seed: u8, count: u32) -> Change {
    let token = FastToken {
        agent: Agent::parse("d4565fa7-4d72-4749-b3d3-740edbf87770").unwrap(),
        mechanism: FastMechanism::EndPoint,
        seed: [seed; 16],
        expires: WallTime(1_800_000_000_123),
        is_used: count > 0,
        count,
    };
    Change::Token(FastChange::Set { account: "1001".into(), token })
}

/// Keys of one hash only, as they were once kept, or of all of them.
fn key_ring(seed: u8) -> KeyRing {
    let hashes = if seed == 1 { &Hash::ALL[1..2] } else { &Hash::ALL[..] };
    let keys = |hash: &Hash| ScramKeys {
        hash: *hash,
        salt: vec![seed; 16],
        iterations: NonZeroU32::new(4096).unwrap(),
        stored_key: Secret::new(vec![seed; hash.bytes()]),
        server_key: Secret::new(vec![seed + 1; hash.bytes()]),
    };
    hashes.iter().map(keys).collect()
}

fn contact(owner: &str, contact: &str, from: Consent) -> Change {
    let jid = |name: &str| format!("{name}@cc.test").parse().unwrap();
    let contact = Contact {
        name: (from != Consent::None).then(|| "Bob \u{1F600} & 'co'".to_owned()),
        groups: ["Friends", "Work \"and\" more"].map(str::to_owned).into(),
        is_listed: from == Consent::Given,
        to: Consent::Pending,
        from,
        is_approved: true,
        wish: (from == Consent::Pending).then(|| "<presence/>".into()),
        ..Contact::unknown(jid(contact))
    };
    Change::Roster(roster::Change::Set { owner: jid(owner), contact: Arc::new(contact) })
}

fn version(owner: &str, version: u64) -> Change {
    let owner = format!("{owner}@cc.test").parse().unwrap();
    Change::Roster(roster::Change::Versioned { owner, version })
}

fn node_set(node: &str, title: &str) -> Change {
    let config = NodeConfig {
        title: title.into(),
        description: "what it <is> for".into(),
        language: "de".into(),
        kind: "http://www.w3.org/2005/Atom".into(),
        deliver_payloads: true,
        deliver_notifications: false,
        persist_items: false,
        max_items: 9,
        item_expire: Some(604_800),
        max_payload_size: 1024,
        send_last_published_item: SendLast::OnSubscribe,
        notification_type: NotificationType::Headline,
        notify_retract: true,
        notify_delete: false,
        notify_config: true,
        notify_sub: true,
        access_model: AccessModel::Roster,
        roster_groups_allowed: vec!["friends & \"family\"".into()],
        publish_model: PublishModel::Subscribers,
    };
    Change::PubSub(pubsub::Change::NodeSet { node: node.into(), config })
}

fn made(node: &str) -> Change {
    let origin =
        Origin { creator: "1001@cc.test".parse().unwrap(), at: WallTime(1_700_000_000_000) };
    Change::PubSub(pubsub::Change::NodeMade { node: node.into(), origin })
}

fn subscribed(node: &str, jid: &str) -> Change {
    on_terms(node, jid, Terms::LASTING)
}

fn pending() -> Terms {
    let until = Some(WallTime(1_700_000_000_000));
    Terms { state: SubscriptionState::Pending, until, ..Terms::LASTING }
}

fn with_options() -> Terms {
    let shows = Shows::of(["xa", "online"]).unwrap();
    let lease = Some(WallTime(1_800_000_000_000));
    Terms::of(Options { deliver: false, shows, lease })
}

fn on_terms(node: &str, jid: &str, terms: Terms) -> Change {
    let (node, jid) = (node.into(), jid.parse().unwrap());
    Change::PubSub(pubsub::Change::Subscribed { node, jid, terms })
}

fn affiliated(node: &str, jid: &str, affiliation: Affiliation) -> Change {
    let jid = jid.parse().unwrap();
    Change::PubSub(pubsub::Change::Affiliated { node: node.into(), jid, affiliation })
}

fn published(node: &str, seq: u64, id: &str) -> Change {
    let item = Item {
        seq,
        id: id.into(),
        payload: Some(format!("<notification>{id}</notification>").into()),
        at: WallTime(1_700_000_000_000),
    };
    Change::PubSub(pubsub::Change::Published { node: node.into(), item: Arc::new(item) })
}

fn trimmed(node: &str, through: u64) -> Change {
    Change::PubSub(pubsub::Change::Trimmed { node: node.into(), through })
}
