//! From the mailbox to the link.

use std::sync::Arc;

use aplomb_core::stream::Responder;
use aplomb_core::stream::responder::{Event, Output};
use aplomb_core::time::Moment;

use super::Session;
use super::end::End;
use super::resume::Managed;
use crate::clock;
use crate::hub::Seat;
use crate::limits::WRITE_BATCH_BYTES;
use crate::link::Wrap;
use crate::mailbox::{EndReason, Letter};

impl Session {
    /// How many bytes of mail go along if a request may be answered next; none if nothing waits.
    pub(super) fn mail_due(&self) -> Option<usize> {
        if !self.link.keeps_time() || self.told.is_some() {
            return None;
        }
        if self.is_behind() {
            // A request may be heard while none can be answered, so this waits in the link.
            return Some(usize::MAX);
        }
        let has_mail = |seat: &Seat| self.letters.len() > 0 || seat.mailbox.depth() > 0;
        let is_due = !self.link.is_stalled() && self.seat.as_ref().is_some_and(has_mail);
        is_due.then_some(WRITE_BATCH_BYTES)
    }

    /// Whether something is to be sent before anything is heard: what is from before a loss, or was
    /// held back.
    pub(super) fn is_behind(&self) -> bool {
        self.managed.as_ref().is_some_and(|managed| managed.is_behind())
            || self.held.as_ref().is_some_and(|held| held.is_behind())
    }

    /// Writes what waits in the mailbox, until the batch has so many bytes.
    pub(super) async fn deliver(&mut self, bytes_max: usize) -> Result<(), End> {
        if !self.open_mail() {
            return Ok(());
        }
        let now = clock::moment();
        let (mut notices, mut told, mut parcels) = (0, None, Vec::new());
        let Self { link, letters, responder, envelope, managed, held, .. } = self;
        let (wrap, waiting) = (link.wrap(), letters.len());
        let envelope = envelope.as_ref().expect("letters follow a bind");
        let written = link.write_batch(|batch| {
            while batch.len() < bytes_max && told.is_none() {
                match letters.next() {
                    Some(Letter::Notice { notice, to_full }) => {
                        envelope.push(batch, &notice, to_full);
                        notices += 1;
                        let letter = Letter::Notice { notice, to_full };
                        note_sent(managed.as_deref_mut(), now, letter);
                    }
                    Some(Letter::Presence(shown)) => {
                        envelope.push_presence(batch, &shown);
                        note_sent(managed.as_deref_mut(), now, Letter::Presence(shown));
                    }
                    Some(Letter::Parcel(parcel)) => {
                        responder.send(now, &parcel.stanza);
                        push_outputs(batch, wrap, responder, None, now);
                        parcels.push(Arc::clone(&parcel));
                        note_sent(managed.as_deref_mut(), now, Letter::Parcel(parcel));
                    }
                    Some(Letter::Stanza(stanza)) => {
                        responder.send(now, &stanza);
                        push_outputs(batch, wrap, responder, managed.as_deref_mut(), now);
                    }
                    Some(Letter::End(reason)) => told = Some(reason),
                    None => break,
                }
            }
            if let Some(held) = held {
                held.note_letters(waiting - letters.len());
            }
            let Some(managed) = managed else { return };
            managed.note_letters(waiting - letters.len());
            if managed.takes_request() {
                responder.request_acknowledgement();
                push_outputs(batch, wrap, responder, None, now);
            }
        });
        written.await.map_err(End::Failed)?;
        parcels.iter().for_each(|parcel| parcel.note_taken(true));
        self.shared.metrics.notices.inc_by(notices);
        self.last_out = now;
        match told {
            Some(EndReason::Shutdown) => Err(self.tell(EndReason::Shutdown)),
            // The rest is said and done before the next thing is waited for.
            Some(reason) => {
                self.begin_end(reason);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Takes what waits in the mailbox, if nothing is left of the last time; whether there is any.
    fn open_mail(&mut self) -> bool {
        let Some(seat) = &self.seat else { return false };
        if self.letters.len() == 0 {
            let mut letters = Vec::new();
            seat.mailbox.drain(&mut letters);
            let letters = match &mut self.held {
                Some(held) => held.sift(letters),
                None => letters,
            };
            self.letters = letters.into_iter();
        }
        self.letters.len() > 0
    }

    /// Names the reason that waits behind letters for which there is no room.
    pub(super) fn cut_off(&mut self) -> End {
        let mut letters: Vec<Letter> = self.letters.by_ref().collect();
        if let Some(seat) = &self.seat {
            seat.mailbox.drain(&mut letters);
        }
        match letters.last() {
            Some(Letter::End(reason)) => End::Told(*reason),
            Some(
                Letter::Notice { .. } | Letter::Presence(_) | Letter::Parcel(_) | Letter::Stanza(_),
            )
            | None => End::Stalled,
        }
    }
}

/// Waits until there are letters.
pub(super) async fn mail(seat: Option<&Seat>, opened: usize) {
    match seat {
        Some(_) if opened > 0 => {}
        Some(seat) => seat.mailbox.wait().await,
        None => std::future::pending().await,
    }
}

/// Waits until the server wants the session to end.
pub(super) async fn cut(seat: Option<&Seat>) {
    match seat {
        Some(seat) => seat.mailbox.wait_for_end().await,
        None => std::future::pending().await,
    }
}

/// Remembers what is sent, if somebody counts.
fn note_sent(managed: Option<&mut Managed>, now: Moment, letter: Letter) {
    if let Some(managed) = managed {
        managed.note_sent(now, letter);
    }
}

/// Appends what the stream has to send in its place among the notices.
fn push_outputs(
    batch: &mut Vec<u8>,
    wrap: Wrap,
    responder: &mut Responder,
    mut managed: Option<&mut Managed>,
    now: Moment,
) {
    while let Some(output) = responder.poll() {
        match output {
            Output::Transmit(unit) => wrap.push(batch, &[&unit]),
            Output::Event(Event::Sent(stanza)) => {
                if let Some(managed) = &mut managed {
                    managed.note_sent(now, Letter::Stanza(stanza.into()));
                }
            }
            Output::Event(_) | Output::StartTls | Output::Hangup(_) => {}
        }
    }
}
