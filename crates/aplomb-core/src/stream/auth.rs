//! SASL in the words of RFC 6120 or of SASL2: elements in, moves out (RFC 6120 §6.4, XEP-0388 §2).

use base64::prelude::{BASE64_STANDARD, Engine};

use super::phase::Profile;
use super::responder::{Answer, Question};
use super::sasl2::{self, Wants};
use crate::ns;
use crate::sasl::exchange::{Ask, Exchange, Offer, Reply, Step};
use crate::sasl::fast::{FastMechanism, FastProof, Shown};
use crate::sasl::{Failure, Login};
use crate::secret::Secret;
use crate::xml::Element;

/// One login after another, until one works.
#[derive(Debug, Default)]
pub(super) struct Auth {
    tried: Option<Try>,
    /// In whose words; those of the last one stay.
    words: Profile,
    failures: u32,
}

/// One login.
#[derive(Debug)]
enum Try {
    Exchange(Box<Exchange>),
    /// By a token, of which the driver was asked.
    Token(String),
}

/// What the server does next.
#[derive(Debug)]
pub(super) enum Move {
    /// Send this, and wait for a response.
    Challenge(Element),
    /// Ask the driver.
    Ask(Question),
    /// The client is in; these bytes, if there are any, prove the server to it.
    Succeed(Vec<u8>, Login),
    /// Send this: it is not. The name is who it said it was, if it got so far.
    Fail(Element, Option<String>, Failure),
}

impl Auth {
    /// How many logins failed.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// In whose words the login is made.
    pub(super) const fn words(&self) -> Profile {
        self.words
    }

    /// Takes `<auth/>`, `<response/>` or `<abort/>`, in an order that the grammar allows.
    pub(super) fn receive(&mut self, element: &Element, offer: Offer<'_>) -> Move {
        if element.name() == "abort" {
            return self.fail(Failure::Aborted);
        }
        let text = element.text();
        let Ok(message) = decode(&text) else { return self.fail(Failure::IncorrectEncoding) };
        let is_auth = element.name() == "auth";
        if is_auth {
            self.words = Profile::Sasl;
            return self.begin(element, (!text.is_empty()).then_some(message), offer);
        }
        self.go_on(Some(&message), offer)
    }

    /// Takes `<authenticate/>`; `tokens` are the mechanisms for tokens that are offered.
    pub(super) fn authenticate(
        &mut self,
        element: &Element,
        wants: &Wants,
        offer: Offer<'_>,
        tokens: &[FastMechanism],
    ) -> Move {
        self.words = Profile::Sasl2;
        let Ok(message) = sasl2::initial_response(element) else {
            return self.fail(Failure::IncorrectEncoding);
        };
        let named = element.attr("mechanism").and_then(FastMechanism::named);
        match named.filter(|mechanism| tokens.contains(mechanism)) {
            Some(mechanism) => self.redeem(mechanism, message, wants, offer),
            None => self.begin(element, message, offer),
        }
    }

    /// Ends a login that was asked about, before it is answered.
    pub(super) fn refuse(&mut self, failure: Failure) -> Move {
        self.fail(failure)
    }

    fn begin(&mut self, element: &Element, message: Option<Vec<u8>>, offer: Offer<'_>) -> Move {
        match Exchange::begin(element.attr("mechanism").unwrap_or_default(), offer) {
            Ok(exchange) => self.tried = Some(Try::Exchange(Box::new(exchange))),
            Err(failure) => return self.fail(failure),
        }
        self.go_on(message.as_deref(), offer)
    }

    fn go_on(&mut self, message: Option<&[u8]>, offer: Offer<'_>) -> Move {
        let Some(Try::Exchange(exchange)) = &mut self.tried else {
            unreachable!("the grammar lets a response through only after a challenge")
        };
        let step = exchange.receive(message, offer);
        self.make(step)
    }

    /// A token is for whoever says which client it is, and that it is a token (XEP-0484 §3.4).
    fn redeem(
        &mut self,
        mechanism: FastMechanism,
        message: Option<Vec<u8>>,
        wants: &Wants,
        offer: Offer<'_>,
    ) -> Move {
        let proof = FastProof::read(&message.unwrap_or_default());
        let (Ok(proof), Some(agent), Some(with)) = (proof, wants.agent, wants.fast) else {
            return self.fail(Failure::MalformedRequest);
        };
        let binding = mechanism.binding_type().and_then(|kind| offer.bindings.data(kind));
        let binding = Secret::new(binding.unwrap_or_default().to_vec());
        self.tried = Some(Try::Token(proof.name.clone()));
        let shown = Shown { proof, agent, mechanism, binding, with };
        Move::Ask(Question::Token(Box::new(shown)))
    }

    /// Takes the driver's answer; `nonce` is the server's part, random.
    pub(super) fn answer(&mut self, answer: Answer, nonce: &str) -> Move {
        match (&mut self.tried, answer) {
            (Some(Try::Token(_)), Answer::Redeemed { login, proof, .. }) => {
                self.tried = None;
                Move::Succeed(proof.to_vec(), login)
            }
            (Some(Try::Token(_)), Answer::Verdict(Err(failure))) => self.fail(failure),
            (Some(Try::Exchange(exchange)), Answer::Verdict(verdict)) => {
                let step = exchange.answer(Reply::Verdict(verdict), "");
                self.make(step)
            }
            (Some(Try::Exchange(exchange)), Answer::Keys { account, keys }) => {
                // Each try has a nonce of its own (RFC 5802 §5.1).
                let nonce = format!("{nonce}{}", ".".repeat(self.failures as usize));
                let step = exchange.answer(Reply::Keys { account, keys }, &nonce);
                self.make(step)
            }
            (tried, answer) => unreachable!("{answer:?} does not answer {tried:?}"),
        }
    }

    fn make(&mut self, step: Step) -> Move {
        match step {
            Step::Challenge(challenge) => Move::Challenge(self.element("challenge", challenge)),
            Step::Ask(ask) => Move::Ask(ask.into()),
            Step::Succeed(login, proof) => {
                self.tried = None;
                Move::Succeed(proof, login)
            }
            Step::Fail(failure) => self.fail(failure),
        }
    }

    fn fail(&mut self, failure: Failure) -> Move {
        self.failures += 1;
        let name = match self.tried.take() {
            Some(Try::Exchange(exchange)) => exchange.name().map(str::to_owned),
            Some(Try::Token(name)) => Some(name),
            None => None,
        };
        let condition = Element::new(ns::SASL, failure.name());
        let text = failure.text().map(|text| Element::new(self.words.ns(), "text").with_text(text));
        let refusal = self.element("failure", "").with_child(condition).with_children(text);
        Move::Fail(refusal, name, failure)
    }

    fn element(&self, name: &'static str, message: impl AsRef<[u8]>) -> Element {
        element(self.words, name, message)
    }
}

impl From<Ask> for Question {
    fn from(ask: Ask) -> Self {
        match ask {
            Ask::Password { name, password } => Self::Password { name, password },
            Ask::Keys { name, hash, binding } => Self::Keys { name, hash, binding },
        }
    }
}

/// Writes a SASL element that carries `message`, or nothing.
pub(super) fn element(words: Profile, name: &'static str, message: impl AsRef<[u8]>) -> Element {
    let element = Element::new(words.ns(), name);
    let is_empty = message.as_ref().is_empty();
    if is_empty { element } else { element.with_text(encode(message)) }
}

/// The client's first message, if it came along with its choice of a mechanism.
pub(super) fn first_message(element: &Element) -> Option<Vec<u8>> {
    match Profile::Sasl2.ns() == element.ns() {
        true => sasl2::initial_response(element).ok().flatten(),
        false => decode(&element.text()).ok(),
    }
}

/// Writes what a SASL element carries.
pub(super) fn encode(message: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(message)
}

/// Reads what a SASL element carries; `=` is a message of no bytes (RFC 6120 §6.4.2).
pub(super) fn decode(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    if text == "=" { Ok(Vec::new()) } else { BASE64_STANDARD.decode(text) }
}
