//! Writes elements. A namespace is declared where it changes; stream elements keep their prefix.

use std::borrow::Cow;

use super::{Attribute, Element, Node};
use crate::ns;

impl Element {
    /// Writes the element as text, for a place where no namespace is declared yet.
    ///
    /// COMPAT: Strophe and others look for the literal prefix, so elements of
    /// `http://etherx.jabber.org/streams` are written as `<stream:features …>`, as Openfire does.
    pub fn to_xml(&self) -> String {
        let mut out = String::with_capacity(256);
        self.write(&mut out, "");
        out
    }

    /// Writes the element to the end of `out`, where `inherited` is the default namespace.
    pub fn write(&self, out: &mut String, inherited: &str) {
        let prefixed = self.ns == ns::STREAMS;
        let prefix = if prefixed { "stream:" } else { "" };
        out.push('<');
        out.push_str(prefix);
        out.push_str(&self.name);
        if prefixed {
            push_attribute(out, "xmlns:stream", &self.ns);
        } else if self.ns != inherited {
            push_attribute(out, "xmlns", &self.ns);
        }
        for (at, attribute) in self.attributes.iter().enumerate() {
            write_attribute(out, attribute, at);
        }
        if self.nodes.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        let inside = if prefixed { inherited } else { self.ns.as_ref() };
        for node in &self.nodes {
            match node {
                Node::Element(child) => child.write(out, inside),
                Node::Text(text) => out.push_str(&escape_text(text)),
            }
        }
        out.push_str("</");
        out.push_str(prefix);
        out.push_str(&self.name);
        out.push('>');
    }
}

fn write_attribute(out: &mut String, attribute: &Attribute, at: usize) {
    match attribute.ns.as_ref() {
        "" => push_attribute(out, &attribute.name, &attribute.value),
        ns::XML => push_attribute(out, &format!("xml:{}", attribute.name), &attribute.value),
        other => {
            push_attribute(out, &format!("xmlns:a{at}"), other);
            push_attribute(out, &format!("a{at}:{}", attribute.name), &attribute.value);
        }
    }
}

fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    out.push_str(&escape_attribute(value));
    out.push('"');
}

/// Escapes character data: `<`, `>`, `&`.
pub fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    })
}

/// Escapes an attribute value, for either kind of quote.
pub fn escape_attribute(value: &str) -> Cow<'_, str> {
    escape(value, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&apos;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        b'\t' => Some("&#x9;"),
        _ => None,
    })
}

fn escape(text: &str, code_of: impl Fn(u8) -> Option<&'static str>) -> Cow<'_, str> {
    let Some(first) = text.bytes().position(|byte| code_of(byte).is_some()) else {
        return Cow::Borrowed(text);
    };
    let mut escaped = String::with_capacity(text.len() + 16);
    escaped.push_str(&text[..first]);
    let mut plain_from = first;
    for (at, byte) in text.bytes().enumerate().skip(first) {
        if let Some(code) = code_of(byte) {
            escaped.push_str(&text[plain_from..at]);
            escaped.push_str(code);
            plain_from = at + 1;
        }
    }
    escaped.push_str(&text[plain_from..]);
    Cow::Owned(escaped)
}
