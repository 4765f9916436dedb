//! Readers without a seat: feeds, which follow nodes and have no address.
//!
//! They are no subscribers: nothing of them is kept, and they are told only while they are there.
//! The writer asks who follows a node when it plans a notice, so that rights are those of that very
//! moment.

use std::collections::HashMap;
use std::sync::Arc;

use aplomb_core::jid::BareJid;
use aplomb_core::pubsub::Notice;
use parking_lot::RwLock;

use crate::limits::FEEDS_OF_ONE_MAX;
use crate::mailbox::{EndReason, Letter, Mailbox};

/// Everybody who follows nodes.
#[derive(Debug, Default)]
pub struct Observers {
    inside: RwLock<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    by_node: HashMap<Box<str>, Vec<Arc<Observer>>>,
    by_person: HashMap<BareJid, Vec<Arc<Observer>>>,
}

/// One who follows nodes.
#[derive(Debug)]
pub struct Observer {
    /// Whose rights count.
    pub person: BareJid,
    /// What he has not read yet.
    pub mailbox: Mailbox,
}

/// The place of an observer; he leaves when it is dropped.
#[derive(Debug)]
pub struct Watch {
    observers: Arc<Observers>,
    observer: Arc<Observer>,
    nodes: Vec<Box<str>>,
}

/// The account has [`FEEDS_OF_ONE_MAX`] feeds already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyFeeds;

impl Observers {
    /// Lets somebody follow nodes. What is planned from now on comes into `mailbox`, as far as
    /// `person` may read it then.
    ///
    /// - Errors: the account has too many already.
    pub fn join(
        self: &Arc<Self>,
        person: BareJid,
        nodes: impl IntoIterator<Item = Box<str>>,
        mailbox: Mailbox,
    ) -> Result<Watch, TooManyFeeds> {
        let observer = Arc::new(Observer { person, mailbox });
        let nodes: Vec<_> = nodes.into_iter().collect();
        let mut inside = self.inside.write();
        let of_person = inside.by_person.entry(observer.person.clone()).or_default();
        if of_person.len() >= FEEDS_OF_ONE_MAX {
            return Err(TooManyFeeds);
        }
        of_person.push(Arc::clone(&observer));
        for node in &nodes {
            inside.by_node.entry(node.clone()).or_default().push(Arc::clone(&observer));
        }
        Ok(Watch { observers: Arc::clone(self), observer, nodes })
    }

    /// Those who follow `node` and of whom `may_read` says so.
    pub fn of(&self, node: &str, may_read: impl Fn(&BareJid) -> bool) -> Vec<Arc<Observer>> {
        let inside = self.inside.read();
        let all = inside.by_node.get(node).into_iter().flatten();
        all.filter(|observer| may_read(&observer.person)).cloned().collect()
    }

    /// Ends the feeds of one person, or all.
    pub fn end(&self, person: Option<&BareJid>, reason: EndReason) {
        let inside = self.inside.read();
        let tell = |observer: &Arc<Observer>| observer.put(Letter::End(reason));
        match person {
            None => inside.by_person.values().flatten().for_each(tell),
            Some(person) => inside.by_person.get(person).into_iter().flatten().for_each(tell),
        }
    }
}

impl Observer {
    /// Tells of a notice.
    pub fn tell(&self, notice: Arc<Notice>) {
        self.put(Letter::Notice { notice, to_full: false });
    }

    /// A mailbox that is full ends its feed by itself; that is all there is to do about it.
    fn put(&self, letter: Letter) {
        let _ = self.mailbox.push(letter);
    }
}

impl Watch {
    /// What there is to read.
    pub fn mailbox(&self) -> &Mailbox {
        &self.observer.mailbox
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut inside = self.observers.inside.write();
        for node in &self.nodes {
            if let Some(all) = inside.by_node.get_mut(node) {
                all.retain(|other| !Arc::ptr_eq(other, &self.observer));
                if all.is_empty() {
                    inside.by_node.remove(node);
                }
            }
        }
        if let Some(all) = inside.by_person.get_mut(&self.observer.person) {
            all.retain(|other| !Arc::ptr_eq(other, &self.observer));
            if all.is_empty() {
                inside.by_person.remove(&self.observer.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox() -> Mailbox {
        Mailbox::new(8, 1024)
    }

    fn ada() -> BareJid {
        "ada@cc.test".parse().unwrap()
    }

    #[test]
    fn who_left_is_told_nothing_and_leaves_no_trace() {
        let observers = Arc::new(Observers::default());
        let nodes = || ["n".into(), "m".into()];
        let first = observers.join(ada(), nodes(), mailbox()).unwrap();
        let second = observers.join(ada(), nodes(), mailbox()).unwrap();
        assert_eq!(observers.of("n", |_| true).len(), 2);
        assert_eq!(observers.of("n", |_| false).len(), 0, "rights decide");
        drop(first);
        assert_eq!((observers.of("n", |_| true).len(), observers.of("x", |_| true).len()), (1, 0));
        observers.end(Some(&ada()), EndReason::AccountChanged);
        assert_eq!(second.mailbox().depth(), 1);
        drop(second);
        let inside = observers.inside.read();
        assert!(inside.by_node.is_empty() && inside.by_person.is_empty());
    }

    #[test]
    fn one_account_has_a_bounded_number_of_feeds() {
        let observers = Arc::new(Observers::default());
        let join = || observers.join(ada(), ["n".into()], mailbox());
        let all: Vec<_> = (0..FEEDS_OF_ONE_MAX).map(|_| join().unwrap()).collect();
        assert_eq!(join().err(), Some(TooManyFeeds));
        drop(all);
        assert!(join().is_ok());
    }
}
