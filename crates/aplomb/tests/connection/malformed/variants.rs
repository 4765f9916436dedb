//! From a request that is right to many that are wrong.

use aplomb_core::ns;
use aplomb_core::xml::{Element, Node, Prologue, escape_attribute, escape_text, read_element_in};

/// What must come of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One stanza that refuses it, with one of these conditions; with any, if none is named.
    Refusal(&'static [&'static str]),
    /// One stanza that refuses or grants it: not everything odd is wrong.
    Answer,
    /// No stanza: nobody answers an answer.
    Silence,
    /// At most one refusal: the stanza asks for nothing.
    Calm,
    /// An element that is no stanza, nothing, or a named stream error.
    Any,
    /// The stream ends with this error.
    StreamError(&'static str),
}

/// One wrong request.
pub(super) struct Variant {
    pub(super) why: String,
    pub(super) says: String,
    pub(super) wanted: Wanted,
}

/// All that can be made of one element.
pub(super) fn of(says: &str) -> Vec<Variant> {
    let element = read_element_in(says, Prologue::Forbidden, ns::CLIENT).unwrap();
    let tree = Tree::of(&element);
    let is_stanza = tree.ns == ns::CLIENT;
    match (is_stanza, tree.name.as_str()) {
        (true, "iq") => of_request(&tree),
        (true, _) => inside(&tree, Wanted::Calm).chain(places(&tree, Wanted::Calm)).collect(),
        (false, _) => inside(&tree, Wanted::Any).collect(),
    }
}

/// The namespace that nobody speaks.
const NOBODY: &str = "urn:nobody";

fn of_request(iq: &Tree) -> Vec<Variant> {
    use Wanted::{Refusal, Silence};
    let payload = iq.children[0].clone();
    let with = |children: Vec<Tree>| Tree { children, ..iq.clone() };
    let other = if iq.attr("type") == "get" { "set" } else { "get" };
    let foreign = Tree { ns: NOBODY.to_owned(), ..payload.clone() };
    let renamed = Tree { name: "nothing".to_owned(), ..payload.clone() };
    let long = "x".repeat(aplomb_core::limits::XML_TOKEN_BYTES_MAX + 1);
    let deep = nested(&payload, aplomb_core::limits::XML_DEPTH_MAX + 1);
    let mut all = vec![
        variant("the other type", &iq.with("type", other), Refusal(&[])),
        variant("no id", &iq.without("id"), Refusal(BAD)),
        variant("no type", &iq.without("type"), Refusal(BAD)),
        variant("an unknown type", &iq.with("type", "GET"), Refusal(BAD)),
        variant("no payload", &with(vec![]), Refusal(BAD)),
        variant("two payloads", &with(vec![payload.clone(), payload.clone()]), Refusal(BAD)),
        variant(
            "two kinds of payload",
            &with(vec![payload.clone(), foreign.clone()]),
            Refusal(BAD),
        ),
        variant("a result", &iq.with("type", "result"), Silence),
        variant("a foreign namespace", &with(vec![foreign]), Refusal(&["service-unavailable"])),
        variant("an unknown payload", &with(vec![renamed]), Refusal(&[])),
        variant("a bottomless payload", &with(vec![deep]), Wanted::StreamError("policy-violation")),
        variant(
            "an endless attribute",
            &with(vec![payload.with("odd", &long)]),
            Wanted::StreamError("policy-violation"),
        ),
    ];
    all.extend(places(iq, Wanted::Answer));
    all.extend(inside(&payload, Wanted::Answer).map(|mut variant| {
        let read = read_element_in(&variant.says, Prologue::Forbidden, ns::CLIENT).unwrap();
        variant.says = with(vec![Tree::of(&read)]).to_xml();
        variant
    }));
    all
}

/// The same, sent elsewhere.
fn places(stanza: &Tree, usual: Wanted) -> impl Iterator<Item = Variant> {
    let refused = |conditions| match usual {
        Wanted::Answer => Wanted::Refusal(conditions),
        usual => usual,
    };
    let too_long = format!("{}@cc.test", "a".repeat(1024));
    [
        ("cc.test", usual),
        ("pubsub.cc.test", usual),
        ("1001@cc.test", usual),
        ("finesse@cc.test", usual),
        ("finesse@cc.test/publisher", usual),
        ("cc.test/desk", usual),
        ("1002@cc.test", refused(&["service-unavailable"])),
        ("1002@cc.test/desk", refused(&["service-unavailable"])),
        ("nobody@cc.test", refused(&["service-unavailable"])),
        ("1001@pubsub.cc.test", refused(&["service-unavailable"])),
        ("elsewhere.test", refused(&["remote-server-not-found"])),
        ("1001@elsewhere.test/desk", refused(&["remote-server-not-found"])),
        ("@cc.test", refused(&["jid-malformed"])),
        ("1001@", refused(&["jid-malformed"])),
        ("", refused(&["jid-malformed"])),
        (&*too_long, refused(&["jid-malformed"])),
    ]
    .map(|(to, wanted)| variant(&format!("to {to:.20?}"), &stanza.with("to", to), wanted))
    .into_iter()
}

/// The tree with something wrong at each of its nodes.
fn inside(tree: &Tree, wanted: Wanted) -> impl Iterator<Item = Variant> {
    let mut all = Vec::new();
    for path in tree.paths() {
        let mut spoil = |why: String, change: &dyn Fn(&mut Tree)| {
            let mut spoilt = tree.clone();
            change(spoilt.at(&path));
            all.push(variant(&format!("{why} at {path:?}"), &spoilt, wanted));
        };
        let here = tree.clone().at(&path).clone();
        for (at, (name, _)) in here.attributes.iter().enumerate() {
            spoil(format!("no {name}"), &|tree| drop(tree.attributes.remove(at)));
            for value in ["", "-1", "99999999999999999999", "a@b@c/", "\u{202e}\u{fffd}", &*LONG] {
                let why = format!("{name}={value:.20?}");
                spoil(why, &|tree| tree.attributes[at].1 = value.to_owned());
            }
        }
        spoil("an odd attribute".to_owned(), &|tree| *tree = tree.with("odd", "1"));
        spoil("junk".to_owned(), &|tree| tree.children.insert(0, nested(&junk(), 20)));
        spoil("itself".to_owned(), &|tree| *tree = nested(&tree.clone(), 20));
        spoil("much text".to_owned(), &|tree| tree.text = LONG.repeat(30));
        if path.is_empty() {
            continue;
        }
        spoil("an unknown name".to_owned(), &|tree| tree.name = "nothing".to_owned());
        spoil("a foreign namespace".to_owned(), &|tree| tree.ns = NOBODY.to_owned());
        let (last, parent) = path.split_last().unwrap();
        let mut spoil_parent = |why: &str, change: &dyn Fn(&mut Tree)| {
            let mut spoilt = tree.clone();
            change(spoilt.at(parent));
            all.push(variant(&format!("{why} {path:?}"), &spoilt, wanted));
        };
        spoil_parent("without", &|tree| drop(tree.children.remove(*last)));
        spoil_parent("twice", &|tree| tree.children.push(tree.children[*last].clone()));
    }
    all.into_iter()
}

fn variant(why: &str, tree: &Tree, wanted: Wanted) -> Variant {
    Variant { why: why.to_owned(), says: tree.to_xml(), wanted }
}

fn junk() -> Tree {
    Tree { ns: NOBODY.to_owned(), name: "junk".to_owned(), ..Tree::default() }
}

/// The tree within itself, so many times.
fn nested(tree: &Tree, times: usize) -> Tree {
    (0..times).fold(tree.clone(), |inner, _| {
        let mut outer = tree.clone();
        outer.children.insert(0, inner);
        outer
    })
}

const BAD: &[&str] = &["bad-request"];

/// As long as a value may be.
static LONG: std::sync::LazyLock<String> =
    std::sync::LazyLock::new(|| "y".repeat(aplomb_core::limits::XML_TOKEN_BYTES_MAX));

/// An element that can be spoilt.
#[derive(Debug, Clone, Default)]
struct Tree {
    ns: String,
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Tree>,
}

impl Tree {
    fn of(element: &Element) -> Self {
        let attributes = element.attributes().iter().map(|a| (a.name.to_string(), a.value.clone()));
        let children = element.nodes().iter().filter_map(|node| match node {
            Node::Element(child) => Some(Self::of(child)),
            Node::Text(_) => None,
        });
        Self {
            ns: element.ns().to_owned(),
            name: element.name().to_owned(),
            attributes: attributes.collect(),
            text: element.text(),
            children: children.collect(),
        }
    }

    fn attr(&self, name: &str) -> &str {
        self.attributes.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    fn with(&self, name: &str, value: &str) -> Self {
        let mut tree = self.without(name);
        tree.attributes.push((name.to_owned(), value.to_owned()));
        tree
    }

    fn without(&self, name: &str) -> Self {
        let mut tree = self.clone();
        tree.attributes.retain(|(own, _)| own != name);
        tree
    }

    /// The way to each node, from the root.
    fn paths(&self) -> Vec<Vec<usize>> {
        let below = self.children.iter().enumerate().flat_map(|(at, child)| {
            child.paths().into_iter().map(move |path| [vec![at], path].concat())
        });
        std::iter::once(Vec::new()).chain(below).collect()
    }

    fn at(&mut self, path: &[usize]) -> &mut Self {
        path.iter().fold(self, |tree, at| &mut tree.children[*at])
    }

    fn to_xml(&self) -> String {
        let Self { ns, name, attributes, text, children } = self;
        let attributes: String = attributes
            .iter()
            .map(|(name, value)| format!(" {name}=\"{}\"", escape_attribute(value)))
            .collect();
        let inside: String = children.iter().map(Self::to_xml).collect();
        let (ns, text) = (escape_attribute(ns), escape_text(text));
        format!("<{name} xmlns=\"{ns}\"{attributes}>{text}{inside}</{name}>")
    }
}
