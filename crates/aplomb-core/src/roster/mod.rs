//! Who knows whom: contacts, and who lets whom see his presence (RFC 6121 §2, §3), without XML.
//!
//! Both sides of a subscription are people of this server, so one plan changes both rosters and
//! they never disagree. [`Roster::plan`] is pure; the caller makes the changes durable, then adopts
//! them, then delivers.

mod change;
mod contact;
mod plan;
mod request;

pub use change::Change;
pub use contact::{Consent, Contact};
pub use request::{Delivery, Outcome, Refusal, Request, Word};

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::jid::BareJid;

/// The rosters of everybody.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    accounts: HashMap<BareJid, Account>,
}

/// The roster of one person.
#[derive(Debug, Clone, Default)]
struct Account {
    version: u64,
    contacts: BTreeMap<BareJid, Arc<Contact>>,
    /// Of all contacts.
    bytes: usize,
}

impl Roster {
    /// The version of a roster; 0 before its first change (RFC 6121 §2.6).
    pub fn version(&self, owner: &BareJid) -> u64 {
        self.accounts.get(owner).map_or(0, |account| account.version)
    }

    /// What is known of a contact, listed or not.
    pub fn contact(&self, owner: &BareJid, contact: &BareJid) -> Option<&Arc<Contact>> {
        self.accounts.get(owner)?.contacts.get(contact)
    }

    /// All contacts of a person, by address, with those that only wait to be answered.
    pub fn contacts(&self, owner: &BareJid) -> impl Iterator<Item = &Arc<Contact>> {
        self.accounts.get(owner).into_iter().flat_map(|account| account.contacts.values())
    }

    /// All contacts of all people, with whose they are.
    pub fn all(&self) -> impl Iterator<Item = (&BareJid, &Arc<Contact>)> {
        let accounts = self.accounts.iter();
        accounts.flat_map(|(owner, account)| account.contacts.values().map(move |c| (owner, c)))
    }

    /// Whether `owner` lets `viewer` see his presence: the subscription is `from` or `both`.
    pub fn lets_see(&self, owner: &BareJid, viewer: &BareJid) -> bool {
        self.contact(owner, viewer).is_some_and(|contact| contact.from == Consent::Given)
    }

    /// The groups into which `owner` put somebody; none for who is not in the roster.
    pub fn groups(&self, owner: &BareJid, person: &BareJid) -> impl Iterator<Item = &str> {
        let contact = self.contact(owner, person).filter(|contact| contact.is_listed);
        contact.into_iter().flat_map(|contact| contact.groups.iter().map(String::as_str))
    }

    /// Makes a change that is durable by now, or that comes from the store.
    pub fn adopt(&mut self, change: &Change) {
        match change {
            Change::Set { owner, contact } => {
                let account = self.accounts.entry(owner.clone()).or_default();
                let old = account.contacts.insert(contact.jid.clone(), Arc::clone(contact));
                account.bytes += contact.bytes();
                account.bytes -= old.map_or(0, |old| old.bytes());
            }
            Change::Removed { owner, contact } => {
                if let Some(account) = self.accounts.get_mut(owner) {
                    let old = account.contacts.remove(contact);
                    account.bytes -= old.map_or(0, |old| old.bytes());
                }
            }
            Change::Versioned { owner, version } => {
                self.accounts.entry(owner.clone()).or_default().version = *version;
            }
            Change::Forgotten { owner } => {
                self.accounts.remove(owner);
            }
        }
    }
}

#[cfg(test)]
mod tests;
