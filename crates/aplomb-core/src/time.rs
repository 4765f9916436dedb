//! Time as a value: the core is told what time it is and never asks.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point on a clock that never goes back, as the time since the program's own start.
///
/// Every deadline and every age is measured on it, so a changed wall clock moves no timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(Duration);

impl Moment {
    /// A moment `since_start` after the program's start.
    pub const fn new(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// The time from the program's start to this moment.
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// The time from `earlier` to this moment; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// A date and time of day, in milliseconds since 1970-01-01 UTC. For people and payloads only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WallTime(pub i64);

impl WallTime {
    /// Writes the time as Finesse does: `2017-09-28T17:33:40.875Z`.
    pub fn to_iso(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map(|stamp| stamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
            .unwrap_or_default()
    }

    /// Reads a time with its offset from UTC, in whole milliseconds (XEP-0082 §3.2).
    pub fn from_iso(text: &str) -> Option<Self> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        Some(Self(stamp.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_time_is_written_as_finesse_writes_it() {
        assert_eq!(WallTime(1_506_620_020_875).to_iso(), "2017-09-28T17:33:40.875Z");
        assert_eq!(WallTime(1_506_620_020_000).to_iso(), "2017-09-28T17:33:40.000Z");
    }

    #[test]
    fn a_wall_time_is_read_with_its_offset() {
        for (text, expected) in [
            ("2017-09-28T17:33:40.875Z", Some(1_506_620_020_875)),
            ("2017-09-28T17:33:40Z", Some(1_506_620_020_000)),
            ("2017-09-28T19:33:40+02:00", Some(1_506_620_020_000)),
            ("2006-02-28T11:59Z", Some(1_141_127_940_000)),
            ("2017-09-28T17:33:40", None),
            ("presence", None),
            ("", None),
        ] {
            assert_eq!(WallTime::from_iso(text), expected.map(WallTime), "{text}");
        }
    }

    #[test]
    fn a_later_start_gives_no_time_passed() {
        let early = Moment::new(Duration::from_secs(1));
        let late = early + Duration::from_secs(2);
        assert_eq!((late - early, early - late), (Duration::from_secs(2), Duration::ZERO));
    }
}
