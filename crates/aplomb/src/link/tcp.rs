//! XMPP over TCP: what comes is a piece of the stream (RFC 6120 §3 and §4).

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::pipe::Pipe;
use super::{Broken, Carrier, Heard};

/// A TCP stream, the server's end, bare or in TLS.
#[derive(Debug)]
pub struct Tcp {
    pub(super) pipe: Pipe,
    /// Bytes that were heard already and are to be heard again.
    unread: Bytes,
}

impl Tcp {
    /// A link at the start of its stream.
    pub fn new(carrier: Carrier) -> Self {
        Self { pipe: Pipe::new(carrier), unread: Bytes::new() }
    }

    /// Lets the end of a unit be heard again, as a unit of its own.
    pub(super) fn put_back(&mut self, rest: Bytes) {
        self.unread = rest;
    }

    /// Forgets what was put back: over TLS nothing counts that came before it.
    pub(super) fn forget(&mut self) {
        self.unread = Bytes::new();
    }

    pub(super) async fn next(&mut self) -> Result<Heard, Broken> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, Broken>> {
        if self.pipe.is_stalled() {
            let after_stall = ready!(self.pipe.poll_unstall(cx)).map_err(Broken::Io)?;
            return Poll::Ready(Ok(Heard::Flushed { after_stall }));
        }
        if !self.unread.is_empty() {
            return Poll::Ready(Ok(Heard::Unit(std::mem::take(&mut self.unread))));
        }
        self.pipe.poll_read(cx, |bytes| Ok(Heard::Unit(Bytes::copy_from_slice(bytes))))
    }
}
