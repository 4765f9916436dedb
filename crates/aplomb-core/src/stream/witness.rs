//! Somebody who sees both sides of a stream and only reports.

/// Follows a conversation by the grammar.
pub struct Witness;
