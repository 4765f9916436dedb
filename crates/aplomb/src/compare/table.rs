//! What was found, as text for a terminal of 100 columns.

use std::fmt::Write;

use super::findings::{Alone, Findings, Row, Together};

/// Writes everything: a table for each rate, faults, and how it was measured.
pub fn text(findings: &Findings) -> String {
    let mut out = head(findings);
    for together in &findings.together {
        let alone = findings.cpu.rates.iter().find(|alone| alone.rate == together.rate);
        push_table(&mut out, findings, together, alone);
    }
    push_faults(&mut out, findings);
    push_notes(&mut out, findings);
    out
}

fn head(findings: &Findings) -> String {
    let Findings { program, at, server, seed, .. } = findings;
    let what = match server.own {
        true => "a server of its own".to_owned(),
        false => server.url.clone(),
    };
    format!("{program} at {at}: agent {} on {what}; seed {seed}\n", server.agent)
}

fn push_table(out: &mut String, findings: &Findings, at: &Together, alone: Option<&Alone>) {
    let Together { rate, events, secs, .. } = at;
    let mut line = |words: String| {
        out.push_str(words.trim_end());
        out.push('\n');
    };
    line(String::new());
    line(format!("{}: {events} events in {secs:.1} s, all ways at once", per_second(*rate)));
    let cells =
        ["p50", "p90", "p99", "max", "asked", "empty", "conns", "up/ev", "down/ev", "CPU/ev"];
    line(columns("", &cells.map(str::to_owned)));
    for row in &at.readers {
        let per_event = |bytes: u64| bytes_short(bytes as f64 / (*events).max(1) as f64);
        let cells = [
            delay_of(row, row.delay_us.p50),
            delay_of(row, row.delay_us.p90),
            delay_of(row, row.delay_us.p99),
            delay_of(row, row.delay_us.max),
            row.requests.to_string(),
            row.empty_answers.to_string(),
            row.connections.to_string(),
            per_event(row.run.sent_bytes),
            per_event(row.run.received_bytes),
            cpu_of(row, alone),
        ];
        line(columns(findings.name(&row.key), &cells));
    }
}

/// Cells that are right-aligned under each other.
fn columns(name: &str, cells: &[String; 10]) -> String {
    let mut line = format!("{name:<23}");
    for (cell, width) in cells.iter().zip(WIDTHS) {
        write!(line, "{cell:>width$}").expect("a string takes everything");
    }
    line
}

/// A percentile of a reader's delays, which it has if it saw anything.
pub(super) fn delay_of(row: &Row, micros: u64) -> String {
    if row.seen == 0 { "–".to_owned() } else { time_short(micros as f64) }
}

/// The server's CPU time per event for a reader, where it was measured.
pub(super) fn cpu_of(row: &Row, alone: Option<&Alone>) -> String {
    let found = alone.and_then(|alone| {
        let of_row = alone.readers.iter().find(|other| other.key == row.key)?;
        Some(cpu_short(of_row.us, alone))
    });
    found.unwrap_or_else(|| "–".to_owned())
}

/// A cost in CPU time; one that is lost in the noise, and may be negative, is only said to be less.
pub(super) fn cpu_short(us: f64, alone: &Alone) -> String {
    let noise = alone.noise();
    if us < noise { format!("<{}", time_short(noise)) } else { time_short(us) }
}

fn push_faults(out: &mut String, findings: &Findings) {
    let faults = findings.faults();
    if faults.is_empty() {
        if !findings.together.is_empty() {
            out.push_str("\nEvery way saw every event once and in order.\n");
        }
        return;
    }
    out.push_str("\nNOT EVERY EVENT CAME ONCE AND IN ORDER:\n");
    for (rate, row) in faults {
        let name = findings.name(&row.key);
        let Row { missed, doubled, disordered, complaints, .. } = row;
        writeln!(
            out,
            "  {name} at {}: {missed} missed, {doubled} doubled, {disordered} out of order",
            per_second(rate)
        )
        .expect("a string takes everything");
        for complaint in complaints {
            writeln!(out, "    {complaint}").expect("a string takes everything");
        }
    }
}

fn push_notes(out: &mut String, findings: &Findings) {
    for lacking in &findings.lacking {
        writeln!(out, "Not there: {}: {}", lacking.name, lacking.why)
            .expect("a string takes everything");
    }
    out.push_str(match findings.cpu.unknown {
        Some(_) => "\nCPU/ev is not known: ",
        None => "\n",
    });
    match &findings.cpu.unknown {
        Some(why) => out.push_str(&format!("{why}.\n")),
        None => out.push_str(CPU_NOTE),
    }
    out.push_str(NOTE);
    if let Some(why) = &findings.stopped {
        writeln!(out, "\nINCOMPLETE: {why}").expect("a string takes everything");
    }
}

/// A rate, in a word.
pub fn per_second(rate: f64) -> String {
    let unit = if rate == 1.0 { "event" } else { "events" };
    format!("{rate} {unit}/s")
}

/// A time, as short as three digits allow.
pub fn time_short(micros: f64) -> String {
    let (value, unit) = match micros {
        micros if micros.abs() < 999.5 => return format!("{micros:.0} µs"),
        micros if micros < 999_500.0 => (micros / 1e3, "ms"),
        micros => (micros / 1e6, "s"),
    };
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {unit}")
}

/// A number of bytes, as short as three digits allow.
pub fn bytes_short(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 999.5 => format!("{bytes:.0}"),
        bytes if bytes < 99_950.0 => format!("{:.1}k", bytes / 1e3),
        bytes if bytes < 999_500.0 => format!("{:.0}k", bytes / 1e3),
        bytes => format!("{:.1}M", bytes / 1e6),
    }
}

/// The columns after the name.
const WIDTHS: [usize; 10] = [8, 8, 8, 8, 7, 6, 6, 8, 8, 9];

const CPU_NOTE: &str = "\
CPU/ev: the server's CPU time per event with this reader alone, less the time of the same events
without any reader; `<` where that is less than two such measurements differ by.
";

const NOTE: &str = "\
p50 to max: from the request that causes an event to the reader. asked, empty, conns: requests of
HTTP, answers that told nothing, TCP connections. up/ev, down/ev: bytes on the wire per event, with
TLS, without the login.
";

#[cfg(test)]
mod tests {
    use super::super::findings::sample::findings;
    use super::*;

    #[test]
    fn the_table_fits_a_terminal() {
        let text = text(&findings());
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
        }
        assert!(text.contains("Every way saw every event once and in order."), "{text}");
        assert!(text.contains("seed 7"), "{text}");
    }

    #[test]
    fn what_was_missed_is_said_loudly() {
        let mut findings = findings();
        let row = &mut findings.together[0].readers[1];
        (row.missed, row.complaints) = (2, vec!["gap history-too-short".to_owned()]);
        findings.stopped = Some("the server went away".to_owned());
        let text = text(&findings);
        assert!(text.contains("NOT EVERY EVENT CAME ONCE"), "{text}");
        assert!(text.contains("2 missed, 0 doubled, 0 out of order"), "{text}");
        assert!(text.contains("    gap history-too-short"), "{text}");
        assert!(text.ends_with("INCOMPLETE: the server went away\n"), "{text}");
    }

    #[test]
    fn cpu_time_that_is_lost_in_the_noise_is_not_told_as_a_figure() {
        let mut findings = findings();
        findings.cpu.rates[0].cause_us = [100.0, 150.0];
        findings.cpu.rates[0].readers[0].us = 20.0;
        assert!(text(&findings).contains("<50 µs"), "{}", text(&findings));
        findings.cpu.unknown = Some("nobody knows".to_owned());
        findings.cpu.rates.clear();
        assert!(text(&findings).contains("CPU/ev is not known: nobody knows."));
    }

    #[test]
    fn figures_are_short() {
        for (micros, text) in [
            (7.4, "7 µs"),
            (-3.0, "-3 µs"),
            (999.4, "999 µs"),
            (1_234.0, "1.23 ms"),
            (45_678.0, "45.7 ms"),
            (456_789.0, "457 ms"),
            (1_234_567.0, "1.23 s"),
        ] {
            assert_eq!(time_short(micros), text);
        }
        for (bytes, text) in [(0.0, "0"), (999.0, "999"), (1_234.0, "1.2k"), (234_000.0, "234k")] {
            assert_eq!(bytes_short(bytes), text);
        }
    }
}
