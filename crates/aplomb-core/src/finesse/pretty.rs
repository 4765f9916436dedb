//! Writes payloads and bodies as Finesse does: two spaces a level, a line break after each tag,
//! empty values as `<name></name>`.

use std::borrow::Cow;

use crate::xml::escape_text;

/// XML in the making.
#[derive(Debug, Default)]
pub(super) struct Pretty {
    out: String,
    depth: usize,
}

impl Pretty {
    /// Writes a document of one element.
    pub(super) fn document(root: &str, inside: impl FnOnce(&mut Self)) -> String {
        let mut pretty = Self { out: String::with_capacity(TYPICAL_BYTES), depth: 0 };
        pretty.element(root, inside);
        pretty.out.pop();
        pretty.out
    }

    /// Writes a document that is a collection.
    pub(super) fn list<T>(root: &str, members: &[T], each: impl Fn(&mut Self, &T)) -> String {
        let mut pretty =
            Self { out: String::with_capacity(members.len() * TYPICAL_BYTES), depth: 0 };
        pretty.collection(root, members, each);
        pretty.out.pop();
        pretty.out
    }

    /// Writes an element with children.
    pub(super) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.indent();
        self.tag("<", name);
        self.out.push('\n');
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.indent();
        self.tag("</", name);
        self.out.push('\n');
    }

    /// Writes a collection: like [`Pretty::element`], but an empty one as `<Dialogs/>`.
    pub(super) fn collection<T>(
        &mut self,
        name: &str,
        members: &[T],
        each: impl Fn(&mut Self, &T),
    ) {
        if members.is_empty() {
            self.indent();
            self.out.push('<');
            self.out.push_str(name);
            self.out.push_str("/>\n");
            return;
        }
        self.element(name, |list| members.iter().for_each(|member| each(list, member)));
    }

    /// Writes an element with text.
    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.indent();
        self.tag("<", name);
        self.out.push_str(&escape_text(&in_xml(text)));
        self.tag("</", name);
        self.out.push('\n');
    }

    /// Writes an element with a number.
    pub(super) fn number(&mut self, name: &str, number: impl Into<i64>) {
        self.leaf(name, &number.into().to_string());
    }

    /// Writes an element with `true` or `false`.
    pub(super) fn flag(&mut self, name: &str, is_set: bool) {
        self.leaf(name, if is_set { "true" } else { "false" });
    }

    fn tag(&mut self, opening: &str, name: &str) {
        self.out.push_str(opening);
        self.out.push_str(name);
        self.out.push('>');
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
    }
}

/// The text as XML can hold it: a control character in what a client sent becomes U+FFFD
/// (XML 1.0 §2.2).
fn in_xml(text: &str) -> Cow<'_, str> {
    let is_outside = |c: char| match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        c => c < ' ',
    };
    if text.contains(is_outside) {
        return Cow::Owned(text.replace(is_outside, "\u{fffd}"));
    }
    Cow::Borrowed(text)
}

/// A user's body is about 900 bytes, an event with it about 1,100.
const TYPICAL_BYTES: usize = 1_280;
