//! Pages of items on the wire, while others publish and the history falls behind (XEP-0059).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use aplomb_core::ns;
use aplomb_core::xml::{Prologue, read_element};

use crate::desk::Desk;
use crate::play;
use crate::server::Server;

const PUBLISHERS: usize = 4;
const ITEMS_EACH: usize = 150;
const ITEMS: usize = PUBLISHERS * ITEMS_EACH;
/// So few that a reader of small pages falls behind now and then.
const KEPT: usize = 40;
const PAGE: usize = 7;
const PUBLISH: &str = "<publish node='n'><item><x xmlns='y'/></item></publish>";

#[test]
fn items_come_page_by_page_also_after_a_restart() {
    let set = |inside: &str| format!("<set xmlns='{}'>{inside}</set>", ns::RESULT_SET);
    let (two, last, count) =
        (set("<max>2</max>"), set("<max>2</max><before/>"), set("<max>0</max>"));
    let index = set("<max>1</max><index>1</index>");
    play(&format!(
        "
        publisher/cti is here
        publisher/cti sets <create node='n'/> → create n
        publisher/cti publishes n a → publish n
        publisher/cti publishes n b → publish n
        publisher/cti publishes n c → publish n
        restart
        publisher/cti is here
        publisher/cti gets <items node='n'/>{two} → items n: a b (0 of 3)
        publisher/cti gets <items node='n'/>{last} → items n: b c (1 of 3)
        publisher/cti gets <items node='n'/>{index} → items n: b (1 of 3)
        publisher/cti gets <items node='n'/>{count} → items n: (none of 3)
        publisher/cti gets <items node='n'/>{} → bad-request
        publisher/cti gets <items node='n'/>{} → item-not-found unknown
        publisher/cti gets <subscriptions/>{count} → …(none of 6)
        ",
        set("<max>x</max>"),
        set("<after>b</after>"),
    ));
}

/// A page: the numbers of its items, or the reason why it cannot be told; and whether it is the
/// last.
struct Page {
    numbers: Result<Vec<usize>, String>,
    is_last: bool,
}

fn page(desk: &mut Desk, start: &str) -> Page {
    let set = format!("<set xmlns='{}'><max>{PAGE}</max>{start}</set>", ns::RESULT_SET);
    let body = format!("<pubsub xmlns='{}'><items node='n'/>{set}</pubsub>", ns::PUBSUB);
    let answer = desk.ask("get", "to='pubsub.cc.test'", &body);
    let iq = read_element(&answer, Prologue::Forbidden).unwrap();
    if let Some(error) = iq.child(ns::CLIENT, "error") {
        let lost = error.children().find(|child| child.ns() == ns::LOST).expect(&answer);
        return Page { numbers: Err(lost.name().to_owned()), is_last: false };
    }
    let pubsub = iq.child(ns::PUBSUB, "pubsub").unwrap();
    let items = pubsub.child(ns::PUBSUB, "items").unwrap().children();
    let numbers: Vec<_> =
        items.map(|item| item.attr("id").unwrap()[36..].parse().unwrap()).collect();
    let set = pubsub.child(ns::RESULT_SET, "set").unwrap();
    let number = |text: &str| text.parse::<usize>().unwrap();
    let first = set.child(ns::RESULT_SET, "first").and_then(|first| first.attr("index"));
    let count = number(&set.child(ns::RESULT_SET, "count").unwrap().text());
    let is_last = first.is_none_or(|index| number(index) + numbers.len() == count);
    Page { numbers: Ok(numbers), is_last }
}

/// Makes the node with its first item; gives whoever reads it, and the epoch.
fn first_item(server: &Server) -> (Desk, String) {
    let mut reader = Desk::open(&server.address, "publisher/reader");
    let field = format!("<field var='pubsub#max_items'><value>{KEPT}</value></field>");
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{field}</x>");
    let create = format!("<create node='n'/><configure>{form}</configure>");
    assert_eq!(reader.pubsub("set", &create), "create n");
    let first = reader.ask(
        "set",
        "to='pubsub.cc.test'",
        &format!("<pubsub xmlns='{}'>{PUBLISH}</pubsub>", ns::PUBSUB),
    );
    let (_, id) = first.split_once("<item id=\"").expect(&first);
    let epoch = id[..36].to_owned();
    (reader, epoch)
}

#[test]
fn a_reader_of_pages_has_every_item_once_or_knows_where_he_has_not() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let (mut reader, epoch) = first_item(&server);
    let published = AtomicUsize::new(1);
    let (heard, gaps) = thread::scope(|scope| {
        for at in 0..PUBLISHERS {
            let (address, published) = (&server.address, &published);
            scope.spawn(move || {
                let mut desk = Desk::open(address, &format!("admin/p{at}"));
                for _ in 0..ITEMS_EACH {
                    assert!(desk.pubsub("set", PUBLISH).starts_with("publish"));
                    published.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let (mut heard, mut gaps, mut at) = (vec![1], Vec::new(), 1);
        loop {
            let is_over = published.load(Ordering::SeqCst) == ITEMS + 1;
            let next = page(&mut reader, &format!("<after>{epoch}{at}</after>"));
            match next.numbers {
                Ok(numbers) => {
                    heard.extend(&numbers);
                    at = numbers.last().copied().unwrap_or(at);
                    if next.is_last && is_over {
                        break (heard, gaps);
                    }
                }
                Err(reason) => {
                    assert_eq!(reason, "history-too-short");
                    // He reads anew from the oldest that is there, and knows that there is a gap.
                    let numbers = page(&mut reader, "").numbers.unwrap();
                    gaps.push((at, numbers[0]));
                    heard.extend(&numbers);
                    at = *numbers.last().unwrap();
                }
            }
        }
    });
    let known = gaps.iter().flat_map(|(last, next)| last + 1..*next);
    let mut all: Vec<_> = heard.iter().copied().chain(known).collect();
    assert!(heard.is_sorted_by(|one, other| one < other), "in order, and once: {heard:?}");
    all.sort_unstable();
    assert_eq!(all, (1..=ITEMS + 1).collect::<Vec<_>>(), "gaps that were told: {gaps:?}");
    let refused = page(&mut reader, &format!("<after>{epoch}1</after>")).numbers;
    assert_eq!(refused, Err("history-too-short".to_owned()));
    let other = "00000000-0000-4000-8000-000000000000";
    let refused = page(&mut reader, &format!("<after>{other}1</after>")).numbers;
    assert_eq!(refused, Err("epoch-changed".to_owned()));
}
