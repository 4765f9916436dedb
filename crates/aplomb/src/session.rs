//! The driver of one session: one task, one stream, one link, one mailbox.
//!
//! It feeds the stream with what the link hears, answers the stream's questions with the accounts
//! and the hub, and writes what the stream and the mailbox have to say, in one write for all that
//! waits. While the client does not take what was written, nothing is read and no letter is
//! opened, so that whatever is too much stays in the bounded mailbox. Its end is one log line.

mod answer;
mod begin;
mod end;
mod envelope;
mod shared;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use aplomb_core::framing::{StreamCondition, StreamError};
use aplomb_core::sasl::Failure;
use aplomb_core::stream::Responder;
use aplomb_core::stream::responder::Output;
use aplomb_core::time::Moment;
use tokio::time::{Sleep, sleep_until, timeout};
use tracing::info;

use crate::clock;
use crate::hub::Seat;
use crate::limits::{STALL_SECS_MAX, WRITE_BATCH_BYTES, WS_CLOSE_SECS_MAX};
use crate::link::{Broken, Heard, Link, Peer, Traffic, Wrap};
use crate::mailbox::{EndReason, Letter};
use end::End;
use envelope::Envelope;
pub use shared::Shared;

/// Serves one client from the start of its stream to the end.
pub async fn run(shared: Arc<Shared>, link: Link, peer: Peer) {
    // On the heap from the start: a task's future is moved several times before it runs.
    let mut session = Box::new(Session::new(shared, link, peer));
    let end = session.serve().await;
    session.part(&end).await;
}

struct Session {
    shared: Arc<Shared>,
    link: Link,
    responder: Responder,
    peer: Peer,
    /// The place in the hub, from the bind on.
    seat: Option<Seat>,
    envelope: Option<Envelope>,
    /// Letters taken from the mailbox that the link could not take yet.
    letters: std::vec::IntoIter<Letter>,
    /// Who wants the keys of whom: the outcome of SCRAM is noted under this name.
    keys_of: Option<String>,
    last_failure: Option<Failure>,
    told: Option<EndReason>,
    start: Moment,
    last_in: Moment,
    last_out: Moment,
    /// The last sign of life: something that came, or something that was taken after a stall.
    alive: Moment,
    is_pinged: bool,
    /// How far the writing had come when it stalled, and when that was.
    stall: Option<(u64, Moment)>,
    counted: Traffic,
}

enum Wake {
    Heard(Result<Heard, Broken>),
    Mail,
    /// The server ends the session while the client takes nothing.
    Cut,
    Alarm,
    Stop,
}

impl Session {
    fn new(shared: Arc<Shared>, link: Link, peer: Peer) -> Self {
        let now = clock::moment();
        let responder = begin::responder(&shared, &link, peer);
        Self {
            shared,
            link,
            responder,
            peer,
            seat: None,
            envelope: None,
            letters: Vec::new().into_iter(),
            keys_of: None,
            last_failure: None,
            told: None,
            start: now,
            last_in: now,
            last_out: now,
            alive: now,
            is_pinged: false,
            stall: None,
            counted: Traffic::default(),
        }
    }

    async fn serve(&mut self) -> End {
        let mut alarm = pin!(sleep_until(clock::instant_of(self.deadline()).into()));
        loop {
            if let Err(end) = self.settle().await {
                return end;
            }
            self.count();
            // An alarm that is too early only costs a look; one that is set anew costs a lock.
            let deadline = clock::instant_of(self.deadline()).into();
            if deadline < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(deadline);
            }
            let woken = self.wake(alarm.as_mut()).await;
            let outcome = match woken {
                Wake::Heard(heard) => self.hear(heard),
                Wake::Mail => self.deliver().await,
                Wake::Cut => Err(self.cut_off()),
                Wake::Alarm => self.look_at_the_clock(),
                Wake::Stop => Err(self.tell(EndReason::Shutdown)),
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    async fn wake(&mut self, alarm: Pin<&mut Sleep>) -> Wake {
        let Self { link, seat, letters, shared, told, .. } = self;
        let is_stalled = link.is_stalled();
        // In no fixed order: whoever sends without a pause must get his mail all the same.
        tokio::select! {
            heard = link.next() => Wake::Heard(heard),
            () = mail(seat.as_ref(), letters.len()), if !is_stalled => Wake::Mail,
            () = cut(seat.as_ref()), if is_stalled && told.is_none() => Wake::Cut,
            () = alarm => Wake::Alarm,
            // A bound session is told by its mailbox, after what waits there already.
            () = shared.stopping.cancelled(), if seat.is_none() => Wake::Stop,
        }
    }

    /// Does what the stream wants until it wants nothing more.
    async fn settle(&mut self) -> Result<(), End> {
        while let Some(output) = self.responder.poll() {
            match output {
                Output::Transmit(unit) => self.transmit(&unit),
                Output::Event(event) => self.react(event).await,
                Output::StartTls => Box::pin(self.secure()).await?,
                Output::Hangup(error) => return Err(self.name_end(error)),
            }
        }
        Ok(())
    }

    fn transmit(&mut self, unit: &[u8]) {
        self.link.queue(unit);
        self.last_out = clock::moment();
    }

    fn hear(&mut self, heard: Result<Heard, Broken>) -> Result<(), End> {
        let now = clock::moment();
        let after_stall = match heard {
            Ok(Heard::Flushed { after_stall }) => after_stall,
            Ok(_) | Err(_) => {
                self.last_in = now;
                true
            }
        };
        if after_stall {
            self.alive = now;
            self.is_pinged = false;
        }
        match heard {
            Ok(Heard::Unit(unit)) => {
                let mut rest = unit.as_slice();
                self.responder.receive(now, &mut rest);
                if !rest.is_empty() {
                    self.link.put_back(rest);
                }
            }
            Ok(Heard::Flushed { .. } | Heard::LifeSign) => {}
            Ok(Heard::Close(close)) => return Err(End::WebSocketClosed(close)),
            Err(Broken::Ended) => return Err(self.lost()),
            Err(Broken::Io(error)) => return Err(End::Failed(error)),
            Err(Broken::Violation(violation)) => return Err(End::Violation(violation)),
        }
        Ok(())
    }

    /// Writes what waits in the mailbox, up to a batch at a time.
    async fn deliver(&mut self) -> Result<(), End> {
        let Some(seat) = &self.seat else { return Ok(()) };
        if self.letters.len() == 0 {
            let mut letters = Vec::new();
            seat.mailbox.drain(&mut letters);
            self.letters = letters.into_iter();
        }
        let now = clock::moment();
        let (mut notices, mut told) = (0, None);
        let Self { link, letters, responder, envelope, .. } = self;
        let wrap = link.wrap();
        let envelope = envelope.as_ref().expect("letters follow a bind");
        let written = link.write_batch(|batch| {
            while batch.len() < WRITE_BATCH_BYTES && told.is_none() {
                match letters.next() {
                    Some(Letter::Notice { notice, to_full }) => {
                        envelope.push(batch, &notice, to_full);
                        notices += 1;
                    }
                    Some(Letter::Stanza(stanza)) => {
                        push_stanza(batch, wrap, responder, now, &stanza);
                    }
                    Some(Letter::End(reason)) => told = Some(reason),
                    None => break,
                }
            }
        });
        written.await.map_err(End::Failed)?;
        self.shared.metrics.notices.inc_by(notices);
        self.last_out = now;
        match told {
            Some(EndReason::Shutdown) => Err(self.tell(EndReason::Shutdown)),
            Some(reason) => {
                self.tell(reason);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Names the reason that waits behind letters for which there is no room.
    fn cut_off(&mut self) -> End {
        let mut letters: Vec<Letter> = self.letters.by_ref().collect();
        if let Some(seat) = &self.seat {
            seat.mailbox.drain(&mut letters);
        }
        match letters.last() {
            Some(Letter::End(reason)) => End::Told(*reason),
            Some(Letter::Notice { .. } | Letter::Stanza(_)) | None => End::Stalled,
        }
    }

    /// Tells the client why the server ends the stream.
    fn tell(&mut self, reason: EndReason) -> End {
        self.told = Some(reason);
        self.letters = Vec::new().into_iter();
        self.responder.close(clock::moment(), Some(end::stream_error(reason)));
        while let Some(output) = self.responder.poll() {
            if let Output::Transmit(unit) = output {
                self.transmit(&unit);
            }
        }
        End::Told(reason)
    }

    fn look_at_the_clock(&mut self) -> Result<(), End> {
        let now = clock::moment();
        self.responder.tick(now);
        let silence = now.since(self.alive);
        let out_bytes = self.link.traffic().out_bytes;
        match self.stall {
            Some((bytes, since)) if bytes == out_bytes && now.since(since) >= STALL_WAIT => {
                return Err(self.told.map_or(End::Stalled, End::Told));
            }
            // It is slow, but it takes something.
            Some((bytes, _)) if bytes != out_bytes => self.stall = Some((out_bytes, now)),
            None if silence >= self.shared.dead_after => return Err(End::Silent),
            None if silence >= self.shared.ping_after && !self.is_pinged => {
                self.ping(now);
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    /// When to look at the clock again. Notes whether the link is stalled.
    fn deadline(&mut self) -> Moment {
        if !self.link.is_stalled() {
            self.stall = None;
        } else if self.stall.is_none() {
            self.stall = Some((self.link.traffic().out_bytes, clock::moment()));
        }
        let Shared { ping_after, dead_after, .. } = self.shared.as_ref();
        let own = match self.stall {
            Some((_, since)) => since + STALL_WAIT,
            None if self.is_pinged => self.alive + *dead_after,
            None => self.alive + *ping_after,
        };
        self.responder.deadline().map_or(own, |stream| own.min(stream))
    }

    /// The client ended the connection; if the server was about to, that is the reason.
    fn lost(&self) -> End {
        match self.responder.error() {
            Some(error) => self.name_end(Some(error.clone())),
            None => self.told.map_or(End::Vanished, End::Told),
        }
    }

    fn name_end(&self, error: Option<StreamError>) -> End {
        if let Some(reason) = self.told {
            return End::Told(reason);
        }
        match (error, self.last_failure) {
            (None, _) => End::Left,
            (Some(_), Some(failure)) if self.seat.is_none() => End::LoginFailed(failure),
            (Some(error), None)
                if self.seat.is_none() && error.condition == StreamCondition::ConnectionTimeout =>
            {
                End::LoginTimeout
            }
            (Some(error), _) => End::Stream(error),
        }
    }

    /// Adds to the metrics what went over the link since the last time.
    fn count(&mut self) {
        let traffic = self.link.traffic();
        if traffic != self.counted {
            let Traffic { in_bytes, out_bytes } = self.counted;
            self.shared.metrics.traffic(traffic.in_bytes - in_bytes, traffic.out_bytes - out_bytes);
            self.counted = traffic;
        }
    }

    /// Leaves the hub, writes the log line and closes the link.
    async fn part(&mut self, end: &End) {
        let seat = self.seat.take();
        let queue = self.letters.len() + seat.as_ref().map_or(0, |seat| seat.mailbox.depth());
        if let Some(seat) = &seat {
            self.shared.hub.leave(seat);
            self.shared.metrics.sessions.dec();
        }
        self.log(end, seat.as_ref(), queue);
        if let Some((code, reason, is_answer_awaited)) = end.farewell() {
            let close = self.link.close(code, reason, is_answer_awaited);
            let _ = timeout(Duration::from_secs(WS_CLOSE_SECS_MAX), close).await;
        }
        self.count();
    }

    fn log(&self, end: &End, seat: Option<&Seat>, queue: usize) {
        let verdict = end.verdict();
        let now = clock::moment();
        self.shared.metrics.session_end(verdict.by, verdict.layer.name(), verdict.code);
        info!(
            jid = seat.map(|seat| seat.jid.as_str()),
            peer = %self.peer.address,
            by = verdict.by,
            layer = verdict.layer.name(),
            code = verdict.code,
            detail = %end.detail(),
            age_secs = now.since(self.start).as_secs_f64(),
            last_in_secs = now.since(self.last_in).as_secs_f64(),
            last_out_secs = now.since(self.last_out).as_secs_f64(),
            queue,
            remedy = verdict.remedy,
            "session ended",
        );
    }
}

/// Waits until there are letters.
async fn mail(seat: Option<&Seat>, opened: usize) {
    match seat {
        Some(_) if opened > 0 => {}
        Some(seat) => seat.mailbox.wait().await,
        None => std::future::pending().await,
    }
}

/// Waits until the server wants the session to end.
async fn cut(seat: Option<&Seat>) {
    match seat {
        Some(seat) => seat.mailbox.wait_for_end().await,
        None => std::future::pending().await,
    }
}

/// Appends a stanza in its place among the notices.
fn push_stanza(
    batch: &mut Vec<u8>,
    wrap: Wrap,
    responder: &mut Responder,
    now: Moment,
    stanza: &aplomb_core::xml::Element,
) {
    responder.send(now, stanza);
    while let Some(output) = responder.poll() {
        if let Output::Transmit(unit) = output {
            wrap.push(batch, &[&unit]);
        }
    }
}

const STALL_WAIT: Duration = Duration::from_secs(STALL_SECS_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of the future that a function of three arguments returns.
    fn future_bytes<A, B, C, F>(_: fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_session_is_small() {
        let (state, task) = (size_of::<Session>(), future_bytes(run));
        assert!(state <= 1024, "a session has {state} bytes");
        assert!(task <= 1024, "its task has {task} bytes");
    }
}
