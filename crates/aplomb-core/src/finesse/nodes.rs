//! Node names, who may read a node, and who is subscribed without asking.
//!
//! A node is named like the REST path of its subject, with the id as the contact centre spells it.
//! Source: Finesse REST guide, notifications; which feeds an agent is entitled to: release 15.0.

use crate::domain::{Domain, Role, TeamId, User, UserId};
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
    pub fn parse(name: &str) -> Option<Self> {
        let path = name.strip_prefix(ROOT)?;
        let parts: Vec<&str> = path.splitn(4, '/').collect();
        match parts[..] {
            ["SystemInfo"] => Some(Self::SystemInfo),
            [_, "", ..] => None,
            ["User", id] => Some(Self::User(id.into())),
            ["User", id, "Dialogs"] => Some(Self::Dialogs(id.into())),
            ["User", id, "Dialogs", "Media"] => Some(Self::DialogsMedia(id.into())),
            ["User", id, "Media"] => Some(Self::Media(id.into())),
            ["User", id, "Queues"] => Some(Self::Queues(id.into())),
            ["User", id, "ClientLog"] => Some(Self::ClientLog(id.into())),
            ["Team", id, "Users"] => Some(Self::TeamUsers(id.into())),
            ["Team", id, "TeamMessages"] => Some(Self::TeamMessages(id.into())),
            _ => None,
        }
    }

    /// The node's name.
    pub fn name(&self) -> String {
        match self {
            Self::User(id) => format!("{ROOT}User/{id}"),
            Self::Dialogs(id) => format!("{ROOT}User/{id}/Dialogs"),
            Self::DialogsMedia(id) => format!("{ROOT}User/{id}/Dialogs/Media"),
            Self::Media(id) => format!("{ROOT}User/{id}/Media"),
            Self::Queues(id) => format!("{ROOT}User/{id}/Queues"),
            Self::ClientLog(id) => format!("{ROOT}User/{id}/ClientLog"),
            Self::TeamUsers(id) => format!("{ROOT}Team/{id}/Users"),
            Self::TeamMessages(id) => format!("{ROOT}Team/{id}/TeamMessages"),
            Self::SystemInfo => format!("{ROOT}SystemInfo"),
        }
    }

    /// Whether the subject exists.
    pub fn exists(&self, domain: &Domain) -> bool {
        match self.subject() {
            Subject::User(id) => domain.user(id.as_str()).is_some(),
            Subject::Team(id) => domain.team(id.as_str()).is_some(),
            Subject::System => true,
        }
    }

    /// Who is subscribed without asking.
    ///
    /// Cisco's documents do not list Queues among the automatic ones, and a client that needs it
    /// subscribes to it.
    pub fn automatic(&self) -> Automatic {
        match self {
            Self::User(id)
            | Self::Dialogs(id)
            | Self::DialogsMedia(id)
            | Self::Media(id)
            | Self::ClientLog(id) => Automatic::User(id.clone()),
            Self::SystemInfo => Automatic::Everyone,
            Self::Queues(_) | Self::TeamUsers(_) | Self::TeamMessages(_) => Automatic::Nobody,
        }
    }

    fn subject(&self) -> Subject<'_> {
        match self {
            Self::User(id)
            | Self::Dialogs(id)
            | Self::DialogsMedia(id)
            | Self::Media(id)
            | Self::Queues(id)
            | Self::ClientLog(id) => Subject::User(id),
            Self::TeamUsers(id) | Self::TeamMessages(id) => Subject::Team(id),
            Self::SystemInfo => Subject::System,
        }
    }

    fn may_be_read_by(&self, domain: &Domain, user: &User) -> bool {
        match self.subject() {
            Subject::System => true,
            Subject::User(id) => {
                *id == user.id
                    || domain.user(id.as_str()).is_some_and(|other| domain.supervises(user, other))
            }
            Subject::Team(id) => {
                let is_message = matches!(self, Self::TeamMessages(_));
                (user.has_role(Role::Supervisor) && user.supervises.contains(id))
                    || (is_message && user.has_desk() && user.team.as_ref() == Some(id))
            }
        }
    }
}

/// What `user` may do with the node `name`, whether or not it exists.
///
/// `user` is an id or a login name in whatever case, as a JID has it. Administrators and
/// publishers own everything; a user reads his own nodes; a supervisor those of his teams and of
/// their members; a member the messages to his team; everybody SystemInfo. Other names below
/// `/finesse/api/`: nothing. For a name that is not Finesse's the node's own affiliations decide.
pub fn standing(domain: &Domain, user: &str, name: &str) -> Standing {
    let Some(user) = domain.named(user) else { return Standing::Stranger };
    if owns_all(user) {
        return Standing::Owner;
    }
    match Node::parse(name) {
        Some(node) if node.may_be_read_by(domain, user) => Standing::Reader,
        Some(_) => Standing::Stranger,
        None if name.starts_with(ROOT) => Standing::Stranger,
        None => Standing::UNKNOWN,
    }
}

/// The nodes that `user` is subscribed to without asking.
pub fn automatic_of(domain: &Domain, user: &str) -> Vec<Node> {
    let Some(user) = domain.named(user) else { return Vec::new() };
    let own = of_user(&user.id).into_iter();
    let automatic = own.filter(|node| node.automatic() != Automatic::Nobody);
    automatic.chain([Node::SystemInfo]).collect()
}

/// The nodes that `user` may read, for service discovery; at most `max`.
pub fn readable_by(domain: &Domain, user: &str, max: usize) -> Vec<Node> {
    let Some(user) = domain.named(user) else { return Vec::new() };
    let system = std::iter::once(Node::SystemInfo);
    if owns_all(user) {
        let teams = domain.teams().flat_map(|team| of_team(&team.id));
        let users = domain.users().flat_map(|user| of_user(&user.id));
        return system.chain(teams).chain(users).take(max).collect();
    }
    let teams: Vec<&TeamId> = domain
        .teams()
        .map(|team| &team.id)
        .filter(|id| user.supervises.contains(id) || user.team.as_ref() == Some(id))
        .collect();
    let of_teams = teams.iter().flat_map(|id| of_team(id));
    let others = teams.iter().flat_map(|id| domain.members(id)).filter(|m| m.id != user.id);
    let all = system.chain(of_user(&user.id)).chain(of_teams);
    all.chain(others.flat_map(|member| of_user(&member.id)))
        .filter(|node| node.may_be_read_by(domain, user))
        .take(max)
        .collect()
}

enum Subject<'a> {
    User(&'a UserId),
    Team(&'a TeamId),
    System,
}

fn owns_all(user: &User) -> bool {
    user.has_role(Role::Administrator) || user.has_role(Role::Publisher)
}

/// The nodes of a user.
pub fn of_user(id: &UserId) -> [Node; 6] {
    [
        Node::User(id.clone()),
        Node::Dialogs(id.clone()),
        Node::DialogsMedia(id.clone()),
        Node::Media(id.clone()),
        Node::Queues(id.clone()),
        Node::ClientLog(id.clone()),
    ]
}

/// The nodes of a team.
pub fn of_team(id: &TeamId) -> [Node; 2] {
    [Node::TeamUsers(id.clone()), Node::TeamMessages(id.clone())]
}

/// What every path and every node name begins with.
pub(super) const ROOT: &str = "/finesse/api/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Flavour;
    use crate::domain::sample::centre;

    #[test]
    fn a_node_name_reads_as_it_is_written() {
        for name in [
            "User/Ada",
            "User/1001/Dialogs",
            "User/1001/Dialogs/Media",
            "User/1001/Media",
            "User/1001/Queues",
            "User/1001/ClientLog",
            "Team/1/Users",
            "Team/1/TeamMessages",
            "SystemInfo",
        ] {
            let name = format!("{ROOT}{name}");
            assert_eq!(Node::parse(&name).map(|node| node.name()), Some(name));
        }
    }

    #[test]
    fn other_names_are_no_node_of_finesse() {
        for name in [
            "",
            "SystemInfo",
            "/finesse/api/",
            "/finesse/api/User",
            "/finesse/api/User/",
            "/finesse/api/User//Dialogs",
            "/finesse/api/user/1001",
            "/finesse/api/User/1001/",
            "/finesse/api/User/1001/Dialogs/Media/x",
            "/finesse/api/Team/1",
            "/finesse/api/SystemInfo/",
            "/FINESSE/api/User/1001",
        ] {
            assert_eq!(Node::parse(name), None, "{name}");
        }
    }

    #[test]
    fn everybody_gets_what_he_is_entitled_to_and_nothing_else() {
        use Standing::{Owner, Reader, Stranger};
        let domain = centre(Flavour::Uccx);
        for (user, name, expected) in [
            ("1001", "/finesse/api/User/1001", Reader),
            ("1001", "/finesse/api/User/1001/Queues", Reader),
            ("1001", "/finesse/api/User/1002", Stranger),
            ("1001", "/finesse/api/User/none", Stranger),
            ("1001", "/finesse/api/Team/1/Users", Stranger),
            ("1001", "/finesse/api/Team/1/TeamMessages", Reader),
            ("1001", "/finesse/api/Team/2/TeamMessages", Stranger),
            ("1001", "/finesse/api/SystemInfo", Reader),
            ("1001", "/finesse/api/Queue/1", Stranger),
            ("1001", "crm/tickets", Standing::UNKNOWN),
            ("ada", "/finesse/api/User/Ada", Reader),
            ("ada", "/finesse/api/User/ada", Stranger),
            ("ADA.LOGIN", "/finesse/api/User/Ada", Reader),
            ("sup1", "/finesse/api/User/1001/Dialogs", Reader),
            ("sup1", "/finesse/api/User/1003", Stranger),
            ("sup1", "/finesse/api/Team/1/Users", Reader),
            ("sup1", "/finesse/api/Team/2/Users", Stranger),
            ("admin", "/finesse/api/User/1001", Owner),
            ("admin", "/finesse/api/Queue/1", Owner),
            ("publisher", "crm/tickets", Owner),
            ("nobody", "/finesse/api/SystemInfo", Stranger),
        ] {
            assert_eq!(standing(&domain, user, name), expected, "{user} and {name}");
        }
    }

    #[test]
    fn what_is_subscribed_or_listed_may_be_read() {
        let domain = centre(Flavour::Uccx);
        for (user, listed) in [("1001", 8), ("sup1", 21), ("admin", 1 + 2 * 2 + 8 * 6)] {
            let nodes = readable_by(&domain, user, usize::MAX);
            assert_eq!(nodes.len(), listed, "{user}: {nodes:?}");
            assert_eq!(readable_by(&domain, user, 3).len(), 3);
            for node in nodes.iter().chain(&automatic_of(&domain, user)) {
                assert!(node.exists(&domain));
                assert_ne!(standing(&domain, user, &node.name()), Standing::Stranger);
            }
        }
        assert!(readable_by(&domain, "nobody", 9).is_empty());
    }

    #[test]
    fn a_user_is_subscribed_to_his_own_nodes_without_asking() {
        let domain = centre(Flavour::Uccx);
        let names: Vec<String> = automatic_of(&domain, "ada").iter().map(Node::name).collect();
        assert_eq!(
            names,
            [
                "/finesse/api/User/Ada",
                "/finesse/api/User/Ada/Dialogs",
                "/finesse/api/User/Ada/Dialogs/Media",
                "/finesse/api/User/Ada/Media",
                "/finesse/api/User/Ada/ClientLog",
                "/finesse/api/SystemInfo",
            ]
        );
        assert!(automatic_of(&domain, "nobody").is_empty());
        assert!(!Node::User("ada".into()).exists(&domain), "ids in names keep their case");
        assert!(!Node::TeamUsers("9".into()).exists(&domain));
    }
}
