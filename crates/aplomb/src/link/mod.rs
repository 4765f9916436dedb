//! Carriers of XMPP, one file each.
//!
//! A link holds no buffer while it is idle. It reads into a buffer of the thread and writes a batch
//! of units at once; only what the socket did not take is kept. While something is kept it reads
//! nothing, so a peer that does not read cannot make us queue answers.

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

use aplomb_core::framing::{self, Framing};
use aplomb_core::websocket::{Close, CloseCode, Opcode, Violation, push_frame, push_header};
use rustls::ServerConfig;

use pipe::Pipe;
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
}

/// How a unit is put on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// As a WebSocket message, which stands alone.
    Message,
    /// As it is, inside the stream's document.
    Bare,
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
    Unit(Vec<u8>),
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
    /// The client broke the protocol of the carrier.
    Violation(Violation),
}

impl Link {
    /// How units and frames of this carrier become each other.
    pub fn framing(&self) -> Box<dyn Framing> {
        match self {
            Self::WebSocket(_) => Box::new(framing::ws::Messages),
            Self::Tcp(_) => Box::new(framing::tcp::Document::new()),
        }
    }

    /// How units are put on the wire.
    pub const fn wrap(&self) -> Wrap {
        match self {
            Self::WebSocket(_) => Wrap::Message,
            Self::Tcp(_) => Wrap::Bare,
        }
    }

    /// Allows units of full size, from the next one on: the client has logged in.
    pub const fn trust(&mut self) {
        match self {
            Self::WebSocket(link) => link.trust(),
            // The framing counts, for here a unit is only a piece.
            Self::Tcp(_) => {}
        }
    }

    /// Whether the socket has not taken all that was written.
    pub fn is_stalled(&self) -> bool {
        self.pipe().is_stalled()
    }

    /// Bytes so far.
    pub const fn traffic(&self) -> Traffic {
        self.pipe().traffic
    }

    /// Writes a unit soon: at the next [`Link::next`].
    pub fn queue(&mut self, unit: &[u8]) {
        let wrap = self.wrap();
        wrap.push(self.pipe_mut().unsent(), &[unit]);
    }

    /// Asks the peer for a sign of life, soon; says whether the carrier has a way to ask.
    pub fn queue_ping(&mut self) -> bool {
        match self {
            Self::WebSocket(link) => push_frame(link.pipe.unsent(), Opcode::Ping, &[], None),
            Self::Tcp(_) => return false,
        }
        true
    }

    /// Writes the units that `fill` appends to an empty buffer, all in one write.
    ///
    /// What the socket does not take at once is kept; see [`Link::is_stalled`]. Call it only while
    /// nothing is kept, for else the kept bytes must go first.
    pub async fn write_batch(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.pipe_mut().write_batch(fill).await
    }

    /// Writes what is kept, or else waits for the client. It may be dropped and called again.
    pub async fn next(&mut self) -> Result<Heard, Broken> {
        match self {
            Self::WebSocket(link) => link.next().await,
            Self::Tcp(link) => link.next().await,
        }
    }

    /// Lets the end of the last unit be heard again; there is none but on TCP.
    pub fn put_back(&mut self, rest: &[u8]) {
        match self {
            Self::WebSocket(_) => debug_assert!(rest.is_empty(), "a message is one frame"),
            Self::Tcp(link) => link.put_back(rest),
        }
    }

    /// Writes what is kept, then does the TLS handshake. Nothing that came before it counts.
    ///
    /// - Errors: words about why there is no TLS.
    pub async fn secure(&mut self, tls: &Arc<ServerConfig>) -> Result<(), String> {
        if let Self::Tcp(link) = self {
            link.forget();
        }
        self.pipe_mut().secure(Arc::clone(tls)).await
    }

    /// Says that the connection ends and, on WebSocket, why; waits for the peer's end, and ends it.
    /// The caller sets the time.
    pub async fn close(&mut self, code: CloseCode, reason: &str, is_answer_awaited: bool) {
        match self {
            Self::WebSocket(link) => link.close(code, reason, is_answer_awaited).await,
            Self::Tcp(link) => link.pipe.finish().await,
        }
    }

    const fn pipe(&self) -> &Pipe {
        match self {
            Self::WebSocket(link) => &link.pipe,
            Self::Tcp(link) => &link.pipe,
        }
    }

    const fn pipe_mut(&mut self) -> &mut Pipe {
        match self {
            Self::WebSocket(link) => &mut link.pipe,
            Self::Tcp(link) => &mut link.pipe,
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
