//! What jobs and time do to tokens (XEP-0484).

use aplomb_core::jid;
use aplomb_core::sasl::fast::{FastChange, FastRequest};
use aplomb_core::sasl::{Failure, KeyRing};
use aplomb_core::time::WallTime;

use super::{Batch, Working, known};
use crate::limits::TOKENS_SWEEP_SECS;
use crate::store::Change;

impl Working {
    /// Issues a token to somebody who is there, or notes the use of one.
    pub(in crate::writer) fn token(
        &mut self,
        account: &str,
        request: &FastRequest,
        now: WallTime,
        batch: &mut Batch,
    ) -> Result<(), Failure> {
        // Whoever logged in may have been removed while this waited.
        known(&self.domain, account).map_err(|_| Failure::NotAuthorized)?;
        let changes = self.tokens.plan(account, request, now);
        let changes = changes.map_err(|_| Failure::NotAuthorized)?;
        self.accept_tokens(changes, batch);
        Ok(())
    }

    /// Changes the keys of a user. The tokens that were given for the old ones are worthless from
    /// then on, and go.
    pub(super) fn set_keys(&mut self, user: String, keys: Option<KeyRing>, batch: &mut Batch) {
        let account = jid::account_name(&user).unwrap_or_else(|_| user.clone());
        self.accept_tokens(self.tokens.departure(&account), batch);
        batch.changes.push(Change::Keys { user, keys });
    }

    /// Forgets the tokens that are over, now and then: nobody waits for it.
    pub(super) fn sweep_tokens(&mut self, now: WallTime, batch: &mut Batch) {
        if now.0.abs_diff(self.swept.0) >= TOKENS_SWEEP_SECS * 1_000 {
            self.swept = now;
            self.accept_tokens(self.tokens.lapsed(now), batch);
        }
    }

    fn accept_tokens(&mut self, changes: Vec<FastChange>, batch: &mut Batch) {
        for change in changes {
            self.tokens.adopt(&change);
            batch.changes.push(Change::Token(change));
        }
    }
}
