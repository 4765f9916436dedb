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
mod hold;
mod mail;
mod resume;
mod shared;
#[cfg(test)]
mod simulation;
mod tickets;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use aplomb_core::framing::{StreamCondition, StreamError};
use aplomb_core::sasl::binding::BindingType;
use aplomb_core::sasl::{Failure, Mechanism};
use aplomb_core::stream::Responder;
use aplomb_core::stream::responder::Output;
use aplomb_core::time::Moment;
use tokio::time::{Sleep, sleep_until, timeout};
use tracing::info;

use crate::accounts::Era;
use crate::clock;
use crate::hub::Seat;
use crate::limits::{STALL_SECS_MAX, WRITE_BATCH_BYTES, WS_CLOSE_SECS_MAX};
use crate::link::{Broken, Heard, Link, Peer, Traffic};
use crate::mailbox::{EndReason, Letter};
use end::End;
use envelope::Envelope;
use hold::Held;
use mail::{cut, mail};
pub use resume::Kept;
use resume::{Managed, claimed};
pub use shared::Shared;
use tickets::Heir;
pub use tickets::Tickets;

/// Serves one client from the start of its stream to the end.
pub async fn run(shared: Arc<Shared>, link: Link, peer: Peer) {
    // On the heap from the start: a task's future is moved several times before it runs.
    let mut session = Box::new(Session::new(shared, link, peer));
    let end = session.serve().await;
    session.linger(&end);
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
    managed: Option<Box<Managed>>,
    /// What is held back, once the client said that nobody looks at it.
    held: Option<Box<Held>>,
    /// Letters taken from the mailbox that the link could not take yet.
    letters: std::vec::IntoIter<Letter>,
    /// Who wants the keys of whom: the outcome of SCRAM is noted under this name.
    keys_of: Option<Box<str>>,
    /// By what the last login was tried.
    tried: (&'static str, Option<BindingType>),
    /// The password by which the client logs in, until it has all that comes with that.
    era: Option<Box<Era>>,
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
    /// The client resumes its stream elsewhere.
    Claimed(Heir<Kept>),
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
            managed: None,
            held: None,
            letters: Vec::new().into_iter(),
            keys_of: None,
            tried: (Mechanism::Plain.name(), None),
            era: None,
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
            if let Some(bytes_max) = self.mail_due()
                && let Err(end) = self.deliver(bytes_max).await
            {
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
                Wake::Mail => self.deliver(WRITE_BATCH_BYTES).await,
                // It is kept for the next request.
                Wake::Cut if self.link.keeps_time() => self.deliver(usize::MAX).await,
                Wake::Cut => Err(self.cut_off()),
                Wake::Alarm => self.look_at_the_clock(),
                Wake::Claimed(heir) => self.hand_over(heir),
                Wake::Stop => Err(self.tell(EndReason::Shutdown)),
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    async fn wake(&mut self, alarm: Pin<&mut Sleep>) -> Wake {
        let is_behind = self.is_behind();
        let Self { link, seat, letters, managed, shared, told, .. } = self;
        let is_stalled = link.is_stalled();
        // In no fixed order: whoever sends without a pause must get his mail all the same.
        tokio::select! {
            heard = link.next(), if is_stalled || !is_behind => Wake::Heard(heard),
            () = mail(seat.as_ref(), letters.len()), if !is_stalled => Wake::Mail,
            () = cut(seat.as_ref()), if is_stalled && told.is_none() => Wake::Cut,
            () = alarm => Wake::Alarm,
            heir = claimed(managed.as_deref_mut()) => Wake::Claimed(heir),
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
                let mut rest = &unit[..];
                self.responder.receive(now, &mut rest);
                if !rest.is_empty() {
                    self.link.put_back(unit.slice_ref(rest));
                }
            }
            Ok(Heard::Flushed { .. } | Heard::LifeSign) => {}
            Ok(Heard::Close(close)) => return Err(End::WebSocketClosed(close)),
            Err(Broken::Ended) => return Err(self.lost()),
            Err(Broken::Io(error)) => return Err(End::Failed(error)),
            Err(Broken::Violation(violation)) => return Err(End::Violation(violation)),
            Err(Broken::Refused(condition)) => return Err(End::Refused(condition)),
            Err(Broken::Silent) => return Err(End::Silent),
        }
        Ok(())
    }

    /// Begins the end: whatever else was to be said is not.
    pub(super) fn begin_end(&mut self, reason: EndReason) {
        self.told = Some(reason);
        self.letters = Vec::new().into_iter();
        // Nothing goes before the client's close, which is to be heard at once.
        if let Some(managed) = &mut self.managed {
            managed.forget_letters();
        }
        if let Some(held) = &mut self.held {
            held.forget_letters();
        }
        self.responder.close(clock::moment(), Some(end::stream_error(reason)));
    }

    /// Tells the client why the server ends the stream.
    fn tell(&mut self, reason: EndReason) -> End {
        self.begin_end(reason);
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
        if self.managed.as_mut().is_some_and(|managed| managed.takes_late_request(now)) {
            self.responder.request_acknowledgement();
        }
        if self.link.keeps_time() {
            return Ok(());
        }
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
            _ if self.link.keeps_time() => clock::moment() + *dead_after,
            Some((_, since)) => since + STALL_WAIT,
            None if self.is_pinged => self.alive + *dead_after,
            None => self.alive + *ping_after,
        };
        let ask_at = self.managed.as_ref().and_then(|managed| managed.ask_at());
        [self.responder.deadline(), ask_at].into_iter().flatten().fold(own, Moment::min)
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
        self.log(end, queue);
        if let Some(farewell) = end.farewell() {
            let close = self.link.close(farewell);
            let _ = timeout(Duration::from_secs(WS_CLOSE_SECS_MAX), close).await;
        }
        self.count();
    }

    fn log(&self, end: &End, queue: usize) {
        let verdict = end.verdict();
        let now = clock::moment();
        self.shared.metrics.session_end(verdict.by, verdict.layer.name(), verdict.code);
        info!(
            jid = self.responder.jid().map(|jid| jid.as_str()),
            peer = %self.peer.address,
            by = verdict.by,
            layer = verdict.layer.name(),
            code = verdict.code,
            detail = %end.detail(),
            age_secs = secs(now.since(self.start)),
            last_in_secs = secs(now.since(self.last_in)),
            last_out_secs = secs(now.since(self.last_out)),
            queue,
            remedy = verdict.remedy,
            "session ended",
        );
    }
}

/// Seconds to the millisecond, for the log.
fn secs(elapsed: Duration) -> f64 {
    Duration::from_millis(elapsed.as_millis().try_into().unwrap_or(u64::MAX)).as_secs_f64()
}

const STALL_WAIT: Duration = Duration::from_secs(STALL_SECS_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of the future that a function of three arguments returns.
    fn future_bytes<A, B, C, F>(_: fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[tokio::test]
    async fn an_end_that_begins_leaves_nothing_to_be_sent_before_the_client_is_heard() {
        let settings = [("lab", "true"), ("https", "127.0.0.1:0"), ("lab-agents", "1")];
        let config = crate::config::Config::of(&settings).unwrap();
        let server = crate::serve::start(config).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let peer = Peer { address: near.local_addr().unwrap(), is_tls: false };
        let link = Link::Tcp(crate::link::tcp::Tcp::new(crate::link::Carrier::Tcp(near)));
        let mut session = Session::new(Arc::clone(&server.sessions), link, peer);
        session.letters = vec![Letter::End(EndReason::Conflict)].into_iter();
        session.note_state(true);
        assert!(session.is_behind());
        session.begin_end(EndReason::Conflict);
        assert!(!session.is_behind());
        drop(session);
        server.stop().await;
    }

    #[test]
    fn an_idle_session_is_small() {
        let (state, task) = (size_of::<Session>(), future_bytes(run));
        assert!(state <= 1024, "a session has {state} bytes");
        assert!(task <= 1024, "its task has {task} bytes");
    }
}
