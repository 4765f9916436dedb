//! From a request to its outcome: the state tables of RFC 6121 Appendix A, for both sides at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Change, Consent, Contact, Delivery, Outcome, Refusal, Request, Roster, Word};
use crate::jid::BareJid;
use crate::limits::{
    ROSTER_BYTES_MAX, ROSTER_CONTACTS_MAX, ROSTER_GROUPS_MAX, ROSTER_NAME_BYTES_MAX,
    ROSTER_WISHES_MAX,
};
use crate::time::WallTime;

impl Roster {
    /// Says what a request of `owner` brings about; nothing changes until it is adopted.
    ///
    /// `is_colleague` is whether the two may know of each other. A wish to see a stranger waits in
    /// the owner's roster like any other, and reaches nobody: so it is with somebody who is not
    /// there, and with somebody who does not answer.
    ///
    /// - Errors: see [`Refusal`].
    /// - Source: RFC 6121 §2.3 to §3.4, Appendix A.
    pub fn plan(
        &self,
        owner: &BareJid,
        request: &Request,
        is_colleague: bool,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let other = match request {
            Request::Set { contact, .. } | Request::Remove { contact } => contact,
            Request::Say { to, .. } => to,
        };
        if other == owner {
            return Err(Refusal::Oneself);
        }
        let mut pair = Pair::of(self, owner, other);
        match request {
            Request::Set { name, groups, .. } => pair.describe(name.clone(), groups.clone())?,
            Request::Remove { .. } => pair.remove()?,
            Request::Say { word, stanza, .. } => {
                let stanza = Some(stanza);
                match word {
                    Word::Subscribe if is_colleague => pair.subscribe(self, stanza),
                    Word::Subscribe => pair.wish(),
                    Word::Subscribed => pair.subscribed(stanza),
                    Word::Unsubscribe => pair.unsubscribe(stanza),
                    Word::Unsubscribed => pair.unsubscribed(stanza),
                }
            }
        }
        let is_new = pair.mine.is_listed && !self.is_listed(owner, other);
        if is_new && self.listed(owner) >= ROSTER_CONTACTS_MAX || self.overflows(owner, &pair.mine)
        {
            return Err(Refusal::Full);
        }
        Ok(pair.outcome(self, now))
    }

    /// What an account that is gone leaves behind: everybody forgets that he could see it, or be
    /// seen by it.
    pub fn departure(&self, person: &BareJid, now: WallTime) -> Outcome {
        let mut all = Outcome::default();
        for contact in self.contacts(person) {
            let mut pair = Pair::of(self, person, &contact.jid);
            pair.part();
            let outcome = pair.outcome(self, now);
            let of_others = |change: &Change| match change {
                Change::Set { owner, .. }
                | Change::Removed { owner, .. }
                | Change::Versioned { owner, .. }
                | Change::Forgotten { owner } => owner != person,
            };
            all.changes.extend(outcome.changes.into_iter().filter(of_others));
            all.deliveries.extend(outcome.deliveries.into_iter().filter(|d| d.is_not_of(person)));
        }
        all.changes.push(Change::Forgotten { owner: person.clone() });
        all
    }

    fn is_listed(&self, owner: &BareJid, contact: &BareJid) -> bool {
        self.contact(owner, contact).is_some_and(|contact| contact.is_listed)
    }

    fn listed(&self, owner: &BareJid) -> usize {
        self.contacts(owner).filter(|contact| contact.is_listed).count()
    }

    /// Whether a contact grows beyond what the roster has room for.
    fn overflows(&self, owner: &BareJid, contact: &Contact) -> bool {
        let all = self.accounts.get(owner).map_or(0, |account| account.bytes);
        let before = self.contact(owner, &contact.jid).map_or(0, |before| before.bytes());
        let bytes = contact.bytes();
        bytes > before && all - before + bytes > ROSTER_BYTES_MAX
    }

    fn wishes(&self, owner: &BareJid) -> usize {
        self.contacts(owner).filter(|contact| contact.from == Consent::Pending).count()
    }
}

impl Delivery {
    fn is_not_of(&self, person: &BareJid) -> bool {
        match self {
            Self::Push { owner, .. } => owner != person,
            Self::Say { to, .. } => to != person,
        }
    }
}

/// Two people: what each knows of the other while a request is planned.
struct Pair<'a> {
    owner: &'a BareJid,
    other: &'a BareJid,
    /// What the owner's roster says of the other.
    mine: Contact,
    /// What the other's roster says of the owner.
    theirs: Contact,
    said: Vec<Delivery>,
}

impl<'a> Pair<'a> {
    fn of(roster: &Roster, owner: &'a BareJid, other: &'a BareJid) -> Self {
        let (mine, theirs) = (known(roster, owner, other), known(roster, other, owner));
        Self { owner, other, mine, theirs, said: Vec::new() }
    }

    fn describe(&mut self, name: Option<String>, groups: BTreeSet<String>) -> Result<(), Refusal> {
        let is_long = |text: &str| text.len() > ROSTER_NAME_BYTES_MAX;
        let is_bad = groups.len() > ROSTER_GROUPS_MAX
            || name.as_deref().is_some_and(is_long)
            || groups.iter().any(|group| group.is_empty() || is_long(group));
        if is_bad {
            return Err(Refusal::NotAcceptable);
        }
        self.mine.is_listed = true;
        self.mine.name = name;
        self.mine.groups = groups;
        Ok(())
    }

    fn remove(&mut self) -> Result<(), Refusal> {
        if !self.mine.is_listed {
            return Err(Refusal::Unknown);
        }
        self.part();
        self.mine = Contact::unknown(self.other.clone());
        Ok(())
    }

    fn part(&mut self) {
        self.unsubscribe(None);
        self.unsubscribed(None);
    }

    /// The owner wants to see the other (Appendix A.2.1).
    fn wish(&mut self) {
        self.mine.is_listed = true;
        self.mine.to = self.mine.to.max(Consent::Pending);
    }

    /// The other hears of it (Appendix A.3.1). What he allowed is granted without asking him.
    fn subscribe(&mut self, roster: &Roster, stanza: Option<&Arc<str>>) {
        self.wish();
        match self.theirs.from {
            Consent::None if self.theirs.is_approved => {
                self.theirs.from = Consent::Given;
                self.grant();
            }
            Consent::Given => self.grant(),
            // Who has too many to answer hears of no more.
            Consent::None if roster.wishes(self.other) < ROSTER_WISHES_MAX => {
                self.theirs.from = Consent::Pending;
                self.theirs.wish = stanza.cloned();
                self.say(Word::Subscribe, stanza);
            }
            Consent::None | Consent::Pending => {}
        }
    }

    /// The other's server says yes for him.
    fn grant(&mut self) {
        if self.mine.to != Consent::Given {
            self.mine.to = Consent::Given;
            let (from, to) = (self.other.clone(), self.owner.clone());
            self.said.push(Delivery::Say { word: Word::Subscribed, from, to, stanza: None });
        }
    }

    /// The owner lets the other see him, now or when he asks (Appendix A.2.3, A.3.3, §3.4).
    fn subscribed(&mut self, stanza: Option<&Arc<str>>) {
        match self.mine.from {
            Consent::Given => {}
            Consent::None => {
                self.mine.is_approved = true;
                self.mine.is_listed = true;
            }
            Consent::Pending => {
                self.mine.from = Consent::Given;
                self.mine.is_listed = true;
                if self.theirs.to == Consent::Pending {
                    self.theirs.to = Consent::Given;
                    self.say(Word::Subscribed, stanza);
                }
            }
        }
    }

    /// The owner does not want to see the other any more (Appendix A.2.2, A.3.2).
    fn unsubscribe(&mut self, stanza: Option<&Arc<str>>) {
        self.mine.to = Consent::None;
        if self.theirs.from != Consent::None {
            self.theirs.from = Consent::None;
            self.say(Word::Unsubscribe, stanza);
        }
    }

    /// The owner does not let the other see him any more (Appendix A.2.4, A.3.4).
    fn unsubscribed(&mut self, stanza: Option<&Arc<str>>) {
        self.mine.is_approved = false;
        if self.mine.from != Consent::None {
            self.mine.from = Consent::None;
            if self.theirs.to != Consent::None {
                self.theirs.to = Consent::None;
                self.say(Word::Unsubscribed, stanza);
            }
        }
    }

    fn say(&mut self, word: Word, stanza: Option<&Arc<str>>) {
        let (from, to) = (self.owner.clone(), self.other.clone());
        self.said.push(Delivery::Say { word, from, to, stanza: stanza.cloned() });
    }

    /// What became different. What is said is delivered before rosters are pushed (§3.1.6).
    fn outcome(self, roster: &Roster, now: WallTime) -> Outcome {
        let Self { owner, other, mine, theirs, said } = self;
        let mut outcome = Outcome { changes: Vec::new(), deliveries: said };
        outcome.note(roster, owner, mine, now);
        outcome.note(roster, other, theirs, now);
        outcome
    }
}

impl Outcome {
    fn note(&mut self, roster: &Roster, owner: &BareJid, mut contact: Contact, now: WallTime) {
        let before = known(roster, owner, &contact.jid);
        if contact.from != Consent::Pending {
            contact.wish = None;
        }
        if contact == before {
            return;
        }
        let is_seen = !contact.looks_like(&before) && (contact.is_listed || before.is_listed);
        let (is_unknown, contact) = (contact.is_unknown(), Arc::new(contact));
        let owner = owner.clone();
        self.changes.push(match is_unknown {
            true => Change::Removed { owner: owner.clone(), contact: contact.jid.clone() },
            false => Change::Set { owner: owner.clone(), contact: Arc::clone(&contact) },
        });
        if is_seen {
            // Time, so that an account that is made anew never has a version that it had before.
            let version = u64::try_from(now.0).unwrap_or(0).max(roster.version(&owner) + 1);
            self.changes.push(Change::Versioned { owner: owner.clone(), version });
            self.deliveries.push(Delivery::Push { owner, contact, version });
        }
    }
}

fn known(roster: &Roster, owner: &BareJid, contact: &BareJid) -> Contact {
    let found = roster.contact(owner, contact);
    found.map_or_else(|| Contact::unknown(contact.clone()), |found| Contact::clone(found))
}
