//! What a comparison found, as it is written and drawn.

use serde::Serialize;

/// Everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// The version of this shape.
    pub format: u32,
    /// What measured.
    pub program: String,
    /// When.
    pub at: String,
    /// What was measured.
    pub server: ServerShown,
    /// The seed of the events' moments.
    pub seed: u64,
    /// How the moments were chosen.
    pub schedule: &'static str,
    /// What stopped it before its end, if something did.
    pub stopped: Option<String>,
    /// Every way that was followed.
    pub ways: Vec<WayShown>,
    /// Every way that the server does not have.
    pub lacking: Vec<Lacking>,
    /// All ways at once, at each rate.
    pub together: Vec<Together>,
    /// One way at a time, for the server's CPU time.
    pub cpu: Cpu,
}

/// The server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerShown {
    /// Its address.
    pub url: String,
    /// Whether it was started for this.
    pub own: bool,
    /// The agent who was followed.
    pub agent: String,
}

/// A way that was followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WayShown {
    /// The word for programs.
    pub key: String,
    /// The name for people.
    pub name: String,
    /// Milliseconds between two questions, of a short poll.
    pub every_ms: Option<u64>,
    /// Whether it keeps its connection.
    pub keeps_connection: bool,
}

/// A way that the server does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lacking {
    /// The word for programs.
    pub key: String,
    /// The name for people.
    pub name: String,
    /// Why.
    pub why: String,
}

/// All ways at once, at one rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Together {
    /// Events a second that were wanted.
    pub rate: f64,
    /// Events that were caused.
    pub events: u64,
    /// Seconds in which they were.
    pub secs: f64,
    /// What each reader saw and cost, in the order of the ways.
    pub readers: Vec<Row>,
}

/// What one reader saw and cost at one rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The way.
    pub key: String,
    /// Events that it saw.
    pub seen: u64,
    /// Events that it did not.
    pub missed: u64,
    /// Events that it saw again.
    pub doubled: u64,
    /// Events that came after a later one.
    pub disordered: u64,
    /// What the server said that it could not tell, or why the reader ended.
    pub complaints: Vec<String>,
    /// From the request for the change to the reader.
    pub delay_us: Delays,
    /// Requests of HTTP, those of the setup as well.
    pub requests: u64,
    /// Answers of HTTP that told nothing, those of the setup as well.
    pub empty_answers: u64,
    /// TCP connections, those of the setup as well.
    pub connections: u64,
    /// Until the reader was there.
    pub setup: Cost,
    /// From then on.
    pub run: Cost,
}

/// Percentiles, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Delays {
    /// Half are faster.
    pub p50: u64,
    /// Nine in ten are.
    pub p90: u64,
    /// 99 in a hundred are.
    pub p99: u64,
    /// All are.
    pub max: u64,
    /// The mean.
    pub mean: f64,
}

/// What was counted at the socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Requests of HTTP.
    pub requests: u64,
    /// Answers of HTTP that told nothing.
    pub empty_answers: u64,
    /// TCP connections.
    pub connections: u64,
    /// Bytes to the server, with TLS.
    pub sent_bytes: u64,
    /// Bytes from the server, with TLS.
    pub received_bytes: u64,
}

/// The server's CPU time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cpu {
    /// Why it is not known; none if it is.
    pub unknown: Option<String>,
    /// At each rate.
    pub rates: Vec<Alone>,
}

/// One way at a time, at one rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alone {
    /// Events a second.
    pub rate: f64,
    /// Microseconds to cause an event that nobody follows, measured before and after the readers.
    pub cause_us: [f64; 2],
    /// Microseconds of each reader.
    pub readers: Vec<AloneRow>,
}

/// One reader, alone with the server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AloneRow {
    /// The way.
    pub key: String,
    /// Events.
    pub events: u64,
    /// Microseconds of the server per event, with its cause.
    pub whole_us: f64,
    /// Microseconds of the server per event, without its cause.
    pub us: f64,
}

impl Findings {
    /// The rows with events that were missed, doubled or out of order, and their rate.
    pub fn faults(&self) -> Vec<(f64, &Row)> {
        let rows = self.together.iter().flat_map(|t| t.readers.iter().map(|row| (t.rate, row)));
        rows.filter(|(_, row)| row.is_faulty()).collect()
    }

    /// The name of a way.
    pub fn name<'a>(&'a self, key: &'a str) -> &'a str {
        self.ways.iter().find(|way| way.key == key).map_or(key, |way| &way.name)
    }
}

impl Row {
    /// Whether not every event came once and in order.
    pub fn is_faulty(&self) -> bool {
        let Self { missed, doubled, disordered, complaints, .. } = self;
        *missed + *doubled + *disordered > 0 || !complaints.is_empty()
    }
}

impl Alone {
    /// The mean cost of causing an event.
    pub fn cause(&self) -> f64 {
        self.cause_us.iter().sum::<f64>() / 2.0
    }

    /// What two measurements of the same thing differ by: less than that means nothing.
    pub fn noise(&self) -> f64 {
        (self.cause_us[0] - self.cause_us[1]).abs()
    }
}

#[cfg(test)]
pub(super) mod sample;
