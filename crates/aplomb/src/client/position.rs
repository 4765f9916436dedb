//! Where a client is in each node's history, and what it missed.
//!
//! An item's id is a UUID followed by a running number (`<epoch><seq>`), on Openfire as on aplomb.
//! On aplomb the numbers of a node have no gaps; on Openfire one count serves all nodes, so only an
//! item that the client has seen proves that nothing is missing before the next.

use std::collections::BTreeMap;

use super::news::Event;
use crate::limits::{FRESH_ITEMS_MAX, NODES_FOLLOWED_MAX};

/// The last item seen of each node.
#[derive(Debug, Default)]
pub struct Positions {
    nodes: BTreeMap<String, Position>,
    /// Whether this is not the first connection.
    is_back: bool,
}

#[derive(Debug, Default)]
struct Position {
    last: Last,
    /// Whether this connection has compared `last` with what the server keeps.
    is_compared: bool,
    /// Items that came by themselves before that; the newest is last.
    fresh: Vec<String>,
}

/// The newest item that is known to be no news.
#[derive(Debug, Default)]
enum Last {
    /// The server has never said.
    #[default]
    Unknown,
    /// There was none.
    Nothing,
    At(ItemId),
}

/// An item's id, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemId {
    epoch: String,
    seq: u64,
}

/// What happened on a node between two connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The node.
    pub node: String,
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// Whether that is all.
    pub extent: Extent,
}

/// How much is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// These are all.
    All,
    /// There may have been more before them: the server keeps too few.
    AtLeast,
    /// Nothing is known, for this reason.
    CannotTell(String),
}

impl Positions {
    /// Follows a node; one that is followed already stays where it is.
    pub fn follow(&mut self, node: &str) {
        self.nodes.entry(node.to_owned()).or_default();
    }

    /// The nodes that are followed.
    pub fn nodes(&self) -> Vec<String> {
        self.nodes.keys().cloned().collect()
    }

    /// Notes an event that came by itself.
    pub fn saw(&mut self, event: &Event) {
        if !self.nodes.contains_key(&event.node) && self.nodes.len() >= NODES_FOLLOWED_MAX {
            return;
        }
        let position = self.nodes.entry(event.node.clone()).or_default();
        let Some(id) = event.id.clone() else { return };
        if !position.is_compared {
            // Of more than a comparison sees, some may be told twice; none is lost.
            if position.fresh.len() < FRESH_ITEMS_MAX {
                position.fresh.push(id);
            }
        } else if let Some(id) = ItemId::parse(&id) {
            position.last = Last::At(id);
        }
    }

    /// The connection is gone: the next one compares anew.
    pub fn lost(&mut self) {
        self.is_back = true;
        self.nodes.values_mut().for_each(|position| position.is_compared = false);
    }

    /// Takes the items that the server keeps, in any order; says what was missed, or nothing on
    /// the first connection, which only learns where it is.
    pub fn compare(&mut self, node: &str, kept: Vec<Event>) -> Option<Missed> {
        let mut items: Vec<(ItemId, Event)> = kept
            .into_iter()
            .filter_map(|event| Some((event.id.as_deref().and_then(ItemId::parse)?, event)))
            .collect();
        items.sort_by_key(|(id, _)| id.seq);
        let position = self.nodes.get_mut(node)?;
        let newest = items.last().map(|(id, _)| id.clone());
        let extent = position.last.extent(&items);
        let is_after = |id: &ItemId| match &position.last {
            Last::At(last) => id.seq > last.seq,
            Last::Nothing => true,
            Last::Unknown => false,
        };
        let is_told = !matches!(extent, Extent::CannotTell(_));
        let is_late = |(id, event): &(ItemId, Event)| {
            let is_fresh = event.id.as_ref().is_some_and(|id| position.fresh.contains(id));
            is_told && is_after(id) && !is_fresh
        };
        let events = items.into_iter().filter(is_late);
        let events = events.map(|(_, event)| Event { is_late: true, ..event }).collect();
        position.settle(newest);
        self.is_back.then(|| Missed { node: node.to_owned(), events, extent })
    }

    /// The server would not say what it keeps, for this reason.
    pub fn refused(&mut self, node: &str, why: &str) -> Option<Missed> {
        let position = self.nodes.get_mut(node)?;
        position.settle(None);
        let extent = Extent::CannotTell(format!("the server does not say what it keeps: {why}"));
        self.is_back.then(|| Missed { node: node.to_owned(), events: Vec::new(), extent })
    }
}

impl Position {
    /// Starts from the newest item that the server keeps or that came by itself.
    fn settle(&mut self, kept: Option<ItemId>) {
        let came = self.fresh.last().and_then(|id| ItemId::parse(id));
        self.fresh.clear();
        self.is_compared = true;
        let newest = match (came, kept) {
            (Some(came), Some(kept)) if came.epoch == kept.epoch && came.seq < kept.seq => kept,
            (Some(came), _) => came,
            (None, Some(kept)) => kept,
            (None, None) if matches!(self.last, Last::Unknown) => return self.last = Last::Nothing,
            (None, None) => return,
        };
        self.last = Last::At(newest);
    }
}

impl Last {
    /// How much `items`, oldest first, tell about what came after.
    fn extent(&self, items: &[(ItemId, Event)]) -> Extent {
        let cannot_tell = |why: &str| Extent::CannotTell(why.to_owned());
        let (Some((first, _)), Some((newest, _))) = (items.first(), items.last()) else {
            return cannot_tell("the server has no items: nothing happened, or it keeps none");
        };
        let is_complete = match self {
            Self::Unknown => return cannot_tell("nothing of it had been seen before"),
            Self::Nothing => first.seq == 1,
            Self::At(last) if newest.epoch != last.epoch => {
                return cannot_tell("the server has begun a new history since");
            }
            Self::At(last) => first.seq == last.seq + 1 || items.iter().any(|(id, _)| id == last),
        };
        if is_complete { Extent::All } else { Extent::AtLeast }
    }
}

impl ItemId {
    /// Takes an id apart; none if it has another shape.
    pub fn parse(id: &str) -> Option<Self> {
        let (epoch, seq) = id.split_at_checked(UUID_CHARS)?;
        uuid::Uuid::try_parse(epoch).ok()?;
        Some(Self { epoch: epoch.to_owned(), seq: seq.parse().ok()? })
    }

    /// The running number.
    pub const fn seq(&self) -> u64 {
        self.seq
    }
}

/// Characters of a UUID with its hyphens.
const UUID_CHARS: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = "/finesse/api/User/1001";
    const EPOCH: &str = "a6ca891f-8b34-443f-8c7d-dac020d41838";
    const OTHER: &str = "00000000-0000-4000-8000-000000000000";

    fn event(epoch: &str, seq: u64) -> Event {
        Event {
            node: NODE.to_owned(),
            id: Some(format!("{epoch}{seq}")),
            payload: Some(seq.to_string()),
            is_late: false,
        }
    }

    fn events(seqs: &[u64]) -> Vec<Event> {
        seqs.iter().map(|seq| event(EPOCH, *seq)).collect()
    }

    /// A client that saw event 7 and lost its connection.
    fn after_7() -> Positions {
        let mut positions = Positions::default();
        positions.follow(NODE);
        assert_eq!(positions.compare(NODE, events(&[5, 6])), None, "the first connection");
        positions.saw(&event(EPOCH, 7));
        positions.lost();
        positions
    }

    fn check(kept: &[u64], late: &[u64], extent: &Extent) {
        let missed = after_7().compare(NODE, events(kept)).unwrap();
        let seqs: Vec<u64> =
            missed.events.iter().map(|e| e.payload.as_ref().unwrap().parse().unwrap()).collect();
        assert_eq!((seqs.as_slice(), &missed.extent), (late, extent), "{kept:?}");
        assert!(missed.events.iter().all(|event| event.is_late));
    }

    #[test]
    fn what_came_after_the_last_event_seen_was_missed() {
        check(&[5, 6, 7], &[], &Extent::All);
        check(&[9, 8, 7, 6], &[8, 9], &Extent::All);
        check(&[8, 9], &[8, 9], &Extent::All);
    }

    #[test]
    fn a_history_that_begins_too_late_is_told() {
        check(&[9, 10], &[9, 10], &Extent::AtLeast);
    }

    #[test]
    fn a_server_that_keeps_nothing_or_began_anew_cannot_tell() {
        let cannot_tell = |missed: Option<Missed>| {
            let missed = missed.unwrap();
            assert_eq!(missed.events, []);
            assert!(matches!(missed.extent, Extent::CannotTell(_)), "{:?}", missed.extent);
        };
        cannot_tell(after_7().compare(NODE, Vec::new()));
        cannot_tell(after_7().compare(NODE, vec![event(OTHER, 9)]));
        cannot_tell(after_7().refused(NODE, "forbidden"));
        let mut positions = Positions::default();
        positions.follow(NODE);
        positions.lost();
        cannot_tell(positions.compare(NODE, events(&[1])));
    }

    #[test]
    fn an_event_that_came_before_the_answer_was_not_missed() {
        let mut positions = after_7();
        positions.saw(&event(EPOCH, 9));
        let missed = positions.compare(NODE, events(&[7, 8, 9])).unwrap();
        assert_eq!(missed.events, [Event { is_late: true, ..event(EPOCH, 8) }]);
        positions.lost();
        let missed = positions.compare(NODE, events(&[7, 8, 9])).unwrap();
        assert_eq!((missed.events, missed.extent), (Vec::new(), Extent::All));
    }

    #[test]
    fn a_connection_that_breaks_before_the_answer_forgets_nothing() {
        let mut positions = after_7();
        positions.saw(&event(EPOCH, 9));
        positions.lost();
        let missed = positions.compare(NODE, events(&[7, 8, 9, 10])).unwrap();
        let late = [8, 10].map(|seq| Event { is_late: true, ..event(EPOCH, seq) });
        assert_eq!((missed.events.as_slice(), missed.extent), (&late[..], Extent::All));
    }

    #[test]
    fn the_first_event_of_a_node_may_be_missed_too() {
        let empty = || {
            let mut positions = Positions::default();
            positions.follow(NODE);
            assert_eq!(positions.compare(NODE, Vec::new()), None);
            positions.lost();
            positions
        };
        let missed = empty().compare(NODE, events(&[1, 2])).unwrap();
        assert_eq!((missed.events.len(), missed.extent), (2, Extent::All));
        let missed = empty().compare(NODE, events(&[2, 3])).unwrap();
        assert_eq!((missed.events.len(), missed.extent), (2, Extent::AtLeast));
    }

    #[test]
    fn an_id_of_another_shape_is_none() {
        assert_eq!(ItemId::parse(&format!("{EPOCH}339")).unwrap().seq(), 339);
        for id in ["", "339", EPOCH, &format!("{EPOCH}x"), "é6ca891f-8b34-443f-8c7d-dac020d418381"]
        {
            assert_eq!(ItemId::parse(id), None, "{id}");
        }
    }
}
