//! One element with its attributes and content.

use std::borrow::Cow;
use std::mem::size_of;

use super::Namespace;

/// An XML element: a namespace, a local name, attributes and content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    pub(super) ns: Namespace,
    pub(super) name: Cow<'static, str>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) nodes: Vec<Node>,
}

/// One attribute; `ns` is empty for the usual attribute without a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The namespace of the prefix, or empty.
    pub ns: Namespace,
    /// The local name.
    pub name: Cow<'static, str>,
    /// The value, unescaped.
    pub value: String,
}

/// A piece of an element's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Character data, unescaped.
    Text(String),
}

impl Element {
    /// An empty element `name` in the namespace `ns`.
    pub fn new(ns: impl Into<Namespace>, name: impl Into<Cow<'static, str>>) -> Self {
        Self { ns: ns.into(), name: name.into(), attributes: Vec::new(), nodes: Vec::new() }
    }

    /// The element with an attribute added or replaced.
    #[must_use]
    pub fn with_attr(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.set_attr(name, value);
        self
    }

    /// The element with a child added at the end.
    #[must_use]
    pub fn with_child(mut self, child: Self) -> Self {
        self.nodes.push(Node::Element(child));
        self
    }

    /// The element with several children added at the end.
    #[must_use]
    pub fn with_children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.nodes.extend(children.into_iter().map(Node::Element));
        self
    }

    /// The element with text added at the end.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.nodes.push(Node::Text(text.into()));
        self
    }

    /// Puts a text in the place of all that is inside.
    pub fn set_text(&mut self, text: impl Into<String>) {
        self.nodes = vec![Node::Text(text.into())];
    }

    /// The namespace.
    pub fn ns(&self) -> &str {
        &self.ns
    }

    /// The local name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is `name` in the namespace `ns`.
    pub fn is(&self, ns: &str, name: &str) -> bool {
        self.name == name && self.ns == ns
    }

    /// The value of the attribute `name` that has no prefix.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attr_in("", name)
    }

    /// The value of the attribute `name` in the namespace `ns`.
    pub fn attr_in(&self, ns: &str, name: &str) -> Option<&str> {
        let same = |a: &&Attribute| a.name == name && a.ns == ns;
        self.attributes.iter().find(same).map(|a| a.value.as_str())
    }

    /// All attributes, in order.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Adds or replaces an attribute without a prefix.
    pub fn set_attr(&mut self, name: &'static str, value: impl Into<String>) {
        self.set_attr_in("", name, value);
    }

    /// Adds or replaces an attribute in the namespace `ns`.
    pub fn set_attr_in(&mut self, ns: &'static str, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        match self.attributes.iter_mut().find(|a| a.name == name && a.ns == ns) {
            Some(attribute) => attribute.value = value,
            None => self.attributes.push(Attribute { ns: ns.into(), name: name.into(), value }),
        }
    }

    /// Takes away an attribute without a prefix.
    pub fn remove_attr(&mut self, name: &str) {
        self.attributes.retain(|a| a.name != name || !a.ns.is_empty());
    }

    /// Moves the element and what is in it from one namespace to another.
    pub fn change_ns(&mut self, from: &str, to: &'static str) {
        if self.ns == from {
            self.ns = to.into();
        }
        for node in &mut self.nodes {
            if let Node::Element(child) = node {
                child.change_ns(from, to);
            }
        }
    }

    /// The first child `name` in the namespace `ns`.
    pub fn child(&self, ns: &str, name: &str) -> Option<&Self> {
        self.children().find(|child| child.is(ns, name))
    }

    /// The child elements, in order.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The child elements, in order, to be changed.
    pub fn children_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        self.nodes.iter_mut().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The child elements, in order, given away.
    pub fn into_children(self) -> impl Iterator<Item = Self> {
        self.nodes.into_iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// Elements and text, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The text directly inside, without that of the children.
    pub fn text(&self) -> String {
        let pieces = self.nodes.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        pieces.collect()
    }

    /// Bytes of memory that the element takes with all that is in it. The text of many small
    /// elements takes many times its length.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.weight_inside()
    }

    /// The same without the element's own place, which its parent has counted.
    fn weight_inside(&self) -> usize {
        let attributes = self.attributes.iter().map(|attribute| {
            attribute.ns.weight() + name(&attribute.name) + string(&attribute.value)
        });
        let nodes = self.nodes.iter().map(|node| match node {
            Node::Element(child) => child.weight_inside(),
            Node::Text(text) => string(text),
        });
        self.ns.weight()
            + name(&self.name)
            + self.attributes.capacity() * size_of::<Attribute>()
            + self.nodes.capacity() * size_of::<Node>()
            + attributes.chain(nodes).sum::<usize>()
    }
}

#[expect(clippy::ptr_arg, reason = "whether it is owned is what is asked")]
fn name(name: &Cow<'static, str>) -> usize {
    match name {
        Cow::Borrowed(_) => 0,
        Cow::Owned(name) => string(name),
    }
}

const fn string(text: &String) -> usize {
    ALLOCATION_BYTES + text.capacity()
}

/// Bytes that an allocation takes beside its content.
const ALLOCATION_BYTES: usize = 16;
