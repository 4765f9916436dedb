//! A WebSocket at the client's end: frames in, frames out.

use std::io::ErrorKind;
use std::time::Duration;

use aplomb_core::limits::STANZA_BYTES_MAX;
use aplomb_core::websocket::{CloseCode, Decoder, Input, Opcode, Role, push_close, push_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::connect::{Bytes, Upgraded};
use crate::limits::{CLIENT_WRITE_SECS_MAX, READ_BYTES};
use crate::random;

/// An upgraded connection that carries messages.
pub(super) struct Wire {
    bytes: Box<dyn Bytes>,
    decoder: Decoder,
    /// Read, but not decoded yet.
    pending: Vec<u8>,
    is_over: bool,
}

impl Wire {
    pub(super) fn new(upgraded: Upgraded) -> Self {
        Self {
            bytes: upgraded.bytes,
            decoder: Decoder::new(Role::Client, STANZA_BYTES_MAX),
            pending: upgraded.early,
            is_over: false,
        }
    }

    /// The next thing that the server says; none at the end. It may be dropped while it waits.
    ///
    /// - Errors: words about why the connection is of no use any more.
    pub(super) async fn next(&mut self) -> Result<Option<Input>, String> {
        loop {
            let mut rest = self.pending.as_slice();
            let taken = self.decoder.take(&mut rest);
            let used = self.pending.len() - rest.len();
            self.pending.drain(..used);
            match taken {
                Ok(Some(input)) => return Ok(Some(input)),
                Ok(None) => {}
                Err(violation) => {
                    let _ = self.hang_up(violation.code, violation.what).await;
                    return Err(format!("the server breaks WebSocket: {}", violation.what));
                }
            }
            self.pending.reserve(READ_BYTES);
            match self.bytes.read_buf(&mut self.pending).await {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                // TLS tells an end without a farewell from one with it; to us both are ends.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// Sends one message.
    pub(super) async fn send_text(&mut self, text: &[u8]) -> Result<(), String> {
        let mut out = Vec::new();
        push_frame(&mut out, Opcode::Text, text, Some(random::bytes()));
        self.write(&out).await
    }

    /// Answers a ping.
    pub(super) async fn send_pong(&mut self, payload: &[u8]) -> Result<(), String> {
        let mut out = Vec::new();
        push_frame(&mut out, Opcode::Pong, payload, Some(random::bytes()));
        self.write(&out).await
    }

    /// Ends the WebSocket. Nothing is read any more.
    pub(super) async fn hang_up(&mut self, code: CloseCode, reason: &str) -> Result<(), String> {
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(());
        }
        let mut out = Vec::new();
        push_close(&mut out, code, reason, Some(random::bytes()));
        self.write(&out).await?;
        let wait = Duration::from_secs(CLIENT_WRITE_SECS_MAX);
        let _ = timeout(wait, self.bytes.shutdown()).await;
        Ok(())
    }

    async fn write(&mut self, out: &[u8]) -> Result<(), String> {
        let write = async {
            self.bytes.write_all(out).await?;
            self.bytes.flush().await
        };
        match timeout(Duration::from_secs(CLIENT_WRITE_SECS_MAX), write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("the server took nothing for {CLIENT_WRITE_SECS_MAX} s")),
        }
    }
}
