//! Remembers verified passwords as keyed hashes, so that a reconnect storm derives no key twice.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::hmac;

use super::Login;
use crate::jid;
use crate::secret::{Secret, equal_in_constant_time};
use crate::time::Moment;

/// The remembered passwords: bounded in number and in time.
#[derive(Debug)]
pub struct Memory {
    key: hmac::Key,
    keep: Duration,
    entries_max: usize,
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    hash: hmac::Tag,
    until: Moment,
}

impl Memory {
    /// `key` is random per run; each entry lives for `keep` after its full check.
    pub fn new(key: Secret<[u8; 32]>, keep: Duration, entries_max: usize) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
        Self { key, keep, entries_max, entries: HashMap::new() }
    }

    /// The login, if this very password was verified for `name` less than `keep` ago.
    ///
    /// A name that is remembered and one that is not cost the same HMAC.
    pub fn recall(&self, name: &str, password: &Secret<String>, now: Moment) -> Option<Login> {
        let name = jid::account_name(name).ok()?;
        let hash = hmac::sign(&self.key, &message(&name, password));
        let entry = self.entries.get(&name).filter(|entry| now < entry.until)?;
        let is_same = equal_in_constant_time(hash.as_ref(), entry.hash.as_ref());
        is_same.then(|| Login::new(name))
    }

    /// Remembers the password of a full check.
    pub fn remember(&mut self, login: &Login, password: &Secret<String>, now: Moment) {
        if self.entries_max == 0 {
            return;
        }
        if self.entries.len() >= self.entries_max && !self.entries.contains_key(login.name()) {
            self.make_room(now);
        }
        let hash = hmac::sign(&self.key, &message(login.name(), password));
        self.entries.insert(login.name().to_owned(), Entry { hash, until: now + self.keep });
    }

    /// Forgets `name`, whose password changed.
    pub fn forget(&mut self, name: &str) {
        self.entries.remove(&jid::account_name(name).unwrap_or_else(|_| name.to_owned()));
    }

    /// Drops what is over, else the oldest. It looks at every entry, and each call follows a
    /// derivation that costs far more.
    fn make_room(&mut self, now: Moment) {
        self.entries.retain(|_, entry| now < entry.until);
        if self.entries.len() >= self.entries_max {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.until);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                self.entries.remove(&name);
            }
        }
    }
}

/// A name holds no NUL, so no two pairs give one message.
fn message(name: &str, password: &Secret<String>) -> Vec<u8> {
    [name.as_bytes(), b"\0", password.expose().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(60);

    fn memory(entries_max: usize) -> Memory {
        Memory::new(Secret::new([7; 32]), KEEP, entries_max)
    }

    fn login(name: &str) -> Login {
        Login::new(name.to_owned())
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn at(secs: u64) -> Moment {
        Moment::new(Duration::from_secs(secs))
    }

    #[test]
    fn a_verified_password_is_remembered_for_its_time_and_no_other_is() {
        let mut memory = memory(10);
        memory.remember(&login("ada"), &secret("pencil"), at(0));
        assert_eq!(memory.recall("Ada", &secret("pencil"), at(59)), Some(login("ada")));
        assert_eq!(memory.recall("ada", &secret("pencil"), at(60)), None);
        assert_eq!(memory.recall("ada", &secret("Pencil"), at(1)), None);
        assert_eq!(memory.recall("bob", &secret("pencil"), at(1)), None);
    }

    #[test]
    fn a_changed_password_is_forgotten() {
        let mut memory = memory(10);
        memory.remember(&login("ada"), &secret("pencil"), at(0));
        memory.forget("ADA");
        assert_eq!(memory.recall("ada", &secret("pencil"), at(1)), None);
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut memory = memory(2);
        for (secs, name) in ["ada", "bob", "eve"].into_iter().enumerate() {
            memory.remember(&login(name), &secret("pencil"), at(secs as u64));
        }
        let known = |name| memory.recall(name, &secret("pencil"), at(3)).is_some();
        assert_eq!(["ada", "bob", "eve"].map(known), [false, true, true]);
    }

    #[test]
    fn a_memory_of_nothing_remembers_nothing() {
        let mut memory = memory(0);
        memory.remember(&login("ada"), &secret("pencil"), at(0));
        assert_eq!(memory.recall("ada", &secret("pencil"), at(0)), None);
    }

    #[test]
    fn no_password_is_printed() {
        let mut memory = memory(2);
        memory.remember(&login("ada"), &secret("pencil"), at(0));
        assert!(!format!("{memory:?}").contains("pencil"));
    }
}
