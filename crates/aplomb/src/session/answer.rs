//! What a session does when its stream tells or asks something.

use std::sync::Arc;

use aplomb_core::jid::{FullJid, user_jid};
use aplomb_core::realm::are_carbons_wanted;
use aplomb_core::sasl::Mechanism;
use aplomb_core::sasl::binding::BindingType;
use aplomb_core::stanza::{Condition, StanzaError};
use aplomb_core::stream::client_state;
use aplomb_core::stream::responder::{Answer, Event, Question};
use aplomb_core::xml::Element;
use tracing::info;

use super::Session;
use super::envelope::Envelope;
use crate::accounts::Redeemed;
use crate::clock;
use crate::mailbox::{EndReason, Letter, Mailbox};

impl Session {
    pub(super) async fn react(&mut self, event: Event) {
        let metrics = &self.shared.metrics;
        match event {
            Event::Ask(question) => {
                // On the heap: it lives for a moment, the session for a day.
                let answer = Box::pin(self.answer(question)).await;
                // While we looked it up, we did not listen.
                self.alive = clock::moment();
                self.responder.answer(self.alive, answer);
            }
            Event::LoggedIn(login) => {
                metrics.login("ok");
                let ((mechanism, binding), peer) = (self.tried, self.peer.address);
                let binding = binding.map(BindingType::name);
                info!(%peer, name = login.name(), mechanism, binding, "logged in");
                self.link.trust();
                self.note_keys(true);
            }
            Event::LoginFailed { name, failure } => {
                metrics.login(failure.name());
                let peer = self.peer.address;
                info!(%peer, name, code = failure.name(), "login failed");
                self.last_failure = Some(failure);
                self.note_keys(false);
            }
            // The seat is taken and the answer written.
            Event::Bound(_) => self.era = None,
            Event::Wanted(wish) => self.grant(&wish),
            Event::Sent(stanza) => self.note_sent(Letter::Stanza(stanza.into())),
            Event::Acknowledged(handled) => self.acknowledge(handled),
            Event::ClientState { is_active } => self.note_state(is_active),
            Event::Stanza(stanza) => {
                let seat = self.seat.as_ref().expect("a stanza follows a bind");
                let replies = Box::pin(self.shared.hub.receive(seat, *stanza)).await;
                self.alive = clock::moment();
                for reply in replies {
                    self.responder.send(self.alive, &reply);
                }
            }
        }
    }

    /// Gives what a client wants from the start (XEP-0386 §4).
    fn grant(&mut self, wish: &Element) {
        if let Some(is_active) = client_state::said(wish) {
            self.note_state(is_active);
        } else if let Some(seat) = self.seat.as_ref().filter(|_| are_carbons_wanted(wish)) {
            self.shared.hub.set_carbons(seat, true);
        }
    }

    async fn answer(&mut self, question: Question) -> Answer {
        let address = self.peer.address.ip();
        let accounts = &self.shared.accounts;
        match question {
            Question::Password { name, password } => {
                self.tried = (Mechanism::Plain.name(), None);
                self.era = Some(Box::new(accounts.era(&name)));
                Answer::Verdict(accounts.verify(&name, &password, address).await)
            }
            Question::Keys { name, hash, binding } => match accounts.keys(&name, hash, address) {
                Ok((keys, era)) => {
                    self.tried = match binding {
                        Some(_) => (Mechanism::ScramPlus(hash).name(), binding),
                        None => (Mechanism::Scram(hash).name(), None),
                    };
                    let account = era.account().to_owned();
                    self.keys_of = Some(account.as_str().into());
                    self.era = Some(Box::new(era));
                    Answer::Keys { account, keys: Box::new(keys) }
                }
                Err(failure) => Answer::Verdict(Err(failure)),
            },
            Question::Token(shown) => match accounts.redeem_fast(&shown, address).await {
                Ok((Redeemed { login, proof, is_due }, era)) => {
                    self.tried = (shown.mechanism.name(), shown.mechanism.binding_type());
                    self.era = Some(Box::new(era));
                    Answer::Redeemed { login, proof, is_due }
                }
                Err(failure) => Answer::Verdict(Err(failure)),
            },
            Question::Issue { name, agent, mechanism } => {
                let era = self.era.as_ref().filter(|era| era.account() == name);
                Answer::Issued(match era {
                    Some(era) => accounts.issue_fast((agent, mechanism), era).await,
                    None => None,
                })
            }
            Question::Bind { name, resource } => {
                self.bind(&name, &resource).map_or_else(Answer::BindRefused, Answer::Bound)
            }
            Question::Manage { keep_secs } => self.manage(keep_secs),
            Question::Resume { name, id, handled } => self.resume(&name, &id, handled).await,
        }
    }

    /// Whether `account`, who logged in on this stream, is still there, with the same password.
    pub(super) fn is_still(&self, account: &str) -> bool {
        let era = self.era.as_ref().filter(|era| era.account() == account);
        era.is_some_and(|era| self.shared.accounts.is_still(era))
    }

    /// Takes a seat in the hub. Letters may come from now on; they wait for the bind's answer.
    fn bind(&mut self, account: &str, resource: &str) -> Result<FullJid, StanzaError> {
        let changed = || StanzaError::new(Condition::NotAuthorized).with_text(CHANGED);
        // Before another stream of the account is thrown out for it.
        if !self.is_still(account) {
            return Err(changed());
        }
        let shared = self.shared.as_ref();
        let domain = &shared.policy_tls.domain;
        let jid = user_jid(account, domain)
            .ok()
            .and_then(|bare| bare.with_resource_str(resource).ok())
            .ok_or_else(|| StanzaError::new(Condition::JidMalformed))?;
        let mailbox = Arc::new(Mailbox::new(shared.mailbox_letters, shared.mailbox_bytes));
        let seat = shared.hub.bind(jid.clone(), mailbox)?;
        // Whoever removes the account from now on finds the seat.
        if !self.is_still(account) {
            shared.hub.leave(&seat);
            return Err(changed());
        }
        if shared.stopping.is_cancelled() {
            // The hub may have told everybody just before this one came.
            let _ = seat.mailbox.push(Letter::End(EndReason::Shutdown));
        }
        shared.metrics.sessions.inc();
        self.envelope = Some(Envelope::new(domain, &jid, self.link.wrap()));
        self.seat = Some(seat);
        Ok(jid)
    }

    /// Tells the accounts how a SCRAM exchange ended; PLAIN is noted where it is checked.
    fn note_keys(&mut self, is_success: bool) {
        if let Some(name) = self.keys_of.take() {
            self.shared.accounts.note(&name, self.peer.address.ip(), is_success);
        }
    }
}

/// Why somebody who logged in gets no address.
const CHANGED: &str = "the account or its password was changed since this login: log in again";
