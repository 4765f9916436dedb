//! Units of a carrier ⇄ frames of a stream.
//!
//! A unit is one message on WebSocket, a piece of a document on TCP, and a request to be answered
//! over HTTP. The stream machine sees only frames, so it is the same on every carrier.

pub mod bosh;
pub mod tcp;
pub mod ws;

mod error;

pub use error::{StreamCondition, StreamError};

use crate::ns;
use crate::xml::{Element, escape_attribute};

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
    /// Takes bytes from the front of `input` up to the end of a frame; none if more must come.
    ///
    /// A frame has at most `bytes_max` bytes; a longer one is refused before it is complete.
    ///
    /// - Errors: the stream error that the peer must be told before the end.
    fn read(&mut self, input: &mut &[u8], bytes_max: usize) -> Result<Option<Frame>, StreamError>;

    /// Writes one frame as one unit.
    fn write(&mut self, frame: &Frame) -> Vec<u8>;

    /// Writes an element as one unit, as [`Framing::write`] does, without taking it.
    fn write_element(&mut self, element: &Element) -> Vec<u8>;

    /// Forgets what was read: the peer opens the stream anew (RFC 6120 §4.3.3).
    fn restart(&mut self);

    /// Whether a frame has begun of which the rest must still come.
    fn is_within(&self) -> bool {
        false
    }

    /// Whether anything can be read after an error.
    fn survives_errors(&self) -> bool;

    /// Whether the peer answers the end of a stream with one of its own, so that it is awaited.
    fn awaits_close(&self) -> bool {
        true
    }
}

impl Open {
    fn of(element: &Element) -> Self {
        Self {
            to: element.attr("to").map(str::to_owned),
            from: element.attr("from").map(str::to_owned),
            id: element.attr("id").map(str::to_owned),
            version: element.attr("version").map(str::to_owned),
            lang: element.attr_in(ns::XML, "lang").map(str::to_owned),
        }
    }
}

fn push(out: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        for piece in [" ", name, "='", &escape_attribute(value), "'"] {
            out.push_str(piece);
        }
    }
}
