//! What readers without XMPP get: events as JSON or XML, and the cursor that says where they are.
//!
//! The same notices that XMPP carries (XEP-0060 §7), in forms that a page or `curl` can read.

mod cursor;
mod event;
mod update;

pub use cursor::Cursor;
pub use event::{Event, Format, Gap};
