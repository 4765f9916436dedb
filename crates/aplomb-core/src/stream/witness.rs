//! Somebody who sees both sides of a stream and only reports.

use super::milestone::Milestone;
use super::phase::{Phase, Side, Violation};
use crate::framing::{Frame, Framing, StreamError};
use crate::limits::STANZA_BYTES_MAX;

/// Follows a conversation by the grammar.
pub struct Witness {
    client: Box<dyn Framing>,
    server: Box<dyn Framing>,
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
    /// A witness who is there from the start and hears each side by a framing of its own.
    pub fn new(client: Box<dyn Framing>, server: Box<dyn Framing>) -> Self {
        Self { client, server, phase: Phase::START }
    }

    /// Sees one unit; a stanza of a bound stream is no news.
    pub fn see(&mut self, from: Side, unit: &[u8]) -> Vec<Report> {
        let (mut reports, mut input) = (Vec::new(), unit);
        loop {
            let framing = match from {
                Side::Client => &mut self.client,
                Side::Server => &mut self.server,
            };
            match framing.read(&mut input, STANZA_BYTES_MAX) {
                Ok(Some(frame)) => reports.extend(self.judge(from, &frame)),
                Ok(None) => {}
                Err(error) => reports.push(Report::Malformed(from, error)),
            }
            if input.is_empty() {
                return reports;
            }
        }
    }

    fn judge(&mut self, from: Side, frame: &Frame) -> Option<Report> {
        match self.phase.step(from, frame) {
            Ok(phase) => {
                let milestone = Milestone::of(self.phase, from, frame);
                self.phase = phase;
                if matches!(phase, Phase::ExpectOpen(_)) {
                    self.client.restart();
                    self.server.restart();
                }
                milestone.map(Report::Milestone)
            }
            Err(violation) => Some(Report::Violation(violation)),
        }
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
        let mut witness = Witness::new(Box::new(Messages), Box::new(Messages));
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
        let mut witness = Witness::new(Box::new(Messages), Box::new(Messages));
        let reports = witness.see(Side::Server, b"hello");
        assert!(matches!(&reports[..], [Report::Malformed(Side::Server, _)]), "{reports:?}");
    }
}
