//! What the figures say, in sentences that the figures choose: where they contradict what one would
//! expect, the sentence says so.

mod cpu;
mod delay;
mod story;

pub use cpu::of_cpu;
pub use delay::of_delay;
pub use story::{Chapter, story};

use super::findings::{Findings, Row, Together, WayShown};
use super::table::{bytes_short, time_short};

/// What the plot of bytes shows.
pub fn of_bytes(findings: &Findings) -> Vec<String> {
    let (Some(low), Some(high)) = (findings.together.first(), findings.together.last()) else {
        return Vec::new();
    };
    let mut words = Vec::new();
    let of = |at: &Together, way: &WayShown| row(at, &way.key).map(|row| bytes(at, row));
    if let Some((old, kept)) = old_and_kept(findings)
        && let (Some(old_bytes), Some(kept_bytes)) = (of(low, old), of(low, kept))
    {
        words.push(if old_bytes > kept_bytes * CLEAR {
            format!(
                "At {} the same questions cost {} bytes per event on a new connection each and {} \
                 on one that is kept, {} as much: the difference is handshakes.",
                rate(low.rate),
                bytes_short(old_bytes),
                bytes_short(kept_bytes),
                times(old_bytes / kept_bytes)
            )
        } else {
            format!(
                "At {} a new connection for each question cost hardly more bytes per event than \
                 one that is kept ({} and {}), which is not what one would expect.",
                rate(low.rate),
                bytes_short(old_bytes),
                bytes_short(kept_bytes)
            )
        });
    }
    let cheapest = |at: &Together, among: &dyn Fn(&&WayShown) -> bool| {
        let all = findings.ways.iter().filter(among);
        let all = all.filter_map(|way| Some((way.name.clone(), of(at, way)?)));
        all.min_by(|a, b| a.1.total_cmp(&b.1))
    };
    let ends = if low.rate < high.rate { vec![low, high] } else { vec![low] };
    for at in ends {
        let poll = cheapest(at, &|way| way.every_ms.is_some());
        let told = cheapest(at, &|way| way.every_ms.is_none());
        words.extend(poll.zip(told).map(|((poll, poll_bytes), (told, told_bytes))| {
            let is_told = told_bytes < poll_bytes;
            let who = if is_told { "" } else { ", for one answer holds many events" };
            let order = if is_told {
                [(told, told_bytes), (poll, poll_bytes)]
            } else {
                [(poll, poll_bytes), (told, told_bytes)]
            };
            let [(first, fewest), (second, more)] = order;
            format!(
                "At {} the fewest bytes per event are those of {first}, {}{who}; {second} needs \
                 {}.",
                rate(at.rate),
                bytes_short(fewest),
                bytes_short(more)
            )
        }));
    }
    words
}

/// What the plot of requests shows.
pub fn of_requests(findings: &Findings) -> Vec<String> {
    let Some(low) = findings.together.first() else { return Vec::new() };
    let mut words = Vec::new();
    let polls = polls(findings);
    if let Some(row) = polls.first().and_then(|way| row(low, &way.key))
        && let Some(way) = polls.first()
    {
        let per_event = row.run.requests as f64 / low.events.max(1) as f64;
        let empty = 100.0 * row.run.empty_answers as f64 / row.run.requests.max(1) as f64;
        let verdict = match empty {
            empty if empty > 50.0 => "most of them for nothing",
            empty if empty > 0.0 => "some of them for nothing",
            _ => "none of them for nothing",
        };
        words.push(format!(
            "At {} {} asks {} per event, {verdict}: {empty:.0} % of its answers told nothing.",
            rate(low.rate),
            way.name,
            times(per_event)
        ));
    }
    for key in ["longpoll", "bosh"] {
        let Some(row) = row(low, key) else { continue };
        let per_event = row.run.requests as f64 / low.events.max(1) as f64;
        let words_of = if (0.5..1.6).contains(&per_event) {
            "about one request for each event: the answer to one is the reason for the next"
        } else {
            "which is not the one request for each event that one would expect"
        };
        let name = findings.name(key);
        words.push(format!(
            "At {} {name} makes {per_event:.1} per event, {words_of}.",
            rate(low.rate)
        ));
    }
    let is_silent = |way: &&WayShown| {
        let mut rows = findings.together.iter().filter_map(|at| row(at, &way.key));
        rows.all(|row| row.run.requests == 0)
    };
    let silent: Vec<&str> =
        findings.ways.iter().filter(is_silent).map(|way| way.name.as_str()).collect();
    if !silent.is_empty() {
        words.push(format!(
            "No request at all, once they are there, and so no place on this plot: {}.",
            list(&silent)
        ));
    }
    words
}

/// What the plot of delay against cost shows.
pub fn of_tradeoff(findings: &Findings) -> Vec<String> {
    let Some(low) = findings.together.first() else { return Vec::new() };
    let polls = polls(findings);
    let mut words = Vec::new();
    let at =
        |way: &WayShown| row(low, &way.key).map(|row| (row.delay_us.p50 as f64, bytes(low, row)));
    if let [first, .., last] = polls.as_slice()
        && let (Some((fast, dear)), Some((slow, cheap))) = (at(first), at(last))
    {
        let (name, other) = (&first.name, &last.name);
        words.push(if slow > fast && dear > cheap {
            format!(
                "The short polls have to choose: {name} hears {} sooner than {other}, and pays {} \
                 the bytes per event for it.",
                times(slow / fast),
                times(dear / cheap)
            )
        } else {
            format!(
                "One would expect that {name} is faster than {other} and costs more. Here the \
                 medians are {} and {}, the bytes per event {} and {}: there were too few events, \
                 or something else kept the machine busy.",
                time_short(fast),
                time_short(slow),
                bytes_short(dear),
                bytes_short(cheap)
            )
        });
    }
    let (told, polled): (Vec<_>, Vec<_>) = findings
        .ways
        .iter()
        .filter_map(|way| Some((way, at(way)?)))
        .partition(|(way, _)| way.every_ms.is_none());
    let beats = |(_, (delay, cost)): &&(&WayShown, (f64, f64))| {
        polled.iter().all(|(_, (other, more))| delay < other && cost < more)
    };
    let winners: Vec<&str> = told.iter().filter(beats).map(|(way, _)| way.name.as_str()).collect();
    if !polled.is_empty() && !told.is_empty() {
        words.push(match winners.as_slice() {
            [] => {
                "None of the ways that need no asking is better than every poll in both.".to_owned()
            }
            winners => format!(
                "Faster than every poll, and with fewer bytes than every poll, {}: {}.",
                if winners.len() == 1 { "is" } else { "are" },
                list(winners)
            ),
        });
    }
    words
}

/// Short polls that keep their connection, the most frequent first.
fn polls(findings: &Findings) -> Vec<&WayShown> {
    let kept = |way: &&WayShown| way.every_ms.is_some() && way.keeps_connection;
    let mut polls: Vec<&WayShown> = findings.ways.iter().filter(kept).collect();
    polls.sort_by_key(|way| way.every_ms);
    polls
}

/// The poll with a new connection each time, and the one of the same interval that keeps it.
fn old_and_kept(findings: &Findings) -> Option<(&WayShown, &WayShown)> {
    let is_old = |way: &&WayShown| way.every_ms.is_some() && !way.keeps_connection;
    let old = findings.ways.iter().find(is_old)?;
    let kept = polls(findings).into_iter().find(|way| way.every_ms == old.every_ms)?;
    Some((old, kept))
}

fn row<'a>(at: &'a Together, key: &str) -> Option<&'a Row> {
    at.readers.iter().find(|row| row.key == key && row.seen > 0)
}

/// Bytes per event, both ways together.
pub(super) fn bytes(at: &Together, row: &Row) -> f64 {
    (row.run.sent_bytes + row.run.received_bytes) as f64 / at.events.max(1) as f64
}

fn rate(rate: f64) -> String {
    let unit = if rate == 1.0 { "event" } else { "events" };
    format!("{rate} {unit} a second")
}

fn times(factor: f64) -> String {
    match factor {
        factor if factor < 9.95 => format!("{factor:.1} times"),
        factor => format!("{factor:.0} times"),
    }
}

fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A factor that is no accident.
const CLEAR: f64 = 1.2;

#[cfg(test)]
mod tests {
    use super::super::findings::sample::findings;
    use super::*;

    fn check(words: &[String], expected: &str) {
        assert!(words.iter().any(|words| words.contains(expected)), "{expected:?} in {words:#?}");
    }

    /// Changes every row of a way.
    fn with(key: &str, change: impl Fn(&mut Row)) -> Findings {
        let mut findings = findings();
        let rows = findings.together.iter_mut().flat_map(|at| &mut at.readers);
        rows.filter(|row| row.key == key).for_each(change);
        findings
    }

    #[test]
    fn what_one_would_expect_is_said_of_what_is_so() {
        let findings = findings();
        check(&of_delay(&findings), "within about half of its interval");
        check(&of_delay(&findings), "even the slowest of them is 72 times faster");
        check(&of_delay(&findings), "much the same");
        check(&of_cpu(&findings), "the dearest is HTTP/1.0 poll with 1.83 ms per event");
        check(&of_cpu(&findings), "short poll 0.1 falls from 630 µs");
        check(&of_bytes(&findings), "the difference is handshakes");
        check(&of_requests(&findings), "asks 10 times per event, most of them for nothing: 90 %");
        check(&of_requests(&findings), "no place on this plot: WebSocket.");
        check(&of_tradeoff(&findings), "The short polls have to choose");
        check(&of_tradeoff(&findings), "fewer bytes than every poll, is: WebSocket.");
    }

    #[test]
    fn what_contradicts_it_is_said_as_well() {
        check(
            &of_delay(&with("poll-100ms", |row| row.delay_us.p50 = 99_000)),
            "It was otherwise here",
        );
        let slow = with("ws", |row| row.delay_us.p50 = 90_000);
        check(&of_delay(&slow), "Not everybody who need not ask again");
        check(&of_tradeoff(&slow), "None of the ways that need no asking is better");
        let cheap = with("http10-500ms", |row| {
            (row.run.sent_bytes, row.run.received_bytes) = (1_000, 1_000);
        });
        check(&of_bytes(&cheap), "not what one would expect");
        let fast = with("poll-1000ms", |row| row.delay_us.p50 = 1);
        check(&of_tradeoff(&fast), "One would expect that short poll 0.1 is faster");
        let mut noisy = findings();
        noisy.cpu.rates.iter_mut().for_each(|at| at.cause_us = [0.0, 9_000.0]);
        check(&of_cpu(&noisy), "no way costs more than can be told from nothing");
        check(&of_cpu(&noisy), "does not clearly do so here");
        check(&of_cpu(&noisy), "cannot be told from one that is kept");
    }

    #[test]
    fn what_is_not_there_is_not_spoken_of() {
        let mut few = findings();
        few.ways.retain(|way| way.key == "ws");
        few.cpu.rates.clear();
        few.cpu.unknown = Some("nobody knows".to_owned());
        check(&of_cpu(&few), "is not known: nobody knows.");
        assert_eq!(of_tradeoff(&few), Vec::<String>::new());
        assert_eq!(of_bytes(&few), Vec::<String>::new());
        few.together.clear();
        for words in [of_delay(&few), of_bytes(&few), of_requests(&few), of_tradeoff(&few)] {
            assert_eq!(words, Vec::<String>::new());
        }
    }
}
