//! What `GET /SystemInfo` tells.

use crate::domain::Flavour;

/// The facts of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemInfo {
    /// The XMPP domain.
    pub xmpp_domain: String,
    /// The host that clients use.
    pub host: String,
    /// The port of HTTPS and `wss`.
    pub https_port: u16,
    /// UCCX or UCCE.
    pub flavour: Flavour,
    /// Whether the server takes work.
    pub status: Status,
}

/// Whether the server takes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything works.
    InService,
    /// Nothing does.
    OutOfService,
}
