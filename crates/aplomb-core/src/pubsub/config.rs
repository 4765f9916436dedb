//! The configuration of a node (XEP-0060 §8.2), and what is wished of one.

use super::Bounds;

/// Writes [`NodeConfig`], the wish for each of its fields and what goes over both, from one list.
macro_rules! config {
    ($($(#[$doc:meta])* $field:ident: $kind:ty, $name:literal;)*) => {
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

            /// The first field that is not as wished, by its name in the form.
            fn unmet(&self, now: &NodeConfig) -> Option<&'static str> {
                $(
                    if self.$field.as_ref().is_some_and(|wish| *wish != now.$field) {
                        return Some($name);
                    }
                )*
                None
            }
        }
    };
}

config! {
    /// A short name.
    title: String, "pubsub#title";
    /// What the node is about.
    description: String, "pubsub#description";
    /// The language of its items, as `xml:lang` has it.
    language: String, "pubsub#language";
    /// What its payloads are, usually their namespace.
    kind: String, "pubsub#type";
    /// Whether events carry the payload.
    deliver_payloads: bool, "pubsub#deliver_payloads";
    /// Whether there are events at all.
    deliver_notifications: bool, "pubsub#deliver_notifications";
    /// Whether items are kept.
    persist_items: bool, "pubsub#persist_items";
    /// How many, never above [`Bounds::items_max`]; in a wish, `usize::MAX` is as many as the
    /// service allows.
    max_items: usize, "pubsub#max_items";
    /// Seconds after which an item goes by itself; none: when the service's history lets it go.
    item_expire: Option<u64>, "pubsub#item_expire";
    /// Bytes of a payload, never above [`Bounds::payload_bytes_max`].
    max_payload_size: usize, "pubsub#max_payload_size";
    /// Whether a new subscriber gets the newest item.
    send_last_published_item: SendLast, "pubsub#send_last_published_item";
    /// The type of the messages that bring events.
    notification_type: NotificationType, "pubsub#notification_type";
    /// Whether subscribers are told that items were taken back.
    notify_retract: bool, "pubsub#notify_retract";
    /// Whether they are told that the node was deleted.
    notify_delete: bool, "pubsub#notify_delete";
    /// Whether they are told that it was configured.
    notify_config: bool, "pubsub#notify_config";
    /// Whether owners are told who subscribes and who ends it.
    notify_sub: bool, "pubsub#notify_sub";
    /// Who may subscribe and read.
    access_model: AccessModel, "pubsub#access_model";
    /// The groups of an owner's roster, for [`AccessModel::Roster`].
    roster_groups_allowed: Vec<String>, "pubsub#roster_groups_allowed";
    /// Who may publish.
    publish_model: PublishModel, "pubsub#publish_model";
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

    /// The first field that is not as wished, by its name in the form (XEP-0060 §7.1.5).
    pub(super) fn unmet_by(&self, now: &NodeConfig, bounds: &Bounds) -> Option<&'static str> {
        let max_items = self.max_items.map(|wish| wish.min(bounds.items_max));
        Self { max_items, ..self.clone() }.unmet(now)
    }
}
