//! A leaf node (XEP-0060 §4.2) and its configuration.

use std::time::Duration;

/// How much history a node keeps, and the service altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Items of one node.
    pub items_max: usize,
    /// Age of an item.
    pub age_max: Duration,
    /// Bytes of payload of all nodes; the oldest items go first.
    pub bytes_max: usize,
    /// Bytes of one payload.
    pub payload_bytes_max: usize,
    /// Nodes that were created by request.
    pub nodes_max: usize,
    /// Explicit subscriptions of one bare JID.
    pub subscriptions_max: usize,
}

/// The configuration of a node (XEP-0060 §8.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    /// `pubsub#title`.
    pub title: String,
    /// `pubsub#deliver_payloads`.
    pub deliver_payloads: bool,
    /// `pubsub#persist_items`.
    pub persist_items: bool,
    /// `pubsub#max_items`, never above [`Bounds::items_max`].
    pub max_items: usize,
    /// `pubsub#notify_retract`.
    pub notify_retract: bool,
    /// `pubsub#notify_delete`.
    pub notify_delete: bool,
    /// `pubsub#notify_config`.
    pub notify_config: bool,
}

/// One leaf node.
#[derive(Debug)]
pub(super) struct Node;
