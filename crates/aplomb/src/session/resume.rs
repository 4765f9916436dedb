//! A stream that outlives its connection (XEP-0198 §5).
//!
//! A managed session remembers what it sent until the client acknowledges it. When its connection
//! is lost, the session ends, and all that makes it up is kept: the seat in the hub, where events
//! go on arriving, the letters, the counts. Whoever resumes gets it, over whatever carrier. What
//! is kept leaves the hub by itself when it is dropped.

use std::sync::Arc;
use std::time::Duration;

use aplomb_core::stream::management::{Bounds, Unacknowledged};
use aplomb_core::stream::responder::Answer;
use aplomb_core::time::Moment;
use tokio::time::{sleep, timeout};
use tracing::info;

use super::end::End;
use super::envelope::Envelope;
use super::tickets::{Heir, Ticket};
use super::{Session, Shared};
use crate::hub::Seat;
use crate::limits::{
    ACK_REQUEST_SECS, PARCEL_BYTES_MAX, PARCELS_MAX, RESUME_WAIT_SECS_MAX, UNACKNOWLEDGED_MAILBOXES,
};
use crate::mailbox::{EndReason, Letter};
use crate::{clock, random};

/// What a session has more when its stream is managed.
pub(super) struct Managed {
    sent: Unacknowledged<Letter>,
    /// What it is resumed by: nothing, if nobody wants that, or if too much was not acknowledged.
    ticket: Option<Ticket<Kept>>,
    /// How long it is kept when the connection is lost.
    keep: Duration,
    /// When to ask for an acknowledgement at the latest.
    ask_at: Option<Moment>,
    /// Letters from before the loss that are to be sent before anything is heard: an answer to that
    /// must not overtake them.
    again: usize,
}

/// A session without a connection.
pub struct Kept {
    shared: Arc<Shared>,
    /// Until somebody takes it.
    seat: Option<Seat>,
    sent: Unacknowledged<Letter>,
    /// Taken from the mailbox and not sent yet.
    letters: Vec<Letter>,
    /// How many stanzas of the client were handled.
    handled: u32,
    keep: Duration,
}

impl Managed {
    /// Remembers what was sent. When that is too much, nobody can resume any more.
    pub(super) fn note_sent(&mut self, now: Moment, letter: Letter) {
        let bytes = letter.bytes();
        self.sent.push(letter, bytes);
        if !self.sent.is_whole() {
            self.ticket = None;
        }
        self.ask_at.get_or_insert(now + ASK_AFTER);
    }

    /// Notes that so many letters were sent.
    pub(super) const fn note_letters(&mut self, count: usize) {
        self.again = self.again.saturating_sub(count);
    }

    /// Sends nothing first any more.
    pub(super) const fn forget_letters(&mut self) {
        self.again = 0;
    }

    /// Whether something from before the loss is to be sent first.
    pub(super) const fn is_behind(&self) -> bool {
        self.again > 0
    }

    /// Whether it is time to ask for an acknowledgement, which is then taken as done.
    pub(super) fn takes_request(&mut self) -> bool {
        let is_due = self.sent.is_request_due();
        if is_due {
            self.note_request();
        }
        is_due
    }

    /// Whether something waits for an acknowledgement that nobody asked for in time.
    pub(super) fn takes_late_request(&mut self, now: Moment) -> bool {
        let is_late = self.ask_at.is_some_and(|at| at <= now);
        if is_late {
            self.note_request();
        }
        is_late
    }

    /// When to ask at the latest.
    pub(super) const fn ask_at(&self) -> Option<Moment> {
        self.ask_at
    }

    fn note_request(&mut self) {
        self.sent.note_request();
        self.ask_at = None;
    }
}

/// Waits until somebody claims the session.
pub(super) async fn claimed(managed: Option<&mut Managed>) -> Heir<Kept> {
    match managed.and_then(|managed| managed.ticket.as_mut()) {
        Some(ticket) => ticket.claimed().await,
        None => std::future::pending().await,
    }
}

impl Session {
    /// Begins to count and to remember.
    pub(super) fn manage(&mut self, keep_secs: Option<u64>) -> Answer {
        let shared = self.shared.as_ref();
        let keep = Duration::from_secs(keep_secs.unwrap_or(0)).min(shared.resume_within);
        let seat = self.seat.as_ref().expect("management follows a bind");
        let is_kept = keep_secs.is_some() && !keep.is_zero();
        let (bounds, ticket) = if is_kept {
            let account = seat.jid.to_bare();
            let ticket = shared.tickets.issue(&random::name(TICKET_CHARS), account.as_str());
            let stanzas = shared.mailbox_letters * UNACKNOWLEDGED_MAILBOXES + PARCELS_MAX;
            let bytes = shared.mailbox_bytes * UNACKNOWLEDGED_MAILBOXES + PARCEL_BYTES_MAX;
            (Bounds { stanzas, bytes }, Some(ticket))
        } else {
            (Bounds { stanzas: 0, bytes: 0 }, None)
        };
        let resumption = ticket.as_ref().map(|ticket| (ticket.id().to_owned(), keep.as_secs()));
        let sent = Unacknowledged::new(bounds);
        self.managed = Some(Box::new(Managed { sent, ticket, keep, ask_at: None, again: 0 }));
        Answer::Managed(resumption)
    }

    /// Takes what the client says that it handled.
    pub(super) fn acknowledge(&mut self, handled: u32) {
        let managed = self.managed.as_mut().expect("only a managed stream counts");
        if let Err(lie) = managed.sent.acknowledge(handled) {
            self.responder.close(clock::moment(), Some(lie.into()));
        } else if !managed.sent.is_request_wanted() {
            managed.ask_at = None;
        }
    }

    /// Notes a stanza that is on its way to the link.
    pub(super) fn note_sent(&mut self, letter: Letter) {
        if let Some(managed) = &mut self.managed {
            managed.note_sent(clock::moment(), letter);
            if managed.takes_request() {
                self.responder.request_acknowledgement();
            }
        }
    }

    /// Goes on with a stream that `account` had elsewhere: all that is not acknowledged comes
    /// again, before everything else.
    pub(super) async fn resume(&mut self, account: &str, id: &str, handled: u32) -> Answer {
        let shared = Arc::clone(&self.shared);
        // Its seat is in the hub all the time, where the end of the account finds it.
        if !self.is_still(account) {
            return Answer::NotResumed;
        }
        let account = shared.hub.address_of(account);
        let claim = account.and_then(|account| shared.tickets.claim(id, account.as_str()));
        let Some((ticket, inheritance)) = claim else { return Answer::NotResumed };
        let wait = Duration::from_secs(RESUME_WAIT_SECS_MAX);
        let Ok(Ok(mut kept)) = timeout(wait, inheritance).await else { return Answer::NotResumed };
        if let Err(lie) = kept.sent.acknowledge(handled) {
            return Answer::Lied(lie);
        }
        let seat = kept.seat.take().expect("it is handed over once");
        let jid = seat.jid.clone();
        let sent_before = kept.sent.rewind().inspect(|letter| letter.note_taken(false));
        let letters: Vec<Letter> = sent_before.chain(kept.letters.drain(..)).collect();
        let again = letters.len();
        let bounds = Bounds { stanzas: 0, bytes: 0 };
        let sent = std::mem::replace(&mut kept.sent, Unacknowledged::new(bounds));
        info!(%jid, peer = %self.peer.address, again, "session resumed");
        self.envelope = Some(Envelope::new(&shared.policy_tls.domain, &jid, self.link.wrap()));
        self.letters = letters.into_iter();
        self.seat = Some(seat);
        let (ticket, keep) = (Some(ticket), kept.keep);
        self.managed = Some(Box::new(Managed { sent, ticket, keep, ask_at: None, again }));
        Answer::Resumed { id: id.to_owned(), jid, handled: kept.handled }
    }

    /// Hands everything over to whoever resumed elsewhere, and tells this client of it.
    pub(super) fn hand_over(&mut self, heir: Heir<Kept>) -> Result<(), End> {
        let is_bound = self.responder.is_bound();
        let Some((kept, _)) = self.keep().filter(|_| is_bound) else {
            // The stream is ending in order: there is nothing to go on with.
            return Ok(());
        };
        // If the heir waits no longer, what is kept ends here.
        let _ = heir.send(kept);
        self.tell(EndReason::Conflict);
        Err(End::Resumed)
    }

    /// Keeps the session for its client, if its connection was lost and somebody may resume it.
    pub(super) fn linger(&mut self, end: &End) {
        if end.is_loss()
            && self.responder.is_bound()
            && let Some((kept, ticket)) = self.keep()
        {
            self.shared.tasks.spawn(kept.linger(ticket));
        }
    }

    fn keep(&mut self) -> Option<(Kept, Ticket<Kept>)> {
        let Managed { sent, ticket, keep, .. } = *self.managed.take()?;
        let (ticket, handled) = (ticket?, self.responder.handled()?);
        let held = self.held.take().map(|mut held| held.release()).into_iter().flatten();
        let kept = Kept {
            shared: Arc::clone(&self.shared),
            seat: Some(self.seat.take()?),
            sent,
            letters: self.letters.by_ref().chain(held).collect(),
            handled,
            keep,
        };
        Some((kept, ticket))
    }
}

impl Kept {
    /// Waits for whoever resumes, but not for ever.
    async fn linger(self, mut ticket: Ticket<Self>) {
        let seat = self.seat.as_ref().expect("nobody took it yet");
        let why = tokio::select! {
            biased;
            () = seat.mailbox.wait_for_end() => "the server ended it",
            heir = ticket.claimed() => {
                let _ = heir.send(self);
                return;
            }
            () = sleep(self.keep) => "nobody came back for it",
        };
        info!(jid = %seat.jid, why, "session given up");
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take() {
            // Nobody knows whether they arrived (XEP-0198 §5).
            self.sent.rewind().for_each(|letter| letter.note_taken(false));
            self.shared.hub.leave(&seat);
            self.shared.metrics.sessions.dec();
        }
    }
}

const ASK_AFTER: Duration = Duration::from_secs(ACK_REQUEST_SECS);

/// Characters of the id by which a stream is resumed: over 128 bits of chance.
const TICKET_CHARS: usize = 26;
