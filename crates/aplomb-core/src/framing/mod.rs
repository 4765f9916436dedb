//! Units of a carrier ⇄ frames of a stream.
//!
//! A unit is one message on WebSocket; other carriers have their own. The stream machine sees only
//! frames, so it is the same on every carrier.

pub mod ws;

mod error;

pub use error::{StreamCondition, StreamError};

use crate::xml::Element;

/// What a stream is made of, whatever carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The header of a stream (RFC 7395 §3.4; RFC 6120 §4.2).
    Open(Open),
    /// The end of a stream (RFC 7395 §3.6).
    Close(Close),
    /// A first-level child of the stream: a stanza, features, SASL, an error.
    Element(Element),
}

/// The header of a stream; absent attributes are `None` (RFC 6120 §4.7).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Open {
    /// The domain that the sender wants to reach.
    pub to: Option<String>,
    /// Who the sender is.
    pub from: Option<String>,
    /// The server's name for the stream.
    pub id: Option<String>,
    /// `1.0` in XMPP.
    pub version: Option<String>,
    /// The default language of texts.
    pub lang: Option<String>,
}

/// The end of a stream, maybe with a better place (RFC 7395 §3.6.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Close {
    /// Where to connect instead.
    pub see_other_uri: Option<String>,
}

/// Turns units into frames and back. It checks form, not order: order is the stream's business.
pub trait Framing: Send {
    /// Reads one unit and adds what it holds to `frames`.
    ///
    /// - Errors: the stream error that the peer must be told before the end.
    fn read(&mut self, unit: &[u8], frames: &mut Vec<Frame>) -> Result<(), StreamError>;

    /// Writes one frame as one unit.
    fn write(&mut self, frame: &Frame) -> Vec<u8>;

    /// Writes an element as one unit, as [`Framing::write`] does, without taking it.
    fn write_element(&mut self, element: &Element) -> Vec<u8>;
}
