//! Reads a document that arrives in pieces and does not end: a start tag, elements, an end tag.
//!
//! Source: RFC 6120 §4.2 and §11.

use rxml::error::EndOrError;
use rxml::{Parse, RawEvent, RawParser};

use super::reader::{Builder, explain, parser};
use super::{Element, Node, XmlError};

/// A push reader: bytes in, items out. It holds nothing of an item that it has given away.
pub struct Reader {
    parser: RawParser,
    builder: Builder,
    /// Bytes of the item that is not complete yet.
    begun_bytes: usize,
    /// Whether the document ended, well or not: whatever follows is passed over.
    is_over: bool,
}

/// A part of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The start tag of the root, without content.
    Start(Element),
    /// A child of the root, whole.
    Element(Element),
    /// The end tag of the root.
    End,
}

impl Reader {
    /// A reader at the start of a document, where names without a prefix are in `default_ns`.
    pub fn new(default_ns: &'static str) -> Self {
        let builder = Builder::new(default_ns);
        Self { parser: parser(), builder, begun_bytes: 0, is_over: false }
    }

    /// Takes bytes from the front of `input`, up to the end of an item; none if more must come.
    ///
    /// An item has at most `bytes_max` bytes; what is longer is refused before it is complete.
    /// White space around items is passed over. After an error nothing comes any more.
    ///
    /// - Errors: see [`XmlError`].
    pub fn read(&mut self, input: &mut &[u8], bytes_max: usize) -> Result<Option<Item>, XmlError> {
        if self.is_over {
            *input = &[];
            return Ok(None);
        }
        self.builder.bound_parts(bytes_max);
        let read = self.next(input, bytes_max);
        if self.begun_bytes == 0 && input.is_empty() {
            // Buffers of 6 KiB, of which an idle stream has no use.
            self.parser.release_temporaries();
        }
        self.is_over = matches!(read, Err(_) | Ok(Some(Item::End)));
        read
    }

    /// Whether an item has begun and not ended.
    pub const fn is_within(&self) -> bool {
        self.begun_bytes > 0 && !self.is_over
    }

    fn next(&mut self, input: &mut &[u8], bytes_max: usize) -> Result<Option<Item>, XmlError> {
        loop {
            if self.begun_bytes == 0 {
                *input = input.trim_ascii_start();
                if input.is_empty() {
                    return Ok(None);
                }
                // The parser keeps text until it ends; here it need not begin.
                if input[0] != b'<' {
                    return Err(XmlError::NotWellFormed("text between elements".to_owned()));
                }
            }
            let left = input.len();
            let parsed = self.parser.parse(input, false);
            self.begun_bytes += left - input.len();
            if self.begun_bytes > bytes_max {
                return Err(XmlError::TooMuch("bytes"));
            }
            match parsed {
                Ok(Some(event)) => {
                    if let Some(item) = self.take(event)? {
                        self.begun_bytes = 0;
                        self.builder.forget_parts();
                        return Ok(Some(item));
                    }
                }
                Err(EndOrError::NeedMoreData) => return Ok(None),
                Ok(None) => unreachable!("the parser is never told of an end"),
                Err(error) => return Err(explain(error)),
            }
        }
    }

    fn take(&mut self, event: RawEvent) -> Result<Option<Item>, XmlError> {
        let is_start_tag = matches!(event, RawEvent::ElementHeadClose(_));
        let is_end_tag = matches!(event, RawEvent::ElementFoot(_));
        if let RawEvent::Text(_, text) = &event
            && self.builder.open.len() == 1
            && !text.trim_ascii().is_empty()
        {
            return Err(XmlError::NotWellFormed("text between elements".to_owned()));
        }
        self.builder.take(event)?;
        Ok(match self.builder.open.as_mut_slice() {
            [] => is_end_tag.then_some(Item::End),
            [root] if is_start_tag => {
                // The names stay with the parser, to be held against the end tag.
                let empty = Element::new("", "");
                Some(Item::Start(std::mem::replace(&mut root.element, empty)))
            }
            [root] if is_end_tag => {
                let last = std::mem::take(&mut root.element.nodes).pop();
                let Some(Node::Element(child)) = last else { unreachable!("one just ended") };
                Some(Item::Element(child))
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::{
        STANZA_BYTES_BEFORE_LOGIN_MAX, XML_ATTRIBUTES_MAX, XML_DEPTH_MAX, XML_PART_BYTES,
    };
    use crate::ns;

    /// What comes of a text that arrives in pieces of these lengths, over and over.
    fn read(text: &[u8], pieces: &[usize]) -> Result<Vec<Item>, XmlError> {
        let mut reader = Reader::new(ns::CLIENT);
        let (mut items, mut rest, mut lengths) = (Vec::new(), text, pieces.iter().cycle());
        while !rest.is_empty() {
            let length = lengths.next().map_or(rest.len(), |length| rest.len().min(*length));
            let (mut piece, after) = rest.split_at(length);
            while let Some(item) = reader.read(&mut piece, MAX)? {
                items.push(item);
            }
            assert!(piece.is_empty(), "what is not taken would be lost");
            rest = after;
        }
        Ok(items)
    }

    const MAX: usize = 10_000;

    const HEADER: &str = "<?xml version='1.0'?>\n<stream:stream xmlns='jabber:client' \
        xmlns:stream='http://etherx.jabber.org/streams' to='cc.test' version='1.0'>";

    fn after_header(text: &str) -> Result<Vec<Item>, XmlError> {
        let whole = [HEADER, text].concat();
        let read_whole = read(whole.as_bytes(), &[]);
        assert_eq!(read(whole.as_bytes(), &[1]), read_whole, "{text}");
        read_whole.map(|items| items[1..].to_vec())
    }

    #[test]
    fn a_header_elements_and_an_end_are_read_in_any_pieces() {
        let text = format!(
            "{HEADER} <presence/>\n\n<message><body>a &amp; b \u{e4}\u{1f980}</body></message> \
             <stream:error><a xmlns='urn:a'/></stream:error> \t</stream:stream>"
        );
        let items = read(text.as_bytes(), &[]).unwrap();
        let [Item::Start(header), Item::Element(presence), Item::Element(message), error, end] =
            &items[..]
        else {
            panic!("{items:?}")
        };
        assert!(header.is(ns::STREAMS, "stream") && header.attr("to") == Some("cc.test"));
        assert!(presence.is(ns::CLIENT, "presence"));
        let body = message.child(ns::CLIENT, "body").unwrap();
        assert_eq!(body.text(), "a & b \u{e4}\u{1f980}");
        assert!(matches!(error, Item::Element(error) if error.is(ns::STREAMS, "error")));
        assert_eq!(end, &Item::End);
        for pieces in [&[1][..], &[2], &[3, 1], &[7, 64], &[100]] {
            assert_eq!(read(text.as_bytes(), pieces).as_ref(), Ok(&items), "{pieces:?}");
        }
    }

    #[test]
    fn white_space_alone_costs_nothing() {
        let mut reader = Reader::new(ns::CLIENT);
        for _ in 0..100_000 {
            assert_eq!(reader.read(&mut &b" \n"[..], 10), Ok(None));
        }
        assert_eq!(reader.begun_bytes, 0);
    }

    #[test]
    fn nothing_is_read_after_the_end_or_an_error() {
        assert_eq!(after_header("</stream:stream><presence/>"), Ok(vec![Item::End]));
        let mut reader = Reader::new(ns::CLIENT);
        assert!(reader.read(&mut &b"<a></b>"[..], MAX).is_ok_and(|item| item.is_some()));
        let mut rest = &b"</b><c/>"[..];
        assert!(reader.read(&mut rest, MAX).is_err());
        let mut rest = &b"</a>"[..];
        assert_eq!((reader.read(&mut rest, MAX), rest.len()), (Ok(None), 0));
    }

    #[test]
    fn what_xmpp_forbids_is_refused_as_soon_as_it_is_seen() {
        let restricted =
            ["<!DOCTYPE", "<!ENTITY", "<!-- c -->", "<?php", "<a>&lol;", "<a x='&lol;", "<a><!D"];
        for text in restricted {
            assert!(matches!(after_header(text), Err(XmlError::Restricted(_))), "{text}");
        }
        for text in ["<?xml version='1.0'?><?xml version='1.0'?><a>", "<!DOCTYPE a><a>"] {
            for pieces in [&[][..], &[1]] {
                let end = read(text.as_bytes(), pieces);
                assert!(matches!(end, Err(XmlError::Restricted(_))), "{text}: {end:?}");
            }
        }
        // A second declaration is a processing instruction.
        assert!(matches!(after_header("<?xml version='1.0'?>"), Err(XmlError::Restricted(_))));
        let malformed = [
            "text",
            "\u{0}",
            "]]>",
            "&amp;",
            "<![CDATA[text]]>",
            "</a>",
            "<a></b>",
            "<p:a>",
            "<a b='1' b='2'>",
            "<a>\u{1}",
            "<<",
        ];
        for text in malformed {
            // Some are only seen to be wrong at the next tag.
            let text = format!("{text}<a/>");
            assert!(matches!(after_header(&text), Err(XmlError::NotWellFormed(_))), "{text}");
        }
        for bytes in [&b"<a><b>\xff</b>"[..], b"<?xml version='1.0' encoding='utf-16'?>", b"<\xc3 "]
        {
            let end = read(bytes, &[]);
            assert!(matches!(end, Err(XmlError::NotUtf8)), "{bytes:?}: {end:?}");
        }
    }

    #[test]
    fn an_item_is_bounded_before_it_is_complete() {
        let open = "<message><body>";
        let long = format!("<a>{}</a>", "x".repeat(100));
        for filler in ["x", " ", &long, "&amp;", "<![CDATA[x]]>"] {
            let text = format!("{open}{}", filler.repeat(2 * MAX / filler.len()));
            assert_eq!(after_header(&text), Err(XmlError::TooMuch("bytes")), "{filler}");
        }
        for filler in [" ", "\n"] {
            let text = format!("<message{}", filler.repeat(2 * MAX));
            assert_eq!(after_header(&text), Err(XmlError::TooMuch("bytes")), "in a tag");
        }
        // What is complete no longer counts.
        let many = "<presence/>".repeat(MAX);
        assert_eq!(after_header(&many).map(|items| items.len()), Ok(MAX));
    }

    #[test]
    fn depth_attributes_and_tokens_are_bounded_as_in_one_element() {
        let deep = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
        assert_eq!(after_header(&deep(XML_DEPTH_MAX - 1)).map(|items| items.len()), Ok(1));
        assert_eq!(after_header(&deep(XML_DEPTH_MAX)), Err(XmlError::TooMuch("levels")));
        let wide = |count| {
            let attributes: String = (0..count).map(|n| format!(" a{n}='1'")).collect();
            format!("<a{attributes}/>")
        };
        assert!(after_header(&wide(XML_ATTRIBUTES_MAX)).is_ok());
        let end = after_header(&wide(XML_ATTRIBUTES_MAX + 1));
        assert_eq!(end, Err(XmlError::TooMuch("attributes")));
        let long = format!("<a x='{}'/>", "x".repeat(4_000));
        let end = after_header(&long);
        assert_eq!(end, Err(XmlError::TooMuch("bytes in one name or value")));
    }

    #[test]
    fn an_element_that_never_ends_has_only_so_many_parts_and_the_next_counts_anew() {
        let mut reader = Reader::new(ns::CLIENT);
        let mut read = |mut text: &[u8], bytes_max| {
            while reader.read(&mut text, bytes_max)?.is_some() {}
            Ok(())
        };
        assert_eq!(read(HEADER.as_bytes(), STANZA_BYTES_BEFORE_LOGIN_MAX), Ok(()));
        let parts_max = STANZA_BYTES_BEFORE_LOGIN_MAX / XML_PART_BYTES;
        for _ in 0..3 {
            let text = format!("<auth>{}</auth>", "<a/>".repeat(parts_max - 1));
            assert_eq!(read(text.as_bytes(), STANZA_BYTES_BEFORE_LOGIN_MAX), Ok(()));
        }
        let text = format!("<auth>{}", "<a/>".repeat(parts_max));
        let end = read(text.as_bytes(), STANZA_BYTES_BEFORE_LOGIN_MAX);
        assert_eq!(end, Err(XmlError::TooMuch("elements, attributes and texts")));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            parts in prop::collection::vec(prop::sample::select(vec![
                "<presence/>", " ", "<message>", "</message>", "<body x='1'>", "</body>", "t",
                "&lt;", "\u{e4}", "<![CDATA[<]]>", "</stream:stream>", "<", "\u{1f980}", "'",
            ]), 0..20),
            pieces in prop::collection::vec(1_usize..20, 1..8),
        ) {
            let text = [HEADER, &parts.concat()].concat();
            prop_assert_eq!(read(text.as_bytes(), &pieces), read(text.as_bytes(), &[]));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            pieces in prop::collection::vec(1_usize..20, 1..8),
        ) {
            let _ = read(&bytes, &pieces);
            let _ = read(&[HEADER.as_bytes(), &bytes].concat(), &pieces);
        }
    }
}
