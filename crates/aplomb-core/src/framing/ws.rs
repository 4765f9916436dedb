//! One WebSocket message is one frame (RFC 7395 §3.3).

use super::{Close, Frame, Framing, Open, StreamCondition, StreamError};
use crate::ns;
use crate::xml::{Element, Prologue, XmlError, escape_attribute, read_element_in};

/// The framing of XMPP over WebSocket. It keeps no state: every message stands alone.
///
/// The length of a message is the business of who reads it from the wire, before it is whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct Messages;

impl Framing for Messages {
    fn read(&mut self, unit: &[u8], frames: &mut Vec<Frame>) -> Result<(), StreamError> {
        let text = std::str::from_utf8(unit).map_err(|_| {
            StreamError::new(StreamCondition::UnsupportedEncoding).with_text("not UTF-8")
        })?;
        // COMPAT: gosrc/xmpp: it sends `<iq>` and `<presence>` without a namespace, and Openfire
        // takes them as stanzas.
        let element =
            read_element_in(text, Prologue::Forbidden, ns::CLIENT).map_err(|e| explain(&e))?;
        frames.push(frame(element)?);
        Ok(())
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
}

fn explain(error: &XmlError) -> StreamError {
    let condition = match error {
        XmlError::Restricted(_) => StreamCondition::RestrictedXml,
        XmlError::NotWellFormed(_) => StreamCondition::NotWellFormed,
        XmlError::TooMuch(_) => StreamCondition::PolicyViolation,
    };
    StreamError::new(condition).with_text(error.to_string())
}

fn frame(element: Element) -> Result<Frame, StreamError> {
    let is_framing = element.ns() == ns::FRAMING;
    match element.name() {
        "open" if is_framing => Ok(Frame::Open(Open {
            to: element.attr("to").map(str::to_owned),
            from: element.attr("from").map(str::to_owned),
            id: element.attr("id").map(str::to_owned),
            version: element.attr("version").map(str::to_owned),
            lang: element.attr_in(ns::XML, "lang").map(str::to_owned),
        })),
        "close" if is_framing => {
            let see_other_uri = element.attr("see-other-uri").map(str::to_owned);
            Ok(Frame::Close(Close { see_other_uri }))
        }
        "open" | "close" => Err(StreamError::new(StreamCondition::InvalidNamespace)
            .with_text(format!("<{}/> belongs to {}", element.name(), ns::FRAMING))),
        "stream" if element.ns() == ns::STREAMS => {
            Err(StreamError::new(StreamCondition::BadFormat)
                .with_text("over WebSocket a stream starts with <open/> (RFC 7395 §3.3)"))
        }
        _ => Ok(Frame::Element(element)),
    }
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

fn push(out: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        for piece in [" ", name, "='", &escape_attribute(value), "'"] {
            out.push_str(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Frame, StreamCondition> {
        let mut frames = Vec::new();
        Messages.read(text.as_bytes(), &mut frames).map_err(|error| error.condition)?;
        assert_eq!(frames.len(), 1, "one message is one frame");
        Ok(frames.remove(0))
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
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        refused(&deep, PolicyViolation);
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_an_encoding_error() {
        let error = Messages.read(b"<a>\xff</a>", &mut Vec::new()).unwrap_err();
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
