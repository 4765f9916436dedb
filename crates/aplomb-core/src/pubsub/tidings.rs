//! What one person is told of a node, who need not be subscribed to it.
//!
//! Tidings take no number and are not kept: what they tell can be asked for.

use std::sync::Arc;

use super::notice::message_id;
use super::{Affiliation, SubscriptionState};
use crate::jid::Jid;
use crate::time::WallTime;

/// A message to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidings {
    /// Whom it goes to.
    pub to: Jid,
    /// The node.
    pub node: Arc<str>,
    /// The message id: eight characters.
    pub id: String,
    /// What it tells.
    pub tiding: Tiding,
}

/// What somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tiding {
    /// A subscription is another now; none: it is no more (XEP-0060 §8.8.4).
    Subscription(Jid, Option<SubscriptionState>),
    /// The right of the one who is told is another now (XEP-0060 §8.9.4).
    Affiliation(Affiliation),
    /// To an owner: may this address subscribe (XEP-0060 §8.6)?
    MaySubscribe(Jid),
}

impl Tidings {
    /// The id is made as that of a notice, from what is told and when.
    pub(super) fn new(
        epoch: &str,
        node: &Arc<str>,
        to: Jid,
        tiding: Tiding,
        now: WallTime,
    ) -> Self {
        let id = message_id(epoch, &format!("{node} {to} {tiding:?}"), now.0.cast_unsigned());
        Self { to, node: Arc::clone(node), id, tiding }
    }
}
