//! Who of the contact centre is behind an address, and who may know of whom.

use std::sync::Arc;

use crate::domain::{Domain, Role, TeamId, User};
use crate::jid::{self, BareJid};

/// The user whose address this is. A login name is no address, though it opens the account.
pub fn user_at<'a>(domain: &'a Domain, person: &BareJid) -> Option<&'a Arc<User>> {
    let name = jid::unescape(person.node()?.as_str());
    let user = domain.named(&name)?;
    let address = jid::user_jid(user.id.as_str(), person.domain().as_str());
    (address.as_ref() == Ok(person)).then_some(user)
}

/// Whether two people work in or supervise one team, or are one person. Only then does either
/// learn that the other exists.
pub fn are_colleagues(domain: &Domain, one: &BareJid, other: &BareJid) -> bool {
    if one == other {
        return true;
    }
    if one.domain() != other.domain() {
        return false;
    }
    let (Some(one), Some(other)) = (user_at(domain, one), user_at(domain, other)) else {
        return false;
    };
    teams_of(one).any(|team| teams_of(other).any(|theirs| theirs == team))
}

/// The teams that a user works in or supervises.
pub fn teams_of(user: &User) -> impl Iterator<Item = &TeamId> {
    let supervises = user.has_role(Role::Supervisor).then_some(&user.supervises);
    user.team.iter().chain(supervises.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Flavour;
    use crate::domain::sample::centre;

    #[test]
    fn people_of_one_team_know_each_other_and_nobody_else() {
        let domain = centre(Flavour::Uccx);
        for (one, other, expected) in [
            ("1001", "1002", true),
            ("1001", "sup1", true),
            ("sup1", "1002", true),
            ("1001", "1001", true),
            ("1001", "1003", false),
            ("sup1", "1003", false),
            ("1001", "admin", false),
            ("admin", "publisher", false),
            ("1001", "nobody", false),
            ("nobody", "1001", false),
            ("ada.login", "1001", false),
        ] {
            let [a, b] = [one, other].map(|name| format!("{name}@cc.test").parse().unwrap());
            assert_eq!(are_colleagues(&domain, &a, &b), expected, "{one} and {other}");
            assert_eq!(are_colleagues(&domain, &b, &a), expected, "{other} and {one}");
        }
        let [here, there] = ["1001@cc.test", "1002@cc.other"].map(|jid| jid.parse().unwrap());
        assert!(!are_colleagues(&domain, &here, &there));
    }
}
