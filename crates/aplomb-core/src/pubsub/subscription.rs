//! Subscriptions: of which address to which node, and on what terms (XEP-0060 §4.2).

use std::sync::Arc;

use super::{Options, Shows};
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
    /// How the subscriber wants his events.
    pub options: Options,
}

/// Somebody to whom events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The subscribed address.
    pub jid: Jid,
    /// The states of a session in which it gets them.
    pub shows: Shows,
}

impl Reader {
    /// Whoever takes events in every state.
    pub fn always(jid: impl Into<Jid>) -> Self {
        Self { jid: jid.into(), shows: Shows::ALL }
    }
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
    pub const LASTING: Self = Self::of(Options::USUAL);

    /// Those of a subscription with these options.
    pub const fn of(options: Options) -> Self {
        Self { state: SubscriptionState::Subscribed, until: options.lease, options }
    }

    /// Whether events go there.
    pub fn is_subscribed(&self) -> bool {
        self.state == SubscriptionState::Subscribed
    }

    /// Whether events go there, and the subscriber wants them.
    pub fn takes_events(&self) -> bool {
        self.is_subscribed() && self.options.deliver
    }
}
