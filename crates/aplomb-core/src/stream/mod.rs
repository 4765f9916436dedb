//! The stream: its grammar, and the parties that follow it.
//!
//! `phase` says what may legally come next; `responder` is the server, `initiator` the client,
//! `witness` somebody who sees both sides and only reports (RFC 6120 §4, RFC 7395).

mod auth;
pub mod bind;
pub mod client_state;
pub mod initiator;
pub mod management;
pub mod milestone;
pub mod phase;
pub mod responder;
pub mod sasl2;
pub mod witness;

pub use initiator::Initiator;
pub use management::Management;
pub use milestone::Milestone;
pub use phase::{Leg, Phase, Profile, Side, Step, Violation};
pub use responder::Responder;
pub use sasl2::Sasl2;
pub use witness::{Report, Witness};
