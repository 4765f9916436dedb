//! What owners do to people: give rights, set subscriptions, answer those who ask
//! (XEP-0060 §8.6 to §8.9).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::access::Right;
use super::super::notice::message_id;
use super::super::{
    AccessModel, Affiliation, Asker, Change, Options, Outcome, PubSub, Refusal, Reply, Standing,
    Subscription, SubscriptionState, Terms, Tiding, Tidings,
};
use super::{Found, changed, told};
use crate::jid::{BareJid, Jid};
use crate::limits::{
    PUBSUB_AFFILIATIONS_MAX, PUBSUB_NODES_LISTED_MAX, PUBSUB_PENDING_MAX, PUBSUB_PENDING_SECS,
    PUBSUB_QUESTIONS_MAX,
};
use crate::time::WallTime;

/// What a request changes, and who is told.
type Effects = (Vec<Change>, Vec<Tidings>);

impl PubSub {
    /// Answers with what is, or sets what is asked for.
    ///
    /// - Errors: [`Refusal::LastOwner`], [`Refusal::Repeated`]; then nothing is set.
    pub(super) fn node_affiliations(
        &self,
        asker: &Asker,
        node: &str,
        set: &[(BareJid, Affiliation)],
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        let before = &found.row.affiliations;
        if set.is_empty() {
            let all = before.iter().map(|(jid, right)| (jid.clone(), *right)).collect();
            return Ok(told(Reply::NodeAffiliations(found.name, all)));
        }
        let after = affiliations_after(before, set)?;
        let effects = set.iter().map(|(jid, right)| self.give_right(&found, jid, *right, now));
        let (changes, tidings) = all_of(effects);
        let reply = Reply::NodeAffiliations(found.name, after.into_iter().collect());
        Ok(Outcome { tidings, ..changed(reply, changes) })
    }

    /// Whoever is shut out loses his subscriptions; whoever gets a right need not wait any more
    /// (XEP-0060 §8.7).
    fn give_right(
        &self,
        found: &Found<'_>,
        jid: &BareJid,
        affiliation: Affiliation,
        now: WallTime,
    ) -> Effects {
        if found.row.affiliation(jid) == affiliation {
            return Effects::default();
        }
        let node = Arc::clone(&found.name);
        let change = Change::Affiliated { node, jid: jid.clone(), affiliation };
        let tiding = Tiding::Affiliation(affiliation);
        let tidings = vec![self.tidings(&found.name, jid.clone().into(), tiding, now)];
        let own = found.row.subscriptions_of(jid);
        let touched = own.filter_map(|(own, terms)| match (affiliation, terms.state) {
            (Affiliation::Outcast, _) => Some(self.set_state(found, own, None, now)),
            (
                Affiliation::Owner | Affiliation::Publisher | Affiliation::Member,
                SubscriptionState::Pending,
            ) => Some(self.set_state(found, own, Some(SubscriptionState::Subscribed), now)),
            _ => None,
        });
        all_of(std::iter::once((vec![change], tidings)).chain(touched))
    }

    /// Answers with the subscriptions there are, those that wait among them (XEP-0060 §8.8.1), or
    /// sets some.
    pub(super) fn node_subscriptions(
        &self,
        asker: &Asker,
        node: &str,
        set: &[(Jid, Option<SubscriptionState>)],
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        if set.is_empty() {
            let all = found.row.subscribers.iter();
            let of = |(jid, terms): (&Jid, &Terms)| Subscription {
                node: Arc::clone(&found.name),
                jid: jid.clone(),
                terms: terms.clone(),
            };
            return Ok(told(Reply::Subscriptions(all.map(of).collect())));
        }
        let distinct: BTreeSet<&Jid> = set.iter().map(|(jid, _)| jid).collect();
        if distinct.len() < set.len() {
            return Err(Refusal::Repeated);
        }
        let waits = set.iter().any(|(_, state)| *state == Some(SubscriptionState::Pending));
        if waits && found.row.models().0 != AccessModel::Authorize {
            let text = "only where the access model is authorize does a subscription wait";
            return Err(Refusal::BadConfig(text.to_owned()));
        }
        for (jid, state) in set.iter().filter(|(_, state)| state.is_some()) {
            let is_new = !found.row.subscribers.contains_key(jid);
            let person = jid.to_bare();
            let has = self.subscriptions.get(&person).map_or(0, BTreeSet::len);
            if is_new && has >= self.bounds.subscriptions_max {
                return Err(Refusal::TooMany("subscriptions of that person"));
            }
            if found.row.affiliation(&person) == Affiliation::Outcast && state.is_some() {
                let text = format!("{person} is an outcast; take that away first");
                return Err(Refusal::BadConfig(text));
            }
        }
        let (changes, tidings) =
            all_of(set.iter().map(|(jid, state)| self.set_state(&found, jid, *state, now)));
        Ok(Outcome { tidings, ..changed(Reply::Done, changes) })
    }

    /// Lets a subscription come to a state, or end, and tells whose it is (XEP-0060 §8.8.4).
    pub(super) fn set_state(
        &self,
        found: &Found<'_>,
        jid: &Jid,
        state: Option<SubscriptionState>,
        now: WallTime,
    ) -> Effects {
        let present = found.row.subscribers.get(jid);
        if present.map(|terms| terms.state) == state {
            return Effects::default();
        }
        let (node, jid) = (Arc::clone(&found.name), jid.clone());
        let tiding = Tiding::Subscription(jid.clone(), state);
        let tidings = vec![self.tidings(&node, jid.clone(), tiding, now)];
        let options = present.map_or(Options::USUAL, |terms| terms.options);
        let change = match state {
            Some(SubscriptionState::Subscribed) => {
                Change::Subscribed { node, jid, terms: Terms::of(options) }
            }
            Some(SubscriptionState::Pending) => {
                Change::Subscribed { node, jid, terms: pending(options, now) }
            }
            None => Change::Unsubscribed { node, jid },
        };
        (vec![change], tidings)
    }

    /// What a subscription that an owner must allow comes to: it waits, for so long at most, and
    /// the owners are asked.
    ///
    /// - Errors: too many wait already.
    pub(super) fn apply(
        &self,
        found: &Found<'_>,
        jid: &Jid,
        terms: &Terms,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let node = || Arc::clone(&found.name);
        let (waiting, over): (Vec<_>, Vec<_>) = found
            .row
            .subscribers
            .iter()
            .filter(|(_, terms)| !terms.is_subscribed())
            .partition(|(_, terms)| terms.until.is_none_or(|until| now < until));
        if waiting.len() >= PUBSUB_PENDING_MAX {
            return Err(Refusal::TooMany("subscriptions that wait"));
        }
        let ended = over.into_iter().filter(|(other, _)| *other != jid);
        let mut changes: Vec<_> =
            ended.map(|(jid, _)| Change::Unsubscribed { node: node(), jid: jid.clone() }).collect();
        let terms = pending(terms.options, now);
        let subscription = Subscription { node: node(), jid: jid.clone(), terms: terms.clone() };
        changes.push(Change::Subscribed { node: node(), jid: jid.clone(), terms });
        let tidings = found.row.owners().map(|owner| {
            let tiding = Tiding::MaySubscribe(jid.clone());
            self.tidings(&found.name, owner.clone().into(), tiding, now)
        });
        let tidings = tidings.collect();
        Ok(Outcome { tidings, ..changed(Reply::Subscribed(subscription), changes) })
    }

    /// An owner's answer. One that comes after another owner's says nothing new.
    pub(super) fn decide(
        &self,
        asker: &Asker,
        node: &str,
        jid: &Jid,
        is_let_in: bool,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let found = self.found(asker, node, Right::Owner)?;
        let waits = found.row.subscribers.get(jid).filter(|terms| !terms.is_subscribed());
        let Some(terms) = waits else { return Ok(told(Reply::Done)) };
        let state = is_let_in.then_some(SubscriptionState::Subscribed);
        let (changes, tidings) = self.set_state(&found, jid, state, now);
        // The newest item is for whom an owner let in, too (XEP-0060 §12.10).
        let (place, terms) = ((&found.name, found.row), Terms::of(terms.options));
        let late = is_let_in.then(|| self.last_for(place, jid, &terms, now)).flatten();
        let late = late.into_iter().collect();
        Ok(Outcome { tidings, late, ..changed(Reply::Done, changes) })
    }

    /// What becomes of those who wait when the access model changes: nobody is left to wait for
    /// an answer that the model does not ask for.
    pub(super) fn decide_all(
        &self,
        found: &Found<'_>,
        model: AccessModel,
        now: WallTime,
    ) -> Effects {
        let state = match model {
            AccessModel::Authorize => return Effects::default(),
            AccessModel::Open => Some(SubscriptionState::Subscribed),
            AccessModel::Presence | AccessModel::Roster | AccessModel::Whitelist => None,
        };
        let waiting = found.row.subscribers.iter().filter(|(_, terms)| !terms.is_subscribed());
        all_of(waiting.map(|(jid, _)| self.set_state(found, jid, state, now)))
    }

    /// The nodes of the asker where somebody waits; for one node, he is asked about each again.
    pub(super) fn pending(
        &self,
        asker: &Asker,
        node: Option<&str>,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        let Some(node) = node else {
            let session = message_id(&self.epoch, asker.jid.as_str(), now.0.cast_unsigned());
            let nodes = self.nodes_with_pending(asker)?;
            return Ok(told(Reply::Pending { session, nodes }));
        };
        let found = self.found(asker, node, Right::Owner)?;
        let waiting = found.row.subscribers.iter().filter(|(_, terms)| !terms.is_subscribed());
        let waiting = waiting.take(PUBSUB_QUESTIONS_MAX);
        let tidings = waiting.map(|(jid, _)| self.question(asker, &found.name, jid, now)).collect();
        Ok(Outcome { tidings, ..told(Reply::Done) })
    }

    /// What an owner by name is asked who was not there when somebody came.
    pub(super) fn questions(&self, asker: &Asker, now: WallTime) -> Vec<Tidings> {
        let person = asker.jid.to_bare();
        let is_his = |(node, _): &&(Arc<str>, Jid)| {
            let row = self.nodes.get(node);
            row.is_some_and(|row| row.affiliation(&person) == Affiliation::Owner)
        };
        let his = self.waiting.iter().filter(is_his).take(PUBSUB_QUESTIONS_MAX);
        his.map(|(node, jid)| self.question(asker, node, jid, now)).collect()
    }

    fn question(&self, asker: &Asker, node: &Arc<str>, jid: &Jid, now: WallTime) -> Tidings {
        self.tidings(node, asker.jid.clone().into(), Tiding::MaySubscribe(jid.clone()), now)
    }

    /// - Errors: the asker owns nothing, so nobody waits for him.
    fn nodes_with_pending(&self, asker: &Asker) -> Result<Vec<Arc<str>>, Refusal> {
        let person = asker.jid.to_bare();
        let owns_all = asker.standing == Standing::Owner;
        let row =
            |node: &Arc<str>| self.nodes.get(node).expect("a node that was created has a row");
        let is_owned =
            |node: &&Arc<str>| owns_all || row(node).affiliation(&person) == Affiliation::Owner;
        let mut owned = self.created.iter().filter(is_owned).peekable();
        if owned.peek().is_none() && !owns_all {
            return Err(Refusal::Forbidden);
        }
        let waits =
            |node: &&Arc<str>| row(node).subscribers.values().any(|terms| !terms.is_subscribed());
        Ok(owned.filter(waits).take(PUBSUB_NODES_LISTED_MAX).cloned().collect())
    }

    /// What the owners are told of a subscription, where they want to be (`pubsub#notify_sub`).
    pub(super) fn tell_owners(
        &self,
        found: &Found<'_>,
        jid: &Jid,
        state: Option<SubscriptionState>,
        now: WallTime,
    ) -> Vec<Tidings> {
        let is_wanted = self.config(found.row).notify_sub;
        let owners = found.row.owners().filter(|_| is_wanted);
        let tell = |owner: &BareJid| {
            let tiding = Tiding::Subscription(jid.clone(), state);
            self.tidings(&found.name, owner.clone().into(), tiding, now)
        };
        owners.map(tell).collect()
    }
}

/// - Errors: an address twice, too many addresses, or no owner left where there was one.
fn affiliations_after(
    before: &BTreeMap<BareJid, Affiliation>,
    set: &[(BareJid, Affiliation)],
) -> Result<BTreeMap<BareJid, Affiliation>, Refusal> {
    let mut after = before.clone();
    let distinct: BTreeSet<&BareJid> = set.iter().map(|(jid, _)| jid).collect();
    if distinct.len() < set.len() {
        return Err(Refusal::Repeated);
    }
    for (jid, affiliation) in set {
        match affiliation {
            Affiliation::None => after.remove(jid),
            other => after.insert(jid.clone(), *other),
        };
    }
    if after.len() > PUBSUB_AFFILIATIONS_MAX {
        return Err(Refusal::TooMany("affiliations"));
    }
    let is_owned = after.values().any(|right| *right == Affiliation::Owner);
    let was_owner = |jid: &&BareJid| before.get(*jid) == Some(&Affiliation::Owner);
    match set.iter().map(|(jid, _)| jid).find(was_owner) {
        Some(last) if !is_owned => Err(Refusal::LastOwner(last.clone())),
        Some(_) | None => Ok(after),
    }
}

/// A lease that is over before any owner answered ends the wait, too.
fn pending(options: Options, now: WallTime) -> Terms {
    let until = WallTime(now.0.saturating_add(PUBSUB_PENDING_SECS * 1000));
    let until = options.lease.map_or(until, |lease| lease.min(until));
    Terms { state: SubscriptionState::Pending, until: Some(until), options }
}

fn all_of(effects: impl Iterator<Item = Effects>) -> Effects {
    effects.fold(Effects::default(), |mut all, (changes, tidings)| {
        all.0.extend(changes);
        all.1.extend(tidings);
        all
    })
}
