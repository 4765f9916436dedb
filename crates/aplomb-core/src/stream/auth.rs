//! SASL as RFC 6120 wraps it: elements in, moves out (RFC 6120 §6.4).

use base64::prelude::{BASE64_STANDARD, Engine};

use super::responder::{Answer, Question};
use crate::ns;
use crate::sasl::exchange::{Ask, Exchange, Offer, Reply, Step};
use crate::sasl::{Failure, Login};
use crate::xml::Element;

/// One login after another, until one works.
#[derive(Debug, Default)]
pub(super) struct Auth {
    exchange: Option<Exchange>,
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

impl Auth {
    /// How many logins failed.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
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
            match Exchange::begin(element.attr("mechanism").unwrap_or_default(), offer) {
                Ok(exchange) => self.exchange = Some(exchange),
                Err(failure) => return self.fail(failure),
            }
        }
        let message = (!is_auth || !text.is_empty()).then_some(&message[..]);
        let exchange = self.exchange.as_mut();
        let exchange = exchange.expect("the grammar lets a response through after an auth only");
        let step = exchange.receive(message, offer);
        self.make(step)
    }

    /// Takes the driver's answer; `nonce` is the server's part, random.
    pub(super) fn answer(&mut self, answer: Answer, nonce: &str) -> Move {
        let reply = match answer {
            Answer::Verdict(verdict) => Reply::Verdict(verdict),
            Answer::Keys(keys) => Reply::Keys(keys),
            answer => unreachable!("{answer:?} answers no login"),
        };
        let exchange = self.exchange.as_mut().expect("a question was asked");
        let step = exchange.answer(reply, nonce);
        self.make(step)
    }

    fn make(&mut self, step: Step) -> Move {
        match step {
            Step::Challenge(challenge) => Move::Challenge(sasl("challenge", challenge)),
            Step::Ask(ask) => Move::Ask(ask.into()),
            Step::Succeed(login, proof) => {
                self.exchange = None;
                Move::Succeed(sasl("success", proof), login)
            }
            Step::Fail(failure) => self.fail(failure),
        }
    }

    fn fail(&mut self, failure: Failure) -> Move {
        self.failures += 1;
        let exchange = self.exchange.take();
        let name = exchange.and_then(|exchange| exchange.name().map(str::to_owned));
        let condition = Element::new(ns::SASL, failure.name());
        let text = failure.text().map(|text| Element::new(ns::SASL, "text").with_text(text));
        let refusal = Element::new(ns::SASL, "failure").with_child(condition);
        Move::Fail(refusal.with_children(text), name, failure)
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
pub(super) fn sasl(name: &'static str, message: impl AsRef<[u8]>) -> Element {
    let element = Element::new(ns::SASL, name);
    if message.as_ref().is_empty() {
        element
    } else {
        element.with_text(BASE64_STANDARD.encode(message))
    }
}

/// Reads what a SASL element carries; `=` is a message of no bytes (RFC 6120 §6.4.2).
pub(super) fn decode(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    if text == "=" { Ok(Vec::new()) } else { BASE64_STANDARD.decode(text) }
}
