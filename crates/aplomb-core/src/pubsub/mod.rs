//! Publish-subscribe without XML: nodes, rights, subscriptions, items (XEP-0060).
//!
//! [`PubSub::plan`] is pure; the caller makes the changes durable, then adopts them, then delivers
//! the notices. So what was answered is on disk, and what is on disk can be replayed.

mod access;
mod change;
mod node;
mod notice;
mod plan;
mod request;

pub use access::{Affiliation, Asker, Standing};
pub use change::Change;
pub use node::{Bounds, NodeConfig};
pub use notice::{Item, Notice, NoticeBody};
pub use request::{Outcome, Refusal, Reply, Request, Subscription};

use std::collections::BTreeMap;
use std::sync::Arc;

/// All nodes of one pubsub service.
#[derive(Debug)]
pub struct PubSub {
    _epoch: String,
    _bounds: Bounds,
    _nodes: BTreeMap<Arc<str>, node::Node>,
}
