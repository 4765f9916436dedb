//! What the server's CPU time says.

use super::{old_and_kept, polls, rate};
use crate::compare::findings::{Alone, Findings, WayShown};
use crate::compare::table::{cpu_short, time_short};

/// What the plot of CPU time shows.
pub fn of_cpu(findings: &Findings) -> Vec<String> {
    let (Some(low), Some(high)) = (findings.cpu.rates.first(), findings.cpu.rates.last()) else {
        let why = findings.cpu.unknown.as_deref().unwrap_or("it was not measured");
        return vec![format!("The server's CPU time per event is not known: {why}.")];
    };
    let noise = findings.cpu.rates.iter().map(Alone::noise).fold(0.0, f64::max);
    let mut words = vec![format!(
        "Two measurements of the same thing, events that nobody follows, differ by up to {} per \
         event in this run. Smaller figures mean nothing; they are drawn as rings where they could \
         be at most.",
        time_short(noise)
    )];
    words.extend(dearest_and_cheapest(findings, low));
    words.extend(connections_and_cpu(findings, low));
    words.extend(polls_share_cpu(findings, low, high));
    words
}

fn dearest_and_cheapest(findings: &Findings, at: &Alone) -> Option<String> {
    let dearest = at.readers.iter().max_by(|a, b| a.us.total_cmp(&b.us))?;
    let cheapest = at.readers.iter().min_by(|a, b| a.us.total_cmp(&b.us))?;
    if dearest.us < at.noise() {
        return Some(format!(
            "At {} no way costs more than can be told from nothing.",
            rate(at.rate)
        ));
    }
    let least = match cheapest.us < at.noise() {
        true => format!("less than the {} that can be told", time_short(at.noise())),
        false => time_short(cheapest.us),
    };
    Some(format!(
        "At {} the dearest is {} with {} per event, the cheapest {} with {least}. To cause an \
         event, and have it on disk, costs {} besides.",
        rate(at.rate),
        findings.name(&dearest.key),
        time_short(dearest.us),
        findings.name(&cheapest.key),
        time_short(at.cause())
    ))
}

fn connections_and_cpu(findings: &Findings, at: &Alone) -> Option<String> {
    let (old, kept) = old_and_kept(findings)?;
    let of = |way: &WayShown| at.readers.iter().find(|row| row.key == way.key).map(|row| row.us);
    let (old_us, kept_us) = (of(old)?, of(kept)?);
    let rate = rate(at.rate);
    Some(if old_us - kept_us <= at.noise() {
        format!(
            "At {rate} a new connection for each question cannot be told from one that is kept: \
             {} and {} per event.",
            cpu_short(old_us, at),
            cpu_short(kept_us, at)
        )
    } else {
        format!(
            "At {rate} a new connection for each question costs the server {} per event, and the \
             same questions on one that is kept {}.",
            cpu_short(old_us, at),
            cpu_short(kept_us, at)
        )
    })
}

fn polls_share_cpu(findings: &Findings, low: &Alone, high: &Alone) -> Option<String> {
    let fastest = polls(findings).into_iter().next()?;
    let of = |at: &Alone| at.readers.iter().find(|row| row.key == fastest.key).map(|row| row.us);
    let (few, many) = (of(low)?, of(high)?);
    if low.rate >= high.rate {
        return None;
    }
    let noise = low.noise().max(high.noise());
    let (few_text, many_text) = (cpu_short(few, low), cpu_short(many, high));
    let name = &fastest.name;
    Some(if few - many > noise {
        format!(
            "The more happens, the less a poll costs per event: {name} falls from {few_text} at \
             {} to {many_text} at {}, for the questions are the same and more is in the answers.",
            rate(low.rate),
            rate(high.rate)
        )
    } else {
        format!(
            "One would expect a poll to cost less per event when more happens; {name} does not \
             clearly do so here: {few_text} at {}, {many_text} at {}.",
            rate(low.rate),
            rate(high.rate)
        )
    })
}
