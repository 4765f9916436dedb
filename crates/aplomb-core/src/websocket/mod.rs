//! WebSocket frames: a codec without I/O, for both roles (RFC 6455 §5).
//!
//! Bytes go in, messages come out, or a [`Violation`] with the close code that says what was wrong.
//! An idle codec holds no heap memory, and everything it may hold is bounded: a frame is refused by
//! its header, before any of its payload is kept. No extension is ever negotiated, so every
//! reserved bit is a violation. Only text messages exist here: XMPP has no other (RFC 7395 §3.2).

mod close;
mod decoder;
mod encoder;

pub use close::{Close, CloseCode};
pub use decoder::{Decoder, Input};
pub use encoder::{push_close, push_frame, push_header};

/// Which end of the connection this is. A client masks what it sends, a server does not
/// (RFC 6455 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The end that connected.
    Client,
    /// The end that accepted.
    Server,
}

/// What a frame is (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// A further piece of a message.
    Continuation,
    /// A text message, or its first piece.
    Text,
    /// A binary message; XMPP has none.
    Binary,
    /// The end of the connection.
    Close,
    /// A question whether the peer is there.
    Ping,
    /// The answer to a ping.
    Pong,
}

impl Opcode {
    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    /// The opcode of that number; 3 to 7 and 11 to 15 are reserved.
    pub const fn numbered(number: u8) -> Option<Self> {
        match number {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xA => Some(Self::Pong),
            _ => None,
        }
    }

    /// Whether it is a control frame: short, in one piece, allowed between pieces of a message.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The peer broke the protocol: close with this code, then drop the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("WebSocket {code}: {what}")]
pub struct Violation {
    /// What to close with.
    pub code: CloseCode,
    /// What was wrong, and the section that says so.
    pub what: &'static str,
}

impl Violation {
    const fn new(code: CloseCode, what: &'static str) -> Self {
        Self { code, what }
    }
}

/// Masks or unmasks in place; `at` is the position of the first byte in its payload
/// (RFC 6455 §5.3).
fn apply_mask(bytes: &mut [u8], mask: [u8; 4], at: usize) {
    let mut turned = mask;
    turned.rotate_left(at % 4);
    let [a, b, c, d] = turned;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u64::from_ne_bytes(eight) ^ word).to_ne_bytes());
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(turned.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests;
