//! What was measured becomes what is told.

use super::board::Seen;
use super::findings::{Alone, AloneRow, Cost, Delays, Row, Together, WayShown};
use super::step::{Followed, Outcome};
use super::ways::Way;
use crate::link::dial::Count;

/// A way as it is written.
pub(super) fn shown(way: &Way) -> WayShown {
    let every_ms = way.every().map(|every| u64::try_from(every.as_millis()).unwrap_or(u64::MAX));
    let keeps_connection = way.every().is_none() || way.is_kept_poll();
    WayShown { key: way.key.clone(), name: way.name.clone(), every_ms, keeps_connection }
}

/// What came of all ways at once.
pub(super) fn together(rate: f64, ways: &[Way], outcome: &Outcome) -> Together {
    let row = |(way, followed): (&Way, &Followed)| row(way, outcome.events, followed);
    Together {
        rate,
        events: outcome.events,
        secs: outcome.causing.as_secs_f64(),
        readers: ways.iter().zip(&outcome.readers).map(row).collect(),
    }
}

fn row(way: &Way, events: u64, followed: &Followed) -> Row {
    let Followed { seen, setup, run } = followed;
    let at =
        |quantile| if seen.delays.is_empty() { 0 } else { seen.delays.value_at_quantile(quantile) };
    Row {
        key: way.key.clone(),
        seen: seen.count(),
        missed: events - seen.count(),
        doubled: seen.doubled(),
        disordered: seen.disordered,
        complaints: complaints(seen),
        delay_us: Delays {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: seen.delays.max(),
            mean: seen.delays.mean(),
        },
        requests: setup.requests + run.requests,
        empty_answers: setup.empty_answers + run.empty_answers,
        connections: setup.connections + run.connections,
        setup: cost(*setup),
        run: cost(*run),
    }
}

/// What the reader was told, and the numbers that the server itself left out.
fn complaints(seen: &Seen) -> Vec<String> {
    let skipped = (seen.skipped > 0)
        .then(|| format!("{} of the server's numbers of this node never came", seen.skipped));
    seen.complaints.iter().cloned().chain(skipped).collect()
}

fn cost(count: Count) -> Cost {
    let Count { connections, sent_bytes, received_bytes, requests, empty_answers } = count;
    Cost { requests, empty_answers, connections, sent_bytes, received_bytes }
}

/// What came of nobody, of each way alone, and of nobody again.
pub(super) fn alone(rate: f64, ways: &[Way], outcomes: &[Outcome]) -> Alone {
    let each = |outcome: &Outcome| {
        let micros = outcome.cpu.unwrap_or_default().as_secs_f64() * 1e6;
        micros / outcome.events.max(1) as f64
    };
    let [first, readers @ .., last] = outcomes else {
        unreachable!("nobody is measured twice");
    };
    let mut alone = Alone { rate, cause_us: [each(first), each(last)], readers: Vec::new() };
    let cause = alone.cause();
    let row = |(way, outcome): (&Way, &Outcome)| AloneRow {
        key: way.key.clone(),
        events: outcome.events,
        whole_us: each(outcome),
        us: each(outcome) - cause,
    };
    alone.readers = ways.iter().zip(readers).map(row).collect();
    alone
}
