//! The tokens that are kept: who has which, what a login by one changes, what makes room.

use std::collections::HashMap;

use super::{Agent, FastToken, Making, SEED_BYTES, Shown};
use super::{is_from_initiator, responder_message};
use crate::limits::FAST_AGENTS_OF_ONE_MAX;
use crate::sasl::{Failure, Login};
use crate::time::WallTime;

/// All tokens, by account.
#[derive(Debug, Clone, Default)]
pub struct FastTokens {
    /// In the order in which they were issued.
    accounts: HashMap<String, Vec<FastToken>>,
    /// Those that are over before the time that they were made with, by their seeds.
    shortened: HashMap<[u8; SEED_BYTES], WallTime>,
}

/// A durable fact about tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FastChange {
    /// This token is good now, or was counted.
    Set {
        /// The account.
        account: String,
        /// The token; its seed names it.
        token: FastToken,
    },
    /// This one is not good any more.
    Dropped {
        /// The account.
        account: String,
        /// Its seed.
        seed: [u8; SEED_BYTES],
    },
}

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FastRequest {
    /// A new token.
    Issue(FastToken),
    /// A login by this one.
    Use {
        /// Which token.
        seed: [u8; SEED_BYTES],
        /// How it was used.
        with: Use,
    },
}

/// How a token is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Use {
    /// The client's count of the uses of this token, if it counts them.
    pub count: Option<u32>,
    /// Whether it is to be the last use.
    pub is_last: bool,
}

/// The token was counted so far already, or is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// A token that fits a client's message.
#[derive(Debug)]
pub struct Fitting {
    /// Who the client is.
    pub login: Login,
    /// Which token it has.
    pub token: FastToken,
    /// Until when it is good.
    pub ends: WallTime,
    /// What the server proves itself with.
    pub answer: [u8; 32],
}

impl FastTokens {
    /// Ends all that would be good for longer at that time: what is given a shorter life now, or
    /// was made by a clock that was ahead, is good no longer than what is made new.
    pub fn shorten(&mut self, until: WallTime) {
        let tokens = self.accounts.values().flatten();
        let long = tokens.filter(|token| token.expires > until);
        self.shortened.extend(long.map(|token| (token.seed, until)));
    }

    /// Finds the token that a message was made with. It costs the same whether there is one.
    ///
    /// - Errors: [`Failure::NotAuthorized`]; [`Failure::CredentialsExpired`] to whoever has the
    ///   token, but has it too long.
    pub fn find(
        &self,
        shown: &Shown,
        making: &Making<'_>,
        now: WallTime,
    ) -> Result<Fitting, Failure> {
        let Shown { proof, agent, mechanism, binding, .. } = shown;
        let (agent, mechanism, binding) = (*agent, *mechanism, binding.expose());
        let of_agent = || self.of(making.account).filter(|token| token.agent == agent);
        let decoy = FastToken {
            agent,
            mechanism,
            seed: [0; SEED_BYTES],
            expires: WallTime(0),
            is_used: false,
            count: 0,
        };
        let count = of_agent().count().max(TOKENS_OF_AGENT_USUAL);
        let candidates = of_agent().map(Some).chain(std::iter::repeat(None)).take(count);
        let mut found = None;
        for kept in candidates {
            let token = kept.unwrap_or(&decoy);
            let text = token.text(making);
            let is_it = is_from_initiator(proof.hash.expose(), &text, binding);
            if is_it && kept.is_some() && token.mechanism == mechanism {
                found = Some((token.clone(), responder_message(&text, binding)));
            }
        }
        let (token, answer) = found.ok_or(Failure::NotAuthorized)?;
        let ends = self.end_of(&token);
        if ends <= now {
            return Err(Failure::CredentialsExpired);
        }
        Ok(Fitting { login: Login::new(making.account.to_owned()), token, ends, answer })
    }

    /// What a request changes; nothing if all is as it should be.
    ///
    /// - Errors: [`Refused`]: a use that was counted before, or of a token that is gone.
    pub fn plan(
        &self,
        account: &str,
        request: &FastRequest,
        now: WallTime,
    ) -> Result<Vec<FastChange>, Refused> {
        match request {
            FastRequest::Issue(token) => Ok(self.plan_issue(account, token, now)),
            FastRequest::Use { seed, with } => self.plan_use(account, seed, *with),
        }
    }

    /// What is changed when an account goes, or has a new password.
    pub fn departure(&self, account: &str) -> Vec<FastChange> {
        self.of(account).map(|token| dropped(account, token)).collect()
    }

    /// Takes in a change.
    pub fn adopt(&mut self, change: &FastChange) {
        match change {
            FastChange::Set { account, token } => {
                let tokens = self.accounts.entry(account.clone()).or_default();
                match tokens.iter_mut().find(|kept| kept.seed == token.seed) {
                    Some(kept) => *kept = token.clone(),
                    None => tokens.push(token.clone()),
                }
            }
            FastChange::Dropped { account, seed } => {
                self.shortened.remove(seed);
                if let Some(tokens) = self.accounts.get_mut(account) {
                    tokens.retain(|kept| kept.seed != *seed);
                    if tokens.is_empty() {
                        self.accounts.remove(account);
                    }
                }
            }
        }
    }

    /// What is over by now, and was not dropped yet.
    pub fn lapsed(&self, now: WallTime) -> Vec<FastChange> {
        let all = self.accounts.iter();
        let each = all.flat_map(|(account, tokens)| tokens.iter().map(move |t| (account, t)));
        let over = each.filter(|(_, token)| self.end_of(token) <= now);
        over.map(|(account, token)| dropped(account, token)).collect()
    }

    fn end_of(&self, token: &FastToken) -> WallTime {
        self.shortened.get(&token.seed).map_or(token.expires, |ends| token.expires.min(*ends))
    }

    fn of(&self, account: &str) -> impl Iterator<Item = &FastToken> {
        self.accounts.get(account).into_iter().flatten()
    }

    /// The new token takes the place of one that was never used; too many clients, and the one
    /// that was given a token longest ago goes.
    fn plan_issue(&self, account: &str, token: &FastToken, now: WallTime) -> Vec<FastChange> {
        let is_over = |kept: &FastToken| {
            self.end_of(kept) <= now || kept.agent == token.agent && !kept.is_used
        };
        let mut agents: Vec<Agent> = Vec::new();
        for kept in self.of(account).filter(|kept| !is_over(kept) && kept.agent != token.agent) {
            agents.retain(|agent| *agent != kept.agent);
            agents.push(kept.agent);
        }
        let too_many = (agents.len() + 1).saturating_sub(FAST_AGENTS_OF_ONE_MAX);
        let gone = &agents[..too_many];
        let goes = |kept: &&FastToken| is_over(kept) || gone.contains(&kept.agent);
        let mut changes: Vec<_> =
            self.of(account).filter(goes).map(|kept| dropped(account, kept)).collect();
        changes.push(FastChange::Set { account: account.to_owned(), token: token.clone() });
        changes
    }

    /// The first use of a token ends the one before it (XEP-0484 §3.5).
    fn plan_use(
        &self,
        account: &str,
        seed: &[u8; SEED_BYTES],
        with: Use,
    ) -> Result<Vec<FastChange>, Refused> {
        let token = self.of(account).find(|kept| kept.seed == *seed).ok_or(Refused)?;
        let count = token.counted(with)?;
        if with.is_last {
            let of_agent = self.of(account).filter(|kept| kept.agent == token.agent);
            return Ok(of_agent.map(|kept| dropped(account, kept)).collect());
        }
        let counted = FastToken { is_used: true, count, ..token.clone() };
        if counted == *token {
            return Ok(Vec::new());
        }
        // By their order: a shorter life, or a clock set back, lets a newer one end earlier.
        let older = self.of(account).take_while(|kept| kept.seed != token.seed);
        let older = older.filter(|kept| kept.agent == token.agent);
        let mut changes: Vec<_> = older.map(|kept| dropped(account, kept)).collect();
        changes.push(FastChange::Set { account: account.to_owned(), token: counted });
        Ok(changes)
    }
}

impl FastToken {
    /// The count after a use. A client that counts goes on counting: otherwise whoever overheard
    /// one of its messages could leave the count out.
    fn counted(&self, with: Use) -> Result<u32, Refused> {
        match with.count {
            None if self.count == 0 => Ok(0),
            Some(count) if count > self.count => Ok(count),
            None | Some(_) => Err(Refused),
        }
    }
}

fn dropped(account: &str, token: &FastToken) -> FastChange {
    FastChange::Dropped { account: account.to_owned(), seed: token.seed }
}

/// Tokens of one client: the one that it uses, and one that it may not have received.
const TOKENS_OF_AGENT_USUAL: usize = 2;

#[cfg(test)]
mod tests {
    use super::super::{FastMechanism, FastProof, initiator_message};
    use super::*;
    use crate::secret::Secret;

    static KEY: Secret<[u8; 32]> = Secret::new([1; 32]);
    static MARK: Secret<Vec<u8>> = Secret::new(Vec::new());
    const BINDING: &[u8] = b"channel";

    fn agent(number: u32) -> Agent {
        Agent::parse(&format!("d4565fa7-4d72-4749-b3d3-{number:012}")).unwrap()
    }

    fn token(number: u32, seed: u8, expires: i64) -> FastToken {
        FastToken {
            agent: agent(number),
            mechanism: FastMechanism::EndPoint,
            seed: [seed; SEED_BYTES],
            expires: WallTime(expires),
            is_used: false,
            count: 0,
        }
    }

    fn making(account: &str) -> Making<'_> {
        Making { key: &KEY, account, password_mark: &MARK }
    }

    fn seed(seed: u8) -> [u8; SEED_BYTES] {
        [seed; SEED_BYTES]
    }

    impl FastTokens {
        fn ask(&mut self, account: &str, request: &FastRequest) -> Result<(), Refused> {
            for change in self.plan(account, request, WallTime(0))? {
                self.adopt(&change);
            }
            Ok(())
        }

        fn issue(&mut self, account: &str, token: FastToken) {
            self.ask(account, &FastRequest::Issue(token)).unwrap();
        }

        fn log_in(&mut self, account: &str, of: u8, count: Option<u32>) -> Result<(), Refused> {
            let with = Use { count, is_last: false };
            self.ask(account, &FastRequest::Use { seed: seed(of), with })
        }

        /// The seeds of an account's tokens.
        fn held(&self, account: &str) -> Vec<u8> {
            self.of(account).map(|token| token.seed[0]).collect()
        }

        /// What comes of a message that the token of `of` made, said by `agent` to be of `account`.
        fn try_in(
            &self,
            account: &str,
            of: &FastToken,
            (number, mechanism, binding): (u32, FastMechanism, &[u8]),
            at: i64,
        ) -> Result<String, Failure> {
            let text = of.text(&making("ada"));
            let message = initiator_message(account, &text, BINDING);
            let proof = FastProof::read(message.expose()).unwrap();
            let (agent, binding, with) =
                (agent(number), Secret::new(binding.to_vec()), Use::default());
            let shown = Shown { proof, agent, mechanism, binding, with };
            let found = self.find(&shown, &making(account), WallTime(at))?;
            assert_eq!(found.answer, responder_message(&text, BINDING));
            Ok(found.login.name().to_owned())
        }
    }

    #[test]
    fn what_is_shown_prints_nothing_of_the_connection() {
        let proof = FastProof { name: "ada".to_owned(), hash: Secret::new([0; 32]) };
        let (agent, mechanism, with) = (agent(1), FastMechanism::Exporter, Use::default());
        let binding = Secret::new(vec![199; 32]);
        let shown = Shown { proof, agent, mechanism, binding, with };
        assert!(!format!("{shown:?}").contains("199"));
    }

    #[test]
    fn a_token_is_good_for_its_account_agent_mechanism_connection_and_time() {
        let mut tokens = FastTokens::default();
        let one = token(1, 1, 100);
        tokens.issue("ada", one.clone());
        tokens.issue("bob", token(1, 2, 100));
        let right = (1, FastMechanism::EndPoint, BINDING);
        assert_eq!(tokens.try_in("ada", &one, right, 99), Ok("ada".to_owned()));
        assert_eq!(tokens.try_in("ada", &one, right, 100), Err(Failure::CredentialsExpired));
        let wrong = Err(Failure::NotAuthorized);
        assert_eq!(tokens.try_in("bob", &one, right, 0), wrong);
        assert_eq!(tokens.try_in("eve", &one, right, 0), wrong);
        for other in [
            (2, FastMechanism::EndPoint, BINDING),
            (1, FastMechanism::Exporter, BINDING),
            (1, FastMechanism::Unbound, BINDING),
            (1, FastMechanism::EndPoint, b"another"),
        ] {
            assert_eq!(tokens.try_in("ada", &one, other, 0), wrong, "{other:?}");
        }
        assert_eq!(tokens.try_in("ada", &token(1, 9, 100), right, 0), wrong, "never issued");
    }

    #[test]
    fn a_new_token_ends_the_old_one_when_it_is_used_and_not_before() {
        let mut tokens = FastTokens::default();
        tokens.issue("ada", token(1, 1, 100));
        tokens.log_in("ada", 1, None).unwrap();
        tokens.issue("ada", token(1, 2, 200));
        assert_eq!(tokens.held("ada"), [1, 2], "the second may be lost on its way");
        tokens.log_in("ada", 1, None).unwrap();
        tokens.issue("ada", token(1, 3, 300));
        assert_eq!(tokens.held("ada"), [1, 3], "the second was never used");
        tokens.log_in("ada", 3, None).unwrap();
        assert_eq!(tokens.held("ada"), [3]);
        assert_eq!(tokens.log_in("ada", 1, None), Err(Refused));
    }

    #[test]
    fn a_newer_token_takes_over_even_if_it_ends_earlier() {
        let mut tokens = FastTokens::default();
        let newest = token(1, 3, 50);
        tokens.issue("ada", token(1, 1, 1_000));
        tokens.log_in("ada", 1, None).unwrap();
        // As they may stand in a store of before: more than two, the newest ends first.
        for token in [FastToken { is_used: true, ..token(1, 2, 900) }, newest.clone()] {
            tokens.adopt(&FastChange::Set { account: "ada".to_owned(), token });
        }
        let right = (1, FastMechanism::EndPoint, BINDING);
        assert_eq!(tokens.try_in("ada", &newest, right, 0), Ok("ada".to_owned()));
        tokens.log_in("ada", 3, None).unwrap();
        assert_eq!(tokens.held("ada"), [3]);
    }

    #[test]
    fn what_was_made_for_longer_is_good_no_longer_than_what_is_made_now() {
        let mut tokens = FastTokens::default();
        let (long, short) = (token(1, 1, 1_000), token(2, 2, 50));
        tokens.issue("ada", long.clone());
        tokens.issue("ada", short.clone());
        tokens.shorten(WallTime(100));
        let later = token(3, 3, 200);
        tokens.issue("ada", later.clone());
        let at = |token, number, at| {
            tokens.try_in("ada", token, (number, FastMechanism::EndPoint, BINDING), at).is_ok()
        };
        assert!(at(&long, 1, 99) && !at(&long, 1, 100));
        assert!(at(&short, 2, 49) && !at(&short, 2, 50));
        assert!(at(&later, 3, 199) && !at(&later, 3, 200));
        let over = tokens.lapsed(WallTime(100));
        over.iter().for_each(|change| tokens.adopt(change));
        assert_eq!((tokens.held("ada"), tokens.shortened.len()), (vec![3], 0));
    }

    #[test]
    fn a_count_only_rises() {
        let mut tokens = FastTokens::default();
        tokens.issue("ada", token(1, 1, 100));
        for (count, outcome) in [
            (None, Ok(())),
            (Some(0), Err(Refused)),
            (Some(3), Ok(())),
            (Some(3), Err(Refused)),
            (Some(2), Err(Refused)),
            (None, Err(Refused)),
            (Some(u32::MAX), Ok(())),
            (Some(u32::MAX), Err(Refused)),
        ] {
            assert_eq!(tokens.log_in("ada", 1, count), outcome, "{count:?}");
        }
    }

    #[test]
    fn a_use_that_changes_nothing_costs_no_commit() {
        let mut tokens = FastTokens::default();
        tokens.issue("ada", token(1, 1, 100));
        let with = Use::default();
        let request = FastRequest::Use { seed: seed(1), with };
        assert_eq!(tokens.plan("ada", &request, WallTime(0)).unwrap().len(), 1);
        tokens.log_in("ada", 1, None).unwrap();
        assert_eq!(tokens.plan("ada", &request, WallTime(0)), Ok(Vec::new()));
    }

    #[test]
    fn a_last_use_ends_all_that_the_client_has() {
        let mut tokens = FastTokens::default();
        for (number, seed) in [(1, 1), (2, 2)] {
            tokens.issue("ada", token(number, seed, 100));
        }
        let with = Use { count: None, is_last: true };
        tokens.ask("ada", &FastRequest::Use { seed: seed(1), with }).unwrap();
        assert_eq!(tokens.held("ada"), [2]);
    }

    #[test]
    fn the_client_that_got_its_token_longest_ago_makes_room() {
        let mut tokens = FastTokens::default();
        let most = u32::try_from(FAST_AGENTS_OF_ONE_MAX).unwrap();
        for number in 0..most {
            tokens.issue("ada", token(number, number as u8, 100));
        }
        tokens.log_in("ada", 0, None).unwrap();
        tokens.issue("ada", token(0, 100, 200));
        tokens.issue("ada", token(most, 101, 200));
        let held = tokens.held("ada");
        assert!(!held.contains(&1) && [0, 2, 100, 101].iter().all(|seed| held.contains(seed)));
        assert_eq!(held.len(), FAST_AGENTS_OF_ONE_MAX + 1);
    }

    #[test]
    fn what_is_over_makes_room_first_and_a_departure_leaves_nothing() {
        let mut tokens = FastTokens::default();
        tokens.issue("ada", token(1, 1, -1));
        tokens.issue("ada", token(2, 2, 100));
        assert_eq!(tokens.held("ada"), [2]);
        for change in tokens.departure("ada") {
            tokens.adopt(&change);
        }
        assert!(tokens.accounts.is_empty());
    }
}
