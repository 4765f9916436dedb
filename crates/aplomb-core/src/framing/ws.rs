//! One WebSocket message is one frame (RFC 7395 §3.3).

use super::{Frame, Framing, StreamError};

/// The framing of XMPP over WebSocket. It keeps no state: every message stands alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Messages;

impl Framing for Messages {
    fn read(&mut self, _unit: &[u8], _frames: &mut Vec<Frame>) -> Result<(), StreamError> {
        todo!()
    }

    fn write(&mut self, _frame: &Frame) -> Vec<u8> {
        todo!()
    }
}
