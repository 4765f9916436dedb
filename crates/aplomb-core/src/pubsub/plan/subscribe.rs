//! Subscribing, and telling who is (XEP-0060 §5.6, §6.1, §6.2).

use std::sync::Arc;

use super::super::access::{Entry, Right, Rights};
use super::super::{
    AccessModel, Asker, Change, OptionsWish, Outcome, PubSub, Refusal, Reply, Subscription,
    SubscriptionState, Terms, is_of,
};
use super::{Found, changed, told};
use crate::jid::{BareJid, Jid};
use crate::time::WallTime;

impl PubSub {
    /// A second subscription of one address is answered with the first, as Openfire does when
    /// multiple subscriptions are off. So is that of a bare JID which is subscribed anyway.
    pub(super) fn subscribe(
        &self,
        asker: &Asker,
        node: &str,
        jid: &Jid,
        wish: Option<&OptionsWish>,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        if !is_of(jid, &asker.jid.to_bare()) {
            return Err(Refusal::InvalidJid);
        }
        let found = self.found(asker, node, Right::Know)?;
        let must_ask = found.rights.entry == Entry::Closed(AccessModel::Authorize);
        if !must_ask {
            found.rights.allow(Right::Member)?;
        }
        let node = Arc::clone(&found.name);
        let known = found.row.subscribers.get(jid);
        // Whoever need not ask any more need not wait for an answer either.
        let known = known.filter(|terms| must_ask || terms.is_subscribed());
        if must_ask && known.is_some_and(|terms| terms.until.is_none_or(|until| now < until)) {
            return Err(Refusal::StillPending);
        }
        let before = known.cloned().unwrap_or(Terms::LASTING);
        let terms = wish.map_or_else(|| before.clone(), |wish| before.with(wish));
        let is_automatic = is_automatic(asker, &node, jid);
        if is_automatic && known.is_none() && terms != before {
            return Err(Refusal::Automatic);
        }
        let subscription =
            Subscription { node: Arc::clone(&node), jid: jid.clone(), terms: terms.clone() };
        let reply = Reply::Subscribed(subscription);
        if (known.is_some() && !must_ask) || is_automatic {
            let changes = match terms == before {
                true => Vec::new(),
                false => vec![Change::Subscribed { node, jid: jid.clone(), terms }],
            };
            return Ok(changed(reply, changes));
        }
        let has = self.subscriptions.get(&asker.jid.to_bare()).map_or(0, |of_him| of_him.len());
        if has >= self.bounds.subscriptions_max {
            return Err(Refusal::TooManySubscriptions);
        }
        if must_ask {
            return self.apply(&found, jid, &terms, now);
        }
        let tidings = self.tell_owners(&found, jid, Some(SubscriptionState::Subscribed), now);
        let late = self.last_for((&found.name, found.row), jid, &terms, now).into_iter().collect();
        let change = Change::Subscribed { node, jid: jid.clone(), terms };
        Ok(Outcome { tidings, late, ..changed(reply, vec![change]) })
    }

    /// Whoever lost the right to read may still end his subscription.
    pub(super) fn unsubscribe(
        &self,
        asker: &Asker,
        node: &str,
        jid: &Jid,
        now: WallTime,
    ) -> Result<Outcome, Refusal> {
        if !is_of(jid, &asker.jid.to_bare()) {
            return Err(Refusal::Forbidden);
        }
        if let Some((node, row)) = self.nodes.get_key_value(node)
            && row.subscribers.contains_key(jid)
        {
            let change = Change::Unsubscribed { node: Arc::clone(node), jid: jid.clone() };
            let found = Found { name: Arc::clone(node), row, rights: Rights::OWNER };
            let tidings = self.tell_owners(&found, jid, None, now);
            return Ok(Outcome { tidings, ..changed(Reply::Done, vec![change]) });
        }
        let found = self.found(asker, node, Right::Know)?;
        match is_automatic(asker, &found.name, jid) {
            true => Err(Refusal::Automatic),
            false => Err(Refusal::NotSubscribed),
        }
    }

    /// Those of all the asker's addresses, automatic ones first: clients take them for what the
    /// server knows of them, and remove those of earlier resources.
    pub(super) fn subscriptions(
        &self,
        asker: &Asker,
        node: Option<&str>,
    ) -> Result<Outcome, Refusal> {
        let person = asker.jid.to_bare();
        let explicit = self.subscriptions.get(&person);
        let is_wanted = |name: &str| node.is_none_or(|node| node == name);
        let automatic =
            asker.automatic.iter().filter(|name| is_wanted(name)).map(|name| Subscription {
                node: name.as_str().into(),
                jid: person.clone().into(),
                terms: Terms::LASTING,
            });
        let explicit = explicit.into_iter().flatten().filter(|(node, _)| is_wanted(node));
        let all: Vec<_> = automatic.chain(explicit.map(|place| self.subscription(place))).collect();
        if let (Some(node), true) = (node, all.is_empty()) {
            self.found(asker, node, Right::Know)?;
        }
        Ok(told(Reply::Subscriptions(all)))
    }

    /// What it takes to end the subscriptions of a person's resources that are not there.
    ///
    /// Some clients take another resource each time and never unsubscribe, which Openfire lets grow
    /// for ever. When a person has as many as are allowed, these are the ones to go.
    pub fn absent(&self, person: &BareJid, is_there: impl Fn(&Jid) -> bool) -> Vec<Change> {
        let all = self.subscriptions.get(person).into_iter().flatten();
        let absent = all.filter(|(_, jid)| jid.is_full() && !is_there(jid));
        let end = |(node, jid): &(Arc<str>, Jid)| Change::Unsubscribed {
            node: Arc::clone(node),
            jid: jid.clone(),
        };
        absent.map(end).collect()
    }

    fn subscription(&self, (node, jid): &(Arc<str>, Jid)) -> Subscription {
        let row = self.nodes.get(node).expect("a subscription is to a node with a row");
        let terms = row.subscribers.get(jid).expect("a subscription is kept with its node").clone();
        Subscription { node: Arc::clone(node), jid: jid.clone(), terms }
    }
}

pub(super) fn is_automatic(asker: &Asker, node: &str, jid: &Jid) -> bool {
    jid.is_bare() && asker.automatic.iter().any(|name| name == node)
}
