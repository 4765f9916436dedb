//! Node names, who may read a node, and who is subscribed without asking.

use crate::domain::{Domain, TeamId, UserId};
use crate::pubsub::Standing;

/// A node that exists because the contact centre has its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// `/finesse/api/User/{id}`: state and profile.
    User(UserId),
    /// `/finesse/api/User/{id}/Dialogs`: voice dialogs.
    Dialogs(UserId),
    /// `/finesse/api/User/{id}/Dialogs/Media`: non-voice dialogs.
    DialogsMedia(UserId),
    /// `/finesse/api/User/{id}/Media`: state per non-voice domain.
    Media(UserId),
    /// `/finesse/api/User/{id}/Queues`: queues of the user.
    Queues(UserId),
    /// `/finesse/api/User/{id}/ClientLog`: outcome of log uploads.
    ClientLog(UserId),
    /// `/finesse/api/Team/{id}/Users`: the members' states.
    TeamUsers(TeamId),
    /// `/finesse/api/Team/{id}/TeamMessages`: messages to the team.
    TeamMessages(TeamId),
    /// `/finesse/api/SystemInfo`: service state.
    SystemInfo,
}

/// Who is subscribed, by bare JID, without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Automatic {
    /// This user.
    User(UserId),
    /// Everybody who is online.
    Everyone,
    /// Nobody.
    Nobody,
}

impl Node {
    /// Reads a node name; `None` for a name that is not Finesse's.
    pub fn parse(_name: &str) -> Option<Self> {
        todo!()
    }

    /// The node's name.
    pub fn name(&self) -> String {
        todo!()
    }

    /// Whether the subject exists.
    pub fn exists(&self, _domain: &Domain) -> bool {
        todo!()
    }

    /// Who is subscribed without asking.
    pub fn automatic(&self) -> Automatic {
        todo!()
    }
}

/// What `user` may do with the node `name`, whether or not it exists.
///
/// Administrators and publishers own everything; a user reads his own nodes; a supervisor those of
/// his teams and of their members; everybody SystemInfo. Other Finesse names: nothing. For a name
/// that is not Finesse's the node's own affiliations decide.
pub fn standing(_domain: &Domain, _user: &str, _name: &str) -> Standing {
    todo!()
}

/// The nodes that `user` is subscribed to without asking.
pub fn automatic_of(_domain: &Domain, _user: &str) -> Vec<Node> {
    todo!()
}

/// The nodes that `user` may read, for service discovery; at most `max`.
pub fn readable_by(_domain: &Domain, _user: &str, _max: usize) -> Vec<Node> {
    todo!()
}
