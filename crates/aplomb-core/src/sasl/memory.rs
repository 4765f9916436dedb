//! Remembers verified passwords as keyed hashes, so that a reconnect storm derives no key twice.

use std::time::Duration;

use super::Login;
use crate::secret::Secret;
use crate::time::Moment;

/// The remembered passwords: bounded in number and in time.
#[derive(Debug)]
pub struct Memory {
    _key: Secret<[u8; 32]>,
    _keep: Duration,
    _entries_max: usize,
}

impl Memory {
    /// `key` is random per run; each entry lives for `keep` after its full check.
    pub const fn new(key: Secret<[u8; 32]>, keep: Duration, entries_max: usize) -> Self {
        Self { _key: key, _keep: keep, _entries_max: entries_max }
    }

    /// The login, if this very password was verified for `name` less than `keep` ago.
    pub fn recall(&self, _name: &str, _password: &Secret<String>, _now: Moment) -> Option<Login> {
        todo!()
    }

    /// Remembers the password of a full check.
    pub fn remember(&mut self, _login: &Login, _password: &Secret<String>, _now: Moment) {
        todo!()
    }

    /// Forgets `name`, whose password changed.
    pub fn forget(&mut self, _name: &str) {
        todo!()
    }
}
