//! Who sees whose presence: what the rosters and the contact centre come to, kept for look-ups.

use std::collections::{BTreeSet, HashMap};

use crate::jid::BareJid;

/// Whether one person sees the presence of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Whose presence.
    pub seen: BareJid,
    /// Who may see it.
    pub seer: BareJid,
    /// Whether he does.
    pub is_seen: bool,
}

/// All who see somebody.
#[derive(Debug, Default)]
pub struct Sights {
    seers: HashMap<BareJid, BTreeSet<BareJid>>,
    seen: HashMap<BareJid, BTreeSet<BareJid>>,
}

impl Sights {
    /// Takes a fact; returns whether it is news.
    pub fn adopt(&mut self, sight: &Sight) -> bool {
        let Sight { seen, seer, is_seen } = sight;
        match is_seen {
            true => {
                self.seers.entry(seen.clone()).or_default().insert(seer.clone());
                self.seen.entry(seer.clone()).or_default().insert(seen.clone())
            }
            false => {
                take(&mut self.seers, seen, seer);
                take(&mut self.seen, seer, seen)
            }
        }
    }

    /// Those who see `person`.
    pub fn seers_of(&self, person: &BareJid) -> impl Iterator<Item = &BareJid> {
        self.seers.get(person).into_iter().flatten()
    }

    /// Those whom `person` sees.
    pub fn seen_by(&self, person: &BareJid) -> impl Iterator<Item = &BareJid> {
        self.seen.get(person).into_iter().flatten()
    }

    /// Whether `seer` sees `seen`.
    pub fn has(&self, seen: &BareJid, seer: &BareJid) -> bool {
        self.seers.get(seen).is_some_and(|seers| seers.contains(seer))
    }
}

fn take(sets: &mut HashMap<BareJid, BTreeSet<BareJid>>, key: &BareJid, value: &BareJid) -> bool {
    let Some(set) = sets.get_mut(key) else { return false };
    let was_there = set.remove(value);
    if set.is_empty() {
        sets.remove(key);
    }
    was_there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_already_is_no_news_and_what_ended_leaves_no_trace() {
        let [a, b] = ["a@cc.test", "b@cc.test"].map(|jid| jid.parse::<BareJid>().unwrap());
        let mut sights = Sights::default();
        let fact = |is_seen| Sight { seen: a.clone(), seer: b.clone(), is_seen };
        assert!(!sights.adopt(&fact(false)) && sights.adopt(&fact(true)));
        assert!(!sights.adopt(&fact(true)) && sights.has(&a, &b) && !sights.has(&b, &a));
        assert_eq!(sights.seers_of(&a).collect::<Vec<_>>(), [&b]);
        assert_eq!(sights.seen_by(&b).collect::<Vec<_>>(), [&a]);
        assert!(sights.adopt(&fact(false)) && !sights.adopt(&fact(false)));
        assert!(sights.seers.is_empty() && sights.seen.is_empty());
    }
}
