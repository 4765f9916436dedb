//! Changes: facts that the store keeps and the service adopts.

use std::sync::Arc;

use super::{Affiliation, Item, NodeConfig, Origin, Terms};
use crate::jid::{BareJid, Jid};

/// One change of the service's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A node was created by request, or configured.
    NodeSet {
        /// The node.
        node: Arc<str>,
        /// Its configuration.
        config: NodeConfig,
    },
    /// Who made a node by request, and when.
    NodeMade {
        /// The node.
        node: Arc<str>,
        /// Who and when.
        origin: Origin,
    },
    /// A node is gone with all it had.
    NodeRemoved {
        /// The node.
        node: Arc<str>,
    },
    /// Somebody is subscribed, or wants to be; or the terms are others now.
    Subscribed {
        /// The node.
        node: Arc<str>,
        /// Who.
        jid: Jid,
        /// On what terms.
        terms: Terms,
    },
    /// Somebody is subscribed no more.
    Unsubscribed {
        /// The node.
        node: Arc<str>,
        /// Who.
        jid: Jid,
    },
    /// A right was given or, with [`Affiliation::None`], taken.
    Affiliated {
        /// The node.
        node: Arc<str>,
        /// Whose.
        jid: BareJid,
        /// The right.
        affiliation: Affiliation,
    },
    /// An item was published; it replaces one of the same id.
    Published {
        /// The node.
        node: Arc<str>,
        /// The item.
        item: Arc<Item>,
    },
    /// An item is gone. It takes a `seq` of its own, as every notice does.
    Retracted {
        /// The node.
        node: Arc<str>,
        /// Which item.
        id: String,
        /// The number of the notice.
        seq: u64,
    },
    /// Items up to this number fell out of the history.
    Trimmed {
        /// The node.
        node: Arc<str>,
        /// The number of the last item that is gone.
        through: u64,
    },
    /// A notice took this number and left no item: of a configuration, of a node that keeps none.
    Counted {
        /// The node.
        node: Arc<str>,
        /// The number.
        seq: u64,
    },
    /// Numbers up to this one were used by nodes that are gone. A node without a notice so far
    /// starts above, so a name that is used again never gives one number to two notices.
    Retired {
        /// The highest number.
        through: u64,
    },
}
