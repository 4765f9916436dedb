//! What must be done by when.

use std::time::Duration;

use super::Responder;
use crate::framing::{StreamCondition, StreamError};
use crate::limits::{LOGIN_SECS_MAX, STANZA_SECS_MAX};
use crate::stream::Phase;
use crate::time::Moment;

impl Responder {
    /// Lets deadlines pass.
    pub fn tick(&mut self, now: Moment) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        let text = match self.phase {
            Phase::Closing(_) => return self.hang_up(),
            Phase::Bound => format!("a stanza took more than {STANZA_SECS_MAX} s"),
            _ => format!("not logged in and bound within {LOGIN_SECS_MAX} s"),
        };
        let error = StreamError::new(StreamCondition::ConnectionTimeout).with_text(text);
        self.close(now, Some(error));
    }

    /// When [`Responder::tick`] must be called at the latest.
    pub const fn deadline(&self) -> Option<Moment> {
        self.deadline
    }

    /// A stanza that has begun must come to an end: half of it holds much memory.
    pub(super) fn set_end_of_stanza(&mut self, now: Moment) {
        if self.phase == Phase::Bound {
            let end = now + Duration::from_secs(STANZA_SECS_MAX);
            self.deadline = self.framing.is_within().then(|| self.deadline.unwrap_or(end));
        }
    }
}
