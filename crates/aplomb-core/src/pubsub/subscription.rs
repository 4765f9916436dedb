//! Subscriptions: of which address to which node, and on what terms (XEP-0060 §4.2).

use std::sync::Arc;

use crate::jid::Jid;
use crate::time::WallTime;

/// One subscription, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The node.
    pub node: Arc<str>,
    /// Who is subscribed.
    pub jid: Jid,
    /// On what terms.
    pub terms: Terms,
}

/// What a subscription is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How far it has come.
    pub state: SubscriptionState,
    /// When it ends by itself; none: never.
    pub until: Option<WallTime>,
}

/// How far a subscription has come (XEP-0060 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubscriptionState {
    /// It brings events.
    Subscribed,
    /// An owner has not let the subscriber in yet.
    Pending,
}

impl Terms {
    /// Those of a subscription that lasts.
    pub const LASTING: Self = Self { state: SubscriptionState::Subscribed, until: None };

    /// Whether events go there.
    pub fn is_subscribed(&self) -> bool {
        self.state == SubscriptionState::Subscribed
    }
}
