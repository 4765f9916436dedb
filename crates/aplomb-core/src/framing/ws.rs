//! One WebSocket message is one frame (RFC 7395 §3.3).

use super::{Close, Frame, Framing, Open, StreamCondition, StreamError, push};
use crate::ns;
use crate::standard::Standard;
use crate::xml::{Element, Prologue, XmlError, read_element_within};

/// What is followed here.
pub const STANDARDS: &[Standard] = &[Standard {
    source: "RFC 7395",
    name: "An XMPP Subprotocol for WebSocket",
    what: "The desktop's own carrier, at `/ws/`: a message is one element, and nothing else.",
    samples: &[],
}];

/// The framing of XMPP over WebSocket. It keeps no state: every message stands alone.
///
/// A carrier refuses a message that is too long by its header; here it is refused once more.
#[derive(Debug, Clone, Copy, Default)]
pub struct Messages;

impl Framing for Messages {
    fn read(&mut self, input: &mut &[u8], bytes_max: usize) -> Result<Option<Frame>, StreamError> {
        let unit = std::mem::take(input);
        if unit.len() > bytes_max {
            return Err(XmlError::TooMuch("bytes").into());
        }
        let text = std::str::from_utf8(unit).map_err(|_| XmlError::NotUtf8)?;
        // COMPAT: gosrc/xmpp: it sends `<iq>` and `<presence>` without a namespace, and Openfire
        // takes them as stanzas.
        let read = read_element_within(text, Prologue::Forbidden, ns::CLIENT, bytes_max);
        let element = match read {
            Err(_) if text.contains("<stream:stream") => return Err(no_stream_here()),
            element => element?,
        };
        frame(element).map(Some)
    }

    fn write(&mut self, frame: &Frame) -> Vec<u8> {
        match frame {
            Frame::Open(open) => write_open(open).into_bytes(),
            Frame::Close(close) => write_close(close).into_bytes(),
            Frame::Element(element) => self.write_element(element),
        }
    }

    fn write_element(&mut self, element: &Element) -> Vec<u8> {
        element.to_xml().into_bytes()
    }

    fn restart(&mut self) {}

    fn survives_errors(&self) -> bool {
        true
    }
}

fn frame(element: Element) -> Result<Frame, StreamError> {
    let is_framing = element.ns() == ns::FRAMING;
    match element.name() {
        "open" if is_framing => Ok(Frame::Open(Open::of(&element))),
        "close" if is_framing => {
            let see_other_uri = element.attr("see-other-uri").map(str::to_owned);
            Ok(Frame::Close(Close { see_other_uri }))
        }
        "open" | "close" => Err(StreamError::new(StreamCondition::InvalidNamespace)
            .with_text(format!("<{}/> belongs to {}", element.name(), ns::FRAMING))),
        "stream" if element.ns() == ns::STREAMS => Err(no_stream_here()),
        _ => Ok(Frame::Element(element)),
    }
}

/// What a client is told that speaks as over TCP, where the element of a stream stays open.
fn no_stream_here() -> StreamError {
    StreamError::new(StreamCondition::BadFormat)
        .with_text("over WebSocket a stream starts with <open/> (RFC 7395 §3.3)")
}

/// COMPAT: Openfire 4.4: the order of the attributes and the quotes are its own, for clients that
/// search the text.
fn write_open(open: &Open) -> String {
    let mut out = String::from("<open");
    push(&mut out, "from", open.from.as_deref());
    push(&mut out, "to", open.to.as_deref());
    push(&mut out, "id", open.id.as_deref());
    push(&mut out, "xmlns", Some(ns::FRAMING));
    push(&mut out, "xml:lang", open.lang.as_deref());
    push(&mut out, "version", open.version.as_deref());
    out.push_str("/>");
    out
}

fn write_close(close: &Close) -> String {
    let mut out = String::from("<close");
    push(&mut out, "xmlns", Some(ns::FRAMING));
    push(&mut out, "see-other-uri", close.see_other_uri.as_deref());
    out.push_str("/>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Frame, StreamCondition> {
        let mut input = text.as_bytes();
        let frame = Messages.read(&mut input, 1024).map_err(|error| error.condition)?;
        assert!(input.is_empty(), "one message is one frame");
        Ok(frame.expect("a message is a frame"))
    }

    fn refused(text: &str, condition: StreamCondition) {
        assert_eq!(read(text), Err(condition), "{text}");
    }

    #[test]
    fn an_open_is_read_and_written_as_openfire_writes_it() {
        let text = "<open from='cc.test' id='8x2m9k0q1' \
                    xmlns='urn:ietf:params:xml:ns:xmpp-framing' xml:lang='en' version='1.0'/>";
        let frame = read(text).unwrap();
        let Frame::Open(open) = &frame else { panic!("{frame:?}") };
        assert_eq!((open.from.as_deref(), open.lang.as_deref()), (Some("cc.test"), Some("en")));
        assert_eq!(Messages.write(&frame), text.as_bytes());
    }

    #[test]
    fn a_close_may_name_a_better_place() {
        let text = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' \
                    see-other-uri='wss://b.test/ws/'/>";
        let frame = read(text).unwrap();
        let see_other_uri = Some("wss://b.test/ws/".to_owned());
        assert_eq!(frame, Frame::Close(Close { see_other_uri }));
        assert_eq!(Messages.write(&frame), text.as_bytes());
    }

    #[test]
    fn a_stanza_without_a_namespace_is_a_stanza_and_so_is_its_content() {
        let frame = read("<presence><priority>5</priority></presence>").unwrap();
        let Frame::Element(element) = frame else { panic!("{frame:?}") };
        assert!(element.is(ns::CLIENT, "presence"));
        assert!(element.child(ns::CLIENT, "priority").is_some());
    }

    #[test]
    fn every_breach_has_its_condition() {
        use StreamCondition::{
            BadFormat, InvalidNamespace, NotWellFormed, PolicyViolation, RestrictedXml,
        };
        refused("", NotWellFormed);
        refused(" <presence/>", NotWellFormed);
        refused("hello", NotWellFormed);
        refused("<presence", NotWellFormed);
        refused("<presence/><presence/>", NotWellFormed);
        refused("<presence/>text", NotWellFormed);
        refused("</presence>", NotWellFormed);
        refused("</stream:stream>", NotWellFormed);
        refused("<?xml version='1.0'?><presence/>", RestrictedXml);
        refused("<!DOCTYPE a><presence/>", RestrictedXml);
        refused("<presence>&lol;</presence>", RestrictedXml);
        refused("<presence><!-- c --></presence>", RestrictedXml);
        refused("<presence><?php x?></presence>", RestrictedXml);
        refused("<open to='cc.test' version='1.0'/>", InvalidNamespace);
        refused("<open xmlns='jabber:client' to='cc.test'/>", InvalidNamespace);
        refused("<close xmlns='jabber:client'/>", InvalidNamespace);
        refused("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>", BadFormat);
        refused("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>", BadFormat);
        refused(
            "<?xml version='1.0'?><stream:stream to='cc.test' xmlns='jabber:client'>",
            BadFormat,
        );
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        refused(&deep, PolicyViolation);
        refused(&format!("<a>{}</a>", "x".repeat(1024)), PolicyViolation);
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_an_encoding_error() {
        let error = Messages.read(&mut &b"<a>\xff</a>"[..], 1024).unwrap_err();
        assert_eq!(error.condition, StreamCondition::UnsupportedEncoding);
    }

    #[test]
    fn features_keep_their_prefix() {
        let features =
            Element::new(ns::STREAMS, "features").with_child(Element::new(ns::BIND, "bind"));
        let written = String::from_utf8(Messages.write_element(&features)).unwrap();
        assert_eq!(
            written,
            "<stream:features xmlns:stream=\"http://etherx.jabber.org/streams\">\
             <bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"/></stream:features>"
        );
    }
}
