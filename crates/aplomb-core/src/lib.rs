//! The thinking half of aplomb: no socket, no file, no clock, no thread, no randomness.
//!
//! Bytes, messages and `now` go in; what should happen comes out. The other half, the `aplomb`
//! crate, owns every side effect.

pub mod backoff;
pub mod catalogue;
pub mod domain;
pub mod feed;
pub mod finesse;
pub mod framing;
pub mod handshake;
pub mod jid;
pub mod limits;
pub mod ns;
pub mod pubsub;
pub mod realm;
pub mod roster;
pub mod sasl;
pub mod secret;
pub mod standard;
pub mod stanza;
pub mod stream;
pub mod time;
pub mod websocket;
pub mod xml;
