//! The client's end of a carrier: units in, units out.

use std::io::ErrorKind;
use std::time::Duration;

use aplomb_core::limits::STANZA_BYTES_MAX;
use aplomb_core::sasl::binding::Bindings;
use aplomb_core::websocket::{CloseCode, Decoder, Input, Opcode, Role, push_close, push_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Bytes, ConnectError, Security, Tell, Upgraded};
use crate::limits::{DIAL_WRITE_SECS_MAX, READ_BYTES};
use crate::random;

/// A connection that carries units. It answers a WebSocket's pings by itself.
pub struct Socket {
    bytes: Box<dyn Bytes>,
    /// Takes messages out of frames; without it a unit is what comes.
    decoder: Option<Decoder>,
    /// Read, but not decoded yet.
    pending: Vec<u8>,
    /// Pongs that are not written yet.
    pongs: Vec<u8>,
    is_over: bool,
}

impl Socket {
    /// Takes over a connection that has just been upgraded.
    pub fn new(upgraded: Upgraded) -> Self {
        Self {
            bytes: upgraded.bytes,
            decoder: Some(Decoder::new(Role::Client, STANZA_BYTES_MAX)),
            pending: upgraded.early,
            pongs: Vec::new(),
            is_over: false,
        }
    }

    /// Takes over a connection that is the stream itself.
    pub fn bare(bytes: Box<dyn Bytes>) -> Self {
        let (pending, pongs) = (Vec::new(), Vec::new());
        Self { bytes, decoder: None, pending, pongs, is_over: false }
    }

    /// Goes on over TLS. What came before it and was not taken is thrown away. Says what a login
    /// can be bound to.
    ///
    /// - Errors: see [`ConnectError`]; the connection is of no use any more.
    pub async fn secure(
        &mut self,
        security: Security<'_>,
        wait: Duration,
        tell: Tell<'_>,
    ) -> Result<Bindings, ConnectError> {
        self.pending.clear();
        let bytes = std::mem::replace(&mut self.bytes, Box::new(tokio::io::empty()));
        let (bytes, bindings) = super::secure(bytes, security, wait, tell).await?;
        self.bytes = bytes;
        Ok(bindings)
    }

    /// The next unit of the server. It may be dropped while it waits: nothing is lost.
    ///
    /// - Errors: in words, how the connection ended.
    pub async fn next(&mut self) -> Result<Vec<u8>, String> {
        loop {
            let Some(decoder) = &mut self.decoder else {
                if self.pending.is_empty() {
                    self.exchange().await?;
                }
                return Ok(std::mem::take(&mut self.pending));
            };
            let mut rest = self.pending.as_slice();
            let taken = decoder.take(&mut rest);
            let used = self.pending.len() - rest.len();
            self.pending.drain(..used);
            match taken {
                Ok(Some(Input::Text(text))) => return Ok(text.into_bytes()),
                Ok(Some(Input::Ping(payload))) => {
                    push_frame(&mut self.pongs, Opcode::Pong, &payload, Some(random::bytes()));
                }
                Ok(Some(Input::Pong(_))) => {}
                Ok(Some(Input::Close(close))) => {
                    let words = close.map(|close| {
                        let (number, reason) = (close.code.number(), close.reason);
                        format!("the server closed the WebSocket with {number} {reason}")
                    });
                    let words = words.as_deref().unwrap_or("the server closed the WebSocket");
                    return Err(words.trim_end().to_owned());
                }
                Ok(None) => self.exchange().await?,
                Err(violation) => {
                    self.close(violation.code, violation.what).await;
                    return Err(format!("the server breaks WebSocket: {}", violation.what));
                }
            }
        }
    }

    /// Sends one unit.
    ///
    /// - Errors: in words, why the server cannot be written to.
    pub async fn send(&mut self, text: &[u8]) -> Result<(), String> {
        if self.decoder.is_none() {
            return self.write(text).await;
        }
        let mut out = std::mem::take(&mut self.pongs);
        push_frame(&mut out, Opcode::Text, text, Some(random::bytes()));
        self.write(&out).await
    }

    /// Ends the connection. Nothing is read any more.
    pub async fn hang_up(&mut self) {
        self.close(CloseCode::NORMAL, "").await;
    }

    /// Writes what waits and reads what comes. Each step is either done or not begun when it is
    /// dropped.
    async fn exchange(&mut self) -> Result<(), String> {
        let words = |error: std::io::Error| error.to_string();
        while !self.pongs.is_empty() {
            let written = self.bytes.write(&self.pongs).await.map_err(words)?;
            self.pongs.drain(..written);
            self.bytes.flush().await.map_err(words)?;
        }
        self.pending.reserve(READ_BYTES);
        match self.bytes.read_buf(&mut self.pending).await {
            Ok(0) => Err("the server ended it without a word".to_owned()),
            Ok(_) => Ok(()),
            // TLS tells an end with a farewell from one without; to us both are ends.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err("the server ended it without a word".to_owned())
            }
            Err(error) => Err(words(error)),
        }
    }

    async fn close(&mut self, code: CloseCode, reason: &str) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        if self.decoder.is_some() {
            let mut out = Vec::new();
            push_close(&mut out, code, reason, Some(random::bytes()));
            // It ends either way.
            let _ = self.write(&out).await;
        }
        let _ = timeout(WRITE_WAIT, self.bytes.shutdown()).await;
    }

    async fn write(&mut self, out: &[u8]) -> Result<(), String> {
        let write = async {
            self.bytes.write_all(out).await?;
            self.bytes.flush().await
        };
        match timeout(WRITE_WAIT, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("the server took nothing for {DIAL_WRITE_SECS_MAX} s")),
        }
    }
}

const WRITE_WAIT: Duration = Duration::from_secs(DIAL_WRITE_SECS_MAX);

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;

    use super::*;

    fn pair(early: &[u8]) -> (Socket, DuplexStream) {
        let (bytes, server) = tokio::io::duplex(4096);
        let (early, request, answer) = (early.to_vec(), String::new(), String::new());
        let bytes = Box::new(bytes);
        (Socket::new(Upgraded { bytes, early, request, answer }), server)
    }

    fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        push_frame(&mut out, opcode, payload, None);
        out
    }

    /// What the client writes, as a server reads it.
    async fn heard(server: &mut DuplexStream) -> Input {
        let mut decoder = Decoder::new(Role::Server, 1024);
        loop {
            let mut byte = [0; 1];
            server.read_exact(&mut byte).await.unwrap();
            if let Some(input) = decoder.take(&mut byte.as_slice()).unwrap() {
                return input;
            }
        }
    }

    #[tokio::test]
    async fn messages_go_both_ways_and_pings_are_answered_between() {
        let early = [frame(Opcode::Text, b"<a/>"), frame(Opcode::Ping, b"p")].concat();
        let (mut socket, mut server) = pair(&early);
        assert_eq!(socket.next().await.as_deref(), Ok(&b"<a/>"[..]));
        server.write_all(&frame(Opcode::Text, b"<b/>")).await.unwrap();
        assert_eq!(socket.next().await.as_deref(), Ok(&b"<b/>"[..]));
        assert_eq!(heard(&mut server).await, Input::Pong(b"p".to_vec()));
        socket.send(b"<c/>").await.unwrap();
        assert_eq!(heard(&mut server).await, Input::Text("<c/>".to_owned()));
        socket.hang_up().await;
        assert!(matches!(heard(&mut server).await, Input::Close(Some(_))));
    }

    #[tokio::test]
    async fn every_end_is_told_in_words() {
        let ended = async |bytes: &[u8]| {
            let (mut socket, server) = pair(bytes);
            drop(server);
            socket.next().await.unwrap_err()
        };
        let mut close = Vec::new();
        push_close(&mut close, CloseCode::GOING_AWAY, "bye", None);
        assert_eq!(ended(&close).await, "the server closed the WebSocket with 1001 bye");
        assert_eq!(ended(b"").await, "the server ended it without a word");
        let masked = {
            let mut out = Vec::new();
            push_frame(&mut out, Opcode::Text, b"x", Some([1; 4]));
            out
        };
        assert!(ended(&masked).await.starts_with("the server breaks WebSocket"));
    }
}
