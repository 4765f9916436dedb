//! XMPP over WebSocket: one message is one unit (RFC 7395).

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use aplomb_core::limits::STANZA_BYTES_MAX;
use aplomb_core::websocket::{CloseCode, Decoder, Input, Opcode, Role, push_close, push_frame};

use super::pipe::{Pipe, Queue};
use super::{Broken, Carrier, Heard};

/// A WebSocket, the server's end.
#[derive(Debug)]
pub struct WebSocket {
    pub(super) pipe: Pipe,
    decoder: Decoder,
    /// Bytes that came with the last input and belong to the next.
    unread: Queue,
    peer_closed: bool,
}

impl WebSocket {
    /// A link right after the 101; `early` is what came with the request or after it.
    pub fn new(carrier: Carrier, early: &[u8], message_bytes_max: usize) -> Self {
        let mut pipe = Pipe::new(carrier);
        pipe.traffic.in_bytes = early.len() as u64;
        Self {
            pipe,
            decoder: Decoder::new(Role::Server, message_bytes_max),
            unread: Queue::from(early.to_vec()),
            peer_closed: false,
        }
    }

    pub(super) const fn trust(&mut self) {
        self.decoder.set_message_bytes_max(STANZA_BYTES_MAX);
    }

    pub(super) async fn next(&mut self) -> Result<Heard, Broken> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Says that the connection ends and why, waits for the peer's close, and ends it.
    pub(super) async fn close(&mut self, code: CloseCode, reason: &str, is_answer_awaited: bool) {
        push_close(self.pipe.unsent(), code, reason, None);
        while is_answer_awaited && !self.peer_closed {
            match self.next().await {
                Ok(Heard::Flushed { .. } | Heard::Unit(_) | Heard::LifeSign | Heard::Close(_)) => {}
                Err(Broken::Ended | Broken::Io(_)) => return,
                Err(Broken::Violation(_) | Broken::Refused(_) | Broken::Silent) => break,
            }
        }
        self.pipe.finish().await;
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, Broken>> {
        if self.pipe.is_stalled() {
            let after_stall = ready!(self.pipe.poll_unstall(cx)).map_err(Broken::Io)?;
            return Poll::Ready(Ok(Heard::Flushed { after_stall }));
        }
        Poll::Ready(Ok(match ready!(self.poll_input(cx))? {
            Input::Text(unit) => Heard::Unit(unit.into()),
            Input::Pong(_) => Heard::LifeSign,
            Input::Ping(payload) => {
                push_frame(self.pipe.unsent(), Opcode::Pong, &payload, None);
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
            let Self { pipe, decoder, unread, .. } = self;
            let input = pipe.poll_read(cx, |mut bytes| {
                let input = decoder.take(&mut bytes).map_err(Broken::Violation)?;
                if !bytes.is_empty() {
                    *unread = Queue::from(bytes.to_vec());
                }
                Ok(input)
            });
            if let Some(input) = ready!(input)? {
                return Poll::Ready(Ok(input));
            }
        }
    }
}
