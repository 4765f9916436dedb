//! Rosters in the writer's working copy, and who comes to see whom by what happens.

use aplomb_core::finesse::people::{are_colleagues, teams_of};
use aplomb_core::jid::{self, BareJid};
use aplomb_core::realm::Sight;
use aplomb_core::roster::{self, Outcome, Request, Roster};
use aplomb_core::time::WallTime;
use aplomb_core::{domain, domain::Domain};

use super::plan::{Batch, Working};
use crate::store::Change;

impl Working {
    /// Does what somebody asks of his roster.
    pub(super) fn ask_roster(
        &mut self,
        owner: &BareJid,
        request: &Request,
        now: WallTime,
        batch: &mut Batch,
    ) -> Result<(), roster::Refusal> {
        let is_colleague = match request {
            Request::Say { to, .. } => are_colleagues(&self.domain, owner, to),
            Request::Set { .. } | Request::Remove { .. } => false,
        };
        let outcome = self.roster.plan(owner, request, is_colleague, now)?;
        self.accept_roster(outcome, batch);
        Ok(())
    }

    /// Takes a person who is gone out of all rosters.
    pub(super) fn forget_person(&mut self, person: &BareJid, now: WallTime, batch: &mut Batch) {
        let outcome = self.roster.departure(person, now);
        self.accept_roster(outcome, batch);
    }

    /// Looks anew at who sees a user and whom he sees, if a change moved him between teams.
    /// `before` is what he was.
    pub(super) fn note_move(
        &self,
        before: Option<&domain::User>,
        change: &domain::Change,
        batch: &mut Batch,
    ) {
        let (Some(before), domain::Change::UserSet(user)) = (before, change) else { return };
        let teams = |user| teams_of(user).collect::<std::collections::BTreeSet<_>>();
        if teams(before) == teams(user) {
            return;
        }
        let Ok(person) = jid::user_jid(user.id.as_str(), &self.host) else { return };
        for contact in self.roster.contacts(&person) {
            batch.sights.push(sight(&self.roster, &self.domain, &person, &contact.jid));
            batch.sights.push(sight(&self.roster, &self.domain, &contact.jid, &person));
        }
    }

    /// All rosters, and who sees whom by them.
    pub(super) fn people(&self) -> (Roster, Vec<Sight>) {
        (self.roster.clone(), sights(&self.roster, &self.domain))
    }

    fn accept_roster(&mut self, outcome: Outcome, batch: &mut Batch) {
        let mut touched: Vec<(BareJid, BareJid)> = Vec::new();
        for change in outcome.changes {
            match &change {
                roster::Change::Set { owner, contact } => {
                    touched.push((owner.clone(), contact.jid.clone()));
                }
                roster::Change::Removed { owner, contact } => {
                    touched.push((owner.clone(), contact.clone()));
                }
                roster::Change::Versioned { .. } => {}
                roster::Change::Forgotten { owner } => {
                    let contacts = self.roster.contacts(owner);
                    touched.extend(contacts.map(|contact| (owner.clone(), contact.jid.clone())));
                }
            }
            self.roster.adopt(&change);
            if let roster::Change::Set { owner, .. }
            | roster::Change::Removed { owner, .. }
            | roster::Change::Forgotten { owner } = &change
            {
                self.note_roster(owner);
            }
            batch.changes.push(Change::Roster(change));
        }
        let look = |(seen, seer)| sight(&self.roster, &self.domain, &seen, &seer);
        batch.sights.extend(touched.into_iter().map(look));
        batch.said.extend(outcome.deliveries);
    }
}

/// Everybody who sees somebody, as the rosters and teams are.
fn sights(roster: &Roster, domain: &Domain) -> Vec<Sight> {
    let look = |(owner, contact): (_, &std::sync::Arc<roster::Contact>)| {
        let sight = sight(roster, domain, owner, &contact.jid);
        sight.is_seen.then_some(sight)
    };
    roster.all().filter_map(look).collect()
}

/// A right to see somebody ends with the team that the two have in common, and comes back with it;
/// their subscription stays.
fn sight(roster: &Roster, domain: &Domain, seen: &BareJid, seer: &BareJid) -> Sight {
    let is_seen = roster.lets_see(seen, seer) && are_colleagues(domain, seen, seer);
    Sight { seen: seen.clone(), seer: seer.clone(), is_seen }
}
