//! What is looked up other than by id: names, teams, phones. It follows from the users alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{TeamId, User, UserId};

/// The look-up tables.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// Ids and login names, in lower case.
    names: BTreeMap<String, UserId>,
    members: BTreeMap<TeamId, BTreeSet<UserId>>,
    supervisors: BTreeMap<TeamId, BTreeSet<UserId>>,
    phones: BTreeMap<String, BTreeSet<UserId>>,
    /// Extensions in use.
    extensions: BTreeMap<String, UserId>,
}

impl Index {
    pub(super) fn add(&mut self, user: &User) {
        let id = &user.id;
        for name in names_of(user) {
            self.names.insert(name, id.clone());
        }
        if let Some(team) = &user.team {
            self.members.entry(team.clone()).or_default().insert(id.clone());
        }
        for team in &user.supervises {
            self.supervisors.entry(team.clone()).or_default().insert(id.clone());
        }
        if let Some(phone) = &user.phone {
            self.phones.entry(phone.clone()).or_default().insert(id.clone());
        }
        if let Some(extension) = &user.desk.extension {
            self.extensions.insert(extension.clone(), id.clone());
        }
    }

    pub(super) fn remove(&mut self, user: &User) {
        for name in names_of(user) {
            self.names.remove(&name);
        }
        if let Some(team) = &user.team {
            take(&mut self.members, team, &user.id);
        }
        for team in &user.supervises {
            take(&mut self.supervisors, team, &user.id);
        }
        if let Some(phone) = &user.phone {
            take(&mut self.phones, phone, &user.id);
        }
        if let Some(extension) = &user.desk.extension {
            self.extensions.remove(extension);
        }
    }

    pub(super) fn named(&self, name: &str) -> Option<&UserId> {
        self.names.get(&name.to_lowercase())
    }

    pub(super) fn members(&self, team: &TeamId) -> impl Iterator<Item = &UserId> {
        self.members.get(team).into_iter().flatten()
    }

    pub(super) fn is_used(&self, team: &TeamId) -> bool {
        self.members.contains_key(team) || self.supervisors.contains_key(team)
    }

    pub(super) fn is_phone(&self, extension: &str) -> bool {
        self.phones.contains_key(extension)
    }

    pub(super) fn user_of(&self, extension: &str) -> Option<&UserId> {
        self.extensions.get(extension)
    }
}

fn names_of(user: &User) -> [String; 2] {
    [user.id.as_str().to_lowercase(), user.login_name.to_lowercase()]
}

fn take<K: Ord>(sets: &mut BTreeMap<K, BTreeSet<UserId>>, key: &K, id: &UserId) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(id);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}
