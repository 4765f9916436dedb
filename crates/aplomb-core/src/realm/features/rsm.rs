//! Result set management (XEP-0059): long lists, page by page.
//!
//! Items are cut by the pubsub service, which knows what is missing of them. Every other list is
//! cut here, when it is written: it is sorted by what tells its entries apart, so that a page has a
//! place in it even when the entry it is reckoned from is gone.

use super::{Feature, Place, Speaks};
use crate::ns;
use crate::pubsub::{Page, Section, Start};
use crate::standard::Sample;
use crate::stanza::{Condition, StanzaError};
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Result Set Management",
    source: "XEP-0059",
    what: "Items of a node, nodes of the service, subscriptions and affiliations in pages: `max`, \
           `after`, `before`, `index`, the count alone, the last page. Answers that would be too \
           long are cut and say so. After an item comes all that followed it, or the reason why \
           that cannot be told; see `pubsub.md`.",
    samples: &[Sample::answered(
        "<iq type='get' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <items node='/finesse/api/User/1001'/>\
         <set xmlns='http://jabber.org/protocol/rsm'><max>2</max><before/></set></pubsub></iq>",
    )],
    announces: &[(Place::PubSub, &[ns::RESULT_SET])],
    stream: None,
    speaks: Speaks::Nothing,
};

/// The page that a request asks for, if it asks for one.
///
/// - Errors: `bad-request` for two places at once, or for a number that is none.
pub(super) fn page(request: &Element) -> Result<Option<Page>, StanzaError> {
    let Some(set) = request.child(ns::RESULT_SET, "set") else { return Ok(None) };
    let (mut start, mut max) = (None, None);
    for child in set.children().filter(|child| child.ns() == ns::RESULT_SET) {
        let text = child.text();
        let place = match child.name() {
            "max" => {
                max = Some(number(&text)?);
                continue;
            }
            "after" if text.is_empty() => Start::First,
            "after" => Start::After(text),
            "before" if text.is_empty() => Start::Last,
            "before" => Start::Before(text),
            "index" => Start::Index(number(&text)?),
            // What else a set may say is said by the service (XEP-0059 §3).
            _ => continue,
        };
        if start.replace(place).is_some() {
            return Err(StanzaError::new(Condition::BadRequest)
                .with_text("a page has one place: after, before or index"));
        }
    }
    Ok(Some(Page { start: start.unwrap_or(Start::First), max }))
}

/// Cuts a list to the page that `request` asks for, or to `listed_max` entries when it is longer.
///
/// A list that is told whole stays as it is; a part of it is sorted by the attributes `keys`.
pub(super) fn cut(
    request: &Element,
    list: Vec<Element>,
    keys: &[&str],
    listed_max: usize,
) -> (Vec<Element>, Option<Element>) {
    // It was read when the request came.
    let page = page(request).ok().flatten();
    if page.is_none() && list.len() <= listed_max {
        return (list, None);
    }
    let page = page.unwrap_or(Page { start: Start::First, max: None });
    let page = Page { max: Some(page.max.unwrap_or(listed_max).min(listed_max)), ..page };
    let mut keyed: Vec<_> = list.into_iter().map(|entry| (key_of(&entry, keys), entry)).collect();
    keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
    let all: Vec<_> = keyed.iter().map(|(key, _)| key.as_str()).collect();
    let range = page.range_of_sorted(&all);
    let section = Section::new(&range, all.len(), |at| all[at].to_owned());
    let part = keyed.drain(range).map(|(_, entry)| entry).collect();
    (part, Some(set(&section)))
}

/// Says which part of a list was given.
pub(super) fn set(section: &Section) -> Element {
    let tell = |name, text: &str| Element::new(ns::RESULT_SET, name).with_text(text);
    let ends = section.ends.as_ref().map(|ends| {
        let first = tell("first", &ends.first).with_attr("index", ends.index.to_string());
        [first, tell("last", &ends.last)]
    });
    Element::new(ns::RESULT_SET, "set")
        .with_children(ends.into_iter().flatten())
        .with_child(tell("count", &section.count.to_string()))
}

fn number(text: &str) -> Result<usize, StanzaError> {
    let number = text.trim().parse();
    number.map_err(|_| StanzaError::new(Condition::BadRequest).with_text("max and index count"))
}

/// What tells an entry apart: an address comes last, if there is one.
fn key_of(entry: &Element, keys: &[&str]) -> String {
    let values: Vec<_> = keys.iter().map(|key| entry.attr(key).unwrap_or_default()).collect();
    values.join(SEPARATOR)
}

/// A tab stands in no address (RFC 7622 §3), so the last one always parts a name from an address.
const SEPARATOR: &str = "\u{9}";
