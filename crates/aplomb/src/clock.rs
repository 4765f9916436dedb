//! The clocks, read in this one place.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use aplomb_core::realm::Now;
use aplomb_core::time::{Moment, WallTime};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The monotonic time since the program's start.
pub fn moment() -> Moment {
    Moment::new(START.elapsed())
}

/// The date and time of day.
pub fn wall() -> WallTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Both.
pub fn now() -> Now {
    Now { moment: moment(), wall: wall() }
}

/// The instant at which a [`Moment`] comes, for the runtime's timers.
pub fn instant_of(moment: Moment) -> Instant {
    *START + moment.since_start()
}
