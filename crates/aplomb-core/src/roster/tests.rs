use proptest::prelude::*;

use super::*;
use crate::limits::{ROSTER_CONTACTS_MAX, ROSTER_NAME_BYTES_MAX, ROSTER_WISHES_MAX};
use crate::time::WallTime;
use Consent::{Given, None as No, Pending};
use Word::{Subscribe, Subscribed, Unsubscribe, Unsubscribed};

fn jid(name: &str) -> BareJid {
    format!("{name}@cc.test").parse().unwrap()
}

/// A state by the name that RFC 6121 Appendix A.1 gives it.
fn state(name: &str) -> (Consent, Consent) {
    match name {
        "None" => (No, No),
        "None + Pending Out" => (Pending, No),
        "None + Pending In" => (No, Pending),
        "None + Pending Out+In" => (Pending, Pending),
        "To" => (Given, No),
        "To + Pending In" => (Given, Pending),
        "From" => (No, Given),
        "From + Pending Out" => (Pending, Given),
        "Both" => (Given, Given),
        _ => panic!("no state {name}"),
    }
}

fn put(roster: &mut Roster, owner: &str, contact: &str, (to, from): (Consent, Consent)) {
    let mut contact = Contact { to, from, is_listed: true, ..Contact::unknown(jid(contact)) };
    contact.wish = (from == Pending).then(|| "<presence/>".into());
    roster.adopt(&Change::Set { owner: jid(owner), contact: Arc::new(contact) });
}

fn found(roster: &Roster, owner: &str, contact: &str) -> (Consent, Consent) {
    let contact = roster.contact(&jid(owner), &jid(contact));
    contact.map_or((No, No), |contact| (contact.to, contact.from))
}

fn say(roster: &mut Roster, from: &str, word: Word, to: &str) -> Vec<String> {
    let stanza = "<presence/>".into();
    act(roster, from, &Request::Say { word, to: jid(to), stanza }, true).unwrap()
}

/// Plans and adopts; tells what is delivered, in a few words each.
fn act(
    roster: &mut Roster,
    owner: &str,
    request: &Request,
    is_colleague: bool,
) -> Result<Vec<String>, Refusal> {
    let outcome = roster.plan(&jid(owner), request, is_colleague, WallTime(1_000))?;
    outcome.changes.iter().for_each(|change| roster.adopt(change));
    for account in roster.accounts.values() {
        assert_eq!(account.bytes, account.contacts.values().map(|c| c.bytes()).sum::<usize>());
    }
    let name = |jid: &BareJid| jid.node().unwrap().to_string();
    let words = outcome.deliveries.iter().map(|delivery| match delivery {
        Delivery::Push { owner, contact, .. } if contact.is_listed => {
            let ask = if contact.to == Pending { " ask" } else { "" };
            let approved = if contact.is_approved { " approved" } else { "" };
            let subscription = contact.subscription();
            format!("{}: {} {subscription}{ask}{approved}", name(owner), name(&contact.jid))
        }
        Delivery::Push { owner, contact, .. } => {
            format!("{}: {} removed", name(owner), name(&contact.jid))
        }
        Delivery::Say { word, from, to, .. } => format!("{} {word:?} {}", name(from), name(to)),
    });
    Ok(words.collect())
}

#[rustfmt::skip]
const SENT: [(Word, &str, &str); 36] = [
    // A.2.1
    (Subscribe, "None", "None + Pending Out"),
    (Subscribe, "None + Pending Out", "None + Pending Out"),
    (Subscribe, "None + Pending In", "None + Pending Out+In"),
    (Subscribe, "None + Pending Out+In", "None + Pending Out+In"),
    (Subscribe, "To", "To"),
    (Subscribe, "To + Pending In", "To + Pending In"),
    (Subscribe, "From", "From + Pending Out"),
    (Subscribe, "From + Pending Out", "From + Pending Out"),
    (Subscribe, "Both", "Both"),
    // A.2.2
    (Unsubscribe, "None", "None"),
    (Unsubscribe, "None + Pending Out", "None"),
    (Unsubscribe, "None + Pending In", "None + Pending In"),
    (Unsubscribe, "None + Pending Out+In", "None + Pending In"),
    (Unsubscribe, "To", "None"),
    (Unsubscribe, "To + Pending In", "None + Pending In"),
    (Unsubscribe, "From", "From"),
    (Unsubscribe, "From + Pending Out", "From"),
    (Unsubscribe, "Both", "From"),
    // A.2.3
    (Subscribed, "None", "None"),
    (Subscribed, "None + Pending Out", "None + Pending Out"),
    (Subscribed, "None + Pending In", "From"),
    (Subscribed, "None + Pending Out+In", "From + Pending Out"),
    (Subscribed, "To", "To"),
    (Subscribed, "To + Pending In", "Both"),
    (Subscribed, "From", "From"),
    (Subscribed, "From + Pending Out", "From + Pending Out"),
    (Subscribed, "Both", "Both"),
    // A.2.4
    (Unsubscribed, "None", "None"),
    (Unsubscribed, "None + Pending Out", "None + Pending Out"),
    (Unsubscribed, "None + Pending In", "None"),
    (Unsubscribed, "None + Pending Out+In", "None + Pending Out"),
    (Unsubscribed, "To", "To"),
    (Unsubscribed, "To + Pending In", "To"),
    (Unsubscribed, "From", "None"),
    (Unsubscribed, "From + Pending Out", "None + Pending Out"),
    (Unsubscribed, "Both", "To"),
];

/// What a person says changes his own state so (Appendix A.2).
#[test]
fn the_tables_of_what_is_sent() {
    for (word, before, after) in SENT {
        let (mut roster, (to, from)) = (Roster::default(), state(before));
        put(&mut roster, "a", "b", (to, from));
        put(&mut roster, "b", "a", (from, to));
        let said = say(&mut roster, "a", word, "b");
        assert_eq!(found(&roster, "a", "b"), state(after), "{word:?} in {before}");
        let (to, from) = state(after);
        assert_eq!(found(&roster, "b", "a"), (from, to), "the other side: {word:?} in {before}");
        let is_pushed = said.iter().any(|words| words.starts_with("a: b"));
        // From Pending In to None nothing is seen to change (RFC 6121 §3.2).
        let (was, is) = (state(before), state(after));
        let is_seen = was.0 != is.0 || (was.1 == Given) != (is.1 == Given);
        let is_approved = word == Subscribed && was.1 == No;
        assert_eq!(is_pushed, is_seen || is_approved, "push: {word:?} in {before}: {said:?}");
    }
}

#[rustfmt::skip]
const RECEIVED: [(Word, &str, bool, &str); 36] = [
    // A.3.1
    (Subscribe, "None", true, "None + Pending In"),
    (Subscribe, "None + Pending Out", true, "None + Pending Out+In"),
    (Subscribe, "None + Pending In", false, "None + Pending In"),
    (Subscribe, "None + Pending Out+In", false, "None + Pending Out+In"),
    (Subscribe, "To", true, "To + Pending In"),
    (Subscribe, "To + Pending In", false, "To + Pending In"),
    (Subscribe, "From", false, "From"),
    (Subscribe, "From + Pending Out", false, "From + Pending Out"),
    (Subscribe, "Both", false, "Both"),
    // A.3.2
    (Unsubscribe, "None", false, "None"),
    (Unsubscribe, "None + Pending Out", false, "None + Pending Out"),
    (Unsubscribe, "None + Pending In", true, "None"),
    (Unsubscribe, "None + Pending Out+In", true, "None + Pending Out"),
    (Unsubscribe, "To", false, "To"),
    (Unsubscribe, "To + Pending In", true, "To"),
    (Unsubscribe, "From", true, "None"),
    (Unsubscribe, "From + Pending Out", true, "None + Pending Out"),
    (Unsubscribe, "Both", true, "To"),
    // A.3.3
    (Subscribed, "None", false, "None"),
    (Subscribed, "None + Pending Out", true, "To"),
    (Subscribed, "None + Pending In", false, "None + Pending In"),
    (Subscribed, "None + Pending Out+In", true, "To + Pending In"),
    (Subscribed, "To", false, "To"),
    (Subscribed, "To + Pending In", false, "To + Pending In"),
    (Subscribed, "From", false, "From"),
    (Subscribed, "From + Pending Out", true, "Both"),
    (Subscribed, "Both", false, "Both"),
    // A.3.4
    (Unsubscribed, "None", false, "None"),
    (Unsubscribed, "None + Pending Out", true, "None"),
    (Unsubscribed, "None + Pending In", false, "None + Pending In"),
    (Unsubscribed, "None + Pending Out+In", true, "None + Pending In"),
    (Unsubscribed, "To", true, "None"),
    (Unsubscribed, "To + Pending In", true, "None + Pending In"),
    (Unsubscribed, "From", false, "From"),
    (Unsubscribed, "From + Pending Out", true, "From"),
    (Unsubscribed, "Both", true, "From"),
];

/// What a person hears changes his state so, and is told him or not (Appendix A.3).
#[test]
fn the_tables_of_what_is_received() {
    for (word, before, is_told, after) in RECEIVED {
        let mut roster = Roster::default();
        put(&mut roster, "b", "a", state(before));
        // Whoever says it is in a state in which it is passed on, though the two do not fit.
        let sender = match word {
            Subscribe | Unsubscribe => (No, No),
            Subscribed => (No, Pending),
            Unsubscribed => (No, Given),
        };
        put(&mut roster, "a", "b", sender);
        let said = say(&mut roster, "a", word, "b");
        assert_eq!(found(&roster, "b", "a"), state(after), "{word:?} in {before}");
        let told = format!("a {word:?} b");
        assert_eq!(said.contains(&told), is_told, "told: {word:?} in {before}: {said:?}");
        // Who lets the other see him already has it said again for him (A.3.1).
        let is_again = word == Subscribe && state(before).1 == Given;
        assert_eq!(said.contains(&"b Subscribed a".to_owned()), is_again, "{before}");
    }
}

/// Lines: `a subscribe b` (and the other words), `a asks stranger b`, `a sets b NAME GROUPS…`,
/// `a removes b`, `b departs`; each with what is told after an arrow, or the refusal.
#[track_caller]
fn check(script: &str) {
    let mut roster = Roster::default();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (request, expected) = line.split_once(" → ").expect(line);
        let words: Vec<_> = request.split_whitespace().collect();
        let asked = |word| Request::Say { word, to: jid(words[2]), stanza: "<presence/>".into() };
        let (request, is_colleague) = match words[..] {
            [_, "asks", _, "stranger"] => (asked(Subscribe), false),
            [_, "subscribe", _] => (asked(Subscribe), true),
            [_, "subscribed", _] => (asked(Subscribed), true),
            [_, "unsubscribe", _] => (asked(Unsubscribe), true),
            [_, "unsubscribed", _] => (asked(Unsubscribed), true),
            [_, "removes", contact] => (Request::Remove { contact: jid(contact) }, true),
            [_, "sets", contact, name, ref groups @ ..] => {
                let groups = groups.iter().map(|group| group.trim_matches('"').to_owned());
                let (contact, name) = (jid(contact), Some(name.to_owned()));
                (Request::Set { contact, name, groups: groups.collect() }, true)
            }
            [person, "departs"] => {
                let outcome = roster.departure(&jid(person), WallTime(1_000));
                outcome.changes.iter().for_each(|change| roster.adopt(change));
                assert_eq!(outcome.deliveries.len().to_string(), expected, "{line}");
                continue;
            }
            _ => panic!("no such line: {line}"),
        };
        let came = match act(&mut roster, words[0], &request, is_colleague) {
            Ok(told) if told.is_empty() => "nothing".to_owned(),
            Ok(told) => told.join(", "),
            Err(refusal) => format!("{refusal:?}"),
        };
        assert_eq!(came, expected, "{line}");
    }
}

#[test]
fn two_people_come_to_see_each_other_and_part() {
    check(
        "
        a subscribe b → a Subscribe b, a: b none ask
        a subscribe b → nothing
        b subscribed a → b Subscribed a, b: a from, a: b to
        b subscribe a → b Subscribe a, b: a from ask
        a subscribed b → a Subscribed b, a: b both, b: a both
        a sets b Bob Friends Work → a: b both
        a sets b Bob Friends Work → nothing
        b removes a → b Unsubscribe a, b Unsubscribed a, b: a removed, a: b none
        b removes a → Unknown
        a removes b → a: b removed
        ",
    );
}

#[test]
fn a_wish_is_not_in_the_roster_of_who_is_asked() {
    check(
        "
        a subscribe b → a Subscribe b, a: b none ask
        b removes a → Unknown
        b sets a Ada → b: a none
        b unsubscribed a → b Unsubscribed a, a: b none
        a subscribe b → a Subscribe b, a: b none ask
        a unsubscribe b → a Unsubscribe b, a: b none
        b subscribed a → b: a none approved
        ",
    );
}

#[test]
fn a_stranger_is_asked_as_anybody_and_hears_nothing() {
    check(
        "
        a asks b stranger → a: b none ask
        a asks b stranger → nothing
        b subscribed a → b: a none approved
        a unsubscribe b → a: b none
        a asks b stranger → a: b none ask
        a removes b → a: b removed
        b removes a → b: a removed
        ",
    );
}

#[test]
fn who_is_allowed_beforehand_is_answered_at_once() {
    check(
        "
        b subscribed a → b: a none approved
        b subscribed a → nothing
        a subscribe b → b Subscribed a, a: b to, b: a from approved
        b unsubscribed a → b Unsubscribed a, b: a none, a: b none
        a subscribe b → a Subscribe b, a: b none ask
        ",
    );
}

#[test]
fn an_account_that_is_gone_is_seen_by_nobody_and_sees_nobody() {
    check(
        "
        a subscribe b → a Subscribe b, a: b none ask
        b subscribed a → b Subscribed a, b: a from, a: b to
        c subscribe b → c Subscribe b, c: b none ask
        b subscribe a → b Subscribe a, b: a from ask
        b departs → 5
        a subscribe b → a Subscribe b, a: b none ask
        ",
    );
}

#[test]
fn nobody_is_his_own_contact_and_names_have_bounds() {
    let long = "x".repeat(ROSTER_NAME_BYTES_MAX + 1);
    check(&format!(
        "
        a subscribe a → Oneself
        a sets a Me → Oneself
        a sets b {long} → NotAcceptable
        a sets b Bob {long} → NotAcceptable
        a sets b Bob \"\" → NotAcceptable
        a sets b Bob {} → NotAcceptable
        a sets b Bob {} → a: b none
        ",
        (0..33).map(|at| at.to_string()).collect::<Vec<_>>().join(" "),
        (0..32).map(|at| at.to_string()).collect::<Vec<_>>().join(" "),
    ));
}

#[test]
fn a_full_roster_takes_no_more_and_who_has_too_much_to_answer_hears_no_more() {
    let mut roster = Roster::default();
    for at in 0..ROSTER_CONTACTS_MAX {
        put(&mut roster, "a", &at.to_string(), (No, No));
    }
    let ask = |to: &str| Request::Say { word: Subscribe, to: jid(to), stanza: "<p/>".into() };
    assert_eq!(act(&mut roster, "a", &ask("b"), true), Err(Refusal::Full));
    assert_eq!(act(&mut roster, "a", &ask("7"), true).unwrap().len(), 2);
    for at in 0..ROSTER_WISHES_MAX {
        assert_eq!(act(&mut roster, &at.to_string(), &ask("b"), true).unwrap().len(), 2);
    }
    // Whoever asks sees no difference.
    assert_eq!(act(&mut roster, "c", &ask("b"), true).unwrap(), ["c: b none ask"]);
    assert_eq!(roster.contact(&jid("b"), &jid("c")), None);
}

#[test]
fn versions_only_rise_also_when_the_clock_goes_back() {
    let mut roster = Roster::default();
    let mut last = 0;
    for (at, now) in [(1, 5_000), (2, 5_000), (3, 10), (4, 9_000), (5, -1)] {
        let request = Request::Set {
            contact: jid("b"),
            name: Some(format!("name {at}")),
            groups: Default::default(),
        };
        let outcome = roster.plan(&jid("a"), &request, true, WallTime(now)).unwrap();
        outcome.changes.iter().for_each(|change| roster.adopt(change));
        assert!(roster.version(&jid("a")) > last);
        last = roster.version(&jid("a"));
    }
    assert_eq!(last, 9_001);
}

#[test]
fn others_may_ask_who_is_seen_by_whom_and_in_which_groups() {
    let mut roster = Roster::default();
    let groups: std::collections::BTreeSet<_> = ["Work".to_owned()].into();
    let set = Request::Set { contact: jid("b"), name: None, groups };
    act(&mut roster, "a", &set, true).unwrap();
    assert_eq!(roster.groups(&jid("a"), &jid("b")).collect::<Vec<_>>(), ["Work"]);
    assert_eq!(roster.groups(&jid("b"), &jid("a")).count(), 0);
    assert!(!roster.lets_see(&jid("a"), &jid("b")));
    say(&mut roster, "b", Subscribe, "a");
    assert!(!roster.lets_see(&jid("a"), &jid("b")));
    say(&mut roster, "a", Subscribed, "b");
    assert!(roster.lets_see(&jid("a"), &jid("b")) && !roster.lets_see(&jid("b"), &jid("a")));
}

/// What a model of three people knows: one value for each direction, so it cannot disagree.
#[derive(Default)]
struct Model {
    sees: BTreeMap<(usize, usize), Consent>,
    approved: std::collections::BTreeSet<(usize, usize)>,
}

impl Model {
    fn consent(&self, seer: usize, seen: usize) -> Consent {
        self.sees.get(&(seer, seen)).copied().unwrap_or(No)
    }

    fn say(&mut self, who: usize, word: Word, to: usize) {
        match (word, self.consent(who, to), self.consent(to, who)) {
            (Subscribe, No | Pending, _) => {
                let is_approved = self.approved.contains(&(to, who));
                self.sees.insert((who, to), if is_approved { Given } else { Pending });
            }
            (Subscribed, _, Pending) => {
                self.sees.insert((to, who), Given);
            }
            (Subscribed, _, No) => {
                self.approved.insert((who, to));
            }
            (Unsubscribe, ..) => {
                self.sees.insert((who, to), No);
            }
            (Unsubscribed, ..) => {
                self.sees.insert((to, who), No);
                self.approved.remove(&(who, to));
            }
            (Subscribe, Given, _) | (Subscribed, _, Given) => {}
        }
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn operations() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    proptest::collection::vec((0..6usize, 0..3usize, 1..3usize), 1..60)
}

proptest! {
    /// Whatever is said in whatever order, both sides agree, they are as the model says, and who
    /// only listens to pushes has the roster of who asks for it. A failure prints its input and
    /// keeps its seed.
    #[test]
    fn two_sides_never_disagree(operations in operations()) {
        let (mut roster, mut model) = (Roster::default(), Model::default());
        let mut pushed: BTreeMap<(BareJid, BareJid), Arc<Contact>> = BTreeMap::new();
        for (at, (kind, who, offset)) in operations.into_iter().enumerate() {
            let other = (who + offset) % 3;
            let words = [Subscribe, Subscribed, Unsubscribe, Unsubscribed];
            let contact = jid(NAMES[other]);
            let request = match kind {
                4 => {
                    let name = Some(at.to_string());
                    Request::Set { contact, name, groups: Default::default() }
                }
                5 => Request::Remove { contact },
                kind => Request::Say { word: words[kind], to: contact, stanza: "<p/>".into() },
            };
            let planned = roster.plan(&jid(NAMES[who]), &request, true, WallTime(0));
            let Ok(outcome) = planned else { continue };
            outcome.changes.iter().for_each(|change| roster.adopt(change));
            match kind {
                4 => {}
                5 => {
                    model.say(who, Unsubscribe, other);
                    model.say(who, Unsubscribed, other);
                }
                kind => model.say(who, words[kind], other),
            }
            for delivery in outcome.deliveries {
                if let Delivery::Push { owner, contact, version } = delivery {
                    prop_assert_eq!(version, roster.version(&owner));
                    pushed.insert((owner, contact.jid.clone()), contact);
                }
            }
            agree(&roster, &model, &pushed)?;
        }
    }
}

fn agree(
    roster: &Roster,
    model: &Model,
    pushed: &BTreeMap<(BareJid, BareJid), Arc<Contact>>,
) -> Result<(), TestCaseError> {
    for (one, other) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        let (owner, contact) = (jid(NAMES[one]), jid(NAMES[other]));
        let expected = (model.consent(one, other), model.consent(other, one));
        prop_assert_eq!(found(roster, NAMES[one], NAMES[other]), expected);
        let listed = roster.contact(&owner, &contact).filter(|contact| contact.is_listed);
        let told = pushed.get(&(owner, contact)).filter(|contact| contact.is_listed);
        prop_assert_eq!(listed.is_some(), told.is_some());
        if let (Some(listed), Some(told)) = (listed, told) {
            prop_assert!(listed.looks_like(told));
            prop_assert_eq!(listed.wish.is_some(), listed.from == Pending);
        }
    }
    Ok(())
}
