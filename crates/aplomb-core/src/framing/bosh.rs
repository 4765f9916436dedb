//! One HTTP request holds one `<body/>`, whose children are frames (XEP-0124, XEP-0206).
//!
//! [`Bodies`] reads what is in a request, [`Answers`] what is in an answer; [`Binding`] knows which
//! request is due, which answer belongs to which request, and how long a request is held. All are
//! pure.

mod answers;
mod binding;
mod condition;
mod head;
#[cfg(test)]
mod lossy;
#[cfg(test)]
mod tests;

pub use answers::{Answers, Told};
pub use binding::{Answer, Binding};
pub use condition::{Condition, body_of};
pub use head::Head;

use super::{Close, Frame, Framing, Open, StreamCondition, StreamError};
use crate::ns;
use crate::standard::Standard;
use crate::xml::{Element, Item, Reader, XmlError};

/// What is followed here.
pub const STANDARDS: &[Standard] = &[
    Standard {
        source: "XEP-0124",
        name: "Bidirectional-streams Over Synchronous HTTP (BOSH)",
        what: "At `/http-bind` and `/http-bind/`: sessions, hold and wait, overlapping requests, \
               repeats, pause, polling, keys. The script syntax is not there.",
        samples: &[],
    },
    Standard {
        source: "XEP-0206",
        name: "XMPP Over BOSH",
        what: "Streams in those sessions, with their restart after login.",
        samples: &[],
    },
];

/// The framing of requests that come in their order, each of them whole.
#[derive(Default)]
pub struct Bodies {
    /// The request of which not all is read.
    begun: Option<Begun>,
    /// Whether there was an error: whatever follows is passed over.
    is_over: bool,
}

struct Begun {
    reader: Reader,
    is_last: bool,
}

impl Framing for Bodies {
    fn read(&mut self, input: &mut &[u8], bytes_max: usize) -> Result<Option<Frame>, StreamError> {
        if self.is_over {
            *input = &[];
            return Ok(None);
        }
        let read = self.next(input, bytes_max);
        self.is_over = read.is_err();
        read
    }

    /// Writes what goes into a wrapper; a header and an end are attributes of the wrapper.
    fn write(&mut self, frame: &Frame) -> Vec<u8> {
        match frame {
            Frame::Open(_) | Frame::Close(_) => Vec::new(),
            Frame::Element(element) => self.write_element(element),
        }
    }

    fn write_element(&mut self, element: &Element) -> Vec<u8> {
        element.to_xml().into_bytes()
    }

    fn restart(&mut self) {}

    fn survives_errors(&self) -> bool {
        false
    }

    /// A client that was told of the end sends no request any more (XEP-0124 §17.2).
    fn awaits_close(&self) -> bool {
        false
    }
}

impl Bodies {
    fn next(&mut self, input: &mut &[u8], bytes_max: usize) -> Result<Option<Frame>, StreamError> {
        next(&mut self.begun, input, bytes_max, |header| {
            let head = Head::of(header)?;
            Some((head.opens_stream().then(|| open(header)), head.is_terminate))
        })
    }
}

/// Takes the next frame out of a wrapper, of which `begin` tells whether it opens a stream and
/// whether it ends one; none if it is no wrapper.
fn next(
    begun: &mut Option<Begun>,
    input: &mut &[u8],
    bytes_max: usize,
    begin: impl FnOnce(&Element) -> Option<(Option<Open>, bool)>,
) -> Result<Option<Frame>, StreamError> {
    let new = || Begun { reader: Reader::new(ns::CLIENT), is_last: false };
    let now = begun.get_or_insert_with(new);
    let closes_itself = input.trim_ascii_end().ends_with(b"/>");
    let item = now.reader.read(input, bytes_max)?;
    let is_all = input.trim_ascii().is_empty();
    let frame = match item {
        Some(Item::Start(header)) => {
            let (opens, is_last) = begin(&header).ok_or_else(not_a_body)?;
            now.is_last = is_last;
            if is_all && closes_itself {
                return Ok(finish(begun, opens));
            }
            opens.map(Frame::Open)
        }
        // COMPAT: Openfire and Prosody take a stanza that inherits the wrapper's namespace.
        Some(Item::Element(mut element)) => {
            element.change_ns(ns::HTTP_BIND, ns::CLIENT);
            Some(Frame::Element(element))
        }
        Some(Item::End) if is_all => {
            *input = &[];
            return Ok(finish(begun, None));
        }
        Some(Item::End) => {
            return Err(XmlError::NotWellFormed("more than a body".to_owned()).into());
        }
        None => None,
    };
    if is_all {
        return Err(XmlError::NotWellFormed("it ends too early".to_owned()).into());
    }
    Ok(frame)
}

/// Ends the wrapper; what is its last frame, if any is left.
fn finish(begun: &mut Option<Begun>, open: Option<Open>) -> Option<Frame> {
    let is_last = begun.take().is_some_and(|begun| begun.is_last);
    open.map(Frame::Open).or_else(|| is_last.then(|| Frame::Close(Close::default())))
}

fn open(header: &Element) -> Open {
    let version = header.attr_in(ns::XBOSH, "version").map(str::to_owned);
    Open { version, ..Open::of(header) }
}

fn not_a_body() -> StreamError {
    StreamError::new(StreamCondition::BadFormat).with_text("not the <body/> of XEP-0124")
}
