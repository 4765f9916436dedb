//! Carriers of XMPP, one file each.

pub mod dial;
pub mod ws;

mod carrier;
mod scratch;

pub use carrier::Carrier;

use std::net::SocketAddr;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address. A proxy's word about another one is never taken.
    pub address: SocketAddr,
    /// Whether the connection is TLS.
    pub is_tls: bool,
}
