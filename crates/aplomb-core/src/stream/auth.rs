//! The server's side of a login: SASL elements in, moves out (RFC 6120 §6.4).

use base64::prelude::{BASE64_STANDARD, Engine};

use super::responder::{Answer, Question};
use crate::ns;
use crate::sasl::scram::{ClientFirst, ServerExchange};
use crate::sasl::{Failure, Login, Mechanism, plain};
use crate::xml::Element;

/// One login after another, until one works.
#[derive(Debug, Default)]
pub(super) struct Auth {
    state: State,
    failures: u32,
}

/// What the server does next.
#[derive(Debug)]
pub(super) enum Move {
    /// Send this, and wait for a response.
    Challenge(Element),
    /// Ask the driver.
    Ask(Question),
    /// Send this: the client is in.
    Succeed(Element, Login),
    /// Send this: it is not. The name is who it said it was, if it got so far.
    Fail(Element, Option<String>, Failure),
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    /// Waits for the first message of a mechanism, which did not come with the `<auth/>`.
    Chosen(Mechanism),
    /// Waits for the driver.
    AskedPassword(String),
    /// Waits for the driver.
    AskedKeys(Box<ClientFirst>),
    /// Waits for the client's final message.
    Challenged(Box<ServerExchange>),
}

impl Auth {
    /// How many logins failed.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes `<auth/>`, `<response/>` or `<abort/>`, in an order that the grammar allows.
    pub(super) fn receive(
        &mut self,
        element: &Element,
        offered: &[Mechanism],
        domain: &str,
    ) -> Move {
        let state = std::mem::take(&mut self.state);
        if element.name() == "abort" {
            return self.fail(state.into_name(), Failure::Aborted);
        }
        let Ok(message) = decode(&element.text()) else {
            return self.fail(state.into_name(), Failure::IncorrectEncoding);
        };
        match (element.name(), state) {
            ("auth", _) => {
                let named = element.attr("mechanism").and_then(Mechanism::named);
                match named.filter(|mechanism| offered.contains(mechanism)) {
                    // A server that offers nothing here wants TLS first (RFC 6120 §6.5.4).
                    None if offered.is_empty() => self.fail(None, Failure::EncryptionRequired),
                    None => self.fail(None, Failure::InvalidMechanism),
                    // No initial response: an empty challenge asks for it (RFC 6120 §6.4.2).
                    Some(mechanism) if element.text().is_empty() => {
                        self.state = State::Chosen(mechanism);
                        Move::Challenge(sasl("challenge", ""))
                    }
                    Some(mechanism) => self.begin(mechanism, &message, domain),
                }
            }
            (_, State::Chosen(mechanism)) => self.begin(mechanism, &message, domain),
            (_, State::Challenged(exchange)) => {
                let name = exchange.name().to_owned();
                match exchange.finish(&message) {
                    Ok((login, proof)) => Move::Succeed(sasl("success", &proof), login),
                    Err(failure) => self.fail(Some(name), failure),
                }
            }
            (_, State::Idle | State::AskedPassword(_) | State::AskedKeys(_)) => {
                unreachable!("the grammar lets a response through only after a challenge")
            }
        }
    }

    /// Takes the driver's answer; `nonce` is the server's part, random.
    pub(super) fn answer(&mut self, answer: Answer, nonce: &str) -> Move {
        match (std::mem::take(&mut self.state), answer) {
            (State::AskedPassword(_), Answer::Verdict(Ok(login))) => {
                Move::Succeed(Element::new(ns::SASL, "success"), login)
            }
            (State::AskedKeys(first), Answer::Keys(keys)) => {
                let (exchange, challenge) = first.challenge(*keys, nonce);
                self.state = State::Challenged(Box::new(exchange));
                Move::Challenge(sasl("challenge", &challenge))
            }
            (state, Answer::Verdict(Err(failure))) => self.fail(state.into_name(), failure),
            (state, answer) => unreachable!("{answer:?} does not answer {state:?}"),
        }
    }

    fn begin(&mut self, mechanism: Mechanism, message: &[u8], domain: &str) -> Move {
        match mechanism {
            Mechanism::Plain => match plain::read(message, domain) {
                Ok(claim) => {
                    self.state = State::AskedPassword(claim.name.clone());
                    let plain::Claim { name, password } = claim;
                    Move::Ask(Question::Password { name, password })
                }
                Err(failure) => self.fail(None, failure),
            },
            Mechanism::ScramSha256 => match ClientFirst::read(message, domain) {
                Ok(first) => {
                    let name = first.name().to_owned();
                    self.state = State::AskedKeys(Box::new(first));
                    Move::Ask(Question::Keys { name })
                }
                Err(failure) => self.fail(None, failure),
            },
        }
    }

    fn fail(&mut self, name: Option<String>, failure: Failure) -> Move {
        self.failures += 1;
        let condition = Element::new(ns::SASL, failure.name());
        Move::Fail(Element::new(ns::SASL, "failure").with_child(condition), name, failure)
    }
}

impl State {
    fn into_name(self) -> Option<String> {
        match self {
            Self::Idle | Self::Chosen(_) => None,
            Self::AskedPassword(name) => Some(name),
            Self::AskedKeys(first) => Some(first.name().to_owned()),
            Self::Challenged(exchange) => Some(exchange.name().to_owned()),
        }
    }
}

/// Writes a SASL element that carries `message`, or nothing.
pub(super) fn sasl(name: &'static str, message: &str) -> Element {
    let element = Element::new(ns::SASL, name);
    if message.is_empty() { element } else { element.with_text(BASE64_STANDARD.encode(message)) }
}

/// Reads what a SASL element carries; `=` is a message of no bytes (RFC 6120 §6.4.2).
pub(super) fn decode(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    if text == "=" { Ok(Vec::new()) } else { BASE64_STANDARD.decode(text) }
}
