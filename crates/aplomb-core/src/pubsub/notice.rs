//! Items, and the notices that tell of them.

use std::sync::Arc;

use crate::time::WallTime;

/// A published item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The number within its node: gapless, counting every notice.
    pub seq: u64,
    /// The id: the publisher's, or the service's epoch followed by the number.
    pub id: String,
    /// The payload as it goes on the wire.
    pub payload: Option<Arc<str>>,
    /// When it was published.
    pub at: WallTime,
}

/// What subscribers are told, rendered once for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The node.
    pub node: Arc<str>,
    /// The number within the node.
    pub seq: u64,
    /// The message id: eight characters.
    pub id: String,
    /// `<event xmlns="…pubsub#event">…</event>`, ready to be put into a message.
    pub body: NoticeBody,
}

/// Rendered XML that many readers share.
pub type NoticeBody = Arc<str>;
