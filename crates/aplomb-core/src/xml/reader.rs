//! Reads one element from text, within the caps.

use rxml::{Parse, RawEvent, RawParser, WithOptions};

use super::{Attribute, Element, Namespace, Node};
use crate::limits::{
    STANZA_BYTES_MAX, XML_ATTRIBUTES_MAX, XML_DEPTH_MAX, XML_NAMESPACE_BYTES_MAX, XML_PART_BYTES,
    XML_TOKEN_BYTES_MAX,
};
use crate::ns;

/// Why a text is not the XML that XMPP allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// A DTD, a processing instruction, a comment or an undefined entity (RFC 6120 §11.1).
    #[error("no {0} may stand here")]
    Restricted(&'static str),
    /// Another encoding than UTF-8, declared or real (RFC 6120 §11.6).
    #[error("the XML must be written in UTF-8")]
    NotUtf8,
    /// Not well-formed, or not well-formed as to namespaces (RFC 6120 §11.3).
    #[error("not well-formed XML: {0}")]
    NotWellFormed(String),
    /// Deeper, wider or longer than [`crate::limits`] allows.
    #[error("the XML has more {0} than is allowed")]
    TooMuch(&'static str),
}

/// Whether an XML declaration may stand before the element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prologue {
    /// A WebSocket message must start with `<` of its element (RFC 7395 §3.3.3).
    Forbidden,
    /// An HTTP body may start with `<?xml version="1.0"?>`, and with white space.
    Allowed,
}

/// Reads `text`, which must hold exactly one element and nothing after it.
///
/// The caller bounds the length of `text`; depth, parts and tokens are bounded here.
///
/// - Errors: see [`XmlError`].
/// - Source: RFC 6120 §11, RFC 7395 §3.3.3.
pub fn read_element(text: &str, prologue: Prologue) -> Result<Element, XmlError> {
    read_element_in(text, prologue, "")
}

/// Reads `text` like [`read_element`], where names without a prefix start out in `default_ns`.
///
/// - Errors: see [`XmlError`].
pub fn read_element_in(
    text: &str,
    prologue: Prologue,
    default_ns: &'static str,
) -> Result<Element, XmlError> {
    read_element_within(text, prologue, default_ns, STANZA_BYTES_MAX)
}

/// Reads `text` like [`read_element_in`], with as many parts as fit a text of `bytes_max` bytes.
///
/// - Errors: see [`XmlError`].
pub fn read_element_within(
    text: &str,
    prologue: Prologue,
    default_ns: &'static str,
    bytes_max: usize,
) -> Result<Element, XmlError> {
    refuse_forbidden_starts(text, prologue)?;
    let mut parser = parser();
    let mut bytes = match prologue {
        Prologue::Forbidden => text.as_bytes(),
        Prologue::Allowed => text.trim_start().as_bytes(),
    };
    let mut builder = Builder::new(default_ns);
    builder.bound_parts(bytes_max);
    loop {
        match parser.parse(&mut bytes, true) {
            Ok(Some(event)) => builder.take(event)?,
            Ok(None) => break,
            Err(error) => return Err(explain(error)),
        }
    }
    builder.root.ok_or_else(|| XmlError::NotWellFormed("no element".to_owned()))
}

fn refuse_forbidden_starts(text: &str, prologue: Prologue) -> Result<(), XmlError> {
    if prologue == Prologue::Forbidden {
        if text.starts_with("<?") {
            return Err(XmlError::Restricted("XML declaration or processing instruction"));
        }
        if !text.starts_with('<') {
            return Err(XmlError::NotWellFormed("a message must start with '<'".to_owned()));
        }
    }
    Ok(())
}

/// A parser with our bound on names and values.
pub(super) fn parser() -> RawParser {
    RawParser::with_options(rxml::Options {
        max_token_length: XML_TOKEN_BYTES_MAX,
        ..rxml::Options::default()
    })
}

pub(super) fn explain(error: rxml::error::EndOrError) -> XmlError {
    use rxml::Error;
    use rxml::error::EndOrError;
    match error {
        EndOrError::NeedMoreData => XmlError::NotWellFormed("it ends too early".to_owned()),
        EndOrError::Error(Error::RestrictedXml(what)) if what.contains("long") => {
            XmlError::TooMuch("bytes in one name or value")
        }
        EndOrError::Error(Error::RestrictedXml(what)) if what.contains("utf-8") => {
            XmlError::NotUtf8
        }
        EndOrError::Error(Error::InvalidUtf8Byte(_)) => XmlError::NotUtf8,
        EndOrError::Error(Error::RestrictedXml(what)) => XmlError::Restricted(what),
        // `<!` that begins neither a comment nor CDATA.
        EndOrError::Error(Error::InvalidSyntax(what)) if what.contains("cdata or comment") => {
            XmlError::Restricted("DTD")
        }
        EndOrError::Error(Error::UndeclaredEntity) => XmlError::Restricted("undefined entity"),
        EndOrError::Error(error) => XmlError::NotWellFormed(error.to_string()),
    }
}

/// The elements that are open, and the namespaces in scope.
pub(super) struct Builder {
    pub(super) open: Vec<OpenElement>,
    head: Option<Head>,
    bindings: Vec<Binding>,
    /// Elements, attributes and pieces of text that came so far, and that may come.
    parts: usize,
    parts_max: usize,
    pub(super) root: Option<Element>,
}

pub(super) struct OpenElement {
    pub(super) element: Element,
    bindings_before: usize,
}

/// An element's start tag while its attributes arrive.
struct Head {
    prefix: Option<String>,
    name: String,
    attributes: Vec<(Option<String>, String, String)>,
}

struct Binding {
    prefix: Option<String>,
    ns: Namespace,
}

impl Builder {
    /// Nothing yet; names without a prefix start out in `default_ns`.
    pub(super) fn new(default_ns: &'static str) -> Self {
        let bindings = vec![Binding { prefix: None, ns: default_ns.into() }];
        Self { open: Vec::new(), head: None, bindings, parts: 0, parts_max: 0, root: None }
    }

    /// Lets as many parts come as a text of `bytes_max` bytes may have.
    pub(super) const fn bound_parts(&mut self, bytes_max: usize) {
        self.parts_max = bytes_max / XML_PART_BYTES;
    }

    /// Begins to count anew, for another text.
    pub(super) const fn forget_parts(&mut self) {
        self.parts = 0;
    }

    const fn count_part(&mut self) -> Result<(), XmlError> {
        self.parts += 1;
        if self.parts > self.parts_max {
            return Err(XmlError::TooMuch("elements, attributes and texts"));
        }
        Ok(())
    }

    pub(super) fn take(&mut self, event: RawEvent) -> Result<(), XmlError> {
        match event {
            RawEvent::XmlDeclaration(..) => {}
            RawEvent::ElementHeadOpen(_, (prefix, name)) => {
                if self.open.len() >= XML_DEPTH_MAX {
                    return Err(XmlError::TooMuch("levels"));
                }
                self.count_part()?;
                let prefix = prefix.map(|p| p.to_string());
                self.head = Some(Head { prefix, name: name.to_string(), attributes: Vec::new() });
            }
            RawEvent::Attribute(_, (prefix, name), value) => {
                self.count_part()?;
                let head = self.head.as_mut().expect("an attribute follows a head");
                if head.attributes.len() >= XML_ATTRIBUTES_MAX {
                    return Err(XmlError::TooMuch("attributes"));
                }
                let prefix = prefix.map(|p| p.to_string());
                head.attributes.push((prefix, name.to_string(), value.to_string()));
            }
            RawEvent::ElementHeadClose(_) => self.open_element()?,
            RawEvent::ElementFoot(_) => self.close_element(),
            RawEvent::Text(_, text) => self.add_text(&text)?,
        }
        Ok(())
    }

    fn open_element(&mut self) -> Result<(), XmlError> {
        let head = self.head.take().expect("a head closes after it opened");
        let bindings_before = self.bindings.len();
        let (declarations, plain): (Vec<_>, Vec<_>) =
            head.attributes.into_iter().partition(|(prefix, name, _)| declares(prefix, name));
        for (prefix, name, value) in declarations {
            self.declare(prefix.is_some().then_some(name), value, bindings_before)?;
        }
        let ns = self.resolve(head.prefix.as_deref())?;
        let mut attributes: Vec<Attribute> = Vec::with_capacity(plain.len());
        for (prefix, name, value) in plain {
            let ns = if prefix.is_none() { "".into() } else { self.resolve(prefix.as_deref())? };
            if attributes.iter().any(|a| a.name == name && a.ns == ns) {
                return Err(XmlError::NotWellFormed(format!("two attributes {name}")));
            }
            attributes.push(Attribute { ns, name: name.into(), value });
        }
        let element = Element { ns, name: head.name.into(), attributes, nodes: Vec::new() };
        self.open.push(OpenElement { element, bindings_before });
        Ok(())
    }

    /// Binds a prefix for one element, whose other bindings start at `bindings_before`.
    fn declare(
        &mut self,
        prefix: Option<String>,
        ns: String,
        bindings_before: usize,
    ) -> Result<(), XmlError> {
        let is_twice = self.bindings[bindings_before..].iter().any(|b| b.prefix == prefix);
        // Neither reserved prefix can be anything else, and no prefix can be taken away
        // (Namespaces in XML 1.0 §3).
        let is_reserved = matches!(prefix.as_deref(), Some("xml" | "xmlns"))
            || ns == ns::XML
            || ns == "http://www.w3.org/2000/xmlns/";
        let is_xml_itself = prefix.as_deref() == Some("xml") && ns == ns::XML;
        let is_taken_away = prefix.is_some() && ns.is_empty();
        if is_twice || (is_reserved && !is_xml_itself) || is_taken_away {
            let name = prefix.as_deref().unwrap_or("xmlns");
            return Err(XmlError::NotWellFormed(format!("a bad declaration of {name}")));
        }
        if ns.len() > XML_NAMESPACE_BYTES_MAX {
            return Err(XmlError::TooMuch("bytes in the name of a namespace"));
        }
        self.bindings.push(Binding { prefix, ns: Namespace::read(&ns) });
        Ok(())
    }

    fn close_element(&mut self) {
        let mut closed = self.open.pop().expect("a foot closes an open element");
        // Room for four children, for each of thousands that have one, would be most of it all.
        closed.element.nodes.shrink_to_fit();
        self.bindings.truncate(closed.bindings_before);
        match self.open.last_mut() {
            Some(parent) => parent.element.nodes.push(Node::Element(closed.element)),
            None => self.root = Some(closed.element),
        }
    }

    /// Joins pieces of text, which the parser cuts at entities.
    fn add_text(&mut self, text: &str) -> Result<(), XmlError> {
        let Some(parent) = self.open.last_mut() else { return Ok(()) };
        if let Some(Node::Text(before)) = parent.element.nodes.last_mut() {
            before.push_str(text);
            return Ok(());
        }
        parent.element.nodes.push(Node::Text(text.to_owned()));
        self.count_part()
    }

    fn resolve(&self, prefix: Option<&str>) -> Result<Namespace, XmlError> {
        if prefix == Some("xml") {
            return Ok(ns::XML.into());
        }
        let bound = self.bindings.iter().rev().find(|b| b.prefix.as_deref() == prefix);
        match (bound, prefix) {
            (Some(binding), _) => Ok(binding.ns.clone()),
            (None, None) => Ok("".into()),
            (None, Some(prefix)) => {
                Err(XmlError::NotWellFormed(format!("the prefix {prefix} is not declared")))
            }
        }
    }
}

fn declares(prefix: &Option<String>, name: &str) -> bool {
    prefix.as_deref() == Some("xmlns") || (prefix.is_none() && name == "xmlns")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::STANZA_BYTES_BEFORE_LOGIN_MAX;

    fn read(text: &str) -> Result<Element, XmlError> {
        read_element(text, Prologue::Forbidden)
    }

    fn check(text: &str, is_expected: fn(&XmlError) -> bool) {
        let start: String = text.chars().take(80).collect();
        match read(text) {
            Err(error) => assert!(is_expected(&error), "{start}: {error:?}"),
            Ok(element) => panic!("{start} was read as {element:?}"),
        }
    }

    const RESTRICTED: fn(&XmlError) -> bool = |e| matches!(e, XmlError::Restricted(_));
    const MALFORMED: fn(&XmlError) -> bool = |e| matches!(e, XmlError::NotWellFormed(_));
    const TOO_MUCH: fn(&XmlError) -> bool = |e| matches!(e, XmlError::TooMuch(_));

    #[test]
    fn an_element_is_read_with_its_namespaces_attributes_and_text() {
        let text = "<a xmlns='urn:a' xmlns:p='urn:p' x='1 &lt; 2' p:x='&#x41;' xml:lang='en'>\
                    one<p:b/>&amp;<![CDATA[<two>]]><c xmlns=''/></a>";
        let element = read(text).unwrap();
        assert!(element.is("urn:a", "a"));
        assert_eq!(element.attr("x"), Some("1 < 2"));
        assert_eq!(element.attr_in("urn:p", "x"), Some("A"));
        assert_eq!(element.attr_in(ns::XML, "lang"), Some("en"));
        assert_eq!(element.text(), "one&<two>");
        let names: Vec<_> = element.children().map(|c| (c.ns(), c.name())).collect();
        assert_eq!(names, [("urn:p", "b"), ("", "c")]);
    }

    #[test]
    fn a_declaration_counts_inside_its_element_only() {
        let element = read("<a xmlns:p='urn:1'><b xmlns:p='urn:2'><p:c/></b><p:d/></a>").unwrap();
        let b = element.children().next().unwrap();
        assert!(b.child("urn:2", "c").is_some() && element.child("urn:1", "d").is_some());
        check("<a><b xmlns:p='urn:p'/><p:c/></a>", MALFORMED);
    }

    #[test]
    fn what_xmpp_forbids_is_restricted() {
        for text in [
            "<?xml version='1.0'?><a/>",
            "<?php x?><a/>",
            "<a><!DOCTYPE a></a>",
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<!-- c --><a/>",
            "<a><!-- c --></a>",
            "<a><?php x?></a>",
            "<a>&b;</a>",
            "<a x='&b;'/>",
            "<a>&nbsp;</a>",
        ] {
            check(text, RESTRICTED);
        }
        // Where it is out of place it is not even XML.
        check("<a/><!-- c -->", MALFORMED);
    }

    #[test]
    fn what_is_no_xml_is_malformed() {
        for text in [
            "",
            " <a/>",
            "a",
            "<",
            "<a",
            "<a>",
            "<a></b>",
            "<a><b></a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>b",
            "<a/>&#65;",
            "<a x='1' x='2'/>",
            "<a xmlns='urn:a' xmlns='urn:b'/>",
            "<a xmlns='urn:a' xmlns='urn:a'/>",
            "<a xmlns:p='urn:a' xmlns:p='urn:b'/>",
            "<a xmlns:p='urn:p' xmlns:q='urn:p' p:x='1' q:x='2'/>",
            "<p:a/>",
            "<a p:x='1'/>",
            "<a xmlns:p=''/>",
            "<a xmlns:xml='urn:p'/>",
            "<a xmlns:xmlns='urn:p'/>",
            "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
            "<a x=1/>",
            "<a x/>",
            "<a x='<'/>",
            "<a>]]></a>",
            "<a>&</a>",
            "<a>&#0;</a>",
            "<a>&#x7;</a>",
            "<a>&#xD800;</a>",
            "<a>\u{1}</a>",
            "<a>\u{ffff}</a>",
            "<a x='\u{1f}'/>",
            "<1/>",
            "<a:b:c/>",
        ] {
            check(text, MALFORMED);
        }
    }

    #[test]
    fn an_http_body_may_have_a_prologue_and_still_no_dtd() {
        let read = |text| read_element(text, Prologue::Allowed);
        assert!(read("\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<User/>\n").is_ok());
        assert!(read("<User/>").is_ok());
        for text in ["<?xml version='1.0'?><!DOCTYPE a><a/>", "<!DOCTYPE a><a/>", "x<a/>", ""] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn too_much_of_anything_is_refused_before_the_rest_is_looked_at() {
        let many = |text: fn(usize) -> String| (0..100_000).map(text).collect::<String>();
        for excess in [
            "<a>".repeat(100_000),
            format!("<a{}", many(|n| format!(" a{n}='1'"))),
            format!("<a{}", many(|n| format!(" xmlns:a{n}='urn:{n}'"))),
            format!("<{}", "a".repeat(1_000_000)),
            format!("<a x='{}", "a".repeat(1_000_000)),
        ] {
            // What is malformed at the end is not reached.
            check(&format!("{excess}<<<"), TOO_MUCH);
        }
    }

    /// What is read takes at most so many times the bytes that a text may have.
    const MEMORY_FACTOR_MAX: usize = 6;

    /// As many of `piece`, of so many parts each, as fit between `start` and `end`, and one more.
    fn check_full((start, start_parts): (&str, usize), (piece, parts): (&str, usize), end: &str) {
        for bytes_max in [STANZA_BYTES_MAX, STANZA_BYTES_BEFORE_LOGIN_MAX] {
            let read = |pieces| {
                let text = [start, &piece.repeat(pieces), end].concat();
                assert!(text.len() <= bytes_max, "{piece}: {}", text.len());
                read_element_within(&text, Prologue::Forbidden, ns::CLIENT, bytes_max)
            };
            let pieces = (bytes_max / XML_PART_BYTES - start_parts) / parts;
            let weight = read(pieces).unwrap().weight();
            assert!(weight <= MEMORY_FACTOR_MAX * bytes_max, "{piece}: {weight}");
            let refused = read(pieces + 1).unwrap_err();
            assert_eq!(refused, XmlError::TooMuch("elements, attributes and texts"), "{piece}");
        }
    }

    #[test]
    fn what_is_read_takes_little_more_memory_than_the_longest_text() {
        let long = format!("<a xmlns='{0}1' xmlns:p='{0}2'>", "n".repeat(255));
        for piece in [
            ("<b/>", 1),
            ("<b>x</b>", 2),
            ("<b/>x", 2),
            ("<b><c/></b>", 2),
            ("<b><c/><d/></b>", 3),
            ("<p:b/>", 1),
            ("<b p:x='1'/>", 2),
            ("<b x='1' y='2' p:x='3'/>", 4),
        ] {
            check_full((&long, 3), piece, "</a>");
        }
        let text = format!("<a>{}</a>", "&lt;".repeat(STANZA_BYTES_MAX / 4 - 2));
        assert!(read(&text).unwrap().weight() <= MEMORY_FACTOR_MAX * STANZA_BYTES_MAX);
    }

    #[test]
    fn a_namespace_is_held_once_and_its_name_is_not_long() {
        let named = |bytes| {
            let many = "<p:b p:c='1'/>".repeat(1_000);
            format!("<a xmlns:p='{}'>{many}</a>", "n".repeat(bytes))
        };
        let element = read(&named(XML_NAMESPACE_BYTES_MAX)).unwrap();
        let of_elements = element.children().map(|child| &child.ns);
        let of_attributes = element.children().map(|child| &child.attributes[0].ns);
        let places = of_elements.chain(of_attributes).map(|ns| ns.as_ptr());
        assert_eq!(places.collect::<std::collections::HashSet<_>>().len(), 1);
        check(&named(XML_NAMESPACE_BYTES_MAX + 1), TOO_MUCH);
        check(&named(3_000), TOO_MUCH);
    }

    #[test]
    fn what_is_within_the_caps_is_read() {
        let deep = "<a>".repeat(XML_DEPTH_MAX) + &"</a>".repeat(XML_DEPTH_MAX);
        assert!(read(&deep).is_ok());
        let attributes = |count| (0..count).map(|n| format!(" a{n}='1'")).collect::<String>();
        assert!(read(&format!("<a{}/>", attributes(XML_ATTRIBUTES_MAX))).is_ok());
        check(&format!("<a{}/>", attributes(XML_ATTRIBUTES_MAX + 1)), TOO_MUCH);
        let text = "x".repeat(500_000);
        assert_eq!(read(&format!("<a>{text}</a>")).unwrap().text(), text);
    }
}
