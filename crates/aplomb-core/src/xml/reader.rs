//! Reads one element from text, within the caps.

use std::borrow::Cow;

use rxml::{Parse, RawEvent, RawParser, WithOptions};

use super::{Attribute, Element, Node};
use crate::limits::{XML_ATTRIBUTES_MAX, XML_DEPTH_MAX, XML_TOKEN_BYTES_MAX};
use crate::ns;

/// Why a text is not the XML that XMPP allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// A DTD, a processing instruction, a comment or an undefined entity (RFC 6120 §11.1).
    #[error("XMPP allows no {0}")]
    Restricted(&'static str),
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
/// The caller bounds the length of `text`; depth, attributes and tokens are bounded here.
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
    refuse_forbidden_starts(text, prologue)?;
    let mut parser = RawParser::with_options(rxml::Options {
        max_token_length: XML_TOKEN_BYTES_MAX,
        ..rxml::Options::default()
    });
    let mut bytes = text.as_bytes();
    let mut builder = Builder::default();
    builder.bindings.push(Binding { prefix: None, ns: default_ns.into() });
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
    let head = text.trim_start();
    if head.starts_with("<!--") {
        return Err(XmlError::Restricted("comment"));
    }
    if head.starts_with("<!") {
        return Err(XmlError::Restricted("DTD"));
    }
    Ok(())
}

fn explain(error: rxml::error::EndOrError) -> XmlError {
    use rxml::Error;
    use rxml::error::EndOrError;
    match error {
        EndOrError::NeedMoreData => XmlError::NotWellFormed("it ends too early".to_owned()),
        EndOrError::Error(Error::RestrictedXml(what)) if what.contains("long") => {
            XmlError::TooMuch("bytes in one name or value")
        }
        EndOrError::Error(Error::RestrictedXml(what)) => XmlError::Restricted(what),
        EndOrError::Error(Error::UndeclaredEntity) => XmlError::Restricted("undefined entity"),
        EndOrError::Error(error) => XmlError::NotWellFormed(error.to_string()),
    }
}

/// The elements that are open, and the namespaces in scope.
#[derive(Default)]
struct Builder {
    open: Vec<OpenElement>,
    head: Option<Head>,
    bindings: Vec<Binding>,
    root: Option<Element>,
}

struct OpenElement {
    element: Element,
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
    ns: Cow<'static, str>,
}

impl Builder {
    fn take(&mut self, event: RawEvent) -> Result<(), XmlError> {
        match event {
            RawEvent::XmlDeclaration(..) => {}
            RawEvent::ElementHeadOpen(_, (prefix, name)) => {
                if self.open.len() >= XML_DEPTH_MAX {
                    return Err(XmlError::TooMuch("levels"));
                }
                let prefix = prefix.map(|p| p.to_string());
                self.head = Some(Head { prefix, name: name.to_string(), attributes: Vec::new() });
            }
            RawEvent::Attribute(_, (prefix, name), value) => {
                let head = self.head.as_mut().expect("an attribute follows a head");
                if head.attributes.len() >= XML_ATTRIBUTES_MAX {
                    return Err(XmlError::TooMuch("attributes"));
                }
                let prefix = prefix.map(|p| p.to_string());
                head.attributes.push((prefix, name.to_string(), value.to_string()));
            }
            RawEvent::ElementHeadClose(_) => self.open_element()?,
            RawEvent::ElementFoot(_) => self.close_element(),
            RawEvent::Text(_, text) => self.add_text(&text),
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
        self.bindings.push(Binding { prefix, ns: known(ns) });
        Ok(())
    }

    fn close_element(&mut self) {
        let closed = self.open.pop().expect("a foot closes an open element");
        self.bindings.truncate(closed.bindings_before);
        match self.open.last_mut() {
            Some(parent) => parent.element.nodes.push(Node::Element(closed.element)),
            None => self.root = Some(closed.element),
        }
    }

    /// Joins pieces of text, which the parser cuts at entities.
    fn add_text(&mut self, text: &str) {
        let Some(parent) = self.open.last_mut() else { return };
        match parent.element.nodes.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            Some(Node::Element(_)) | None => {
                parent.element.nodes.push(Node::Text(text.to_owned()));
            }
        }
    }

    fn resolve(&self, prefix: Option<&str>) -> Result<Cow<'static, str>, XmlError> {
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

fn known(ns: String) -> Cow<'static, str> {
    match crate::ns::KNOWN.iter().find(|known| **known == ns) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(ns),
    }
}
