//! What may be asked of the service, and what it answers.

use std::sync::Arc;

use super::{
    AccessModel, Affiliation, Change, ConfigWish, Item, Lost, NodeConfig, Notice, Options,
    OptionsWish, Origin, Page, Point, Reader, Recall, Section, Subscription, SubscriptionState,
    Tidings,
};
use crate::jid::{BareJid, Jid};

/// A request, without its XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// XEP-0060 §6.1.
    Subscribe {
        /// The node.
        node: String,
        /// Who is to be subscribed: the asker, bare or full.
        jid: Jid,
        /// How he wants his events (XEP-0060 §6.3.7).
        options: Option<OptionsWish>,
    },
    /// XEP-0060 §6.2.
    Unsubscribe {
        /// The node.
        node: String,
        /// Who was subscribed.
        jid: Jid,
    },
    /// XEP-0060 §6.3: how a subscriber wants his events.
    Options {
        /// The node.
        node: String,
        /// Who is subscribed.
        jid: Jid,
        /// What is to change; none asks for the present options.
        wish: Option<OptionsWish>,
    },
    /// XEP-0060 §6.4: the options of whoever asks for none, at one node or at all.
    DefaultOptions {
        /// The node.
        node: Option<String>,
    },
    /// The newest items of nodes that send them to a subscriber who becomes available, for this
    /// very session (XEP-0060 §8.2, `pubsub#send_last_published_item`).
    Greet,
    /// XEP-0060 §5.6: those of the asker, at one node or at all.
    Subscriptions {
        /// One node only.
        node: Option<String>,
    },
    /// XEP-0060 §5.7: those of the asker.
    Affiliations {
        /// One node only.
        node: Option<String>,
    },
    /// XEP-0060 §6.5.
    Items {
        /// The node.
        node: String,
        /// Which.
        wish: ItemsWish,
    },
    /// What was told after a point, for a reader that comes back.
    Since {
        /// The node.
        node: String,
        /// Where the reader was; none asks where the node is.
        point: Option<Point>,
    },
    /// XEP-0060 §7.1.
    Publish {
        /// The node.
        node: String,
        /// What; none only tells that something happened.
        item: Option<Publication>,
        /// How the node must be configured for it, and is made if it is not there
        /// (XEP-0060 §7.1.5).
        preconditions: Option<ConfigWish>,
    },
    /// XEP-0060 §7.2.
    Retract {
        /// The node.
        node: String,
        /// Which item.
        id: String,
        /// Whether subscribers are told.
        notify: bool,
    },
    /// XEP-0060 §8.1; without a name the service makes one.
    Create {
        /// The node.
        node: Option<String>,
        /// How it is to differ from the usual.
        config: ConfigWish,
    },
    /// XEP-0060 §8.2.
    Configure {
        /// The node.
        node: String,
        /// What is to change; none asks for the present configuration.
        config: Option<ConfigWish>,
    },
    /// XEP-0060 §8.3.
    DefaultConfig,
    /// XEP-0060 §8.4.
    Delete {
        /// The node.
        node: String,
        /// Where to look instead.
        redirect: Option<String>,
    },
    /// XEP-0060 §8.5.
    Purge {
        /// The node.
        node: String,
    },
    /// XEP-0060 §8.8: all subscriptions of a node, for its owner; or new ones.
    NodeSubscriptions {
        /// The node.
        node: String,
        /// Set these, or end those of no state; empty asks for the present ones.
        set: Vec<(Jid, Option<SubscriptionState>)>,
    },
    /// XEP-0060 §8.9: all affiliations of a node, for its owner; or new ones.
    NodeAffiliations {
        /// The node.
        node: String,
        /// Set these; empty asks for the present ones.
        set: Vec<(BareJid, Affiliation)>,
    },
    /// XEP-0060 §8.7: where subscriptions wait for the asker; or be asked about those of a node.
    Pending {
        /// One node only.
        node: Option<String>,
    },
    /// XEP-0060 §8.6: an owner decides about a subscription that waits.
    Decide {
        /// The node.
        node: String,
        /// Whose subscription.
        jid: Jid,
        /// Whether it shall be.
        is_let_in: bool,
    },
    /// XEP-0060 §5.3: does the node exist, for its readers.
    NodeInfo {
        /// The node.
        node: String,
    },
    /// XEP-0060 §5.2: the nodes that the asker may see.
    Nodes,
}

impl Request {
    /// The node that the request is about, if it is about one.
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::Subscribe { node, .. }
            | Self::Unsubscribe { node, .. }
            | Self::Options { node, .. }
            | Self::Items { node, .. }
            | Self::Since { node, .. }
            | Self::Publish { node, .. }
            | Self::Retract { node, .. }
            | Self::Configure { node, .. }
            | Self::Delete { node, .. }
            | Self::Purge { node }
            | Self::NodeSubscriptions { node, .. }
            | Self::Decide { node, .. }
            | Self::NodeAffiliations { node, .. }
            | Self::NodeInfo { node } => Some(node),
            Self::DefaultOptions { node }
            | Self::Subscriptions { node }
            | Self::Affiliations { node }
            | Self::Pending { node } => node.as_deref(),
            Self::Create { node, .. } => node.as_deref(),
            Self::DefaultConfig | Self::Nodes | Self::Greet => None,
        }
    }
}

/// Which items of a node are wanted: all that is not ruled out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ItemsWish {
    /// The newest so many.
    pub max_items: Option<usize>,
    /// Only these; empty is all.
    pub ids: Vec<String>,
    /// A part of what is left.
    pub page: Option<Page>,
}

/// An item as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The publisher's own id for it.
    pub id: Option<String>,
    /// The payload, written out.
    pub payload: Option<Arc<str>>,
    /// The payload's namespace.
    pub namespace: String,
}

/// What is told of a node itself (XEP-0060 §5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeMeta {
    /// How it is configured.
    pub config: NodeConfig,
    /// How it came to be, if by request.
    pub origin: Option<Origin>,
    /// Owners by name.
    pub owners: Vec<BareJid>,
    /// Publishers by name.
    pub publishers: Vec<BareJid>,
    /// How many addresses are subscribed.
    pub subscribers: usize,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done; nothing to tell.
    Done,
    /// The subscription, new or old.
    Subscribed(Subscription),
    /// The options of a subscription.
    Options(Subscription),
    /// The options of whoever asks for none, at a node if it was about one.
    DefaultOptions(Option<Arc<str>>, Options),
    /// Subscriptions.
    Subscriptions(Vec<Subscription>),
    /// Affiliations of the asker, by node.
    Affiliations(Vec<(Arc<str>, Affiliation)>),
    /// Affiliations of a node, by person.
    NodeAffiliations(Arc<str>, Vec<(BareJid, Affiliation)>),
    /// Items, oldest first.
    Items {
        /// The node.
        node: Arc<str>,
        /// Those asked for, as many as fit into an answer; the newest unless a page says otherwise.
        items: Vec<Arc<Item>>,
        /// Which part it is, if there was a page asked for, or some did not fit.
        section: Option<Section>,
    },
    /// What was told after a point.
    Recall(Recall),
    /// The item that was published.
    Published(Arc<str>, Option<String>),
    /// The name of the node that was made.
    Created(Arc<str>),
    /// A configuration.
    Config(Option<Arc<str>>, NodeConfig),
    /// The node exists.
    NodeInfo(Arc<str>, Box<NodeMeta>),
    /// The nodes where subscriptions wait for the asker.
    Pending {
        /// A name that no other such answer has.
        session: String,
        /// The nodes.
        nodes: Vec<Arc<str>>,
    },
    /// The nodes the asker may see.
    Nodes(Vec<Arc<str>>),
}

/// A planned request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What to answer when the changes are durable.
    pub reply: Reply,
    /// What changes.
    pub changes: Vec<Change>,
    /// What to deliver when the changes are durable. Ask [`super::PubSub::audience`] before the
    /// changes are adopted: a node that is deleted takes its subscriptions with it.
    pub notices: Vec<Arc<Notice>>,
    /// What single persons are told then, after the notices.
    pub tidings: Vec<Tidings>,
    /// What single readers get of what was told before, last: who is let in hears of that first.
    pub late: Vec<(Reader, Arc<Notice>)>,
}

impl Outcome {
    /// Changes of which nobody is told.
    pub fn of(changes: Vec<Change>) -> Self {
        let (notices, late, tidings) = (Vec::new(), Vec::new(), Vec::new());
        Self { reply: Reply::Done, changes, notices, late, tidings }
    }
}

/// Why a request was refused (XEP-0060, the error cases of each section).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No such node, or none that the asker may know of.
    NodeUnknown,
    /// Known, but not permitted.
    Forbidden,
    /// Only who owns everything makes nodes.
    MayNotCreate,
    /// Known, but the access model keeps the asker out.
    Closed(AccessModel),
    /// The asker has asked already, and no owner has answered.
    StillPending,
    /// The jid to subscribe is not the asker's.
    InvalidJid,
    /// There is no such subscription.
    NotSubscribed,
    /// An automatic subscription cannot be ended.
    Automatic,
    /// A node that exists as long as what it tells of cannot be deleted.
    Served,
    /// The node exists already.
    NodeExists,
    /// No such item.
    ItemUnknown,
    /// What comes after a place cannot be told, or not all of it.
    Lost(Lost),
    /// An item is needed.
    ItemRequired,
    /// The node neither keeps items nor delivers them.
    ItemForbidden,
    /// A payload is needed.
    PayloadRequired,
    /// The payload is not of this namespace, which the node names.
    PayloadInvalid(String),
    /// The node keeps no items, so there are none to read or take back.
    NothingKept,
    /// The node is configured otherwise: the field of that name.
    PreconditionNotMet(&'static str),
    /// A node of the rest of the server keeps its models.
    ModelsFixed,
    /// A node must keep an owner; this one would not be one any more.
    LastOwner(BareJid),
    /// One address twice in a list.
    Repeated,
    /// The payload is longer than so many bytes.
    PayloadTooBig(usize),
    /// The asker has as many explicit subscriptions as are allowed.
    TooManySubscriptions,
    /// Another bound of the service is reached.
    TooMany(&'static str),
    /// The configuration cannot be.
    BadConfig(String),
    /// The server cannot keep it just now.
    Unavailable,
}
