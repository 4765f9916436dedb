//! The client's side of a stream: policy over the grammar.

/// A client's side of one stream.
pub struct Initiator;
