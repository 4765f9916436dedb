//! One document is a stream, its first-level children are frames (RFC 6120 §4.2).

use super::{Close, Frame, Framing, Open, StreamCondition, StreamError, push};
use crate::ns;
use crate::standard::{Hears, Sample, Standard};
use crate::xml::{Element, Item, Reader};

/// What is followed here.
pub const STANDARDS: &[Standard] = &[
    Standard {
        source: "RFC 6120",
        name: "Extensible Messaging and Presence Protocol: Core",
        what: "Streams over TCP, STARTTLS, the conditions of stream errors and of stanza errors. \
               What the grammar of a stream does not allow ends it, with the condition and the \
               section.",
        samples: &[Sample {
            says: "<iq type='get' to='cc.test'><nothing xmlns='urn:nobody'/></iq>",
            hears: Hears::Answer("<service-unavailable"),
        }],
    },
    Standard {
        source: "XEP-0368",
        name: "SRV records for XMPP over TLS",
        what: "TLS from the first byte on a port of its own, ALPN `xmpp-client` or none. The \
               records in the DNS are the site's.",
        samples: &[],
    },
];

/// The framing of XMPP over TCP, one direction read and the other written.
pub struct Document {
    reader: Reader,
}

impl Document {
    /// The framing of a stream that nobody has opened yet.
    pub fn new() -> Self {
        // COMPAT: gosrc/xmpp: what has no namespace at all is taken for a stanza, as Openfire does.
        Self { reader: Reader::new(ns::CLIENT) }
    }
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

impl Framing for Document {
    fn read(&mut self, input: &mut &[u8], bytes_max: usize) -> Result<Option<Frame>, StreamError> {
        Ok(match self.reader.read(input, bytes_max)? {
            None => None,
            Some(Item::Start(header)) => Some(Frame::Open(open(&header)?)),
            Some(Item::Element(element)) => Some(Frame::Element(element)),
            Some(Item::End) => Some(Frame::Close(Close::default())),
        })
    }

    /// A better place is never told: `see-other-host` is a stream error here (RFC 6120 §4.9.3.19).
    fn write(&mut self, frame: &Frame) -> Vec<u8> {
        match frame {
            Frame::Open(open) => write_open(open).into_bytes(),
            Frame::Close(_) => b"</stream:stream>".to_vec(),
            Frame::Element(element) => self.write_element(element),
        }
    }

    fn write_element(&mut self, element: &Element) -> Vec<u8> {
        let mut out = String::with_capacity(256);
        element.write(&mut out, ns::CLIENT);
        out.into_bytes()
    }

    fn restart(&mut self) {
        *self = Self::new();
    }

    fn is_within(&self) -> bool {
        self.reader.is_within()
    }

    fn survives_errors(&self) -> bool {
        false
    }
}

fn open(header: &Element) -> Result<Open, StreamError> {
    match (header.ns(), header.name()) {
        (ns::STREAMS, "stream") => Ok(Open::of(header)),
        (ns::STREAMS, _) => Err(StreamError::new(StreamCondition::BadFormat)
            .with_text("a stream starts with <stream:stream> (RFC 6120 §4.2)")),
        _ => Err(StreamError::new(StreamCondition::InvalidNamespace)
            .with_text(format!("the header of a stream belongs to {}", ns::STREAMS))),
    }
}

fn write_open(open: &Open) -> String {
    let mut out = String::from("<?xml version='1.0'?><stream:stream");
    push(&mut out, "xmlns", Some(ns::CLIENT));
    push(&mut out, "xmlns:stream", Some(ns::STREAMS));
    push(&mut out, "from", open.from.as_deref());
    push(&mut out, "to", open.to.as_deref());
    push(&mut out, "id", open.id.as_deref());
    push(&mut out, "xml:lang", open.lang.as_deref());
    push(&mut out, "version", open.version.as_deref());
    out.push('>');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Frame>, StreamCondition> {
        let (mut document, mut input, mut frames) = (Document::new(), text.as_bytes(), Vec::new());
        while let Some(frame) = document.read(&mut input, 1024).map_err(|error| error.condition)? {
            frames.push(frame);
        }
        Ok(frames)
    }

    const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
        xmlns:stream='http://etherx.jabber.org/streams' from='cc.test' id='8x2m9k0q1' \
        xml:lang='en' version='1.0'>";

    #[test]
    fn a_stream_is_read_as_it_was_written() {
        let presence = Element::new(ns::CLIENT, "presence").with_child(Element::new("urn:a", "a"));
        let open = Open {
            from: Some("cc.test".to_owned()),
            id: Some("8x2m9k0q1".to_owned()),
            lang: Some("en".to_owned()),
            version: Some("1.0".to_owned()),
            to: None,
        };
        let frames = [Frame::Open(open), Frame::Element(presence), Frame::Close(Close::default())];
        let written: Vec<u8> = frames.iter().flat_map(|f| Document::new().write(f)).collect();
        let written = String::from_utf8(written).unwrap();
        let rest = "<presence><a xmlns=\"urn:a\"/></presence></stream:stream>";
        assert_eq!(written, [HEADER, rest].concat());
        assert_eq!(read(&written), Ok(frames.to_vec()));
    }

    #[test]
    fn every_breach_has_its_condition() {
        use StreamCondition::{
            BadFormat, InvalidNamespace, NotWellFormed, PolicyViolation, RestrictedXml,
            UnsupportedEncoding,
        };
        let check = |text: &str, condition| assert_eq!(read(text), Err(condition), "{text}");
        check("GET / HTTP/1.1\r\n", NotWellFormed);
        check("<stream:stream>", NotWellFormed);
        check("<stream xmlns='jabber:client'>", InvalidNamespace);
        check("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='cc.test'/>", InvalidNamespace);
        check("<presence/>", InvalidNamespace);
        check("<s:error xmlns:s='http://etherx.jabber.org/streams'>", BadFormat);
        check("<?xml version='1.0' encoding='latin1'?>", UnsupportedEncoding);
        check("<!DOCTYPE a>", RestrictedXml);
        for (text, condition) in [
            ("hello", NotWellFormed),
            ("</presence>", NotWellFormed),
            ("<presence></stream:stream>", NotWellFormed),
            ("<?xml version='1.0'?>", RestrictedXml),
            ("<!-- c -->", RestrictedXml),
        ] {
            check(&[HEADER, text].concat(), condition);
        }
        check(&[HEADER, "<a>", &"x".repeat(1024)].concat(), PolicyViolation);
    }

    #[test]
    fn after_a_restart_another_document_begins() {
        let mut document = Document::new();
        let twice = [HEADER, "<presence/>", HEADER].concat();
        let mut input = twice.as_bytes();
        assert!(matches!(document.read(&mut input, 1024), Ok(Some(Frame::Open(_)))));
        assert!(matches!(document.read(&mut input, 1024), Ok(Some(Frame::Element(_)))));
        document.restart();
        assert!(matches!(document.read(&mut input, 1024), Ok(Some(Frame::Open(_)))));
    }
}
