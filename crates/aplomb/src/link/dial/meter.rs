//! What a client's connections cost, counted where bytes meet the socket: under TLS.

use std::io;
use std::ops::Sub;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Counts for one client, whatever number of connections it uses. A clone counts on.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    connections: AtomicU64,
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
    requests: AtomicU64,
    empty_answers: AtomicU64,
}

/// What was counted so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// TCP connections made.
    pub connections: u64,
    /// Bytes to the server, TLS and HTTP included.
    pub sent_bytes: u64,
    /// Bytes from the server.
    pub received_bytes: u64,
    /// Requests of HTTP, an upgrade among them.
    pub requests: u64,
    /// Answers of HTTP that told nothing.
    pub empty_answers: u64,
}

impl Meter {
    /// What was counted so far.
    pub fn count(&self) -> Count {
        let Counters { connections, sent_bytes, received_bytes, requests, empty_answers } =
            &*self.0;
        Count {
            connections: connections.load(Relaxed),
            sent_bytes: sent_bytes.load(Relaxed),
            received_bytes: received_bytes.load(Relaxed),
            requests: requests.load(Relaxed),
            empty_answers: empty_answers.load(Relaxed),
        }
    }

    /// Notes a request.
    pub fn asked(&self) {
        self.0.requests.fetch_add(1, Relaxed);
    }

    /// Notes an answer that told nothing.
    pub fn answered_nothing(&self) {
        self.0.empty_answers.fetch_add(1, Relaxed);
    }
}

impl Sub for Count {
    type Output = Self;

    /// What was counted since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            connections: self.connections - earlier.connections,
            sent_bytes: self.sent_bytes - earlier.sent_bytes,
            received_bytes: self.received_bytes - earlier.received_bytes,
            requests: self.requests - earlier.requests,
            empty_answers: self.empty_answers - earlier.empty_answers,
        }
    }
}

/// A TCP connection whose bytes are counted.
#[derive(Debug)]
pub(super) struct Metered {
    tcp: TcpStream,
    meter: Meter,
}

impl Metered {
    /// A connection that was just made, which counts as one.
    pub(super) fn new(tcp: TcpStream, meter: &Meter) -> Self {
        meter.0.connections.fetch_add(1, Relaxed);
        Self { tcp, meter: meter.clone() }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buf);
        let bytes = (buf.filled().len() - before) as u64;
        self.meter.0.received_bytes.fetch_add(bytes, Relaxed);
        polled
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        if let Poll::Ready(Ok(taken)) = polled {
            self.meter.0.sent_bytes.fetch_add(taken as u64, Relaxed);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
