//! Short-lived tokens: who logged in gets one, and shows it where a password must not go.
//!
//! Only hashes are kept, so that nobody who reads the memory can use one. Source: RFC 6750 for what
//! a bearer token is.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use aws_lc_rs::digest;

use super::Login;
use crate::secret::Secret;
use crate::time::Moment;

/// The tokens that are good now: bounded in number, in all and for one account, and in time.
#[derive(Debug)]
pub struct Tokens {
    life: Duration,
    max: usize,
    of_one_max: usize,
    accounts: HashMap<Hash, String>,
    /// The oldest first.
    by_account: HashMap<String, VecDeque<(Hash, Moment)>>,
}

type Hash = [u8; digest::SHA256_OUTPUT_LEN];

impl Tokens {
    /// Each token lives for `life`; there are at most `max`, and `of_one_max` of one account.
    pub fn new(life: Duration, max: usize, of_one_max: usize) -> Self {
        let (accounts, by_account) = Default::default();
        Self { life, max, of_one_max, accounts, by_account }
    }

    /// How long a token lives.
    pub const fn life(&self) -> Duration {
        self.life
    }

    /// Makes `token`, which nobody can guess, good for `login`. The oldest of the account goes if
    /// it has too many; false if there are too many in all.
    pub fn issue(&mut self, token: &Secret<String>, login: &Login, now: Moment) -> bool {
        if self.accounts.len() >= self.max {
            self.drop_old(now);
        }
        let of_account = self.by_account.entry(login.name.clone()).or_default();
        while let Some((hash, until)) = of_account.front().copied()
            && (until <= now || of_account.len() >= self.of_one_max)
        {
            of_account.pop_front();
            self.accounts.remove(&hash);
        }
        let has_room = self.accounts.len() < self.max;
        if has_room {
            let hash = hash_of(token);
            of_account.push_back((hash, now + self.life));
            self.accounts.insert(hash, login.name.clone());
        }
        if of_account.is_empty() {
            self.by_account.remove(&login.name);
        }
        has_room
    }

    /// The login that a token stands for.
    pub fn redeem(&self, token: &Secret<String>, now: Moment) -> Option<Login> {
        let hash = hash_of(token);
        let name = self.accounts.get(&hash)?;
        let (_, until) = self.by_account.get(name)?.iter().find(|(other, _)| *other == hash)?;
        (now < *until).then(|| Login::new(name.clone()))
    }

    /// Forgets the tokens of an account, whose password changed or who is gone.
    pub fn forget(&mut self, name: &str) {
        for (hash, _) in self.by_account.remove(name).into_iter().flatten() {
            self.accounts.remove(&hash);
        }
    }

    fn drop_old(&mut self, now: Moment) {
        let accounts = &mut self.accounts;
        self.by_account.retain(|_, of_account| {
            while let Some((hash, _)) = of_account.pop_front_if(|(_, until)| *until <= now) {
                accounts.remove(&hash);
            }
            !of_account.is_empty()
        });
    }
}

fn hash_of(token: &Secret<String>) -> Hash {
    let hashed = digest::digest(&digest::SHA256, token.expose().as_bytes());
    hashed.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(Duration::from_secs(60), 3, 2)
    }

    fn at(secs: u64) -> Moment {
        Moment::new(Duration::from_secs(secs))
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn issue(tokens: &mut Tokens, token: &str, name: &str, secs: u64) -> bool {
        tokens.issue(&secret(token), &Login::new(name.to_owned()), at(secs))
    }

    /// Whom the tokens `a` to `e` stand for, a letter each.
    fn good(tokens: &Tokens, secs: u64) -> String {
        let whose = |token: &str| tokens.redeem(&secret(token), at(secs));
        ["a", "b", "c", "d", "e"]
            .iter()
            .filter_map(|token| whose(token))
            .fold(String::new(), |all, login| all + login.name())
    }

    #[test]
    fn a_token_is_good_for_its_account_and_its_time() {
        let mut tokens = tokens();
        assert!(issue(&mut tokens, "a", "1", 0));
        assert_eq!((good(&tokens, 59), good(&tokens, 60)), ("1".to_owned(), String::new()));
        assert_eq!(tokens.redeem(&secret(""), at(0)), None);
        assert!(!format!("{tokens:?}").contains("\"a\""));
    }

    #[test]
    fn a_changed_password_makes_all_of_an_account_worthless() {
        let mut tokens = tokens();
        for (token, name) in [("a", "1"), ("b", "1"), ("c", "2")] {
            assert!(issue(&mut tokens, token, name, 0));
        }
        tokens.forget("1");
        assert_eq!(good(&tokens, 1), "2");
        assert_eq!((tokens.accounts.len(), tokens.by_account.len()), (1, 1));
    }

    #[test]
    fn the_oldest_of_an_account_makes_room_and_that_of_another_does_not() {
        let mut tokens = tokens();
        for (token, name) in [("a", "1"), ("b", "1"), ("c", "1"), ("d", "2")] {
            assert!(issue(&mut tokens, token, name, 0));
        }
        assert_eq!(good(&tokens, 0), "112", "a is gone");
        assert!(!issue(&mut tokens, "e", "3", 59), "there are three");
        assert!(issue(&mut tokens, "e", "3", 60), "they are over");
        assert_eq!(good(&tokens, 60), "3");
        assert_eq!((tokens.accounts.len(), tokens.by_account.len()), (1, 1));
    }
}
