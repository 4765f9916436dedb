//! Who may log in: keys, lock-outs, rates, remembered passwords.
//!
//! An unknown name, a wrong password and a locked account cannot be told apart: each costs one
//! derivation and gets the same answer (RFC 6120 §6.5.10, RFC 5802 §9).

mod buckets;
mod fast;
mod guard;
mod keys;
mod token;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use aplomb_core::domain::Domain;
use aplomb_core::jid;
use aplomb_core::sasl::decoy::Decoys;
use aplomb_core::sasl::memory::Memory;
use aplomb_core::sasl::tokens::Tokens;
use aplomb_core::sasl::{Failure, Hash, KeyRing, Login, Mechanism, MoreKeys, ScramKeys};
use aplomb_core::secret::Secret;
use aplomb_core::time::Moment;
use parking_lot::{Mutex, RwLock};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::limits::{
    LOGIN_WAIT_SECS, LOGINS_WAITING_MAX, PASSWORDS_REMEMBERED_MAX, TOKENS_MAX, TOKENS_OF_ONE_MAX,
};
use crate::{clock, config, random};
pub use fast::{Era, Fast, FastJob, Redeemed};
use guard::Guard;
use keys::Keys;

/// The rules of logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Wrong passwords per second and address; ten times as many may come at once.
    pub logins_per_second_per_address: u32,
    /// Wrong passwords in a row that lock an account.
    pub lockout_failures: u32,
    /// How long it stays locked.
    pub lockout: Duration,
    /// How long a verified password is remembered.
    pub remember_password: Duration,
    /// How long a token is good.
    pub token_life: Duration,
    /// PBKDF2 rounds of new passwords.
    pub scram_iterations: NonZeroU32,
}

impl From<&config::Config> for Policy {
    fn from(config: &config::Config) -> Self {
        Self {
            logins_per_second_per_address: config.logins_per_second_per_address,
            lockout_failures: config.lockout_failures,
            lockout: config.lockout,
            remember_password: config.remember_password,
            token_life: config.token_life,
            scram_iterations: NonZeroU32::new(config.scram_iterations).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// The accounts of this server. Shared by REST, the sessions and the writer.
pub struct Accounts {
    /// Tells which id a login name belongs to.
    domain: Arc<RwLock<Domain>>,
    keys: RwLock<Keys>,
    decoys: Decoys,
    /// Rounds of new keys.
    iterations: NonZeroU32,
    guard: Mutex<Guard>,
    remembered: RwLock<Memory>,
    tokens: RwLock<Tokens>,
    fast: Fast,
    /// Logins that wait for a derivation, and those that have theirs done.
    waiting: Semaphore,
    deriving: Arc<Semaphore>,
    derivations: Counter,
    keep: Keep,
}

/// Has keys kept that were derived at a login; it may drop them, for the next login makes them too.
pub type Keep = Arc<dyn Fn(MoreKeys) + Send + Sync>;

impl Accounts {
    /// No accounts yet; [`Accounts::adopt`] brings them. `decoy_key` stays with the store;
    /// `derivations` counts the passwords that were checked the long way; `keep` has new keys kept.
    pub fn new(
        policy: &Policy,
        decoy_key: [u8; 32],
        domain: Arc<RwLock<Domain>>,
        derivations: Counter,
        keep: Keep,
        fast: Fast,
    ) -> Self {
        let memory_key = Secret::new(random::bytes());
        // One core is left to everybody who is logged in already.
        let derivers = available_parallelism().map_or(1, |cores| (cores.get() - 1).max(1));
        Self {
            domain,
            keys: RwLock::default(),
            decoys: Decoys::new(Secret::new(decoy_key)),
            iterations: policy.scram_iterations,
            guard: Mutex::new(Guard::new(policy)),
            remembered: RwLock::new(Memory::new(
                memory_key,
                policy.remember_password,
                PASSWORDS_REMEMBERED_MAX,
            )),
            tokens: RwLock::new(Tokens::new(policy.token_life, TOKENS_MAX, TOKENS_OF_ONE_MAX)),
            fast,
            waiting: Semaphore::new(LOGINS_WAITING_MAX),
            deriving: Arc::new(Semaphore::new(derivers)),
            derivations,
            keep,
        }
    }

    /// Checks a password: first what is remembered, then PBKDF2 on the blocking pool.
    ///
    /// `name` is an id or a login name. A locked account, an unknown name and a wrong password
    /// give the same answer after the same work; a rate that is exceeded gives
    /// [`Failure::TemporaryAuthFailure`].
    pub async fn verify(
        &self,
        name: &str,
        password: &Secret<String>,
        peer: IpAddr,
    ) -> Result<Login, Failure> {
        let account = self.account_of(name);
        if let Some(login) = self.recall(&account, password) {
            return Ok(login);
        }
        if !self.guard.lock().has(&account, peer, clock::moment()) {
            return Err(Failure::TemporaryAuthFailure);
        }
        let _place = self.waiting.try_acquire().map_err(|_| Failure::TemporaryAuthFailure)?;
        let turn = self.deriving.clone().acquire_owned();
        let turn = timeout(Duration::from_secs(LOGIN_WAIT_SECS), turn).await;
        let turn = turn
            .map_err(|_| Failure::TemporaryAuthFailure)?
            .expect("the semaphore is never closed");
        // Somebody else may have done the work while this login waited for its turn.
        if let Some(login) = self.recall(&account, password) {
            return Ok(login);
        }
        if !self.guard.lock().take(&account, peer, clock::moment()) {
            return Err(Failure::TemporaryAuthFailure);
        }
        self.derive(account, password, peer, turn).await
    }

    /// Those of the mechanisms by which everybody can log in.
    ///
    /// Where some accounts were made before there were keys for a hash, nobody is offered it: a
    /// client would choose it and fail.
    pub fn serve_all(&self, mechanisms: &[Mechanism]) -> Vec<Mechanism> {
        let keys = self.keys.read();
        let has_all =
            |mechanism: &Mechanism| mechanism.hash().is_none_or(|hash| keys.has_all(hash));
        mechanisms.iter().copied().filter(has_all).collect()
    }

    /// Tells the log which hashes nobody is offered, and what to do.
    pub fn tell_what_is_lacking(&self) {
        let keys = self.keys.read();
        for hash in Hash::ALL {
            let (accounts, hash) = (keys.lacking(hash), hash.name());
            if accounts > 0 {
                tracing::warn!(
                    accounts,
                    hash,
                    "not offered until all accounts have keys: {REMEDY}"
                );
            }
        }
    }

    /// The keys for SCRAM by `hash` of the account that `name` means, or a decoy; and what ties
    /// the login to that account and to the password of these keys.
    ///
    /// The try counts against the rates until [`Accounts::note`] tells of its success.
    ///
    /// - Errors: [`Failure::TemporaryAuthFailure`] when a rate is exceeded.
    pub fn keys(&self, name: &str, hash: Hash, peer: IpAddr) -> Result<(ScramKeys, Era), Failure> {
        let account = self.account_of(name);
        if !self.guard.lock().take(&account, peer, clock::moment()) {
            return Err(Failure::TemporaryAuthFailure);
        }
        let (keys, stored) = self.keys_or_decoy(&account, hash);
        Ok((keys, Era::of(account, stored.as_deref())))
    }

    /// Notes how a SCRAM exchange for `account`, in its one spelling, ended.
    pub fn note(&self, account: &str, peer: IpAddr, is_success: bool) {
        let is_known = self.keys.read().of(account).is_some();
        self.settle(account, peer, is_known, is_success);
    }

    /// The account that `name` means: an id, or the id that a login name belongs to, in the one
    /// spelling under which everybody looks it up; a name that nobody has gets that spelling too.
    pub fn account_of(&self, name: &str) -> String {
        let folded = spelling(name);
        let domain = self.domain.read();
        domain.named(&folded).map_or(folded, |user| spelling(user.id.as_str()))
    }

    /// Replaces or removes the keys of an account; what was remembered is forgotten, a lock opened.
    ///
    /// Sessions that are logged in stay: whoever changes a password to shut somebody out removes
    /// the account, or ends its sessions as well.
    pub fn adopt(&self, name: &str, keys: Option<KeyRing>) {
        let account = spelling(name);
        let mut all = self.keys.write();
        all.set(&account, keys);
        // Still under the lock: a check that is under way sees either both changes or none.
        self.remembered.write().forget(&account);
        self.tokens.write().forget(&account);
        self.guard.lock().forget(&account);
    }

    /// Adds keys of a password that stays; what is remembered of it stays too.
    pub fn adopt_more(&self, more: &MoreKeys) {
        self.keys.write().add(&spelling(&more.user), &more.beside, &more.keys);
    }

    fn recall(&self, account: &str, password: &Secret<String>) -> Option<Login> {
        let now = clock::moment();
        if self.guard.lock().is_locked(account, now) {
            return None;
        }
        self.remembered.read().recall(account, password, now)
    }

    /// Checks the password by derivation. The try is counted; the turn ends with the work, even if
    /// the caller has gone away by then.
    async fn derive(
        &self,
        account: String,
        password: &Secret<String>,
        peer: IpAddr,
        turn: OwnedSemaphorePermit,
    ) -> Result<Login, Failure> {
        let (keys, stored) = self.keys_or_decoy(&account, CHECKED_BY);
        self.derivations.inc();
        let (name, sent, with) = (account.clone(), password.clone(), keys.clone());
        let check = move || (with.check(&name, &sent), turn);
        let checked = tokio::task::spawn_blocking(check).await;
        let (login, turn) = checked.map_err(|_| Failure::TemporaryAuthFailure)?;
        self.settle(&account, peer, stored.is_some(), login.is_some());
        let login = login.ok_or(Failure::NotAuthorized)?;
        self.remember(&login, password, &keys);
        // Not before it is remembered: who is next would do the same work again.
        drop(turn);
        self.complete(account, password, keys, &stored.unwrap_or_default());
        Ok(login)
    }

    /// Derives the keys for hashes that an account has none for, if nobody waits for his turn, and
    /// has them kept. Else it is done at the next login that is checked in this way.
    fn complete(
        &self,
        user: String,
        password: &Secret<String>,
        beside: ScramKeys,
        stored: &KeyRing,
    ) {
        let lacking: Vec<Hash> =
            Hash::ALL.into_iter().filter(|hash| stored.of(*hash).is_none()).collect();
        let Ok(turn) = Arc::clone(&self.deriving).try_acquire_owned() else { return };
        if lacking.is_empty() {
            return;
        }
        // As they were shown while there were none.
        let all = self.keys.read();
        let shown: Vec<_> = lacking.into_iter().map(|hash| self.decoy(&all, &user, hash)).collect();
        drop(all);
        let password = password.clone();
        let keep = Arc::clone(&self.keep);
        tokio::task::spawn_blocking(move || {
            let derive = |ScramKeys { hash, salt, iterations, .. }: &ScramKeys| {
                ScramKeys::derive(*hash, &password, salt, *iterations).ok()
            };
            let keys = shown.iter().filter_map(derive).collect();
            keep(MoreKeys { user, beside, keys });
            drop(turn);
        });
    }

    /// Remembers a password, unless it was changed while it was checked.
    fn remember(&self, login: &Login, password: &Secret<String>, checked_with: &ScramKeys) {
        let all = self.keys.read();
        if all.are_still(login.name(), checked_with) {
            self.remembered.write().remember(login, password, clock::moment());
        }
    }

    /// Keys to check against, and the stored ones if the account exists. For a locked account
    /// they look the same and fit no password; so they do for one that has none for `hash`.
    fn keys_or_decoy(&self, account: &str, hash: Hash) -> (ScramKeys, Option<Arc<KeyRing>>) {
        let all = self.keys.read();
        let (decoy, stored) = (self.decoy(&all, account, hash), all.of(account).cloned());
        drop(all);
        let is_locked = self.guard.lock().is_locked(account, clock::moment());
        let keys = match stored.as_ref().and_then(|ring| ring.of(hash)) {
            None => decoy,
            Some(real) if is_locked => {
                ScramKeys { salt: real.salt.clone(), iterations: real.iterations, ..decoy }
            }
            Some(real) => real.clone(),
        };
        (keys, stored)
    }

    /// A decoy with the rounds of some real account, so that those who have not changed their
    /// passwords since `scram-iterations` was changed do not stand out.
    fn decoy(&self, all: &Keys, account: &str, hash: Hash) -> ScramKeys {
        let rounds = all.rounds_at(self.decoys.place(account, hash), hash);
        self.decoys.keys(account, hash, rounds.unwrap_or(self.iterations))
    }

    fn settle(&self, account: &str, peer: IpAddr, is_known: bool, is_success: bool) {
        let now: Moment = clock::moment();
        let mut guard = self.guard.lock();
        if is_success {
            guard.right(account, peer, now);
        } else if is_known && guard.wrong(account, now) {
            drop(guard);
            tracing::warn!(account, %peer, "account locked after too many wrong passwords");
        }
    }
}

/// How an account gets the keys that it lacks.
const REMEDY: &str = "each gets them with its next login by password, or a new password";

/// By which keys a password is checked that was sent as it is: every account has these.
const CHECKED_BY: Hash = Hash::Sha256;

/// A name that cannot be part of an address is nobody's, and stays as it is.
fn spelling(name: &str) -> String {
    jid::account_name(name).unwrap_or_else(|_| name.to_lowercase())
}

#[cfg(test)]
mod tests;
