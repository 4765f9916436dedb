//! XMPP over WebSocket: one message is one unit (RFC 7395).
//!
//! The link holds no buffer while it is idle. It reads into a buffer of the thread and writes a
//! batch of frames at once; only what the socket did not take is kept. While something is kept it
//! reads nothing, so a peer that does not read cannot make us queue answers.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aplomb_core::limits::STANZA_BYTES_MAX;
use aplomb_core::websocket::{
    Close, CloseCode, Decoder, Input, Opcode, Role, Violation, push_close, push_frame,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Carrier, scratch};

/// A WebSocket, the server's end.
#[derive(Debug)]
pub struct WebSocket {
    carrier: Carrier,
    decoder: Decoder,
    /// Bytes that came with the last input and belong to the next.
    unread: Queue,
    /// Frames, or the rest of one, that the socket has not taken.
    unsent: Queue,
    /// Whether TLS has passed on all that it took.
    is_flushed: bool,
    /// Whether the socket took less than it was offered the last time.
    is_blocked: bool,
    /// Bytes read and written since the start.
    traffic: Traffic,
    peer_closed: bool,
}

/// Bytes that went through a link, frame headers included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the client.
    pub in_bytes: u64,
    /// To the client.
    pub out_bytes: u64,
}

/// What the client's end said or did.
#[derive(Debug)]
pub enum Heard {
    /// A message.
    Unit(String),
    /// Nothing; but what was kept is written.
    Flushed {
        /// Whether the client took something that it had not taken before.
        after_stall: bool,
    },
    /// A ping, whose pong is queued already, or a pong.
    LifeSign,
    /// A close, to be answered with [`WebSocket::close`].
    Close(Option<Close>),
}

/// Why nothing more will come.
#[derive(Debug)]
pub enum Broken {
    /// The connection ended without a WebSocket close.
    Ended,
    /// The connection failed.
    Io(io::Error),
    /// The client broke the protocol.
    Violation(Violation),
}

impl WebSocket {
    /// A link right after the 101; `early` is what came with the request or after it.
    pub fn new(carrier: Carrier, early: &[u8], message_bytes_max: usize) -> Self {
        Self {
            carrier,
            decoder: Decoder::new(Role::Server, message_bytes_max),
            unread: Queue::from(early.to_vec()),
            unsent: Queue::default(),
            is_flushed: true,
            is_blocked: false,
            traffic: Traffic { in_bytes: early.len() as u64, out_bytes: 0 },
            peer_closed: false,
        }
    }

    /// Allows messages of full size, from the next one on: the client has logged in.
    pub const fn trust(&mut self) {
        self.decoder.set_message_bytes_max(STANZA_BYTES_MAX);
    }

    /// Whether the socket has not taken all that was written.
    pub fn is_stalled(&self) -> bool {
        !self.unsent.is_empty() || !self.is_flushed
    }

    /// Bytes so far.
    pub const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Writes a unit soon: at the next [`WebSocket::next`].
    pub fn queue(&mut self, unit: &[u8]) {
        push_frame(&mut self.unsent.bytes, Opcode::Text, unit, None);
    }

    /// Asks the peer for a sign of life, soon.
    pub fn queue_ping(&mut self) {
        push_frame(&mut self.unsent.bytes, Opcode::Ping, &[], None);
    }

    /// Writes the frames that `fill` appends to an empty buffer, all in one write.
    ///
    /// What the socket does not take at once is kept; see [`WebSocket::is_stalled`]. Call it only
    /// while nothing is kept, for else the kept bytes must go first.
    pub async fn write_batch(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
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

    /// Writes what is kept, or else waits for the client. It may be dropped and called again.
    pub async fn next(&mut self) -> Result<Heard, Broken> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Says that the connection ends and why, waits for the peer's close, and ends it. The caller
    /// sets the time.
    pub async fn close(&mut self, code: CloseCode, reason: &str, is_answer_awaited: bool) {
        push_close(&mut self.unsent.bytes, code, reason, None);
        while is_answer_awaited && !self.peer_closed {
            match self.next().await {
                Ok(Heard::Flushed { .. } | Heard::Unit(_) | Heard::LifeSign | Heard::Close(_)) => {}
                Err(Broken::Ended | Broken::Io(_)) => return,
                Err(Broken::Violation(_)) => break,
            }
        }
        self.finish().await;
    }

    /// Writes what is kept, ends our half and waits for the other to end.
    ///
    /// A socket that is closed while bytes are unread resets the connection, and the peer may
    /// never see our last words.
    pub async fn finish(&mut self) {
        let flushed = poll_fn(|cx| self.poll_flush(cx)).await;
        let shut = poll_fn(|cx| Pin::new(&mut self.carrier).poll_shutdown(cx)).await;
        if flushed.is_err() || shut.is_err() {
            return;
        }
        while let Ok(1..) = poll_fn(|cx| self.poll_discard(cx)).await {}
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, Broken>> {
        if self.is_stalled() {
            let Poll::Ready(flushed) = self.poll_flush(cx) else {
                self.is_blocked = true;
                return Poll::Pending;
            };
            let after_stall = std::mem::take(&mut self.is_blocked);
            return Poll::Ready(
                flushed.map(|()| Heard::Flushed { after_stall }).map_err(Broken::Io),
            );
        }
        Poll::Ready(Ok(match ready!(self.poll_input(cx))? {
            Input::Text(unit) => Heard::Unit(unit),
            Input::Pong(_) => Heard::LifeSign,
            Input::Ping(payload) => {
                push_frame(&mut self.unsent.bytes, Opcode::Pong, &payload, None);
                Heard::LifeSign
            }
            Input::Close(close) => {
                self.peer_closed = true;
                Heard::Close(close)
            }
        }))
    }

    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Result<Input, Broken>> {
        loop {
            if !self.unread.is_empty() {
                let mut bytes = self.unread.left();
                let taken = self.decoder.take(&mut bytes);
                let left_bytes = bytes.len();
                self.unread.advance_to_last(left_bytes);
                if let Some(input) = taken.map_err(Broken::Violation)? {
                    return Poll::Ready(Ok(input));
                }
            }
            let Self { carrier, decoder, unread, traffic, .. } = self;
            let input = scratch::with_read_buffer(|buffer| {
                let mut buffer = ReadBuf::new(buffer);
                ready!(Pin::new(carrier).poll_read(cx, &mut buffer)).map_err(Broken::Io)?;
                let mut bytes = buffer.filled();
                if bytes.is_empty() {
                    return Poll::Ready(Err(Broken::Ended));
                }
                traffic.in_bytes += bytes.len() as u64;
                let input = decoder.take(&mut bytes).map_err(Broken::Violation)?;
                if !bytes.is_empty() {
                    *unread = Queue::from(bytes.to_vec());
                }
                Poll::Ready(Ok(input))
            });
            if let Some(input) = ready!(input)? {
                return Poll::Ready(Ok(input));
            }
        }
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

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        scratch::with_read_buffer(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.carrier).poll_read(cx, &mut buffer))?;
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }
}

/// Bytes of which the first have been dealt with.
#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    at: usize,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn left(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// Leaves the last `left_bytes`; an empty queue gives its memory back.
    fn advance_to_last(&mut self, left_bytes: usize) {
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
