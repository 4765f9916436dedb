//! Somebody who sees both sides of a stream and only reports.

use super::milestone::Milestone;
use super::phase::{Phase, Side, Violation};
use crate::framing::{Framing, StreamError};

/// Follows a conversation by the grammar.
pub struct Witness {
    framing: Box<dyn Framing>,
    phase: Phase,
}

/// What a witness has to say about one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It was legal, and a step of the stream.
    Milestone(Milestone),
    /// It was out of order.
    Violation(Violation),
    /// It was no frame; the stream error that it deserves.
    Malformed(Side, StreamError),
}

impl Witness {
    /// A witness who is there from the start.
    pub fn new(framing: Box<dyn Framing>) -> Self {
        Self { framing, phase: Phase::START }
    }

    /// Sees one unit; a stanza of a bound stream is no news.
    pub fn see(&mut self, from: Side, unit: &[u8]) -> Vec<Report> {
        let mut frames = Vec::new();
        let outcome = self.framing.read(unit, &mut frames);
        let mut reports = Vec::new();
        for frame in frames {
            match self.phase.step(from, &frame) {
                Ok(phase) => {
                    let milestone = Milestone::of(self.phase, from, &frame);
                    reports.extend(milestone.map(Report::Milestone));
                    self.phase = phase;
                }
                Err(violation) => reports.push(Report::Violation(violation)),
            }
        }
        if let Err(error) = outcome {
            reports.push(Report::Malformed(from, error));
        }
        reports
    }

    /// Where the stream is.
    pub const fn phase(&self) -> Phase {
        self.phase
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::ws::Messages;

    const OPEN: &str =
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='cc.test' version='1.0'/>";

    #[test]
    fn a_step_out_of_order_is_reported_and_the_stream_stays_where_it_was() {
        let mut witness = Witness::new(Box::new(Messages));
        let reports = witness.see(Side::Client, b"<presence/>");
        assert!(
            matches!(&reports[..], [Report::Violation(v)] if v.from == Side::Client),
            "{reports:?}"
        );
        assert_eq!(witness.phase(), Phase::START);
        let reports = witness.see(Side::Client, OPEN.as_bytes());
        assert!(matches!(&reports[..], [Report::Milestone(Milestone::Opening(..))]));
    }

    #[test]
    fn what_is_no_frame_is_reported() {
        let mut witness = Witness::new(Box::new(Messages));
        let reports = witness.see(Side::Server, b"hello");
        assert!(matches!(&reports[..], [Report::Malformed(Side::Server, _)]), "{reports:?}");
    }
}
