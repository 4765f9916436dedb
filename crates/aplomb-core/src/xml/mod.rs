//! XML as XMPP allows it: elements, a bounded reader, a writer.
//!
//! No DTD, no processing instruction, no comment, no entity beyond the five, UTF-8 only
//! (RFC 6120 §11.1). The caps of [`crate::limits`] hold while the input is read, so a hostile
//! document is refused before it costs anything.

mod element;
mod namespace;
mod reader;
mod stream;
mod writer;

pub use element::{Attribute, Element, Node};
pub use namespace::Namespace;
pub use reader::{Prologue, XmlError, read_element, read_element_in, read_element_within};
pub use stream::{Item, Reader};
pub use writer::{escape_attribute, escape_text};
