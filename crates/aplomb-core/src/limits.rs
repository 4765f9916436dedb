//! Every bound of the core, with its unit and the reason for the number.
//!
//! A bound is named once, here; the configuration may lower some of them.

/// Bytes of one WebSocket message or stanza after login. Openfire's maximum for a text message.
pub const STANZA_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of one stanza before login: an `open` and an `auth` fit many times over.
pub const STANZA_BYTES_BEFORE_LOGIN_MAX: usize = 16 * 1024;

/// Levels of nested elements: no XMPP payload comes near it, and recursion stays shallow.
pub const XML_DEPTH_MAX: usize = 64;

/// Attributes on one element, namespace declarations included. Finesse's richest has six.
pub const XML_ATTRIBUTES_MAX: usize = 64;

/// Bytes of one name or attribute value: three JID parts of 1,023 bytes and two separators.
pub const XML_TOKEN_BYTES_MAX: usize = 3 * 1023 + 2;
