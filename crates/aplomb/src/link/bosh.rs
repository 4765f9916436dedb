//! XMPP over HTTP: a request waits here until there is an answer (XEP-0124, XEP-0206).
//!
//! Whoever serves HTTP hands requests in by a bounded queue; the session that owns the link takes
//! them in their order. While no request of the client is open it can take nothing, and whatever is
//! for it stays in the mailbox.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use aplomb_core::framing::bosh::{Answer, Binding, Condition, Head};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use super::{Broken, Heard, Traffic};
use crate::clock;
use crate::limits::{BOSH_QUEUE_MAX, WRITE_BATCH_BYTES};

/// The server's end of one client's requests.
pub struct Bosh {
    binding: Binding<oneshot::Sender<Answer>>,
    requests: mpsc::Receiver<Asked>,
    /// The rest of a request of which a part was heard.
    unread: Bytes,
    is_trusted: Arc<AtomicBool>,
    traffic: Traffic,
}

/// A request, and where its answer goes.
#[derive(Debug)]
pub struct Asked {
    /// What its wrapper says.
    pub head: Head,
    /// All of it.
    pub body: Vec<u8>,
    /// The connection that waits. It is dropped unanswered if the session is over.
    pub answer: oneshot::Sender<Answer>,
}

/// Where the requests of one client are handed in.
#[derive(Debug, Clone)]
pub struct Slot {
    requests: mpsc::Sender<Asked>,
    is_trusted: Arc<AtomicBool>,
}

impl Bosh {
    /// The link of a session that `head` asks for; the request itself is to be handed in.
    pub fn new(sid: String, domain: &str, is_tls: bool, head: &Head) -> (Self, Slot) {
        let (sender, requests) = mpsc::channel(BOSH_QUEUE_MAX);
        let is_trusted = Arc::new(AtomicBool::new(false));
        let slot = Slot { requests: sender, is_trusted: Arc::clone(&is_trusted) };
        let binding = Binding::new(clock::moment(), sid, domain, is_tls, head);
        let (unread, traffic) = (Bytes::new(), Traffic::default());
        (Self { binding, requests, unread, is_trusted, traffic }, slot)
    }

    pub(super) fn trust(&self) {
        self.is_trusted.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stalled(&self) -> bool {
        !self.binding.has_room(WRITE_BATCH_BYTES)
    }

    pub(super) const fn traffic(&self) -> Traffic {
        self.traffic
    }

    pub(super) fn unsent(&mut self) -> &mut Vec<u8> {
        self.binding.say()
    }

    pub(super) fn put_back(&mut self, rest: Bytes) {
        self.unread = rest;
    }

    pub(super) async fn next(&mut self) -> Result<Heard, Broken> {
        let was_stalled = self.is_stalled();
        loop {
            if !self.unread.is_empty() {
                return Ok(Heard::Unit(std::mem::take(&mut self.unread)));
            }
            if let Some(heard) = self.step()? {
                return Ok(heard);
            }
            if was_stalled && !self.is_stalled() {
                return Ok(Heard::Flushed { after_stall: true });
            }
            let deadline = clock::instant_of(self.binding.deadline()).into();
            let Self { binding, requests, .. } = self;
            tokio::select! {
                asked = requests.recv() => match asked {
                    Some(asked) => self.receive(asked),
                    None => return Err(Broken::Ended),
                },
                () = lost(binding) => {}
                () = sleep_until(deadline) => {}
            }
        }
    }

    /// Says why the session ends on the requests that are open, or on the next one.
    pub(super) async fn close(&mut self, condition: Option<Condition>) {
        self.binding.forget(clock::moment(), oneshot::Sender::is_closed);
        let is_anybody_there = self.binding.askers().next().is_some();
        self.binding.end(condition);
        if !is_anybody_there {
            let next = match condition {
                // Nobody can connect any more.
                Some(Condition::SystemShutdown) => self.requests.try_recv().ok(),
                Some(_) | None => self.requests.recv().await,
            };
            if let Some(asked) = next {
                self.binding.tell_end(asked.answer);
            }
        }
        self.give_answers();
    }

    fn receive(&mut self, asked: Asked) {
        let Asked { head, body, answer } = asked;
        self.traffic.in_bytes += body.len() as u64;
        self.binding.receive(clock::moment(), head, body, answer);
    }

    /// Does what can be done now: answers, and takes the request whose turn it is.
    fn step(&mut self) -> Result<Option<Heard>, Broken> {
        let now = clock::moment();
        self.binding.forget(now, oneshot::Sender::is_closed);
        self.binding.settle(now);
        let due = self.binding.take(now);
        self.give_answers();
        match (due, self.binding.refused()) {
            (Some(unit), _) => Ok(Some(Heard::Unit(unit.into()))),
            (None, Some(condition)) => Err(Broken::Refused(condition)),
            (None, None) if self.binding.is_gone(now) => Err(Broken::Silent),
            (None, None) => Ok(None),
        }
    }

    fn give_answers(&mut self) {
        while let Some((asker, answer)) = self.binding.poll() {
            self.traffic.out_bytes += answer.body.len() as u64;
            // Who is gone asks for the same answer again.
            let _ = asker.send(answer);
        }
    }
}

impl Slot {
    /// Hands a request in; none if the session is over.
    pub async fn ask(&self, head: Head, body: Vec<u8>) -> Option<Answer> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Asked { head, body, answer }).await.ok()?;
        answered.await.ok()
    }

    /// Whether the client has logged in.
    pub fn is_trusted(&self) -> bool {
        self.is_trusted.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Bosh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bosh").field("traffic", &self.traffic).finish_non_exhaustive()
    }
}

/// Waits until somebody waits no more for an answer.
async fn lost(binding: &mut Binding<oneshot::Sender<Answer>>) {
    poll_fn(|cx| {
        let mut askers = binding.askers();
        match askers.any(|asker| asker.poll_closed(cx).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}
