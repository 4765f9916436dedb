//! The options of subscriptions (XEP-0060 §6.3, §6.4), and the newest item for who asks for it so
//! (§6.1.7).

use std::sync::Arc;

use super::super::access::Right;
use super::super::node::Node;
use super::super::{
    Asker, Change, Notice, Options, OptionsWish, Outcome, PubSub, Reader, Refusal, Reply, SendLast,
    Standing, Subscription, SubscriptionState, Terms, is_of,
};
use super::subscribe::is_automatic;
use super::{changed, told};
use crate::jid::Jid;
use crate::time::WallTime;

impl PubSub {
    /// Tells the options of one of the asker's subscriptions, or changes them.
    ///
    /// - Errors: [`Refusal::Forbidden`] for another's, [`Refusal::NotSubscribed`],
    ///   [`Refusal::Automatic`] for one that comes with the account, whose options are fixed.
    pub(super) fn options(
        &self,
        asker: &Asker,
        node: &str,
        jid: &Jid,
        wish: Option<&OptionsWish>,
    ) -> Result<Outcome, Refusal> {
        if !is_of(jid, &asker.jid.to_bare()) {
            return Err(Refusal::Forbidden);
        }
        let kept = self.nodes.get_key_value(node);
        let terms = kept.and_then(|(name, row)| Some((name, row.subscribers.get(jid)?)));
        let Some((name, terms)) = terms else {
            let found = self.found(asker, node, Right::Member)?;
            let is_automatic = is_automatic(asker, &found.name, jid);
            let (node, jid, terms) = (found.name, jid.clone(), Terms::LASTING);
            return match (is_automatic, wish) {
                (false, _) => Err(Refusal::NotSubscribed),
                (true, Some(_)) => Err(Refusal::Automatic),
                (true, None) => Ok(told(Reply::Options(Subscription { node, jid, terms }))),
            };
        };
        let (node, jid) = (Arc::clone(name), jid.clone());
        let Some(wish) = wish else {
            let terms = terms.clone();
            return Ok(told(Reply::Options(Subscription { node, jid, terms })));
        };
        let (before, terms) = (terms, terms.with(wish));
        if terms == *before {
            return Ok(told(Reply::Done));
        }
        Ok(changed(Reply::Done, vec![Change::Subscribed { node, jid, terms }]))
    }

    /// Those that every subscription begins with, at every node.
    pub(super) fn default_options(
        &self,
        asker: &Asker,
        node: Option<&str>,
    ) -> Result<Outcome, Refusal> {
        let node = node.map(|node| self.found(asker, node, Right::Member)).transpose()?;
        Ok(told(Reply::DefaultOptions(node.map(|found| found.name), Options::USUAL)))
    }

    /// What a new subscriber gets without waiting for the next event.
    pub(super) fn last_for(
        &self,
        (name, row): (&Arc<str>, &Node),
        jid: &Jid,
        terms: &Terms,
        now: WallTime,
    ) -> Option<(Reader, Arc<Notice>)> {
        let config = row.config.as_ref()?;
        let is_sent = config.send_last_published_item != SendLast::Never && terms.takes_events();
        let item = row.items.back().filter(|item| is_sent && !self.is_over(row, item, now))?;
        let reader = Reader { jid: jid.clone(), shows: terms.options.shows };
        Some((reader, Notice::late(&self.epoch, name, item, config)))
    }

    /// Whether somebody may get something when he becomes available: the newest item of a node, or
    /// a question about a subscription that waits.
    pub fn is_greeting(&self) -> bool {
        !self.greeting.is_empty() || !self.waiting.is_empty()
    }

    /// What a session gets that became available: of each node that sends it, to which its full or
    /// its bare address is subscribed, once; and whether those may subscribe who wait at his nodes.
    /// `standing` is that of the asker with a node.
    pub fn greet(
        &self,
        asker: &Asker,
        now: WallTime,
        mut standing: impl FnMut(&str) -> Standing,
    ) -> Outcome {
        let person = asker.jid.to_bare();
        let jids = [Jid::from(asker.jid.clone()), person.clone().into()];
        let of_node = |node: &Arc<str>| {
            let row = self.nodes.get(node)?;
            let explicit = jids.iter().find_map(|jid| row.subscribers.get(jid));
            let automatic = is_automatic(asker, node, &jids[1]).then_some(&Terms::LASTING);
            let terms = explicit.or(automatic)?;
            let may_read = self.may_read(node, &person, standing(node));
            may_read.then(|| self.last_for((node, row), &jids[0], terms, now)).flatten()
        };
        let late = self.greeting.iter().filter_map(of_node).collect();
        Outcome { late, tidings: self.questions(asker, now), ..told(Reply::Done) }
    }
}

impl Terms {
    /// The terms with other options; an end that was set for another reason stays the earlier one.
    pub(super) fn with(&self, wish: &OptionsWish) -> Self {
        let options = wish.over(&self.options);
        let until = match self.state {
            SubscriptionState::Subscribed => options.lease,
            SubscriptionState::Pending => self.until,
        };
        Self { state: self.state, until, options }
    }
}
