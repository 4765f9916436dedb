//! What the delays say.

use super::{CLEAR, polls, rate, row, times};
use crate::compare::findings::{Findings, Together, WayShown};
use crate::compare::table::time_short;

/// What the plot of delays shows.
pub fn of_delay(findings: &Findings) -> Vec<String> {
    let Some(at) = findings.together.iter().max_by_key(|at| at.events) else { return Vec::new() };
    let mut words = Vec::new();
    words.extend(polls_wait_half(findings, at));
    words.extend(told_is_faster(findings, at));
    words.extend(rate_and_delay(findings));
    words
}

fn polls_wait_half(findings: &Findings, at: &Together) -> Option<String> {
    let rows = polls(findings).into_iter().filter_map(|way| {
        let every = way.every_ms? as f64 * 1e3;
        Some((way, every, row(at, &way.key)?.delay_us.p50 as f64))
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return None;
    }
    let each =
        |(way, _, p50): &(&WayShown, f64, f64)| format!("{}: {}", way.name, time_short(*p50));
    let each = rows.iter().map(each).collect::<Vec<_>>().join("; ");
    let is_half = |(_, every, p50): &(&WayShown, f64, f64)| (0.3..0.8).contains(&(p50 / every));
    Some(if rows.iter().all(is_half) {
        format!(
            "A short poll hears of half of all events within about half of its interval, since \
             they come at any moment between two questions ({each})."
        )
    } else {
        format!(
            "One would expect a short poll to hear of an event after half of its interval, on the \
             median. It was otherwise here: {each}."
        )
    })
}

fn told_is_faster(findings: &Findings, at: &Together) -> Option<String> {
    let delay = |way: &WayShown| row(at, &way.key).map(|row| row.delay_us.p50 as f64);
    let range = |is_poll: bool| {
        let ways = findings.ways.iter().filter(|way| way.every_ms.is_some() == is_poll);
        let delays: Vec<f64> = ways.filter_map(delay).collect();
        let least = delays.iter().copied().min_by(f64::total_cmp)?;
        Some((least, delays.into_iter().max_by(f64::total_cmp)?))
    };
    let ((least, most), (fastest, _)) = (range(false)?, range(true)?);
    let (least, most_text) = (time_short(least), time_short(most));
    Some(if most * CLEAR < fastest {
        format!(
            "Whoever need not ask again hears sooner: the medians are {least} to {most_text}, so \
             even the slowest of them is {} faster than the fastest poll.",
            times(fastest / most)
        )
    } else {
        format!(
            "Not everybody who need not ask again was clearly faster than the fastest poll here: \
             the medians are {least} to {most_text}, and its is {}.",
            time_short(fastest)
        )
    })
}

fn rate_and_delay(findings: &Findings) -> Option<String> {
    let (low, high) = (findings.together.first()?, findings.together.last()?);
    let middle = |at: &Together| {
        let ways = findings.ways.iter().filter(|way| way.every_ms.is_none());
        let mut all: Vec<u64> =
            ways.filter_map(|way| Some(row(at, &way.key)?.delay_us.p50)).collect();
        all.sort_unstable();
        all.get(all.len() / 2).map(|p50| *p50 as f64)
    };
    let (slow, fast) = (middle(low)?, middle(high)?);
    if low.rate >= high.rate {
        return None;
    }
    let change = fast / slow;
    let verdict = match change {
        change if change > 2.0 => {
            format!("{} as long: the server or the readers are busy", times(change))
        }
        change if change < 0.5 => {
            format!("{} shorter: who is busy anyway need not be woken", times(1.0 / change))
        }
        _ => "stays much the same".to_owned(),
    };
    Some(format!(
        "From {} to {} the delay of those who need not ask {verdict} (median of them: {} and {}).",
        rate(low.rate),
        rate(high.rate),
        time_short(slow),
        time_short(fast)
    ))
}
