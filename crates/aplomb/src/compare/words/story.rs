//! Why the line goes from HTTP/1.0 to WebSocket, told by what was measured.

use super::{CLEAR, bytes, old_and_kept, polls, row, times};
use crate::compare::findings::{Findings, Together};
use crate::compare::table::{bytes_short, time_short};

/// One step of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// What comes.
    pub name: &'static str,
    /// What it changed, here.
    pub words: String,
}

/// The steps, from the oldest to the newest; of what was not measured only that it was not.
pub fn story(findings: &Findings) -> Vec<Chapter> {
    let Some(at) = findings.together.first() else { return Vec::new() };
    let chapters = [
        ("HTTP/1.0: a connection for each question", old(findings, at)),
        ("HTTP/1.1: the connection is kept", kept(findings, at)),
        ("Long poll: the server waits with its answer", long(findings, at)),
        ("Server-sent events: one answer that never ends", sse(findings, at)),
        ("WebSocket: both may speak at any time", websocket(findings, at)),
        ("XMPP over it: the same line for everything", xmpp(findings, at)),
    ];
    let missing = "The server has none, or it was not measured.";
    let chapter = |(name, words): (_, Option<String>)| Chapter {
        name,
        words: words.unwrap_or_else(|| missing.to_owned()),
    };
    chapters.map(chapter).into()
}

fn old(findings: &Findings, at: &Together) -> Option<String> {
    let way = findings.ways.iter().find(|way| way.every_ms.is_some() && !way.keeps_connection)?;
    let row = row(at, &way.key)?;
    Some(format!(
        "{} connections for {} events, {} bytes per event, and half of the events are heard of \
         after more than {}.",
        row.connections,
        at.events,
        bytes_short(bytes(at, row)),
        time_short(row.delay_us.p50 as f64)
    ))
}

fn kept(findings: &Findings, at: &Together) -> Option<String> {
    let (old, kept) = old_and_kept(findings)?;
    let (old, kept) = (row(at, &old.key)?, row(at, &kept.key)?);
    let saved = bytes(at, old) / bytes(at, kept);
    let cheaper = match saved {
        saved if saved > CLEAR => format!("{} fewer bytes", times(saved)),
        _ => "hardly fewer bytes".to_owned(),
    };
    let ratio = kept.delay_us.p50 as f64 / old.delay_us.p50.max(1) as f64;
    let delay = match ratio {
        ratio if ratio < 1.0 / CLEAR => "and a shorter delay",
        ratio if ratio > CLEAR => "but a longer delay",
        _ => "but no shorter delay: the question still comes when it comes",
    };
    Some(format!(
        "The same questions on {}: {cheaper} per event, {delay} ({} instead of {}).",
        match kept.connections {
            1 => "one connection".to_owned(),
            many => format!("{many} connections"),
        },
        time_short(kept.delay_us.p50 as f64),
        time_short(old.delay_us.p50 as f64)
    ))
}

fn long(findings: &Findings, at: &Together) -> Option<String> {
    let long = row(at, "longpoll")?;
    let fastest = polls(findings).into_iter().next().and_then(|way| row(at, &way.key));
    let against = fastest.map(|poll| {
        let (delay, other) = (long.delay_us.p50 as f64, poll.delay_us.p50 as f64);
        match other / delay.max(1.0) {
            faster if faster > CLEAR => {
                format!("{} sooner than the fastest short poll", times(faster))
            }
            _ => format!("no sooner than the fastest short poll ({})", time_short(other)),
        }
    });
    let per_event = long.run.requests as f64 / at.events.max(1) as f64;
    let empty = match long.run.empty_answers {
        0 => "none of them in vain".to_owned(),
        some => format!("{some} of them in vain"),
    };
    Some(format!(
        "The event itself is the answer: after {}, {}. It still takes {per_event:.1} requests \
         per event, {empty}.",
        time_short(long.delay_us.p50 as f64),
        against.unwrap_or_else(|| "with no short poll to compare".to_owned())
    ))
}

fn sse(_: &Findings, at: &Together) -> Option<String> {
    let sse = row(at, "sse")?;
    let before = row(at, "longpoll").map(|long| {
        let (up, long_up) = (sse.run.sent_bytes, long.run.sent_bytes);
        match up.saturating_mul(5) < long_up {
            true => format!(
                "the reader sends {} bytes per event instead of {}",
                bytes_short(up as f64 / at.events.max(1) as f64),
                bytes_short(long_up as f64 / at.events.max(1) as f64)
            ),
            false => "the reader does not send clearly less than with the long poll".to_owned(),
        }
    });
    let requests = match sse.run.requests {
        0 => "No request per event any more".to_owned(),
        some => format!("Still {some} requests, for the stream broke"),
    };
    Some(format!(
        "{requests}: {}. An event is there after {}. But the line goes one way only.",
        before.unwrap_or_else(|| "nothing is asked".to_owned()),
        time_short(sse.delay_us.p50 as f64)
    ))
}

fn websocket(_: &Findings, at: &Together) -> Option<String> {
    let socket = row(at, "plain-ws")?;
    let against = row(at, "sse").map(|sse| {
        let (cost, other) = (bytes(at, socket), bytes(at, sse));
        let costs = match cost / other {
            ratio if ratio > CLEAR => "dearer than",
            ratio if ratio < 1.0 / CLEAR => "cheaper than",
            _ => "no cheaper and no dearer than",
        };
        let faster = match socket.delay_us.p50 as f64 / sse.delay_us.p50.max(1) as f64 {
            ratio if ratio > CLEAR => "slower",
            ratio if ratio < 1.0 / CLEAR => "faster",
            _ => "as fast",
        };
        format!(
            "For events alone it is {costs} server-sent events in bytes, and {faster} in this run. "
        )
    });
    Some(format!(
        "{}What it adds is the way back: a question needs no request of HTTP, and no other \
         connection.",
        against.unwrap_or_default()
    ))
}

fn xmpp(_: &Findings, at: &Together) -> Option<String> {
    let socket = row(at, "ws")?;
    let bosh = row(at, "bosh").map(|bosh| {
        let (requests, cost) = (bosh.run.requests as f64, bytes(at, bosh));
        let verdict = match cost / bytes(at, socket) {
            ratio if ratio > CLEAR => format!("{} the bytes", times(ratio)),
            _ => "hardly more bytes".to_owned(),
        };
        format!(
            " Before WebSocket it had to be requests (BOSH): {:.1} of them and {verdict} per \
             event.",
            requests / at.events.max(1) as f64
        )
    });
    let tcp = row(at, "tcp-tls").map(|tcp| {
        let cost = match bytes(at, tcp) / bytes(at, socket) {
            ratio if ratio > CLEAR => "more",
            ratio if ratio < 1.0 / CLEAR => "fewer",
            _ => "about as many",
        };
        format!(" TCP without WebSocket needs {cost} bytes, and no browser has it.")
    });
    Some(format!(
        "Login, presence, subscriptions and events in one connection: {} per event, after {}.{}{}",
        format_args!("{} bytes", bytes_short(bytes(at, socket))),
        time_short(socket.delay_us.p50 as f64),
        bosh.unwrap_or_default(),
        tcp.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::super::findings::sample::findings;
    use super::*;

    fn words(findings: &Findings, place: usize) -> String {
        story(findings)[place].words.clone()
    }

    #[test]
    fn each_step_says_what_it_changed_here() {
        let findings = findings();
        assert!(words(&findings, 0).contains("21 connections for 10 events"));
        let kept = words(&findings, 1);
        assert!(kept.contains("fewer bytes per event, but no shorter delay"), "{kept}");
        assert!(words(&findings, 2).contains("was not measured"));
        assert!(words(&findings, 5).contains("in one connection: 1.2k bytes per event"));
    }

    #[test]
    fn a_step_that_brought_nothing_is_told_so() {
        let mut findings = findings();
        for row in &mut findings.together[0].readers {
            if row.key == "http10-500ms" {
                (row.run.sent_bytes, row.run.received_bytes) = (10, 10);
                row.delay_us.p50 = 10;
            }
        }
        let kept = words(&findings, 1);
        assert!(kept.contains("hardly fewer bytes per event, but a longer delay"), "{kept}");
        findings.together.clear();
        assert_eq!(story(&findings), []);
    }
}
