//! Who may log in: keys, lock-outs, rates, remembered passwords.

use std::net::IpAddr;

use aplomb_core::sasl::{Failure, Login, ScramKeys};
use aplomb_core::secret::Secret;

/// The accounts of this server. Shared by REST, the sessions and the writer.
pub struct Accounts;

impl Accounts {
    /// Checks a password: first what is remembered, then PBKDF2 on the blocking pool.
    ///
    /// `name` is an id or a login name. A locked account, an unknown name and a wrong password
    /// give the same answer after the same work; a rate that is exceeded gives
    /// [`Failure::TemporaryAuthFailure`].
    pub async fn verify(
        &self,
        _name: &str,
        _password: &Secret<String>,
        _peer: IpAddr,
    ) -> Result<Login, Failure> {
        todo!()
    }

    /// The keys of `name` for SCRAM, or a decoy.
    pub fn keys(&self, _name: &str, _peer: IpAddr) -> Result<ScramKeys, Failure> {
        todo!()
    }

    /// Notes how a SCRAM exchange ended.
    pub fn note(&self, _name: &str, _peer: IpAddr, _is_success: bool) {
        todo!()
    }

    /// Replaces or removes the keys of an account; what was remembered is forgotten.
    pub fn adopt(&self, _name: &str, _keys: Option<ScramKeys>) {
        todo!()
    }
}
