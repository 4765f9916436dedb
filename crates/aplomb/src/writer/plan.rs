//! The writer's working copy, and what each job does to it. No store, no hub, no waiting.

mod tokens;

use std::sync::Arc;

use aplomb_core::domain::{self, Command, Domain, Flavour, Refusal, UserId};
use aplomb_core::finesse::events::{self, Event};
use aplomb_core::finesse::nodes::{self, Automatic, Node};
use aplomb_core::jid::{self, BareJid, FullJid, Jid};
use aplomb_core::pubsub::{
    self, Asker, Bounds, Notice, Outcome, PubSub, Reader, Reply, Request, Standing, Tidings,
};
use aplomb_core::realm::Sight;
use aplomb_core::roster::{self, Roster};
use aplomb_core::sasl::MoreKeys;
use aplomb_core::sasl::fast::FastTokens;
use aplomb_core::time::WallTime;

use super::Step;
use super::audiences::Audiences;
use super::standing::Known;
use crate::hub::{Audience, Observer, Observers};
use crate::store::{Change, Snapshot};

/// What does not change while the server runs.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    /// The XMPP domain.
    pub(super) host: String,
    pub(super) flavour: Flavour,
    pub(super) bounds: Bounds,
    /// Who follows nodes.
    pub(super) observers: Arc<Observers>,
}

/// Everything that is kept, with the jobs of the present batch done.
pub(super) struct Working {
    pub(super) host: String,
    pub(super) domain: Domain,
    pubsub: PubSub,
    pub(super) roster: Roster,
    observers: Arc<Observers>,
    audiences: Audiences,
    tokens: FastTokens,
    /// When the tokens that are over were last forgotten.
    swept: WallTime,
}

/// What a batch of jobs comes to, once it is durable.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    /// What nodes tell, in order.
    pub(super) deliveries: Vec<Delivery>,
    /// Notices with the observers who may read them.
    pub(super) observed: Vec<(Arc<Notice>, Arc<Observer>)>,
    /// What is told about rosters and subscriptions, in order.
    pub(super) said: Vec<roster::Delivery>,
    /// Who sees whom from now on.
    pub(super) sights: Vec<Sight>,
    /// Users who are gone, whose sessions end.
    pub(super) gone: Vec<UserId>,
}

/// What a node tells.
#[derive(Debug)]
pub(super) enum Delivery {
    /// What happened on it, to these.
    Notice(Arc<Notice>, Audience),
    /// What concerns one person.
    Tidings(Tidings),
}

/// A refused step.
pub(super) struct Refused {
    pub(super) step: usize,
    pub(super) refusal: Refusal,
}

impl Working {
    /// What the store held.
    pub(super) fn new(setup: &Setup, snapshot: &Snapshot) -> Self {
        let mut domain = Domain::new(setup.flavour);
        let mut pubsub = PubSub::new(snapshot.epoch.clone(), setup.bounds);
        let mut roster = Roster::default();
        let mut tokens = FastTokens::default();
        for change in &snapshot.changes {
            match change {
                Change::Domain(change) => domain.adopt(change),
                Change::PubSub(change) => pubsub.adopt(change),
                Change::Roster(change) => roster.adopt(change),
                Change::Token(change) => tokens.adopt(change),
                Change::Keys { .. } | Change::MoreKeys(_) => {}
            }
        }
        let (observers, audiences) = (Arc::clone(&setup.observers), Audiences::default());
        let (host, swept) = (setup.host.clone(), WallTime(0));
        Self { host, domain, pubsub, roster, observers, audiences, tokens, swept }
    }

    const fn known(&self) -> Known<'_> {
        Known { domain: &self.domain, pubsub: &self.pubsub, roster: &self.roster }
    }

    /// Forgets whom notices go to, if a change of somebody's roster may decide it.
    pub(super) fn note_roster(&mut self, owner: &BareJid) {
        if self.pubsub.asks_roster_of(owner) {
            self.audiences.forget_all();
        }
    }

    pub(super) const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Does all steps, or none and says which one is refused.
    pub(super) fn steps(
        &mut self,
        steps: &[Step],
        asked: &Asked<'_>,
        batch: &mut Batch,
    ) -> Result<(), Refused> {
        if steps.len() > 1 {
            self.rehearse(steps, asked.now)?;
        }
        for (step, what) in steps.iter().enumerate() {
            self.step(what, asked, batch).map_err(|refusal| Refused { step, refusal })?;
        }
        Ok(())
    }

    /// Takes keys that were derived at a login; those of somebody who is gone come to nothing.
    pub(super) fn more_keys(&self, more: MoreKeys, batch: &mut Batch) {
        if let Ok(user) = known(&self.domain, &more.user) {
            batch.changes.push(Change::MoreKeys(MoreKeys { user: user.to_string(), ..more }));
        }
    }

    /// Answers a pubsub request.
    pub(super) fn ask(
        &mut self,
        asker: &FullJid,
        request: &Request,
        now: WallTime,
        batch: &mut Batch,
    ) -> Result<Reply, pubsub::Refusal> {
        let person = asker.to_bare();
        let name = account_of(&person);
        let node = request.node().unwrap_or_default();
        let asker = Asker {
            standing: self.known().standing(&person, node),
            is_served: Node::parse(node).is_some_and(|node| node.exists(&self.domain)),
            automatic: nodes::automatic_of(&self.domain, &name).iter().map(Node::name).collect(),
            jid: asker.clone(),
        };
        let outcome = match request {
            Request::Greet => {
                let known = self.known();
                self.pubsub.greet(&asker, now, |node| known.standing(&person, node))
            }
            request => self.pubsub.plan(&asker, request, now)?,
        };
        let mut reply = self.accept(outcome, batch);
        if let Reply::Nodes(listed) = &mut reply {
            let is_strange =
                |node: &str| nodes::standing(&self.domain, &name, node) == Standing::Stranger;
            listed.retain(|node| !is_strange(node));
            let served = nodes::readable_by(&self.domain, &name, usize::MAX);
            listed.extend(served.iter().map(|node| Arc::from(node.name())));
        }
        Ok(reply)
    }

    /// Whether a node sends its newest item to whoever becomes available.
    pub(super) fn is_greeting(&self) -> bool {
        self.pubsub.is_greeting()
    }

    /// When something ends by itself; none if nothing does.
    pub(super) fn next_lapse(&self) -> Option<WallTime> {
        self.pubsub.next_lapse()
    }

    /// Ends what is over by now.
    pub(super) fn lapse(&mut self, now: WallTime, batch: &mut Batch) {
        let outcome = self.pubsub.lapse(now);
        self.accept(outcome, batch);
        self.sweep_tokens(now, batch);
    }

    /// Ends the subscriptions of the asker's resources that are not there, to make room.
    pub(super) fn forget_absent(
        &mut self,
        asker: &FullJid,
        is_there: impl Fn(&Jid) -> bool,
        batch: &mut Batch,
    ) {
        let changes = self.pubsub.absent(&asker.to_bare(), is_there);
        tracing::info!(
            jid = asker.as_str(),
            ended = changes.len(),
            "absent resources unsubscribed"
        );
        self.accept(Outcome::of(changes), batch);
    }

    /// Does the steps on a copy of the contact centre, so that a refusal leaves nothing behind.
    fn rehearse(&self, steps: &[Step], now: WallTime) -> Result<(), Refused> {
        let mut domain = self.domain.clone();
        for (step, what) in steps.iter().enumerate() {
            let decision = match what {
                Step::Command(command) => domain.plan(command, now),
                Step::Keys { user, .. } => known(&domain, user).map(|_| Default::default()),
            };
            let decision = decision.map_err(|refusal| Refused { step, refusal })?;
            decision.changes.iter().for_each(|change| domain.adopt(change));
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, asked: &Asked<'_>, batch: &mut Batch) -> Result<(), Refusal> {
        match step {
            Step::Command(command) => self.command(command, asked, batch),
            Step::Keys { user, keys } => {
                let user = known(&self.domain, user)?.to_string();
                self.set_keys(user, keys.clone(), batch);
                Ok(())
            }
        }
    }

    fn command(
        &mut self,
        command: &Command,
        asked: &Asked<'_>,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let decision = self.domain.plan(command, asked.now)?;
        for change in &decision.changes {
            let events = match asked.is_quiet {
                true => Vec::new(),
                false => events::of_change(&self.domain, change, asked.request_id),
            };
            // A removal is told while those who may read of it are still known.
            match change {
                domain::Change::UserRemoved(id) => {
                    self.publish(&events, asked.now, batch);
                    self.forget_user(id, asked.now, batch);
                    self.adopt(change, batch);
                }
                domain::Change::TeamRemoved(id) => {
                    self.publish(&events, asked.now, batch);
                    self.forget_nodes(&nodes::of_team(id), batch);
                    self.adopt(change, batch);
                }
                _ => {
                    self.adopt(change, batch);
                    self.publish(&events, asked.now, batch);
                }
            }
        }
        if let (Some(fault), Command::SetState { user, .. }) = (&decision.fault, command) {
            let event = events::of_fault(user, fault, asked.request_id);
            self.publish(&[event], asked.now, batch);
        }
        Ok(())
    }

    fn adopt(&mut self, change: &domain::Change, batch: &mut Batch) {
        self.audiences.note_domain(&self.domain, change);
        let before = match change {
            domain::Change::UserSet(user) => self.domain.user(user.id.as_str()).cloned(),
            _ => None,
        };
        self.domain.adopt(change);
        self.note_move(before.as_deref(), change, batch);
        batch.changes.push(Change::Domain(change.clone()));
    }

    fn publish(&mut self, events: &[Event], now: WallTime, batch: &mut Batch) {
        for event in events {
            match self.pubsub.publish(&event.node, &event.payload, now) {
                Ok(outcome) => {
                    self.accept(outcome, batch);
                }
                // Names are bounded, so an event is far below the bound of a payload.
                Err(refusal) => {
                    tracing::error!(node = event.node, ?refusal, "an event could not be published");
                }
            }
        }
    }

    /// Takes in what a plan came to, noting whom each notice goes to before a deletion takes the
    /// subscriptions away.
    fn accept(&mut self, outcome: Outcome, batch: &mut Batch) -> Reply {
        for notice in outcome.notices {
            let audience = self.audience(&notice.node);
            let observers = self.observers_of(&notice.node).into_iter();
            batch.observed.extend(observers.map(|observer| (Arc::clone(&notice), observer)));
            batch.deliveries.push(Delivery::Notice(notice, audience));
        }
        batch.deliveries.extend(outcome.tidings.into_iter().map(Delivery::Tidings));
        for (reader, notice) in outcome.late {
            let audience = Audience::These([reader].into());
            batch.deliveries.push(Delivery::Notice(notice, audience));
        }
        for change in outcome.changes {
            self.audiences.note_pubsub(&change);
            self.pubsub.adopt(&change);
            batch.changes.push(Change::PubSub(change));
        }
        outcome.reply
    }

    /// Who is told of what happens on a node: who subscribed and may read it still, and who is
    /// subscribed without asking.
    fn audience(&mut self, node: &Arc<str>) -> Audience {
        let automatic = Node::parse(node).map_or(Automatic::Nobody, |node| node.automatic());
        let himself = match automatic {
            Automatic::Everyone => return Audience::Everyone,
            Automatic::Nobody => None,
            Automatic::User(id) => jid::user_jid(id.as_str(), &self.host).ok(),
        };
        let Self { audiences, pubsub, domain, roster, .. } = self;
        let known = Known { domain, pubsub, roster };
        let find = || {
            let mut these = pubsub.audience(node, |person| known.standing(person, node));
            these.extend(himself.map(Reader::always));
            these
        };
        Audience::These(audiences.of(node, find))
    }

    /// Who follows a node and may read it just now.
    fn observers_of(&self, node: &str) -> Vec<Arc<Observer>> {
        self.observers.of(node, |person| {
            self.pubsub.may_read(node, person, self.known().standing(person, node))
        })
    }

    /// Removes what a user leaves behind: keys, nodes, subscriptions and rights.
    fn forget_user(&mut self, id: &UserId, now: WallTime, batch: &mut Batch) {
        self.forget_nodes(&nodes::of_user(id), batch);
        if let Ok(person) = jid::user_jid(id.as_str(), &self.host) {
            let changes = self.pubsub.departure(&person);
            self.accept(Outcome::of(changes), batch);
            self.forget_person(&person, now, batch);
        }
        self.set_keys(id.to_string(), None, batch);
        batch.gone.push(id.clone());
    }

    fn forget_nodes(&mut self, gone: &[Node], batch: &mut Batch) {
        for node in gone {
            if let Some(outcome) = self.pubsub.removal(&node.name()) {
                self.accept(outcome, batch);
            }
        }
    }
}

/// How steps are asked for.
pub(super) struct Asked<'a> {
    pub(super) request_id: &'a str,
    /// Whether nobody is told.
    pub(super) is_quiet: bool,
    pub(super) now: WallTime,
}

fn known<'a>(domain: &'a Domain, user: &str) -> Result<&'a UserId, Refusal> {
    let known = domain.named(user).map(|user| &user.id);
    known.ok_or_else(|| Refusal::UnknownUser(user.to_owned()))
}

pub(super) fn account_of(person: &BareJid) -> String {
    person.node().map(|node| jid::unescape(node.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
