//! Events: the `<Update>` that each touched node gets.

use std::sync::Arc;

use crate::domain::{Change, Domain, Fault, UserId};

/// One event, rendered once for all its readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The node it goes to.
    pub node: String,
    /// The item's payload, as it goes on the wire: `<notification xmlns="…pubsub">&lt;Update…`.
    pub payload: Arc<str>,
}

/// The events of a change. `before` is the domain as it was, `request_id` the caller's or empty.
pub fn of_change(_before: &Domain, _change: &Change, _request_id: &str) -> Vec<Event> {
    todo!()
}

/// The event of a failure after 202, on the user's node.
pub fn of_fault(_user: &UserId, _fault: &Fault, _request_id: &str) -> Event {
    todo!()
}
