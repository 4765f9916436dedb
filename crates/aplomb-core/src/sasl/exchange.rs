//! One login at the server, whatever carries it: messages in, steps out.
//!
//! Knows neither XML nor base64, so that SASL of RFC 6120 §6 and XEP-0388 are two wrappers of one
//! thing. Source: RFC 4422 §3.

use super::announced::Announced;
use super::binding::{BindingType, Bindings};
use super::scram::{ClientFirst, ServerExchange};
use super::{Failure, Hash, Login, Mechanism, ScramKeys, plain};
use crate::secret::Secret;

/// What a client may log in with on its connection.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The server's domain.
    pub domain: &'a str,
    /// The mechanisms as they were announced, in that order.
    pub mechanisms: &'a [Mechanism],
    /// What a login can be bound to.
    pub bindings: &'a Bindings,
}

impl Offer<'_> {
    /// Whether a login can be bound to its connection.
    pub fn can_bind(&self) -> bool {
        self.mechanisms.iter().any(|mechanism| mechanism.is_bound())
    }

    /// The types of channel binding, if there are any (XEP-0440).
    pub fn binding_types(&self) -> impl Iterator<Item = BindingType> {
        self.bindings.types().filter(|_| self.can_bind())
    }

    /// What is announced, as it is read by a client.
    pub fn announced(&self) -> Announced {
        let names = self.mechanisms.iter().map(|mechanism| mechanism.name().to_owned());
        let types = self.binding_types().map(|kind| kind.name().to_owned()).collect::<Vec<_>>();
        Announced {
            mechanisms: names.collect(),
            binding_types: (!types.is_empty()).then_some(types),
        }
    }
}

/// A login that is being tried. The first message is the client's.
#[derive(Debug)]
pub struct Exchange {
    /// Who the client said it was, if it got so far.
    name: Option<String>,
    state: State,
}

/// What the server does next.
#[derive(Debug)]
pub enum Step {
    /// Send this, and wait for a response. No bytes ask for the message that did not come along.
    Challenge(Vec<u8>),
    /// Find out, then [`Exchange::answer`].
    Ask(Ask),
    /// The client is in; these bytes, if there are any, prove to it that the server is the right
    /// one.
    Succeed(Login, Vec<u8>),
    /// It is not.
    Fail(Failure),
}

/// What only the accounts know.
#[derive(Debug)]
pub enum Ask {
    /// Is this the password of this account? Answer: [`Reply::Verdict`].
    Password {
        /// The account.
        name: String,
        /// What the client sent.
        password: Secret<String>,
    },
    /// The keys of this account, or a decoy. Answer: [`Reply::Keys`], or a failed
    /// [`Reply::Verdict`].
    Keys {
        /// The account.
        name: String,
        /// For which hash.
        hash: Hash,
        /// By what the client binds the login to its connection, if it does.
        binding: Option<BindingType>,
    },
}

/// The answer to an [`Ask`].
#[derive(Debug)]
pub enum Reply {
    /// To a password; a failure also refuses a request for keys.
    Verdict(Result<Login, Failure>),
    /// To a request for keys.
    Keys {
        /// The account that the client's name means: whose login it is.
        account: String,
        /// Its keys, or a decoy.
        keys: Box<ScramKeys>,
    },
}

#[derive(Debug)]
enum State {
    /// Waits for the client's first message.
    Begun(Mechanism),
    /// Waits for the accounts.
    AskedPassword,
    /// Waits for the accounts.
    AskedKeys(Box<ClientFirst>),
    /// Waits for the client's final message.
    Challenged(Box<ServerExchange>),
    /// Succeeded or failed.
    Over,
}

impl Exchange {
    /// Begins with a mechanism that is named `mechanism`, if it is offered.
    ///
    /// - Errors: [`Failure::InvalidMechanism`]; [`Failure::EncryptionRequired`] where nothing is
    ///   offered, because there is no TLS (RFC 6120 §6.5.4).
    pub fn begin(mechanism: &str, offer: Offer<'_>) -> Result<Self, Failure> {
        let named = Mechanism::named(mechanism);
        match named.filter(|mechanism| offer.mechanisms.contains(mechanism)) {
            Some(mechanism) => Ok(Self { name: None, state: State::Begun(mechanism) }),
            None if offer.mechanisms.is_empty() => Err(Failure::EncryptionRequired),
            None => Err(Failure::InvalidMechanism),
        }
    }

    /// Who the client said it was, if it got so far.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Takes a message of the client; none when it sent none with its wish for the mechanism.
    ///
    /// After [`Step::Ask`] the next word is that of [`Exchange::answer`].
    pub fn receive(&mut self, message: Option<&[u8]>, offer: Offer<'_>) -> Step {
        match (std::mem::replace(&mut self.state, State::Over), message) {
            // An empty challenge asks for the initial response (RFC 4422 §3.3, RFC 6120 §6.4.2).
            (state @ State::Begun(_), None) => {
                self.state = state;
                Step::Challenge(Vec::new())
            }
            (State::Begun(mechanism), Some(message)) => self.first(mechanism, message, offer),
            (State::Challenged(exchange), message) => match exchange.finish(message.unwrap_or(&[]))
            {
                Ok((login, proof)) => Step::Succeed(login, proof.into_bytes()),
                Err(failure) => Step::Fail(failure),
            },
            (State::AskedPassword | State::AskedKeys(_) | State::Over, _) => {
                Step::Fail(Failure::MalformedRequest)
            }
        }
    }

    /// Takes the accounts' answer; `nonce` is the server's part, random.
    pub fn answer(&mut self, reply: Reply, nonce: &str) -> Step {
        match (std::mem::replace(&mut self.state, State::Over), reply) {
            (State::AskedPassword, Reply::Verdict(Ok(login))) => Step::Succeed(login, Vec::new()),
            (State::AskedKeys(first), Reply::Keys { account, keys }) => {
                let (exchange, challenge) = first.challenge(account, *keys, nonce);
                self.state = State::Challenged(Box::new(exchange));
                Step::Challenge(challenge.into_bytes())
            }
            (_, Reply::Verdict(Err(failure))) => Step::Fail(failure),
            (state, reply) => unreachable!("{reply:?} does not answer {state:?}"),
        }
    }

    fn first(&mut self, mechanism: Mechanism, message: &[u8], offer: Offer<'_>) -> Step {
        let asked = match mechanism {
            Mechanism::Plain => plain::read(message, offer.domain).map(|claim| {
                let plain::Claim { name, password } = claim;
                (State::AskedPassword, Ask::Password { name: name.clone(), password }, name)
            }),
            Mechanism::Scram(hash) | Mechanism::ScramPlus(hash) => {
                ClientFirst::read(message, hash, mechanism.is_bound(), offer).map(|first| {
                    let name = first.name().to_owned();
                    let ask = Ask::Keys { name: name.clone(), hash, binding: first.binding() };
                    (State::AskedKeys(Box::new(first)), ask, name)
                })
            }
        };
        match asked {
            Ok((state, ask, name)) => {
                self.name = Some(name);
                self.state = state;
                Step::Ask(ask)
            }
            Err(failure) => Step::Fail(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer<'a>(mechanisms: &'a [Mechanism], bindings: &'a Bindings) -> Offer<'a> {
        Offer { domain: "cc.test", mechanisms, bindings }
    }

    #[test]
    fn a_mechanism_that_is_not_offered_is_refused_and_without_any_there_must_be_tls() {
        let none = Bindings::default();
        let begin = |name, offered| Exchange::begin(name, offer(offered, &none)).err();
        assert_eq!(begin("PLAIN", &[Mechanism::Plain]), None);
        assert_eq!(begin("plain", &[Mechanism::Plain]), Some(Failure::InvalidMechanism));
        assert_eq!(begin("SCRAM-SHA-256", &[Mechanism::Plain]), Some(Failure::InvalidMechanism));
        assert_eq!(begin("PLAIN", &[]), Some(Failure::EncryptionRequired));
    }

    #[test]
    fn a_message_that_did_not_come_along_is_asked_for_and_one_out_of_turn_ends_it() {
        let (none, offered) = (Bindings::default(), [Mechanism::Plain]);
        let offer = offer(&offered, &none);
        let mut exchange = Exchange::begin("PLAIN", offer).unwrap();
        assert!(matches!(exchange.receive(None, offer), Step::Challenge(asks) if asks.is_empty()));
        let asked = exchange.receive(Some(b"\0Ada\0pencil"), offer);
        assert!(matches!(asked, Step::Ask(Ask::Password { name, .. }) if name == "ada"));
        assert_eq!(exchange.name(), Some("ada"));
        for _ in 0..2 {
            let again = exchange.receive(Some(b"\0ada\0pencil"), offer);
            assert!(matches!(again, Step::Fail(Failure::MalformedRequest)));
        }
    }
}
