//! Every way to follow an agent: made of the list of feeds and the list of carriers, so that what
//! is new there is compared here, or does not compile.

use std::time::Duration;

use crate::feed::{FEEDS, Reads};
use crate::link::dial::{Over, SCHEMES};

/// One way to follow an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The word for programs.
    pub key: String,
    /// The name for people.
    pub name: String,
    /// How it is done.
    pub how: How,
}

/// How an agent is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Ask again and again.
    Poll {
        /// The path.
        path: &'static str,
        /// The time between two questions.
        every: Duration,
        /// Whether the connection is kept between them, as HTTP/1.0 did not.
        keeps: bool,
    },
    /// Ask, and be answered when there is something.
    LongPoll {
        /// The path.
        path: &'static str,
    },
    /// One answer that never ends.
    Sse {
        /// The path.
        path: &'static str,
    },
    /// Messages of a WebSocket.
    Messages {
        /// The path.
        path: &'static str,
    },
    /// XMPP.
    Xmpp {
        /// What carries it.
        over: Over,
        /// Whether it is in TLS from the first byte.
        is_tls: bool,
    },
}

impl Way {
    /// The time between two questions, of a poll.
    pub fn every(&self) -> Option<Duration> {
        match self.how {
            How::Poll { every, .. } => Some(every),
            How::LongPoll { .. } | How::Sse { .. } | How::Messages { .. } | How::Xmpp { .. } => {
                None
            }
        }
    }

    /// Whether it is a poll on a connection that is kept.
    pub const fn is_kept_poll(&self) -> bool {
        matches!(self.how, How::Poll { keeps: true, .. })
    }

    /// Whether it is XMPP.
    pub const fn is_xmpp(&self) -> bool {
        matches!(self.how, How::Xmpp { .. })
    }
}

/// All ways, from the oldest to the newest; short polls at each of `intervals`, which ascend.
///
/// What HTTP carries is with TLS or without, as `is_tls` says; TCP is tried both ways.
pub fn all(intervals: &[Duration], is_tls: bool) -> Vec<Way> {
    let feeds = FEEDS.iter().flat_map(|feed| of_feed(feed.path, feed.reads, intervals));
    let over_http = |over| matches!(over, Over::WebSocket | Over::Bosh);
    // From the newest to the oldest, as they stand in the list.
    let carriers = SCHEMES.iter().rev();
    let carriers = carriers.filter(|(_, over, secure)| !over_http(*over) || *secure == is_tls);
    feeds.chain(carriers.map(|(_, over, is_tls)| of_carrier(*over, *is_tls))).collect()
}

fn of_feed(path: &'static str, reads: Reads, intervals: &[Duration]) -> Vec<Way> {
    let one =
        |key: &str, name: &str, how| vec![Way { key: key.to_owned(), name: name.to_owned(), how }];
    match reads {
        Reads::AtOnce => {
            let middle = intervals.get(intervals.len() / 2).copied();
            let poll = |every: Duration, keeps: bool| {
                let (secs, millis) = (every.as_secs_f64(), every.as_millis());
                let (key, name) = match keeps {
                    true => (format!("poll-{millis}ms"), format!("short poll {secs} s")),
                    false => (format!("http10-{millis}ms"), format!("HTTP/1.0 poll {secs} s")),
                };
                Way { key, name, how: How::Poll { path, every, keeps } }
            };
            let old = middle.map(|every| poll(every, false));
            old.into_iter().chain(intervals.iter().map(|every| poll(*every, true))).collect()
        }
        Reads::WhenSomethingComes => one("longpoll", "long poll", How::LongPoll { path }),
        Reads::AsStream => one("sse", "server-sent events", How::Sse { path }),
        Reads::AsMessages => one("plain-ws", "plain WebSocket", How::Messages { path }),
        Reads::Nothing => Vec::new(),
    }
}

fn of_carrier(over: Over, is_tls: bool) -> Way {
    let (key, name) = match (over, is_tls) {
        (Over::Bosh, _) => ("bosh", "XMPP over BOSH"),
        (Over::Tcp, true) => ("tcp-tls", "XMPP over direct TLS"),
        (Over::Tcp, false) => ("tcp-starttls", "XMPP over STARTTLS"),
        (Over::WebSocket, _) => ("ws", "XMPP over WebSocket"),
    };
    Way { key: key.to_owned(), name: name.to_owned(), how: How::Xmpp { over, is_tls } }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_feed_and_every_carrier_is_compared_once() {
        let intervals = [100, 500, 1_000].map(Duration::from_millis);
        let ways = all(&intervals, true);
        let keys: Vec<&str> = ways.iter().map(|way| way.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "http10-500ms",
                "poll-100ms",
                "poll-500ms",
                "poll-1000ms",
                "longpoll",
                "sse",
                "plain-ws",
                "bosh",
                "tcp-starttls",
                "tcp-tls",
                "ws",
            ]
        );
        let names: BTreeSet<&str> = ways.iter().map(|way| way.name.as_str()).collect();
        assert_eq!(names.len(), ways.len());
        let feeds = FEEDS.iter().filter(|feed| feed.reads != Reads::Nothing).count();
        assert_eq!(ways.len() - intervals.len(), feeds - 1 + 1 + SCHEMES.len() - 2);
        assert_eq!(all(&intervals, false).len(), ways.len());
    }
}
