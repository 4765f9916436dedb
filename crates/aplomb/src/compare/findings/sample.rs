//! Findings that are made up, for the tests of what is written about them.

use super::{Alone, AloneRow, Cost, Cpu, Delays, Findings, Row, ServerShown, Together, WayShown};

/// Three short polls, HTTP/1.0 and a WebSocket at two rates, as one would expect them.
pub(crate) fn findings() -> Findings {
    let every = [Some(500), Some(100), Some(500), Some(1_000), None];
    let names = ["HTTP/1.0 poll", "short poll 0.1", "short poll 0.5", "short poll 1", "WebSocket"];
    let keys = ["http10-500ms", "poll-100ms", "poll-500ms", "poll-1000ms", "ws"];
    let ways = keys.iter().zip(names).zip(every).enumerate();
    let ways = ways.map(|(at, ((key, name), every_ms))| WayShown {
        key: (*key).to_owned(),
        name: name.to_owned(),
        every_ms,
        keeps_connection: at != 0,
    });
    let ways: Vec<WayShown> = ways.collect();
    let rates = [1.0, 10.0];
    Findings {
        format: 1,
        program: "aplomb 0.1.0".to_owned(),
        at: "2026-11-20T12:00:00.000Z".to_owned(),
        server: ServerShown {
            url: "https://127.0.0.1:8445".to_owned(),
            own: true,
            agent: "1001".to_owned(),
        },
        seed: 7,
        schedule: "poisson",
        stopped: None,
        lacking: Vec::new(),
        together: rates.map(|rate| together(rate, &ways)).into(),
        cpu: Cpu { unknown: None, rates: rates.map(|rate| alone(rate, &ways)).into() },
        ways,
    }
}

fn together(rate: f64, ways: &[WayShown]) -> Together {
    let events = (rate * 10.0) as u64;
    Together {
        rate,
        events,
        secs: 10.0,
        readers: ways.iter().map(|way| row(way, events)).collect(),
    }
}

fn row(way: &WayShown, events: u64) -> Row {
    let every = way.every_ms.map(|millis| millis * 1_000);
    let delay = |part: u64| every.map_or(700, |every| every * part / 100 + 700);
    let requests = way.every_ms.map_or(0, |millis| 10_000 / millis);
    let connections = if way.keeps_connection { 0 } else { requests };
    let run = Cost {
        requests,
        empty_answers: requests.saturating_sub(events),
        connections,
        sent_bytes: requests * 200 + connections * 1_500,
        received_bytes: requests * 150 + events * 1_200 + connections * 1_000,
    };
    let setup = Cost { requests: 1, connections: 1, ..Cost::default() };
    Row {
        key: way.key.clone(),
        seen: events,
        missed: 0,
        doubled: 0,
        disordered: 0,
        complaints: Vec::new(),
        delay_us: Delays {
            p50: delay(50),
            p90: delay(90),
            p99: delay(99),
            max: delay(100),
            mean: delay(50) as f64,
        },
        requests: run.requests + 1,
        empty_answers: run.empty_answers,
        connections: run.connections + 1,
        setup,
        run,
    }
}

fn alone(rate: f64, ways: &[WayShown]) -> Alone {
    let row = |way: &WayShown| {
        let per_poll = if way.keeps_connection { 60.0 } else { 900.0 };
        let polls = way.every_ms.map_or(0.0, |millis| 1_000.0 / millis as f64 / rate);
        let us = 30.0 + polls * per_poll;
        let events = (rate * 10.0) as u64;
        AloneRow { key: way.key.clone(), events, whole_us: us + 200.0, us }
    };
    Alone { rate, cause_us: [199.0, 201.0], readers: ways.iter().map(row).collect() }
}
