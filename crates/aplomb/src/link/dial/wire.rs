//! The client's end of any carrier: units in, units out.

use std::time::Duration;

use aplomb_core::sasl::binding::Bindings;

use super::{Bosh, ConnectError, Security, Socket, Tell};

/// A connection that carries units.
pub enum Wire {
    /// One connection: a WebSocket, or the stream itself.
    Socket(Socket),
    /// Requests over HTTP.
    Bosh(Bosh),
}

impl Wire {
    /// Goes on over TLS. Says what a login can be bound to.
    ///
    /// - Errors: see [`ConnectError`]; the connection is of no use any more.
    pub async fn secure(
        &mut self,
        security: Security<'_>,
        wait: Duration,
        tell: Tell<'_>,
    ) -> Result<Bindings, ConnectError> {
        match self {
            Self::Socket(socket) => socket.secure(security, wait, tell).await,
            Self::Bosh(_) => Err(ConnectError::Tls("HTTP has TLS of its own".to_owned())),
        }
    }

    /// The next unit of the server. It may be dropped while it waits: nothing is lost.
    ///
    /// - Errors: in words, how the connection ended.
    pub async fn next(&mut self) -> Result<Vec<u8>, String> {
        match self {
            Self::Socket(socket) => socket.next().await,
            Self::Bosh(bosh) => bosh.next().await,
        }
    }

    /// Sends one unit.
    ///
    /// - Errors: in words, why the server cannot be written to.
    pub async fn send(&mut self, unit: &[u8]) -> Result<(), String> {
        match self {
            Self::Socket(socket) => socket.send(unit).await,
            Self::Bosh(bosh) => bosh.send(unit),
        }
    }

    /// Ends the connection. Nothing is read any more.
    pub async fn hang_up(&mut self) {
        match self {
            Self::Socket(socket) => socket.hang_up().await,
            Self::Bosh(bosh) => bosh.hang_up(),
        }
    }
}
