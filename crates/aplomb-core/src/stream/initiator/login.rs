//! The client's login: by the strongest mechanism, in the words of SASL2 where both sides have it.
//!
//! With those comes the address, and a token by which the client is back without its password; a
//! token that is worth nothing any more is followed by the password, on the same stream.
//! Sources: RFC 6120 §6, XEP-0388, XEP-0386, XEP-0484.

use super::Initiator;
use super::driver::{Event, Held, Output, StartTls, Trouble, Wish};
use crate::framing::Frame;
use crate::jid;
use crate::ns;
use crate::sasl::announced::{Announced, Choice};
use crate::sasl::fast::{self, FastMechanism};
use crate::sasl::scram::{ClientExchange, Distrust, ExpectedSignature};
use crate::sasl::{Mechanism, plain};
use crate::secret::Secret;
use crate::stream::auth::{decode, element, encode};
use crate::stream::milestone;
use crate::stream::phase::Profile;
use crate::stream::sasl2;
use crate::time::Moment;
use crate::xml::Element;

/// Where a login is, and what the server must prove yet.
#[derive(Debug)]
pub(super) enum Login {
    /// Nothing: it proves nothing, or has done so.
    Idle,
    /// To know the password.
    Started(ClientExchange),
    /// To know it, by this.
    Answered(ExpectedSignature),
    /// To know the token.
    ByToken,
}

impl Initiator {
    /// Whom the header names: the account, where nobody else reads it (XEP-0388 §2.1).
    pub(super) fn header_from(&self) -> Option<String> {
        let Wish { sasl2, allows_plain, user, domain, .. } = &self.wish;
        let is_named = sasl2.is_some() && *allows_plain;
        is_named.then(|| jid::user_jid(user, domain).ok().map(|jid| jid.to_string())).flatten()
    }

    /// Begins TLS where it is offered and wanted, else logs in.
    pub(super) fn choose_way_in(
        &mut self,
        now: Moment,
        features: &Element,
        mechanisms: Vec<String>,
    ) -> Result<(), Trouble> {
        let is_tls_offered = features.child(ns::TLS, "starttls").is_some();
        match self.wish.starttls {
            StartTls::IfOffered | StartTls::Always if is_tls_offered => {
                self.transmit(now, Frame::Element(Element::new(ns::TLS, "starttls")));
                Ok(())
            }
            StartTls::Always => Err(Trouble::NoTls),
            StartTls::Never | StartTls::IfOffered => {
                let binding_types = milestone::binding_types(features);
                let offer = sasl2::Offer::of(features).filter(|_| self.wish.sasl2.is_some());
                let (words, tokens, mechanisms) = match offer {
                    Some(offer) => (Profile::Sasl2, offer.tokens, offer.mechanisms),
                    None => (Profile::Sasl, Vec::new(), mechanisms),
                };
                (self.words, self.tokens) = (words, tokens);
                self.announced = Announced { mechanisms, binding_types };
                self.log_in(now)
            }
        }
    }

    fn log_in(&mut self, now: Moment) -> Result<(), Trouble> {
        if let Some(held) = self.usable_token() {
            let user = jid::escape(&self.wish.user);
            let message = fast::initiator_message(&user, &held.text, self.binding(held.mechanism));
            let used = Element::new(ns::FAST, "fast").with_attr("count", held.count.to_string());
            self.login = Login::ByToken;
            self.token_for = Some(held.mechanism);
            let wants = vec![used];
            return self.authenticate(now, held.mechanism.name(), message.expose(), wants);
        }
        let (mechanism, message) = self.first_message()?;
        // Nothing that could be overheard is asked for where a password may not be sent.
        let possible = FastMechanism::possible(&self.wish.bindings).into_iter();
        self.token_for =
            possible.filter(|_| self.wish.allows_plain).find(|m| self.tokens.contains(m));
        let request = self.token_for.map(|mechanism| {
            Element::new(ns::FAST, "request-token").with_attr("mechanism", mechanism.name())
        });
        let wants = request.into_iter().collect();
        self.authenticate(now, mechanism.name(), message.expose().as_bytes(), wants)
    }

    /// Sends the first message, in the words that both sides have, with what is wanted besides.
    fn authenticate(
        &mut self,
        now: Moment,
        mechanism: &'static str,
        message: &[u8],
        wants: Vec<Element>,
    ) -> Result<(), Trouble> {
        let auth = match (self.words, &self.wish.sasl2) {
            (Profile::Sasl2, Some(wish)) => {
                let bind = wish.tag.as_deref().map(sasl2::bind);
                sasl2::authenticate(encode(message), wish.agent, bind.into_iter().chain(wants))
            }
            (Profile::Sasl | Profile::Sasl2, _) => element(Profile::Sasl, "auth", message),
        };
        self.transmit(now, Frame::Element(auth.with_attr("mechanism", mechanism)));
        Ok(())
    }

    /// The first message of the strongest mechanism that both sides have.
    fn first_message(&mut self) -> Result<(Mechanism, Secret<String>), Trouble> {
        let Wish { bindings, nonce, allows_plain, .. } = &self.wish;
        let user = jid::escape(&self.wish.user);
        match self.announced.choose(bindings, *allows_plain) {
            Some(Choice::Scram(hash, flag)) => {
                let (exchange, first) = ClientExchange::start(&user, nonce, (hash, flag), bindings);
                let mechanism = exchange.mechanism();
                self.login = Login::Started(exchange);
                Ok((mechanism, Secret::new(first)))
            }
            Some(Choice::Plain) => {
                self.login = Login::Idle;
                let own = format!("{user}@{}", self.wish.domain);
                Ok((Mechanism::Plain, plain::write(&own, &user, &self.wish.password)))
            }
            None => Err(Trouble::NoMechanism(self.announced.mechanisms.clone())),
        }
    }

    pub(super) fn respond(&mut self, now: Moment, challenge: &Element) -> Result<(), Trouble> {
        let message = decode(challenge.text().trim()).map_err(|_| Distrust::Malformed)?;
        let response = match std::mem::replace(&mut self.login, Login::Idle) {
            Login::Started(exchange) => {
                let (expected, last) =
                    exchange.answer(&message, &self.wish.password, &self.announced)?;
                self.login = Login::Answered(expected);
                last
            }
            // A server may put its proof into a last challenge (RFC 5802 §5).
            Login::Answered(expected) => {
                expected.check(&message)?;
                String::new()
            }
            Login::Idle | Login::ByToken => return Err(Distrust::Malformed.into()),
        };
        self.transmit(now, Frame::Element(element(self.words, "response", &response)));
        Ok(())
    }

    /// A server must have proved that it knows the password or the token. What it gives for next
    /// time is taken.
    pub(super) fn check_success(&mut self, success: &Element) -> Result<(), Trouble> {
        let proof = match self.words {
            Profile::Sasl => decode(&success.text()).map(Some),
            Profile::Sasl2 => sasl2::additional_data(success),
        };
        let proof = proof.map_err(|_| Distrust::Malformed)?.unwrap_or_default();
        match std::mem::replace(&mut self.login, Login::Idle) {
            Login::Answered(expected) => expected.check(&proof)?,
            Login::Started(_) => return Err(Distrust::WrongSignature.into()),
            Login::ByToken => {
                let held = self.wish.sasl2.as_ref().and_then(|wish| wish.token.as_ref());
                let is_known = held.is_some_and(|held| {
                    let binding = self.binding(held.mechanism);
                    fast::is_from_responder(&proof, &held.text, binding)
                });
                if !is_known {
                    return Err(Distrust::WrongSignature.into());
                }
            }
            Login::Idle => {}
        }
        if let Some(held) = self.given_token(success) {
            self.outputs.push_back(Output::Event(Event::Token(Some(held))));
        }
        Ok(())
    }

    /// Logs in by password after a token was refused; any other refusal is believed.
    pub(super) fn try_again(
        &mut self,
        now: Moment,
        condition: String,
        text: Option<String>,
    ) -> Result<(), Trouble> {
        if !matches!(self.login, Login::ByToken) {
            return Err(Trouble::Login(condition, text));
        }
        if let Some(wish) = &mut self.wish.sasl2 {
            wish.token = None;
        }
        self.outputs.push_back(Output::Event(Event::Token(None)));
        self.log_in(now)
    }

    /// The token that the client has, if it can be shown here.
    fn usable_token(&self) -> Option<Held> {
        let held = self.wish.sasl2.as_ref().and_then(|wish| wish.token.clone())?;
        let is_possible = FastMechanism::possible(&self.wish.bindings).contains(&held.mechanism);
        let is_safe = self.wish.allows_plain;
        (is_possible && is_safe && self.tokens.contains(&held.mechanism)).then_some(held)
    }

    /// A new token is for the mechanism that was asked for, or of the token before it.
    fn given_token(&self, success: &Element) -> Option<Held> {
        let text = success.child(ns::FAST, "token")?.attr("token")?;
        let mechanism = self.token_for?;
        Some(Held { mechanism, text: Secret::new(text.to_owned()), count: 0 })
    }

    fn binding(&self, mechanism: FastMechanism) -> &[u8] {
        let data = mechanism.binding_type().and_then(|kind| self.wish.bindings.data(kind));
        data.unwrap_or_default()
    }
}
