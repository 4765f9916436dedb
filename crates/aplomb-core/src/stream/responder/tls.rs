//! STARTTLS at the server (RFC 6120 §5.4).

use super::{Output, Responder, StartTls};
use crate::framing::{Close, Frame, StreamCondition, StreamError};
use crate::ns;
use crate::xml::Element;

impl Responder {
    /// Agrees to TLS, if it is offered and nothing came behind the wish for it.
    ///
    /// What came in clear text could be somebody else's, to be executed as if it came over TLS.
    pub(super) fn answer_starttls(&mut self, rest: &[u8]) {
        let is_alone = rest.trim_ascii().is_empty();
        if is_alone && self.policy.starttls != StartTls::Absent {
            self.transmit(Frame::Element(Element::new(ns::TLS, "proceed")));
            self.deadline = None;
            return self.outputs.push_back(Output::StartTls);
        }
        let text = if is_alone { "no STARTTLS here" } else { "something came behind STARTTLS" };
        self.transmit(Frame::Element(Element::new(ns::TLS, "failure")));
        self.transmit(Frame::Close(Close::default()));
        self.error = Some(StreamError::new(StreamCondition::PolicyViolation).with_text(text));
        self.hang_up();
    }
}
