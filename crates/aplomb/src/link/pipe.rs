//! What every link does with its bytes: reads into the thread's buffer, writes batches, keeps what
//! the socket did not take.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aplomb_core::secret::Secret;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::{Broken, Carrier, Traffic, binding, scratch};
use crate::limits::TLS_HANDSHAKE_SECS_MAX;

/// A connection and what is on its way out. It holds no buffer while it is idle.
#[derive(Debug)]
pub(super) struct Pipe {
    carrier: Carrier,
    /// Units, or the rest of one, that the socket has not taken.
    unsent: Queue,
    /// Whether TLS has passed on all that it took.
    is_flushed: bool,
    /// Whether the socket took less than it was offered the last time.
    is_blocked: bool,
    pub(super) traffic: Traffic,
}

impl Pipe {
    pub(super) fn new(carrier: Carrier) -> Self {
        Self {
            carrier,
            unsent: Queue::default(),
            is_flushed: true,
            is_blocked: false,
            traffic: Traffic::default(),
        }
    }

    /// Whether the socket has not taken all that was written.
    pub(super) fn is_stalled(&self) -> bool {
        !self.unsent.is_empty() || !self.is_flushed
    }

    /// See [`super::Link::exporter`].
    pub(super) fn exporter(&self) -> Option<Secret<[u8; 32]>> {
        match &self.carrier {
            Carrier::Tls(stream) => binding::exporter(stream.get_ref().1),
            Carrier::Tcp(_) | Carrier::Gone(_) => None,
        }
    }

    /// Where to append what is to be written soon.
    pub(super) fn unsent(&mut self) -> &mut Vec<u8> {
        &mut self.unsent.bytes
    }

    /// Writes the units that `fill` appends to an empty buffer, all in one write.
    pub(super) async fn write_batch(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        debug_assert!(!self.is_stalled(), "what is kept goes first");
        let mut batch = Queue::from(scratch::take_write_buffer());
        fill(&mut batch.bytes);
        poll_fn(|cx| match self.poll_write_out(cx, &mut batch) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => Poll::Ready(Ok(())),
        })
        .await?;
        if batch.is_empty() {
            scratch::give_back(batch.bytes);
        } else {
            self.unsent = batch;
        }
        Ok(())
    }

    /// Writes what is kept; says whether the peer took something that it had not taken before.
    pub(super) fn poll_unstall(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let Poll::Ready(flushed) = self.poll_flush(cx) else {
            self.is_blocked = true;
            return Poll::Pending;
        };
        let after_stall = std::mem::take(&mut self.is_blocked);
        Poll::Ready(flushed.map(|()| after_stall))
    }

    /// Hands what came to `take`.
    pub(super) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> Result<T, Broken>,
    ) -> Poll<Result<T, Broken>> {
        let Self { carrier, traffic, .. } = self;
        scratch::with_read_buffer(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(carrier).poll_read(cx, &mut buffer)).map_err(Broken::Io)?;
            let bytes = buffer.filled();
            if bytes.is_empty() {
                return Poll::Ready(Err(Broken::Ended));
            }
            traffic.in_bytes += bytes.len() as u64;
            Poll::Ready(take(bytes))
        })
    }

    /// Writes what is kept, and goes on over TLS.
    ///
    /// - Errors: words about why there is no TLS.
    pub(super) async fn secure(&mut self, tls: Arc<ServerConfig>) -> Result<(), String> {
        let wait = Duration::from_secs(TLS_HANDSHAKE_SECS_MAX);
        let handshake = async {
            poll_fn(|cx| self.poll_flush(cx)).await?;
            match std::mem::take(&mut self.carrier) {
                Carrier::Tcp(tcp) => TlsAcceptor::from(tls).accept(tcp).await,
                Carrier::Tls(_) | Carrier::Gone(_) => Err(io::ErrorKind::Unsupported.into()),
            }
        };
        match timeout(wait, handshake).await {
            Ok(Ok(stream)) => {
                self.carrier = Carrier::Tls(Box::new(stream));
                Ok(())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("not finished within {TLS_HANDSHAKE_SECS_MAX} s")),
        }
    }

    /// Writes what is kept, ends our half and waits for the other to end.
    ///
    /// A socket that is closed while bytes are unread resets the connection, and the peer may
    /// never see our last words.
    pub(super) async fn finish(&mut self) {
        let flushed = poll_fn(|cx| self.poll_flush(cx)).await;
        let shut = poll_fn(|cx| Pin::new(&mut self.carrier).poll_shutdown(cx)).await;
        if flushed.is_err() || shut.is_err() {
            return;
        }
        while poll_fn(|cx| self.poll_read(cx, |_| Ok(()))).await.is_ok() {}
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_stalled() {
            return Poll::Ready(Ok(()));
        }
        let mut kept = std::mem::take(&mut self.unsent);
        let flushed = self.poll_write_out(cx, &mut kept);
        if !kept.is_empty() {
            self.unsent = kept;
        }
        flushed
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>, out: &mut Queue) -> Poll<io::Result<()>> {
        self.is_flushed = false;
        while !out.is_empty() {
            let taken = ready!(Pin::new(&mut self.carrier).poll_write(cx, out.left()))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.traffic.out_bytes += taken as u64;
            out.at += taken;
        }
        ready!(Pin::new(&mut self.carrier).poll_flush(cx))?;
        self.is_flushed = true;
        Poll::Ready(Ok(()))
    }
}

/// Bytes of which the first have been dealt with.
#[derive(Debug, Default)]
pub(super) struct Queue {
    bytes: Vec<u8>,
    at: usize,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(super) fn left(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// Leaves the last `left_bytes`; an empty queue gives its memory back.
    pub(super) fn advance_to_last(&mut self, left_bytes: usize) {
        self.at = self.bytes.len() - left_bytes;
        if left_bytes == 0 {
            *self = Self::default();
        }
    }
}

impl From<Vec<u8>> for Queue {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }
}
