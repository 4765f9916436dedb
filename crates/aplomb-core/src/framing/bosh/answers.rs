//! The client's end of [`super::Bodies`]: frames become requests, answers become frames.
//!
//! A unit that is written is a whole wrapper but for `rid` and `sid`, which only whoever sends it
//! knows: see [`Answers::request`]. Source: XEP-0124 §7 to §9 and §13, XEP-0206 §3 to §5.

use super::{Begun, body_of, next, open};
use crate::framing::{Frame, Framing, Open, StreamError};
use crate::limits::{BOSH_HEAD_BYTES_MAX, BOSH_HOLD_MAX, BOSH_WAIT_SECS_MAX};
use crate::ns;
use crate::xml::{Element, Item, Reader};

/// The framing of answers that come in the order of their requests, each of them whole.
pub struct Answers {
    /// The answer of which not all is read.
    begun: Option<Begun>,
    /// Whether the next answer begins a stream.
    opens: bool,
    /// Whether a stream that is opened is one that goes on after a login.
    is_restart: bool,
    /// Whether there was an error: whatever follows is passed over.
    is_over: bool,
}

/// What the wrapper of an answer says of the session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The session's name; in the first answer.
    pub sid: Option<String>,
    /// Requests that may be open at a time; in the first answer.
    pub requests: Option<usize>,
    /// Why the session is over; empty if it ends in order.
    pub end: Option<String>,
    /// Whether the answer carries nothing.
    pub is_empty: bool,
}

impl Answers {
    /// The framing of a session that is not there yet.
    pub const fn new() -> Self {
        Self { begun: None, opens: true, is_restart: false, is_over: false }
    }

    /// Completes a unit with the number of the request and the session's name; an empty unit
    /// becomes a request that carries nothing.
    pub fn request(unit: &[u8], rid: u64, sid: Option<&str>) -> Vec<u8> {
        let empty;
        let unit = if unit.is_empty() {
            empty = body_of(&[], &[]);
            &empty
        } else {
            unit
        };
        let sid = sid.map(|sid| format!(" sid=\"{}\"", crate::xml::escape_attribute(sid)));
        let numbers = format!("{BODY} rid=\"{rid}\"{}", sid.unwrap_or_default());
        [numbers.as_bytes(), &unit[BODY.len()..]].concat()
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new()
    }
}

impl Told {
    /// Reads the start tag of a whole answer; none if that is no `<body/>`.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut rest = body.trim_ascii();
        let item = Reader::new("").read(&mut rest, BOSH_HEAD_BYTES_MAX).ok()?;
        let Some(Item::Start(header)) = item else { return None };
        let is_end = header.attr("type") == Some("terminate");
        let condition = header.attr("condition").unwrap_or_default();
        let rest = rest.trim_ascii();
        header.is(ns::HTTP_BIND, "body").then(|| Self {
            sid: header.attr("sid").map(str::to_owned),
            requests: header.attr("requests").and_then(|number| number.parse().ok()),
            end: is_end.then(|| condition.to_owned()),
            is_empty: rest.is_empty() || rest.starts_with(b"</"),
        })
    }
}

impl Framing for Answers {
    fn read(&mut self, input: &mut &[u8], bytes_max: usize) -> Result<Option<Frame>, StreamError> {
        if self.is_over {
            *input = &[];
            return Ok(None);
        }
        let opens = &mut self.opens;
        let read = next(&mut self.begun, input, bytes_max, |header| {
            let is_body = header.is(ns::HTTP_BIND, "body");
            let is_last = header.attr("type") == Some("terminate");
            let opened = (std::mem::take(opens) && !is_last).then(|| opened(header));
            is_body.then_some((opened, is_last))
        });
        self.is_over = read.is_err();
        read
    }

    fn write(&mut self, frame: &Frame) -> Vec<u8> {
        match frame {
            Frame::Open(open) => self.write_open(open),
            Frame::Close(_) => body_of(&[("type", "terminate")], &[]),
            Frame::Element(element) => self.write_element(element),
        }
    }

    fn write_element(&mut self, element: &Element) -> Vec<u8> {
        body_of(&[], element.to_xml().as_bytes())
    }

    fn restart(&mut self) {
        (self.opens, self.is_restart) = (true, true);
    }

    fn survives_errors(&self) -> bool {
        false
    }
}

impl Answers {
    fn write_open(&self, open: &Open) -> Vec<u8> {
        let (wait, hold) = (BOSH_WAIT_SECS_MAX.to_string(), BOSH_HOLD_MAX.to_string());
        let mut attributes = vec![("xmlns:xmpp", ns::XBOSH)];
        attributes.extend(open.to.as_deref().map(|to| ("to", to)));
        attributes.extend(open.from.as_deref().map(|from| ("from", from)));
        attributes.push(("xml:lang", open.lang.as_deref().unwrap_or("en")));
        if self.is_restart {
            attributes.push(("xmpp:restart", "true"));
        } else {
            attributes.extend([("wait", wait.as_str()), ("hold", &hold), ("ver", "1.6")]);
            attributes.push(("xmpp:version", "1.0"));
        }
        body_of(&attributes, &[])
    }
}

/// The header of the stream, whose name is `authid`; after a login the wrapper does not repeat it.
fn opened(header: &Element) -> Open {
    let (open, id) = (open(header), header.attr("authid").map(str::to_owned));
    Open { id, version: open.version.or_else(|| Some("1.0".to_owned())), ..open }
}

/// How every wrapper begins.
const BODY: &str = "<body";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::Close;

    fn read(answers: &mut Answers, text: &str) -> Vec<Frame> {
        let (mut input, mut frames) = (text.as_bytes(), Vec::new());
        while !input.is_empty() {
            frames.extend(answers.read(&mut input, 4096).unwrap());
        }
        frames
    }

    fn kinds(frames: &[Frame]) -> Vec<&str> {
        let kind = |frame: &Frame| match frame {
            Frame::Open(_) => "open",
            Frame::Close(_) => "close",
            Frame::Element(_) => "element",
        };
        frames.iter().map(kind).map(|kind| kind as &str).collect()
    }

    #[test]
    fn a_session_begins_goes_on_after_the_login_and_ends() {
        let mut answers = Answers::new();
        let first = "<body xmlns='http://jabber.org/protocol/httpbind' sid='s1' requests='2' \
                     xmlns:stream='http://etherx.jabber.org/streams'><stream:features/></body>";
        assert_eq!(kinds(&read(&mut answers, first)), ["open", "element"]);
        let told = Told::read(first.as_bytes()).unwrap();
        assert_eq!(
            (told.sid.as_deref(), told.requests, told.is_empty),
            (Some("s1"), Some(2), false)
        );
        let empty = "<body xmlns='http://jabber.org/protocol/httpbind'/>";
        assert!(read(&mut answers, empty).is_empty());
        assert!(Told::read(empty.as_bytes()).unwrap().is_empty);
        answers.restart();
        assert_eq!(kinds(&read(&mut answers, empty)), ["open"]);
        let last = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>";
        assert_eq!(read(&mut answers, last), [Frame::Close(Close::default())]);
        assert_eq!(Told::read(last.as_bytes()).unwrap().end.as_deref(), Some(""));
    }

    #[test]
    fn requests_have_their_number_and_their_session() {
        let mut answers = Answers::new();
        let open = Open { to: Some("cc.test".to_owned()), ..Open::default() };
        let check = |unit: &[u8], sid: Option<&str>, expected: &str| {
            let request = String::from_utf8(Answers::request(unit, 7, sid)).unwrap();
            assert_eq!(request.replace('"', "'"), expected);
        };
        check(
            &answers.write(&Frame::Open(open.clone())),
            None,
            "<body rid='7' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' \
             to='cc.test' xml:lang='en' wait='60' hold='1' ver='1.6' xmpp:version='1.0'/>",
        );
        answers.restart();
        check(
            &answers.write(&Frame::Open(open)),
            Some("s1"),
            "<body rid='7' sid='s1' xmlns='http://jabber.org/protocol/httpbind' \
             xmlns:xmpp='urn:xmpp:xbosh' to='cc.test' xml:lang='en' xmpp:restart='true'/>",
        );
        let presence = Element::new(ns::CLIENT, "presence");
        check(
            &answers.write_element(&presence),
            Some("s1"),
            "<body rid='7' sid='s1' xmlns='http://jabber.org/protocol/httpbind'>\
             <presence xmlns='jabber:client'/></body>",
        );
        let end = "<body rid='7' sid='s1' xmlns='http://jabber.org/protocol/httpbind'/>";
        check(b"", Some("s1"), end);
    }

    #[test]
    fn what_is_no_wrapper_is_refused() {
        for text in ["<html/>", "hello", "<body/>", "<body xmlns='urn:x'>"] {
            assert_eq!(Told::read(text.as_bytes()), None, "{text}");
            let mut input = text.as_bytes();
            assert!(Answers::new().read(&mut input, 4096).is_err(), "{text}");
        }
    }
}
