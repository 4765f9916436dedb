//! One reader of several nodes: first what he missed, then what comes, each notice once.
//!
//! He joins the observers before he asks the writer what he missed, so a notice is in the answer,
//! in the mailbox, or in both; its number tells which he has already. A number that leaves one out
//! is looked up again. So what reaches him has no hole that he is not told of.

use std::sync::Arc;

use aplomb_core::feed::{Cursor, Event, Gap};
use aplomb_core::jid::{BareJid, FullJid};
use aplomb_core::pubsub::{Notice, Point, Recall, Refusal, Reply, Request};

use super::question::{From, Question};
use super::{Feeds, Problem};
use crate::hub::{Hub, Watch};
use crate::limits::FEED_ANSWER_BYTES_MAX;
use crate::mailbox::{EndReason, Letter, Mailbox};
use crate::watch::FeedCount;

/// A reader. What it tells counts as told when [`Reader::cursor_after`] was asked for it.
pub(super) struct Reader {
    hub: Arc<Hub>,
    asker: FullJid,
    watch: Watch,
    /// The history that is read; empty before the first answer.
    epoch: Arc<str>,
    places: Vec<Place>,
    /// Whether there is more in the history than was read.
    is_behind: bool,
    end: Option<EndReason>,
    count: FeedCount,
}

struct Place {
    node: Arc<str>,
    read: Read,
    /// The number that the cursor tells.
    shown: u64,
}

/// How far a node was read.
enum Read {
    /// Nothing yet: begin now.
    FromNow,
    /// Nothing yet: begin after this.
    From(Point),
    /// Up to this number.
    To(u64),
}

/// What a reader finds.
#[derive(Debug)]
pub(super) enum Turn {
    /// These, in order; perhaps none.
    Events(Vec<Event>),
    /// The server ends the feed.
    End(EndReason),
}

impl Reader {
    /// A reader of the feed at this path, with what he missed, as far as it fits into one answer.
    ///
    /// - Errors: too many feeds, a node that he may not read, a writer that does not answer.
    pub(super) async fn open(
        feeds: &Feeds,
        feed: &'static str,
        person: BareJid,
        question: &Question,
    ) -> Result<(Self, Vec<Event>), Problem> {
        let asker = person.with_resource_str(RESOURCE).expect("a resource of a few letters");
        let mailbox = Mailbox::new(feeds.setup.mailbox_letters, feeds.setup.mailbox_bytes);
        let names = question.nodes.iter().map(|node| node.as_str().into());
        let watch = feeds.hub.observers().join(person, names, mailbox);
        let places = question.nodes.iter().map(|node| Place::new(node, &question.from)).collect();
        let mut reader = Self {
            hub: Arc::clone(&feeds.hub),
            asker,
            watch: watch.map_err(|_| Problem::too_many())?,
            epoch: "".into(),
            places,
            is_behind: true,
            end: None,
            count: feeds.metrics.feed(feed),
        };
        let events = reader.catch_up(Missing::IsAnError).await?;
        if question.from != From::Unreadable {
            return Ok((reader, events));
        }
        let gap = |place: &Place| Event::Gap {
            node: Arc::clone(&place.node),
            seq: place.shown,
            gap: Gap::CursorUnreadable,
        };
        let gaps = reader.places.iter().map(gap).chain(events).collect();
        Ok((reader, gaps))
    }

    /// Waits until there is something to read. It may be dropped and called again.
    pub(super) async fn ready(&self) {
        if !self.is_behind && self.end.is_none() {
            self.watch.mailbox().wait().await;
        }
    }

    /// Reads what is there. It must not be dropped before it is done, unless the reader is.
    ///
    /// - Errors: the writer does not answer.
    pub(super) async fn read(&mut self) -> Result<Turn, Problem> {
        let mut letters = Vec::new();
        self.watch.mailbox().drain(&mut letters);
        let mut events = Vec::new();
        for letter in letters {
            match letter {
                Letter::Notice { notice, .. } => events.extend(self.take(&notice)),
                Letter::End(reason) => self.end = Some(reason),
                // Only sessions get stanzas.
                Letter::Presence(_) | Letter::Parcel(_) | Letter::Stanza(_) => {}
            }
        }
        if self.is_behind {
            events.extend(self.catch_up(Missing::IsGone).await?);
        }
        match self.end {
            Some(reason) if events.is_empty() => Ok(Turn::End(reason)),
            _ => Ok(Turn::Events(events)),
        }
    }

    /// Asks for all nodes anew, after a time of silence: a right that was taken away is told so.
    pub(super) async fn check(&mut self) -> Result<Turn, Problem> {
        self.is_behind = true;
        self.read().await
    }

    /// Whether the history has more than was read.
    pub(super) const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Whether no node is left to follow.
    pub(super) const fn is_done(&self) -> bool {
        self.places.is_empty()
    }

    /// Where the reader is who was told everything up to now but not what follows.
    pub(super) fn cursor(&self) -> String {
        let places = self.places.iter().map(|place| (&*place.node, place.shown));
        Cursor::new(&self.epoch, places).to_text()
    }

    /// Where the reader is who is told this as well. Events must come in their order.
    pub(super) fn cursor_after(&mut self, event: &Event) -> String {
        self.advance(event);
        self.cursor()
    }

    /// Notes that the reader is told this.
    pub(super) fn advance(&mut self, event: &Event) {
        self.count.told();
        let (Event::Told { node, seq, .. } | Event::Gap { node, seq, .. }) = event else { return };
        if let Some(place) = self.places.iter_mut().find(|place| place.node == *node) {
            place.shown = *seq;
        }
    }

    /// The event of a notice, if it is the next of its node.
    fn take(&mut self, notice: &Notice) -> Option<Event> {
        let place = self.places.iter_mut().find(|place| place.node == notice.node)?;
        let Read::To(last) = &mut place.read else { return None };
        if notice.seq == *last + 1 {
            *last = notice.seq;
            return Some(Event::Told {
                node: Arc::clone(&place.node),
                seq: notice.seq,
                told: notice.told.clone(),
            });
        }
        // One that was read already, or one too far: a right was away for a time, say.
        self.is_behind |= notice.seq > *last;
        None
    }

    /// Asks the writer what is there after each place.
    async fn catch_up(&mut self, missing: Missing) -> Result<Vec<Event>, Problem> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        self.is_behind = false;
        let mut at = 0;
        while let Some(place) = self.places.get_mut(at) {
            if bytes >= FEED_ANSWER_BYTES_MAX && place.is_of(&self.epoch) {
                self.is_behind = true;
                at += 1;
                continue;
            }
            let request = place.question(&self.epoch);
            let node = Arc::clone(&place.node);
            match (self.hub.ask(&self.asker, request).await, missing) {
                (Ok(Reply::Recall(recall)), _) => {
                    self.epoch = Arc::clone(&recall.epoch);
                    self.is_behind |= recall.is_more;
                    bytes += bytes_of(&recall);
                    events.extend(self.places[at].recall(recall));
                    at += 1;
                }
                (Ok(_), _) | (Err(Refusal::Unavailable), _) => return Err(Problem::unavailable()),
                (Err(refusal), Missing::IsAnError) => {
                    return Err(Problem::of_refusal(&node, &refusal));
                }
                (Err(_), Missing::IsGone) => {
                    self.places.remove(at);
                    events.push(Event::Gone { node });
                }
            }
        }
        Ok(events)
    }
}

impl Place {
    fn new(node: &str, from: &From) -> Self {
        let point = match from {
            From::Cursor(cursor) => cursor.point(node),
            From::Now | From::Unreadable => None,
        };
        let read = point.map_or(Read::FromNow, Read::From);
        Self { node: node.into(), read, shown: NOT_SHOWN }
    }

    fn question(&self, epoch: &str) -> Request {
        let point = match &self.read {
            Read::FromNow => None,
            Read::From(point) => Some(point.clone()),
            Read::To(seq) => Some(Point { epoch: epoch.to_owned(), seq: *seq }),
        };
        Request::Since { node: self.node.to_string(), point }
    }

    /// Whether the place is one of this history, so that it may be asked for later as well.
    fn is_of(&mut self, epoch: &str) -> bool {
        match &self.read {
            Read::From(point) if point.epoch == epoch => {
                self.shown = point.seq;
                self.read = Read::To(point.seq);
                true
            }
            Read::To(_) => true,
            Read::From(_) | Read::FromNow => false,
        }
    }

    /// Takes an answer in, and gives the events it comes to.
    ///
    /// While the reader was not told of a loss, his cursor holds a number that no notice has, so
    /// that he is told of it if he comes back with that one.
    fn recall(&mut self, recall: Recall) -> Vec<Event> {
        match &self.read {
            Read::FromNow => self.shown = recall.seq,
            Read::From(point) if recall.found.is_ok() => self.shown = point.seq,
            Read::From(_) | Read::To(_) => {}
        }
        self.read = Read::To(recall.seq);
        let node = || Arc::clone(&self.node);
        match recall.found {
            Err(lost) => vec![Event::Gap { node: node(), seq: recall.seq, gap: Gap::Lost(lost) }],
            Ok(items) => {
                let told = items.into_iter().map(|item| Event::Told {
                    node: node(),
                    seq: item.seq,
                    told: aplomb_core::pubsub::Told::Item(item),
                });
                told.collect()
            }
        }
    }
}

/// What it means that a node is not there for the reader.
#[derive(Debug, Clone, Copy)]
enum Missing {
    /// He asks for it for the first time.
    IsAnError,
    /// He followed it up to now.
    IsGone,
}

fn bytes_of(recall: &Recall) -> usize {
    let items = recall.found.as_deref().unwrap_or_default();
    items.iter().filter_map(|item| item.payload.as_ref()).map(|payload| payload.len()).sum()
}

/// What a reader's address ends in where a question needs a full one.
const RESOURCE: &str = "feed";

/// A number that no notice has.
const NOT_SHOWN: u64 = u64::MAX;
