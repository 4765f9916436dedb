//! The configuration of a node (XEP-0060 §8.2), and what is wished of one.

use super::Bounds;

/// Writes [`NodeConfig`] and the wish for each of its fields from one list.
macro_rules! config {
    ($($(#[$doc:meta])* $field:ident: $kind:ty;)*) => {
        /// The configuration of a node (XEP-0060 §8.2, §16.4.4).
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct NodeConfig {
            $($(#[$doc])* pub $field: $kind,)*
        }

        /// What somebody wants of a configuration; what is `None` stays as it is
        /// (XEP-0060 §8.2.3).
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct ConfigWish {
            $($(#[$doc])* pub $field: Option<$kind>,)*
        }

        impl ConfigWish {
            /// The configuration `now` with the wishes fulfilled.
            fn merged(&self, now: &NodeConfig) -> NodeConfig {
                NodeConfig {
                    $($field: self.$field.clone().unwrap_or_else(|| now.$field.clone()),)*
                }
            }
        }
    };
}

config! {
    /// A short name.
    title: String;
    /// What the node is about.
    description: String;
    /// The language of its items, as `xml:lang` has it.
    language: String;
    /// What its payloads are, usually their namespace.
    kind: String;
    /// Whether events carry the payload.
    deliver_payloads: bool;
    /// Whether there are events at all.
    deliver_notifications: bool;
    /// Whether items are kept.
    persist_items: bool;
    /// How many, never above [`Bounds::items_max`]; in a wish, `usize::MAX` is as many as the
    /// service allows.
    max_items: usize;
    /// Seconds after which an item goes by itself; none: when the service's history lets it go.
    item_expire: Option<u64>;
    /// Bytes of a payload, never above [`Bounds::payload_bytes_max`].
    max_payload_size: usize;
    /// Whether a new subscriber gets the newest item.
    send_last_published_item: SendLast;
    /// The type of the messages that bring events.
    notification_type: NotificationType;
    /// Whether subscribers are told that items were taken back.
    notify_retract: bool;
    /// Whether they are told that the node was deleted.
    notify_delete: bool;
    /// Whether they are told that it was configured.
    notify_config: bool;
    /// Whether owners are told who subscribes and who ends it.
    notify_sub: bool;
    /// Who may subscribe and read.
    access_model: AccessModel;
    /// The groups of an owner's roster, for [`AccessModel::Roster`].
    roster_groups_allowed: Vec<String>;
    /// Who may publish.
    publish_model: PublishModel;
}

/// Who may subscribe to a node and read its items (XEP-0060 §4.5). Whoever has a right by name has
/// it under each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessModel {
    /// Everybody but outcasts.
    Open,
    /// Whoever sees the presence of an owner.
    Presence,
    /// Whoever is in one of the named groups of an owner's roster.
    Roster,
    /// Whoever an owner let in when he asked.
    Authorize,
    /// Whoever has a right by name; nobody else learns that the node exists.
    Whitelist,
}

/// Who may publish on a node (XEP-0060 §8.2, `pubsub#publish_model`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishModel {
    /// Owners, publishers, and those who may only publish.
    Publishers,
    /// These, and whoever is subscribed.
    Subscribers,
    /// Everybody but outcasts.
    Open,
}

/// When a subscriber gets the newest item without asking (XEP-0060 §6.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendLast {
    /// Never.
    Never,
    /// When he subscribes.
    OnSubscribe,
    /// When he subscribes, and when he becomes available.
    OnSubscribeAndPresence,
}

/// The type of the messages that bring events (RFC 6121 §5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationType {
    /// No type at all, as Openfire has it.
    Normal,
    /// Not to be kept for later.
    Headline,
}

impl NodeConfig {
    /// The configuration of a node that nobody configured: everything is told, and kept as long
    /// as the service allows, for those who have a right by name.
    pub const fn usual(bounds: &Bounds) -> Self {
        Self {
            title: String::new(),
            description: String::new(),
            language: String::new(),
            kind: String::new(),
            deliver_payloads: true,
            deliver_notifications: true,
            persist_items: true,
            max_items: bounds.items_max,
            item_expire: None,
            max_payload_size: bounds.payload_bytes_max,
            send_last_published_item: SendLast::Never,
            notification_type: NotificationType::Normal,
            notify_retract: true,
            notify_delete: true,
            notify_config: true,
            notify_sub: false,
            access_model: AccessModel::Whitelist,
            roster_groups_allowed: Vec::new(),
            publish_model: PublishModel::Publishers,
        }
    }
}

impl ConfigWish {
    /// The configuration `now` with the wishes fulfilled.
    pub(super) fn over(&self, now: &NodeConfig, bounds: &Bounds) -> NodeConfig {
        let mut config = self.merged(now);
        if config.max_items == usize::MAX {
            config.max_items = bounds.items_max;
        }
        config
    }
}
