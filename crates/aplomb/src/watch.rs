//! Metrics: what the server counts, in the text format of Prometheus.
//!
//! The log is set up by the command line; every line of it has fields.

use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The metrics. Clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Bound sessions now.
    pub sessions: Gauge,
    /// Open connections now.
    pub connections: Gauge,
    /// Notices written to sessions.
    pub notices: Counter,
    /// TLS handshakes that failed or took too long.
    pub tls_failures: Counter,
    /// Requests that the writer took; several share a commit.
    pub writes: Counter,
    /// Seconds of each commit that succeeded.
    pub commit_secs: Histogram,
    /// Commits that failed.
    pub commit_failures: Counter,
    /// Passwords that were checked by deriving a key.
    pub derivations: Counter,
    logins: Family<ByResult, Counter>,
    ends: Family<ByEnd, Counter>,
    requests: Family<ByStatus, Counter>,
    feed_readers: Family<ByFeed, Gauge>,
    feed_events: Family<ByFeed, Counter>,
    refused: Family<ByReason, Counter>,
    bytes_in: Counter,
    bytes_out: Counter,
    registry: Arc<Registry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByFeed {
    feed: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStatus {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByEnd {
    by: &'static str,
    layer: &'static str,
    code: &'static str,
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            sessions: Gauge::default(),
            connections: Gauge::default(),
            notices: Counter::default(),
            tls_failures: Counter::default(),
            writes: Counter::default(),
            commit_secs: Histogram::new(exponential_buckets(COMMIT_SECS_MIN, 2.0, COMMIT_BUCKETS)),
            commit_failures: Counter::default(),
            derivations: Counter::default(),
            logins: Family::default(),
            ends: Family::default(),
            requests: Family::default(),
            feed_readers: Family::default(),
            feed_events: Family::default(),
            refused: Family::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            registry: Arc::default(),
        };
        metrics.registry = Arc::new(metrics.register());
        metrics
    }

    fn register(&self) -> Registry {
        let mut all = Registry::with_prefix("aplomb");
        all.register("sessions", "Bound sessions now", self.sessions.clone());
        all.register("connections", "Open connections now", self.connections.clone());
        all.register("notices_delivered", "Notices written to sessions", self.notices.clone());
        let failures = "TLS handshakes that failed or took too long";
        all.register("tls_failures", failures, self.tls_failures.clone());
        all.register("writes", "Requests that the writer took", self.writes.clone());
        let time = "Time of a commit, which several writes share";
        all.register_with_unit("commit_time", time, Unit::Seconds, self.commit_secs.clone());
        all.register("commit_failures", "Commits that failed", self.commit_failures.clone());
        let checked = "Passwords that were checked by deriving a key";
        all.register("password_derivations", checked, self.derivations.clone());
        all.register("logins", "Logins over XMPP", self.logins.clone());
        all.register("session_ends", "Sessions that ended", self.ends.clone());
        all.register("http_requests", "Requests answered", self.requests.clone());
        let readers = "Readers of feeds now; a poll is one while it is answered";
        all.register("feed_readers", readers, self.feed_readers.clone());
        all.register("feed_events", "Events told to readers of feeds", self.feed_events.clone());
        let refused = "Connections and upgrades that were refused";
        all.register("connections_refused", refused, self.refused.clone());
        let text = "Bytes that WebSockets received, frame headers included";
        all.register_with_unit("websocket_received", text, Unit::Bytes, self.bytes_in.clone());
        let text = "Bytes that WebSockets sent, frame headers included";
        all.register_with_unit("websocket_sent", text, Unit::Bytes, self.bytes_out.clone());
        all
    }

    /// Counts a login; `result` is `ok` or the name of the failure.
    pub fn login(&self, result: &'static str) {
        self.logins.get_or_create(&ByResult { result }).inc();
    }

    /// Counts the end of a session.
    pub fn session_end(&self, by: &'static str, layer: &'static str, code: &'static str) {
        self.ends.get_or_create(&ByEnd { by, layer, code }).inc();
    }

    /// Counts an answer over HTTP.
    pub fn request(&self, status: u16) {
        self.requests.get_or_create(&ByStatus { status }).inc();
    }

    /// Counts a connection or an upgrade that was refused.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ByReason { reason }).inc();
    }

    /// Counts a reader of the feed at this path for as long as the answer lives.
    pub fn feed(&self, path: &'static str) -> FeedCount {
        let feed = ByFeed { feed: path };
        let readers = self.feed_readers.get_or_create(&feed).clone();
        let events = self.feed_events.get_or_create(&feed).clone();
        readers.inc();
        FeedCount { readers, events }
    }

    /// Counts bytes of WebSockets.
    pub fn traffic(&self, in_bytes: u64, out_bytes: u64) {
        self.bytes_in.inc_by(in_bytes);
        self.bytes_out.inc_by(out_bytes);
    }

    /// Writes all of them as text.
    ///
    /// - Source: OpenMetrics 1.0, which Prometheus reads.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("a string takes everything");
        out
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// One reader of a feed, as it is counted.
#[derive(Debug)]
pub struct FeedCount {
    readers: Gauge,
    events: Counter,
}

impl FeedCount {
    /// Counts an event that the reader is told.
    pub fn told(&self) {
        self.events.inc();
    }
}

impl Drop for FeedCount {
    fn drop(&mut self) {
        self.readers.dec();
    }
}

/// Seconds of the fastest commit told apart: a flush of a fast disk.
const COMMIT_SECS_MIN: f64 = 0.000_1;

/// Doublings from there: up to 3 seconds.
const COMMIT_BUCKETS: u16 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_written() {
        let metrics = Metrics::new();
        metrics.clone().sessions.inc();
        metrics.login("ok");
        metrics.request(202);
        metrics.traffic(10, 20);
        let reader = metrics.feed("/feeds/sse");
        reader.told();
        drop(metrics.feed("/feeds/sse"));
        metrics.session_end("server", "policy", "conflict");
        metrics.commit_secs.observe(0.002);
        let text = metrics.to_text();
        for line in [
            "aplomb_sessions 1",
            "aplomb_logins_total{result=\"ok\"} 1",
            "aplomb_http_requests_total{status=\"202\"} 1",
            "aplomb_websocket_sent_bytes_total 20",
            "aplomb_feed_readers{feed=\"/feeds/sse\"} 1",
            "aplomb_feed_events_total{feed=\"/feeds/sse\"} 1",
            "aplomb_commit_time_seconds_count 1",
            "aplomb_session_ends_total{by=\"server\",layer=\"policy\",code=\"conflict\"} 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
    }
}
