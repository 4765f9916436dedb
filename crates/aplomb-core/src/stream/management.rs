//! Stream management: what was sent and is not yet acknowledged, and the words for it.
//!
//! Counters run modulo 2^32 and wrap. Who resumes says how much it handled; all the rest is sent
//! again, in order. Pure, and generic over what is remembered. Source: XEP-0198 1.6.

use std::collections::VecDeque;

use crate::framing::{StreamCondition, StreamError};
use crate::limits::ACK_REQUEST_STANZAS;
use crate::ns;
use crate::standard::{Hears, Sample, Standard};
use crate::stanza::Condition;
use crate::xml::Element;

/// What is followed here.
pub const STANDARDS: &[Standard] = &[Standard {
    source: "XEP-0198",
    name: "Stream Management",
    what: "Acknowledgements and resumption, on every carrier and from one to another. Given to \
           whoever asks; offered where `stream-management` says so.",
    samples: &[
        Sample {
            says: "<enable xmlns='urn:xmpp:sm:3' resume='true' max='60'/>",
            hears: Hears::Answer("<enabled"),
        },
        Sample { says: "<r xmlns='urn:xmpp:sm:3'/>", hears: Hears::Answer("<a ") },
        Sample::unanswered("<a xmlns='urn:xmpp:sm:3' h='0'/>"),
        Sample {
            says: "<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>",
            hears: Hears::Answer("<failed"),
        },
    ],
}];

/// Whether clients may have their streams managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Management {
    /// Never: whoever asks is refused.
    Off,
    /// For whoever asks, although the features do not say so.
    OnRequest,
    /// The features say so.
    Offered,
}

/// How much may be sent without being acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Stanzas.
    pub stanzas: usize,
    /// Bytes, as the caller weighs them.
    pub bytes: usize,
}

/// What was sent and is not acknowledged, oldest first.
#[derive(Debug)]
pub struct Unacknowledged<T> {
    bounds: Bounds,
    /// Stanzas sent since management began, modulo 2^32.
    sent: u32,
    /// Of these, how many the peer said that it handled.
    handled: u32,
    /// The others, unless they were too many: then none.
    kept: VecDeque<(T, usize)>,
    bytes: usize,
    /// What was sent since the last request for an acknowledgement.
    unasked: Bounds,
    is_whole: bool,
}

/// The peer says that it handled more than was sent (XEP-0198 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{handled} stanzas were acknowledged and only {sent} were sent")]
pub struct Lie {
    /// What the peer says.
    pub handled: u32,
    /// What was sent.
    pub sent: u32,
}

impl<T> Unacknowledged<T> {
    /// Nothing was sent yet. Bounds of zero remember nothing and only count.
    pub const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            sent: 0,
            handled: 0,
            kept: VecDeque::new(),
            bytes: 0,
            unasked: Bounds { stanzas: 0, bytes: 0 },
            is_whole: true,
        }
    }

    /// Counters as if `count` stanzas were sent and acknowledged already.
    #[must_use]
    pub const fn after(mut self, count: u32) -> Self {
        (self.sent, self.handled) = (count, count);
        self
    }

    /// Notes a stanza that was sent. One too many for the bounds and all are forgotten: what is
    /// not whole cannot be sent again.
    pub fn push(&mut self, stanza: T, bytes: usize) {
        self.sent = self.sent.wrapping_add(1);
        self.unasked.stanzas += 1;
        self.unasked.bytes += bytes;
        let has_room =
            self.kept.len() < self.bounds.stanzas && self.bytes + bytes <= self.bounds.bytes;
        self.is_whole &= has_room;
        if self.is_whole {
            self.bytes += bytes;
            self.kept.push_back((stanza, bytes));
        } else {
            self.kept = VecDeque::new();
            self.bytes = 0;
        }
    }

    /// Takes the peer's count of what it handled; returns how many are new.
    ///
    /// - Errors: more than was sent.
    pub fn acknowledge(&mut self, handled: u32) -> Result<u32, Lie> {
        let new = handled.wrapping_sub(self.handled);
        if new > self.sent.wrapping_sub(self.handled) {
            return Err(Lie { handled, sent: self.sent });
        }
        self.handled = handled;
        for _ in 0..new {
            let Some((_, bytes)) = self.kept.pop_front() else { break };
            self.bytes -= bytes;
        }
        if self.kept.is_empty() {
            // A burst that is over leaves no memory behind.
            self.kept = VecDeque::new();
        }
        Ok(new)
    }

    /// Takes out what must be sent again, as if it had never been sent; push each when it is.
    pub fn rewind(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.sent = self.handled;
        self.unasked = Bounds { stanzas: 0, bytes: 0 };
        self.bytes = 0;
        std::mem::take(&mut self.kept).into_iter().map(|(stanza, _)| stanza)
    }

    /// Whether it still holds everything that is not acknowledged.
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether something was sent of which no acknowledgement was asked for.
    pub const fn is_request_wanted(&self) -> bool {
        self.unasked.stanzas > 0
    }

    /// Whether so much was sent that it is time to ask: a quarter of what may be, at the latest.
    pub const fn is_request_due(&self) -> bool {
        let Bounds { stanzas, bytes } = self.unasked;
        stanzas >= ACK_REQUEST_STANZAS
            || stanzas > 0 && (stanzas * 4 >= self.bounds.stanzas || bytes * 4 >= self.bounds.bytes)
    }

    /// Notes that an acknowledgement was asked for.
    pub const fn note_request(&mut self) {
        self.unasked = Bounds { stanzas: 0, bytes: 0 };
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

impl From<Lie> for StreamError {
    /// `undefined-condition` with `<handled-count-too-high h= send-count=/>` (XEP-0198 §4).
    fn from(lie: Lie) -> Self {
        let detail = Element::new(ns::MANAGEMENT, "handled-count-too-high")
            .with_attr("h", lie.handled.to_string())
            .with_attr("send-count", lie.sent.to_string());
        Self::new(StreamCondition::UndefinedCondition)
            .with_text(lie.to_string())
            .with_detail(detail)
    }
}

/// Writes `<enabled/>`; `resumption` is the id and the seconds that a lost stream is kept.
pub fn enabled(resumption: Option<(&str, u64)>) -> Element {
    let enabled = Element::new(ns::MANAGEMENT, "enabled");
    match resumption {
        None => enabled,
        Some((id, secs)) => enabled
            .with_attr("id", id)
            .with_attr("max", secs.to_string())
            .with_attr("resume", "true"),
    }
}

/// Writes `<resumed previd= h=/>`.
pub fn resumed(id: &str, handled: u32) -> Element {
    acknowledgement("resumed", handled).with_attr("previd", id)
}

/// Writes `<failed>` with its condition.
pub fn failed(condition: Condition) -> Element {
    let condition = Element::new(ns::STANZA_ERRORS, condition.name());
    Element::new(ns::MANAGEMENT, "failed").with_child(condition)
}

/// Writes `<r/>`.
pub fn request() -> Element {
    Element::new(ns::MANAGEMENT, "r")
}

/// Writes `<a h=/>`.
pub fn answer(handled: u32) -> Element {
    acknowledgement("a", handled)
}

fn acknowledgement(name: &'static str, handled: u32) -> Element {
    Element::new(ns::MANAGEMENT, name).with_attr("h", handled.to_string())
}

/// Reads the id and the count of a `<resume/>`.
pub(super) fn resumption(resume: &Element) -> Option<(String, u32)> {
    Some((resume.attr("previd")?.to_owned(), handled(resume)?))
}

/// Reads for how many seconds an `<enable/>` wants the stream kept, if at all (XEP-0198 §3);
/// without a time, as long as the server likes.
pub(super) fn keep_secs(enable: &Element) -> Option<u64> {
    let is_wanted = matches!(enable.attr("resume"), Some("true" | "1"));
    let max = enable.attr("max").and_then(|max| max.parse().ok());
    is_wanted.then_some(max.unwrap_or(u64::MAX))
}

/// Reads the `h` of an `<a/>` or a `<resume/>`.
pub fn handled(element: &Element) -> Option<u32> {
    element.attr("h")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `script` has lines like `push 3`, `ack 2 = 2`, `ack 5 = lie`, `again = 1 2`, `kept = 0`.
    /// A pushed stanza is a number and weighs as many bytes.
    fn check(start: u32, bounds: Bounds, script: &str) {
        let mut sent = Unacknowledged::new(bounds).after(start);
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (act, outcome) = line.split_once(" =").unwrap_or((line, ""));
            let (verb, number) = act.split_once(' ').unwrap_or((act, "0"));
            let number: u32 = number.parse().unwrap();
            let came = match verb {
                "push" => {
                    sent.push(number, number as usize);
                    String::new()
                }
                "ack" => match sent.acknowledge(start.wrapping_add(number)) {
                    Ok(new) => new.to_string(),
                    Err(_) => "lie".to_owned(),
                },
                "again" => sent.rewind().map(|n| n.to_string()).collect::<Vec<_>>().join(" "),
                "kept" => sent.len().to_string(),
                "whole" => sent.is_whole().to_string(),
                "due" => sent.is_request_due().to_string(),
                "ask" => {
                    sent.note_request();
                    String::new()
                }
                other => panic!("{other}"),
            };
            assert_eq!(came, outcome.trim(), "{line}, from {start}");
        }
    }

    const WIDE: Bounds = Bounds { stanzas: 100, bytes: 1000 };

    #[test]
    fn what_is_acknowledged_is_forgotten_and_the_rest_is_sent_again_in_order() {
        for start in [0, 7, u32::MAX - 2, u32::MAX] {
            let script = "push 1\n push 2\n push 3\n ack 1 = 1\n ack 1 = 0\n again = 2 3\n \
                          ack 2 = lie\n push 2\n ack 2 = 1\n push 3\n push 4\n ack 4 = 2\n \
                          kept = 0\n again = \n";
            check(start, WIDE, script);
        }
    }

    #[test]
    fn a_count_that_was_never_sent_or_goes_back_is_a_lie() {
        for start in [0, u32::MAX - 1] {
            check(start, WIDE, "push 1\n ack 2 = lie\n ack 1 = 1\n ack 0 = lie\n ack 1 = 0");
            check(start, WIDE, "ack 1 = lie\n ack 4294967295 = lie\n kept = 0");
        }
    }

    #[test]
    fn too_many_stanzas_or_bytes_are_all_forgotten_and_still_counted() {
        let few = Bounds { stanzas: 2, bytes: 1000 };
        check(0, few, "push 1\n push 2\n whole = true\n push 3\n whole = false\n kept = 0");
        let light = Bounds { stanzas: 100, bytes: 10 };
        let script = "push 6\n push 5\n whole = false\n ack 1 = 1\n push 1\n kept = 0\n \
                      whole = false\n ack 4 = lie\n ack 3 = 2";
        check(0, light, script);
        check(0, light, "push 6\n ack 1 = 1\n push 10\n whole = true\n kept = 1");
    }

    #[test]
    fn an_acknowledgement_is_asked_for_before_the_bounds_are_near() {
        let script = "due = false\n push 1\n due = false\n push 249\n due = true\n ask\n \
                      due = false\n push 1\n due = false";
        check(0, WIDE, script);
        check(0, Bounds { stanzas: 8, bytes: 1000 }, "push 1\n due = false\n push 1\n due = true");
        let many = format!("{}due = false\n push 1\n due = true", "push 1\n".repeat(15));
        check(0, Bounds { stanzas: 1000, bytes: 10_000 }, &many);
    }
}
