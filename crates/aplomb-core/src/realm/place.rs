//! Where a stanza is addressed to, as far as we tell places apart.

use super::{FINESSE_USER, Realm};
use crate::jid::{FullJid, Jid};
use crate::stanza::{Condition, StanzaError};

/// Something that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The domain.
    Server,
    /// The asker's own account: its bare JID, or no address at all (RFC 6120 §10.3.3).
    Account,
    /// `pubsub.` and the domain.
    PubSub,
    /// The user `finesse`, with or without a resource.
    Finesse,
}

impl Place {
    /// The place in words.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Account => "account",
            Self::PubSub => "pubsub service",
            Self::Finesse => "user finesse",
        }
    }
}

impl Realm {
    /// Finds the place of an address.
    ///
    /// - Errors: `service-unavailable` for other people, whether or not they exist
    ///   (RFC 6121 §8.5.1); `remote-server-not-found` for other domains.
    pub(super) fn place(&self, asker: &FullJid, to: Option<&Jid>) -> Result<Place, StanzaError> {
        let Some(to) = to else { return Ok(Place::Account) };
        if !self.is_ours(Some(to)) {
            return Err(StanzaError::new(Condition::RemoteServerNotFound));
        }
        let is_service = to.domain().as_str().len() > self.domain.len();
        match to.node().map(|node| node.as_str()) {
            None if is_service => Ok(Place::PubSub),
            None => Ok(Place::Server),
            Some(_) if !is_service && to.is_bare() && asker.to_bare() == *to => Ok(Place::Account),
            Some(FINESSE_USER) if !is_service => Ok(Place::Finesse),
            Some(_) => Err(StanzaError::new(Condition::ServiceUnavailable)),
        }
    }

    /// Whether an address is that of a person of our domain, who may exist or not.
    pub(super) fn is_person(&self, to: &Jid) -> bool {
        let node = to.node().map(|node| node.as_str());
        node.is_some_and(|node| node != FINESSE_USER)
            && to.domain().as_str().eq_ignore_ascii_case(&self.domain)
    }

    /// Whether an address is of our domain or of its pubsub service.
    pub(super) fn is_ours(&self, to: Option<&Jid>) -> bool {
        let Some(to) = to else { return true };
        let domain = to.domain().as_str();
        let domain = domain.strip_prefix("pubsub.").unwrap_or(domain);
        domain.eq_ignore_ascii_case(&self.domain)
            || to.domain().as_str().eq_ignore_ascii_case(&self.domain)
    }
}
