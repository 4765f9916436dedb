//! Tokens: what a page shows in a URL, where its user's password must not stand.

use std::net::IpAddr;
use std::time::Duration;

use aplomb_core::sasl::{Failure, Login};
use aplomb_core::secret::Secret;

use super::{Accounts, CHECKED_BY};
use crate::{clock, random};

impl Accounts {
    /// Makes a token for whoever gives the right password, and tells how long it is good.
    ///
    /// - Errors: those of [`Accounts::verify`]; [`Failure::TemporaryAuthFailure`] as well when
    ///   there are too many tokens, or the password was changed meanwhile.
    pub async fn token(
        &self,
        name: &str,
        password: &Secret<String>,
        peer: IpAddr,
    ) -> Result<(Secret<String>, Duration), Failure> {
        let account = self.account_of(name);
        let checked_with = self.keys_or_decoy(&account, CHECKED_BY).0;
        let login = self.verify(name, password, peer).await?;
        let token = Secret::new(random::name(TOKEN_CHARS));
        // Under the lock of the keys: a change of password comes before the token or forgets it.
        let keys = self.keys.read();
        let is_current = keys.are_still(login.name(), &checked_with);
        let mut tokens = self.tokens.write();
        let is_issued = is_current && tokens.issue(&token, &login, clock::moment());
        is_issued.then(|| (token, tokens.life())).ok_or(Failure::TemporaryAuthFailure)
    }

    /// Who shows this token, if it is good.
    pub fn redeem(&self, token: &Secret<String>) -> Option<Login> {
        self.tokens.read().redeem(token, clock::moment())
    }
}

/// Characters of a token: 160 bits of chance.
const TOKEN_CHARS: usize = 32;
