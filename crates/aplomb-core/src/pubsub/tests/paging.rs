//! Pages of items: all that follows a place, or the reason why that cannot be told.

use super::*;

#[test]
fn items_come_page_by_page_from_either_end() {
    check(
        r#"
        given pub is owner
        given node n is served
        pub items n page 2 = none of 0
        pub publish n <a/> as a = a 1<items node="n"><item id="a"><a/></item></items>
        pub publish n <b/> as b = b 2<items node="n"><item id="b"><b/></item></items>
        pub publish n <c/> as c = c 3<items node="n"><item id="c"><c/></item></items>
        pub items n page 0 = none of 3
        pub items n page 2 = a b at 0 of 3: epoch-1 epoch-2
        pub items n page 2 after epoch-2 = c at 2 of 3: epoch-3 epoch-3
        pub items n page 2 after epoch-3 = none of 3
        pub items n page max = a b c at 0 of 3: epoch-1 epoch-3
        pub items n page 2 last = b c at 1 of 3: epoch-2 epoch-3
        pub items n page 2 before epoch-2 = a at 0 of 3: epoch-1 epoch-1
        pub items n page 2 before epoch-1 = none of 3
        pub items n page 1 at 1 = b at 1 of 3: epoch-2 epoch-2
        pub items n page 1 at 3 = none of 3
        "#,
    );
}

#[test]
fn a_place_that_leads_nowhere_is_refused_with_the_reason() {
    check(
        r#"
        given pub is owner
        given node n is served
        pub publish n <a/> as a = a 1<items node="n"><item id="a"><a/></item></items>
        pub publish n <b/> = epoch-2 2<items node="n"><item id="epoch-2"><b/></item></items>
        pub publish n <c/> = epoch-3 3<items node="n"><item id="epoch-3"><c/></item></items>
        pub items n page 9 after a = Lost(Unknown)
        pub items n page 9 before epoch-x = Lost(Unknown)
        pub items n page 9 after other-2 = Lost(EpochChanged)
        pub items n page 9 after epoch-4 = Lost(HistoryReset)
        pub items n page 9 after epoch-0 = a epoch-2 epoch-3 at 0 of 3: epoch-1 epoch-3
        pub publish n <d/> = epoch-4 4<items node="n"><item id="epoch-4"><d/></item></items>
        pub items n page 9 after epoch-0 = Lost(HistoryTooShort)
        pub items n page 9 after epoch-1 = epoch-2 epoch-3 epoch-4 at 0 of 3: epoch-2 epoch-4
        pub publish n <e/> = epoch-5 5<items node="n"><item id="epoch-5"><e/></item></items>
        pub items n page 9 after epoch-1 = Lost(HistoryTooShort)
        pub items n page 9 before epoch-2 = Lost(HistoryTooShort)
        pub items n page 9 before epoch-3 = none of 3
        restart
        pub items n page 9 after epoch-1 = Lost(HistoryTooShort)
        given 61 seconds pass
        pub items n page 9 after epoch-4 = Lost(HistoryTooShort)
        pub items n page 9 after epoch-5 = none of 0
        "#,
    );
}

#[test]
fn an_item_that_is_published_again_moves_and_hides_nothing() {
    check(
        r#"
        given pub is owner
        given node n is served
        pub publish n <a/> as a = a 1<items node="n"><item id="a"><a/></item></items>
        pub publish n <b/> as b = b 2<items node="n"><item id="b"><b/></item></items>
        pub items n page 1 = a at 0 of 2: epoch-1 epoch-1
        pub publish n <c/> as a = a 3<items node="n"><item id="a"><c/></item></items>
        pub items n page 1 after epoch-1 = b at 0 of 2: epoch-2 epoch-2
        pub items n page 1 after epoch-2 = a at 1 of 2: epoch-3 epoch-3
        pub retract n b = done 4<items node="n"><retract id="b"/></items>
        pub items n page 9 after epoch-2 = a at 0 of 1: epoch-3 epoch-3
        pub items n page 9 after epoch-4 = none of 1
        "#,
    );
}

#[test]
fn what_is_gone_with_a_node_or_was_purged_or_never_kept_is_not_passed_over() {
    check(
        r#"
        given pub is owner
        pub create n = created n
        pub publish n <a/> = epoch-1 1<items node="n"><item id="epoch-1"><a/></item></items>
        pub publish n <b/> = epoch-2 2<items node="n"><item id="epoch-2"><b/></item></items>
        pub purge n = done 3<purge node="n"/>
        pub items n page 9 after epoch-1 = Lost(HistoryTooShort)
        pub items n page 9 after epoch-3 = none of 0
        pub delete n = done 4<delete node="n"/>
        pub create n = created n
        pub items n page 9 after epoch-3 = Lost(HistoryReset)
        pub configure n transient = done 5<configuration node="n"/>
        pub items n page 9 after epoch-3 = Lost(HistoryTooShort)
        pub publish n <c/> = epoch-6 6<items node="n"><item id="epoch-6"><c/></item></items>
        pub configure n lasting = done 7<configuration node="n"/>
        restart
        pub items n page 9 after epoch-5 = Lost(HistoryTooShort)
        pub items n page 9 after epoch-6 = none of 0
        "#,
    );
}

/// What happens on a node while somebody reads it page by page.
#[derive(Debug, Clone)]
enum Step {
    /// A request in words, of the owner.
    Ask(String),
    Pass(i64),
    Lapse,
    Restart,
    /// The next page.
    Read {
        max: usize,
        is_backward: bool,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let ask = |words: &str| Just(Step::Ask(words.to_owned()));
    let id = || prop::sample::select(vec!["a", "b", "c", "epoch-5"]);
    prop_oneof![
        6 => ask("publish n <p/>"),
        2 => id().prop_map(|id| Step::Ask(format!("publish n <p/> as {id}"))),
        1 => id().prop_map(|id| Step::Ask(format!("retract n {id}"))),
        1 => ask("publish other <p/>"),
        1 => prop::sample::select(vec![
            "purge n", "delete n", "create n", "configure n keeping 1", "configure n keeping 3",
            "configure n transient", "configure n lasting", "configure n silent",
            "configure n expiring 15", "configure n expiring never",
        ]).prop_map(|words| Step::Ask(words.to_owned())),
        1 => (0..40_i64).prop_map(Step::Pass),
        1 => Just(Step::Lapse),
        1 => Just(Step::Restart),
        8 => (1..4_usize, prop::bool::weighted(0.2))
            .prop_map(|(max, is_backward)| Step::Read { max, is_backward }),
    ]
}

/// A reader, and what there was to be read.
struct Reader {
    stage: Stage,
    /// The number up to which the reader has everything.
    at: Option<u64>,
    /// Every number that was given to an item, and whether somebody took that item back.
    told: std::collections::BTreeMap<u64, bool>,
    ids: HashMap<String, u64>,
}

impl Reader {
    fn ask(&mut self, words: &str) {
        let words: Vec<_> = words.split(' ').collect();
        let Ok(outcome) = self.stage.ask("pub", &request(&words)) else { return };
        for notice in outcome.notices.iter().filter(|notice| &*notice.node == "n") {
            match &notice.told {
                Told::Item(item) => {
                    self.told.insert(item.seq, false);
                    if let Some(old) = self.ids.insert(item.id.clone(), item.seq) {
                        self.told.insert(old, true);
                    }
                }
                Told::Delete(_) | Told::Purge => self.ids.clear(),
                Told::Retract(_) | Told::Configuration | Told::Signal => {}
            }
        }
        if let ["retract", _, id] = words[..]
            && let Some(old) = self.ids.remove(id)
        {
            self.told.insert(old, true);
        }
    }

    /// The items with numbers in `range` that nobody took back.
    fn standing(&self, range: impl std::ops::RangeBounds<u64>) -> Vec<u64> {
        self.told.range(range).filter(|(_, is_gone)| !**is_gone).map(|(seq, _)| *seq).collect()
    }

    fn read(&mut self, max: usize, is_backward: bool) {
        let start = match (self.at, is_backward) {
            (None, false) => Start::First,
            (None, true) => Start::Last,
            (Some(at), false) => Start::After(format!("epoch-{at}")),
            (Some(at), true) => Start::Before(format!("epoch-{at}")),
        };
        let page = Some(Page { start, max: Some(max) });
        let wish = ItemsWish { page, ..ItemsWish::default() };
        let answer = self.stage.ask("pub", &Request::Items { node: "n".into(), wish });
        let (items, section) = match answer {
            Ok(Outcome { reply: Reply::Items { items, section, .. }, .. }) => {
                (items, section.unwrap())
            }
            Ok(other) => panic!("{other:?}"),
            Err(Refusal::NodeUnknown) => return,
            Err(Refusal::Lost(lost)) => return self.refused(lost),
            Err(other) => panic!("{other:?}"),
        };
        let numbers: Vec<_> = items.iter().map(|item| item.seq).collect();
        let index = section.ends.as_ref().map_or(section.count, |ends| ends.index);
        let is_end = index + numbers.len() == section.count;
        let (first, last) = (numbers.first().copied(), numbers.last().copied());
        match (self.at, is_backward) {
            (Some(at), true) => {
                assert_eq!(numbers, self.standing(first.unwrap_or(at)..at), "before {at}");
                return;
            }
            (Some(at), false) => {
                let to = if is_end { u64::MAX } else { last.unwrap_or(at) };
                assert_eq!(numbers, self.standing(at + 1..=to), "after {at}");
            }
            (None, _) => assert!(numbers.is_sorted_by(|one, other| one < other)),
        }
        self.at = last.or(self.at);
    }

    /// Nothing is refused that could be told.
    fn refused(&mut self, lost: Lost) {
        let at = self.at.take().expect("a first page has no place to miss");
        let row = self.stage.service.nodes.get("n");
        let is_there = |seq| row.is_some_and(|row| row.items.iter().any(|item| item.seq == seq));
        let now = self.stage.now;
        let is_all_there = || self.standing(at..).into_iter().all(is_there);
        let is_old = row.is_some_and(|row| {
            let is_over = |item: &Arc<Item>| {
                let is_expired = row.expiry_of(item).is_some_and(|expiry| expiry <= now);
                is_expired || now.0 - item.at.0 > 60_000
            };
            row.items.iter().any(is_over)
        });
        let has_purged = row.is_some_and(|row| row.trimmed >= at);
        let is_new = row.is_none_or(|row| row.seq < at);
        assert!(!is_all_there() || is_old || has_purged || is_new, "{lost:?} after {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Publishing, retracting, trimming, ageing, purging, deleting and restarts between pages.
    #[test]
    fn who_pages_forward_has_all_in_order_and_once_or_is_told(
        steps in prop::collection::vec(any_step(), 1..200)
    ) {
        let mut stage = Stage::new();
        stage.standings.insert("pub".into(), Standing::Owner);
        stage.served.push("other".into());
        let (told, ids) = Default::default();
        let mut reader = Reader { stage, at: None, told, ids };
        reader.ask("create n");
        for step in steps {
            match step {
                Step::Ask(words) => reader.ask(&words),
                Step::Pass(secs) => reader.stage.now.0 += 1000 * secs,
                Step::Lapse => {
                    lapse(&mut reader.stage);
                }
                Step::Restart => restart(&mut reader.stage),
                Step::Read { max, is_backward } => reader.read(max, is_backward),
            }
        }
    }
}
