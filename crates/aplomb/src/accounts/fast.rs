//! Tokens that bring a desktop back: found here, changed by the writer (XEP-0484).

use std::net::IpAddr;
use std::time::Duration;

use aplomb_core::sasl::fast::{
    Agent, FastChange, FastMechanism, FastRequest, FastToken, FastTokens, Making, Shown,
};
use aplomb_core::sasl::{Failure, KeyRing, Login, ScramKeys};
use aplomb_core::secret::Secret;
use aplomb_core::time::WallTime;
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Accounts, CHECKED_BY};
use crate::limits::WRITE_WAIT_SECS;
use crate::{clock, random};

/// A change of tokens on its way to the writer.
#[derive(Debug)]
pub struct FastJob {
    /// The account, in its one spelling.
    pub account: String,
    /// What.
    pub request: FastRequest,
    /// Where the answer goes, when the change is durable: whether it happened.
    pub answer: oneshot::Sender<Result<(), Failure>>,
}

/// The tokens as they were last committed, and the way to change them.
pub struct Fast {
    key: Secret<[u8; 32]>,
    life: Duration,
    shown: RwLock<FastTokens>,
    jobs: mpsc::Sender<FastJob>,
}

/// Who an account is at a moment, and by which password: nothing that is given to whoever proves it
/// outlives either.
#[derive(Debug, Clone)]
pub struct Era {
    account: String,
    /// None for nobody.
    password_mark: Option<Secret<Vec<u8>>>,
}

impl Era {
    /// Of an account with these keys.
    pub(super) fn of(account: String, keys: Option<&KeyRing>) -> Self {
        let checked_by = keys.and_then(|ring| ring.of(CHECKED_BY));
        Self { account, password_mark: checked_by.map(ScramKeys::mark) }
    }

    /// The account, in its one spelling.
    pub fn account(&self) -> &str {
        &self.account
    }
}

/// A login by a token.
#[derive(Debug)]
pub struct Redeemed {
    /// Who it is.
    pub login: Login,
    /// What the server proves itself with.
    pub proof: [u8; 32],
    /// Whether the client should get a new token.
    pub is_due: bool,
}

impl Fast {
    /// No tokens yet. `key` stays beside the store; a token lives for `life`; `jobs` leads to the
    /// writer, and is bounded.
    pub fn new(key: Secret<[u8; 32]>, life: Duration, jobs: mpsc::Sender<FastJob>) -> Self {
        Self { key, life, shown: RwLock::default(), jobs }
    }
}

impl Accounts {
    /// What ties a login to the account that `name` means now, and to its password.
    pub fn era(&self, name: &str) -> Era {
        let account = self.account_of(name);
        let keys = self.keys.read().of(&account).cloned();
        Era::of(account, keys.as_deref())
    }

    /// Whether the account is still there and has the same password.
    pub fn is_still(&self, era: &Era) -> bool {
        let keys = self.keys.read();
        let now = keys.of(&era.account).and_then(|ring| ring.of(CHECKED_BY));
        let now = now.map(ScramKeys::mark);
        now.is_some() && now == era.password_mark
    }

    /// Takes in a change of tokens that is durable.
    pub fn adopt_token(&self, change: &FastChange) {
        self.fast.shown.write().adopt(change);
    }

    /// Lets no token that there is be good for longer than one that is made now.
    pub fn shorten_tokens(&self) {
        let until = clock::now().wall.0.saturating_add(life_ms(self.fast.life));
        self.fast.shown.write().shorten(WallTime(until));
    }

    /// Logs in by a token.
    ///
    /// An unknown name, a locked account and a wrong token give the same answer after the same
    /// work. No number of wrong tokens locks an account: nobody guesses 256 bits.
    ///
    /// - Errors: [`Failure::NotAuthorized`]; [`Failure::CredentialsExpired`] to whoever had the
    ///   token too long; [`Failure::TemporaryAuthFailure`] when a rate is exceeded, or when the
    ///   use cannot be noted.
    pub async fn redeem_fast(
        &self,
        shown: &Shown,
        peer: IpAddr,
    ) -> Result<(Redeemed, Era), Failure> {
        let account = self.account_of(&shown.proof.name);
        if !self.guard.lock().take(&account, peer, clock::moment()) {
            return Err(Failure::TemporaryAuthFailure);
        }
        // Those of a locked account fit nothing.
        let (keys, stored) = self.keys_or_decoy(&account, CHECKED_BY);
        let (key, password_mark) = (&self.fast.key, &keys.mark());
        let making = Making { key, account: &account, password_mark };
        let now = clock::now().wall;
        let found = {
            let tokens = self.fast.shown.read();
            let found = tokens.find(shown, &making, now)?;
            let request = FastRequest::Use { seed: found.token.seed, with: shown.with };
            let changes = tokens.plan(&account, &request, now);
            let changes = changes.map_err(|_| Failure::NotAuthorized)?;
            (found, (!changes.is_empty()).then_some(request))
        };
        let (found, request) = found;
        if let Some(request) = request {
            self.change(&account, request).await?;
        }
        self.guard.lock().right(&account, peer, clock::moment());
        let left_ms = found.ends.0 - now.0;
        let is_due = !shown.with.is_last && left_ms < life_ms(self.fast.life) / 2;
        let era = Era::of(account, stored.as_deref());
        Ok((Redeemed { login: found.login, proof: found.answer, is_due }, era))
    }

    /// Makes a token for a client that has logged in in this era, and tells until when it is good.
    /// None if it cannot be kept.
    pub async fn issue_fast(
        &self,
        (agent, mechanism): (Agent, FastMechanism),
        era: &Era,
    ) -> Option<(Secret<String>, WallTime)> {
        let Era { account, password_mark } = era;
        let password_mark = password_mark.as_ref()?;
        let expires = WallTime(clock::now().wall.0 + life_ms(self.fast.life));
        let seed = random::bytes();
        let token = FastToken { agent, mechanism, seed, expires, is_used: false, count: 0 };
        self.change(account, FastRequest::Issue(token.clone())).await.ok()?;
        let making = Making { key: &self.fast.key, account, password_mark };
        Some((token.text(&making), expires))
    }

    async fn change(&self, account: &str, request: FastRequest) -> Result<(), Failure> {
        let (answer, answered) = oneshot::channel();
        let job = FastJob { account: account.to_owned(), request, answer };
        let asked = async {
            self.fast.jobs.send(job).await.ok()?;
            answered.await.ok()
        };
        let outcome = timeout(Duration::from_secs(WRITE_WAIT_SECS), asked).await;
        outcome.ok().flatten().unwrap_or(Err(Failure::TemporaryAuthFailure))
    }
}

fn life_ms(life: Duration) -> i64 {
    i64::try_from(life.as_millis()).unwrap_or(i64::MAX)
}
