//! Carriers of XMPP, one file each.
//!
//! A link holds no buffer while it is idle. It reads into a buffer of the thread and writes a batch
//! of units at once; only what the socket did not take is kept. While something is kept it reads
//! nothing, so a peer that does not read cannot make us queue answers.

pub mod binding;
pub mod bosh;
pub mod dial;
pub mod tcp;
pub mod ws;

mod carrier;
mod pipe;
mod scratch;

pub use carrier::Carrier;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use aplomb_core::framing::bosh::{Bodies, Condition};
use aplomb_core::framing::{self, Framing};
use aplomb_core::secret::Secret;
use aplomb_core::websocket::{Close, CloseCode, Opcode, Violation, push_frame, push_header};
use bytes::Bytes;
use rustls::ServerConfig;

use bosh::Bosh;
use tcp::Tcp;
use ws::WebSocket;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address. A proxy's word about another one is never taken.
    pub address: SocketAddr,
    /// Whether the connection is TLS.
    pub is_tls: bool,
}

/// The server's end of a connection that carries one XMPP stream.
#[derive(Debug)]
pub enum Link {
    /// RFC 7395.
    WebSocket(WebSocket),
    /// RFC 6120.
    Tcp(Tcp),
    /// XEP-0124 and XEP-0206.
    Bosh(Box<Bosh>),
}

/// How a unit is put on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// As a WebSocket message, which stands alone.
    Message,
    /// As it is, inside the stream's document.
    Bare,
    /// As it is, inside an answer over HTTP, where nothing is known of the stream's namespaces.
    Child,
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
    /// A message, or a piece of a stream.
    Unit(Bytes),
    /// Nothing; but what was kept is written.
    Flushed {
        /// Whether the client took something that it had not taken before.
        after_stall: bool,
    },
    /// A ping, whose pong is queued already, or a pong.
    LifeSign,
    /// A close of the WebSocket, to be answered with [`Link::close`].
    Close(Option<Close>),
}

/// Why nothing more will come.
#[derive(Debug)]
pub enum Broken {
    /// The connection ended without a word of the carrier's own.
    Ended,
    /// The connection failed.
    Io(io::Error),
    /// The client broke the protocol of WebSocket.
    Violation(Violation),
    /// The client broke the protocol of requests over HTTP, and knows it.
    Refused(Condition),
    /// The client gave no sign of life for too long.
    Silent,
}

/// How the end of a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Farewell {
    /// On WebSocket: the number.
    pub code: CloseCode,
    /// On WebSocket: the words.
    pub reason: &'static str,
    /// On WebSocket: whether the peer has not said farewell itself.
    pub is_answer_awaited: bool,
    /// Over HTTP; none if the client left.
    pub condition: Option<Condition>,
}

impl Link {
    /// How units and frames of this carrier become each other.
    pub fn framing(&self) -> Box<dyn Framing> {
        match self {
            Self::WebSocket(_) => Box::new(framing::ws::Messages),
            Self::Tcp(_) => Box::new(framing::tcp::Document::new()),
            Self::Bosh(_) => Box::new(Bodies::default()),
        }
    }

    /// How units are put on the wire.
    pub const fn wrap(&self) -> Wrap {
        match self {
            Self::WebSocket(_) => Wrap::Message,
            Self::Tcp(_) => Wrap::Bare,
            Self::Bosh(_) => Wrap::Child,
        }
    }

    /// Whether the link itself notices that the client is gone: a client that has no request open
    /// can neither be pinged nor take anything, and may be away for minutes.
    pub const fn keeps_time(&self) -> bool {
        matches!(self, Self::Bosh(_))
    }

    /// What a login can be bound to that comes over this very connection (RFC 9266).
    ///
    /// A session over HTTP has many connections, of which the one that logs in is no better than
    /// any other.
    pub fn exporter(&self) -> Option<Secret<[u8; 32]>> {
        match self {
            Self::WebSocket(WebSocket { pipe, .. }) | Self::Tcp(Tcp { pipe, .. }) => {
                pipe.exporter()
            }
            Self::Bosh(_) => None,
        }
    }

    /// Allows units of full size, from the next one on: the client has logged in.
    pub fn trust(&mut self) {
        match self {
            Self::WebSocket(link) => link.trust(),
            // The framing counts, for here a unit is only a piece.
            Self::Tcp(_) => {}
            Self::Bosh(link) => link.trust(),
        }
    }

    /// Whether the client has not taken all that was written.
    pub fn is_stalled(&self) -> bool {
        match self {
            Self::WebSocket(WebSocket { pipe, .. }) | Self::Tcp(Tcp { pipe, .. }) => {
                pipe.is_stalled()
            }
            Self::Bosh(link) => link.is_stalled(),
        }
    }

    /// Bytes so far.
    pub const fn traffic(&self) -> Traffic {
        match self {
            Self::WebSocket(WebSocket { pipe, .. }) | Self::Tcp(Tcp { pipe, .. }) => pipe.traffic,
            Self::Bosh(link) => link.traffic(),
        }
    }

    /// Writes a unit soon: at the next [`Link::next`].
    pub fn queue(&mut self, unit: &[u8]) {
        let wrap = self.wrap();
        let unsent = match self {
            Self::WebSocket(WebSocket { pipe, .. }) | Self::Tcp(Tcp { pipe, .. }) => pipe.unsent(),
            Self::Bosh(link) => link.unsent(),
        };
        wrap.push(unsent, &[unit]);
    }

    /// Asks the peer for a sign of life, soon; says whether the carrier has a way to ask.
    pub fn queue_ping(&mut self) -> bool {
        match self {
            Self::WebSocket(link) => push_frame(link.pipe.unsent(), Opcode::Ping, &[], None),
            Self::Tcp(_) | Self::Bosh(_) => return false,
        }
        true
    }

    /// Writes the units that `fill` appends to an empty buffer, all in one write.
    ///
    /// What the client does not take at once is kept; see [`Link::is_stalled`]. Call it only while
    /// nothing is kept, for else the kept bytes must go first.
    pub async fn write_batch(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        match self {
            Self::WebSocket(WebSocket { pipe, .. }) | Self::Tcp(Tcp { pipe, .. }) => {
                pipe.write_batch(fill).await
            }
            Self::Bosh(link) => {
                fill(link.unsent());
                Ok(())
            }
        }
    }

    /// Writes what is kept, or else waits for the client. It may be dropped and called again.
    pub async fn next(&mut self) -> Result<Heard, Broken> {
        match self {
            Self::WebSocket(link) => link.next().await,
            Self::Tcp(link) => link.next().await,
            Self::Bosh(link) => link.next().await,
        }
    }

    /// Lets the end of the last unit be heard again; there is none on WebSocket.
    pub fn put_back(&mut self, rest: Bytes) {
        match self {
            Self::WebSocket(_) => debug_assert!(rest.is_empty(), "a message is one frame"),
            Self::Tcp(link) => link.put_back(rest),
            Self::Bosh(link) => link.put_back(rest),
        }
    }

    /// Writes what is kept, then does the TLS handshake. Nothing that came before it counts.
    ///
    /// - Errors: words about why there is no TLS.
    pub async fn secure(&mut self, tls: &Arc<ServerConfig>) -> Result<(), String> {
        match self {
            Self::Tcp(link) => {
                link.forget();
                link.pipe.secure(Arc::clone(tls)).await
            }
            Self::WebSocket(_) | Self::Bosh(_) => Err("the carrier has TLS of its own".to_owned()),
        }
    }

    /// Says that the connection ends and, where there is a way, why; waits for the peer's end, and
    /// ends it. The caller sets the time.
    pub async fn close(&mut self, farewell: Farewell) {
        match self {
            Self::WebSocket(link) => {
                let Farewell { code, reason, is_answer_awaited, .. } = farewell;
                link.close(code, reason, is_answer_awaited).await;
            }
            Self::Tcp(link) => link.pipe.finish().await,
            Self::Bosh(link) => link.close(farewell.condition).await,
        }
    }
}

impl Wrap {
    /// Appends one unit that consists of `parts`.
    pub fn push(self, out: &mut Vec<u8>, parts: &[&[u8]]) {
        if self == Self::Message {
            push_header(out, Opcode::Text, parts.iter().map(|part| part.len()).sum(), None);
        }
        for part in parts {
            out.extend_from_slice(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dial::{Over, SCHEMES};

    /// What a client dials to get such a link: a new carrier has a client's end, or is none.
    fn over(link: &Link) -> Over {
        match link {
            Link::WebSocket(_) => Over::WebSocket,
            Link::Tcp(_) => Over::Tcp,
            Link::Bosh(_) => Over::Bosh,
        }
    }

    #[test]
    fn every_carrier_is_in_the_list_of_schemes() {
        let links = [
            Link::WebSocket(WebSocket::new(Carrier::default(), &[], 1)),
            Link::Tcp(Tcp::new(Carrier::default())),
        ];
        for link in &links {
            assert!(SCHEMES.iter().any(|(_, dialled, _)| *dialled == over(link)));
        }
    }
}
