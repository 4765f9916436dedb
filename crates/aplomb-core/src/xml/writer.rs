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
        self.write_head(out, inherited);
        if self.nodes.is_empty() {
            return out.push_str("/>");
        }
        out.push('>');
        for node in &self.nodes {
            match node {
                Node::Element(child) => child.write(out, self.inside(inherited)),
                Node::Text(text) => out.push_str(&escape_text(text)),
            }
        }
        self.write_foot(out);
    }

    /// Writes the element for people: a line for each child, two spaces deeper than its parent.
    ///
    /// White space around text is lost, so this is not for the wire.
    pub fn to_indented_xml(&self) -> String {
        let mut out = String::with_capacity(512);
        self.write_indented(&mut out, "", 0);
        out
    }

    fn write_indented(&self, out: &mut String, inherited: &str, level: usize) {
        if self.children().next().is_none() {
            return self.write(out, inherited);
        }
        self.write_head(out, inherited);
        out.push('>');
        for node in &self.nodes {
            match node {
                Node::Element(child) => {
                    push_line(out, level + 1);
                    child.write_indented(out, self.inside(inherited), level + 1);
                }
                Node::Text(text) if text.trim().is_empty() => {}
                Node::Text(text) => {
                    push_line(out, level + 1);
                    out.push_str(&escape_text(text.trim()));
                }
            }
        }
        push_line(out, level);
        self.write_foot(out);
    }

    fn write_head(&self, out: &mut String, inherited: &str) {
        out.push('<');
        out.push_str(self.prefix());
        out.push_str(&self.name);
        if self.ns == ns::STREAMS {
            push_attribute(out, "xmlns:stream", &self.ns);
        } else if self.ns != inherited {
            push_attribute(out, "xmlns", &self.ns);
        }
        for (at, attribute) in self.attributes.iter().enumerate() {
            write_attribute(out, attribute, at);
        }
    }

    fn write_foot(&self, out: &mut String) {
        for piece in ["</", self.prefix(), &self.name, ">"] {
            out.push_str(piece);
        }
    }

    fn prefix(&self) -> &'static str {
        if self.ns == ns::STREAMS { "stream:" } else { "" }
    }

    /// The default namespace inside the element, where it is `inherited` outside.
    fn inside<'a>(&'a self, inherited: &'a str) -> &'a str {
        if self.ns == ns::STREAMS { inherited } else { &self.ns }
    }
}

fn push_line(out: &mut String, level: usize) {
    out.push('\n');
    for _ in 0..level {
        out.push_str("  ");
    }
}

fn write_attribute(out: &mut String, attribute: &Attribute, at: usize) {
    match &*attribute.ns {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::xml::{Prologue, read_element};

    fn check(element: &Element, expected: &str) {
        assert_eq!(element.to_xml(), expected);
        assert_eq!(&read_element(expected, Prologue::Forbidden).unwrap(), element);
    }

    #[test]
    fn a_namespace_is_declared_where_it_changes() {
        let inner = Element::new("urn:b", "b").with_child(Element::new("urn:b", "c"));
        let outer = Element::new("urn:a", "a").with_child(inner).with_child(Element::new("", "d"));
        check(&outer, "<a xmlns=\"urn:a\"><b xmlns=\"urn:b\"><c/></b><d xmlns=\"\"/></a>");
    }

    #[test]
    fn a_stream_element_keeps_its_prefix() {
        let error = Element::new(ns::STREAMS, "error")
            .with_child(Element::new(ns::STREAM_ERRORS, "conflict"));
        check(
            &error,
            "<stream:error xmlns:stream=\"http://etherx.jabber.org/streams\">\
             <conflict xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>",
        );
    }

    #[test]
    fn text_and_values_are_escaped_so_that_they_come_back() {
        let element = Element::new("", "a")
            .with_attr("x", "<'\">&\n\t\r")
            .with_text("<Update>\r\n]]>&amp;</Update>");
        check(
            &element,
            "<a x=\"&lt;&apos;&quot;&gt;&amp;&#xA;&#x9;&#xD;\">\
             &lt;Update&gt;&#xD;\n]]&gt;&amp;amp;&lt;/Update&gt;</a>",
        );
    }

    #[test]
    fn people_get_a_line_for_each_child() {
        let iq = Element::new("urn:a", "a")
            .with_text("\n ")
            .with_child(Element::new("urn:a", "b").with_text(" x & y "))
            .with_child(Element::new("urn:c", "c").with_child(Element::new("urn:c", "d")));
        assert_eq!(
            iq.to_indented_xml(),
            "<a xmlns=\"urn:a\">\n  <b> x &amp; y </b>\n  <c xmlns=\"urn:c\">\n    <d/>\n  </c>\n\
             </a>"
        );
        assert_eq!(Element::new("", "a").to_indented_xml(), "<a/>");
    }

    #[test]
    fn an_attribute_keeps_its_namespace() {
        let mut element = Element::new("", "a");
        element.set_attr_in(ns::XML, "lang", "en");
        element.set_attr_in("urn:p", "x", "1");
        check(&element, "<a xml:lang=\"en\" xmlns:a1=\"urn:p\" a1:x=\"1\"/>");
    }

    fn text() -> impl Strategy<Value = String> {
        // Any characters that XML has, those that need escaping often.
        let any = any::<char>().prop_filter("XML has it", |c| {
            matches!(*c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}')
                || matches!(*c, '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        });
        let c = prop_oneof![any, prop::sample::select(vec!['<', '>', '&', '\'', '"', ']', '\r'])];
        prop::collection::vec(c, 0..20).prop_map(String::from_iter)
    }

    fn element() -> impl Strategy<Value = Element> {
        let ns = || prop::sample::select(vec!["", "urn:a", ns::CLIENT, ns::PUBSUB, ns::STREAMS]);
        let attributes = prop::collection::vec(
            (
                prop::sample::select(vec!["", "urn:p", ns::XML]),
                prop::sample::select(vec!["x", "y"]),
                text(),
            ),
            0..5,
        );
        let leaf = (ns(), prop::sample::select(vec!["a", "b-c", "D"]), attributes).prop_map(
            |(ns, name, attributes)| {
                let mut element = Element::new(ns, name);
                for (ns, name, value) in attributes {
                    element.set_attr_in(ns, name, value);
                }
                element
            },
        );
        leaf.prop_recursive(4, 32, 4, move |inner| {
            let node = (inner.clone(), prop::option::of(text()));
            (inner, prop::collection::vec(node, 0..4)).prop_map(|(mut parent, nodes)| {
                for (child, text) in nodes {
                    parent = parent.with_child(child);
                    // The reader never makes an empty text, nor two in a row.
                    if let Some(text) = text.filter(|text| !text.is_empty()) {
                        parent = parent.with_text(text);
                    }
                }
                parent
            })
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_as_it_was(element in element()) {
            let xml = element.to_xml();
            prop_assert_eq!(read_element(&xml, Prologue::Forbidden), Ok(element), "{}", xml);
        }

        #[test]
        fn whatever_is_read_is_written_so_that_it_is_read_alike(text in "[<>/a='\" &;x]{0,40}") {
            if let Ok(element) = read_element(&text, Prologue::Forbidden) {
                let again = read_element(&element.to_xml(), Prologue::Forbidden);
                prop_assert_eq!(again, Ok(element));
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
            let _ = read_element(&text, Prologue::Allowed);
        }
    }
}
