//! What ties a login to the TLS connection it comes over, so that nobody can stand in between.
//!
//! The data is made by whoever has the connection. Sources: RFC 9266 (`tls-exporter`), RFC 5929 §4
//! (`tls-server-end-point`), XEP-0440 for how a server announces its types.

use crate::secret::Secret;

/// A type of channel binding that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindingType {
    /// Keying material of this very connection (RFC 9266).
    Exporter,
    /// A hash of the server's certificate (RFC 5929 §4): a proxy with the same one passes.
    ServerEndPoint,
}

impl BindingType {
    /// Every type, the strongest first.
    pub const ALL: [Self; 2] = [Self::Exporter, Self::ServerEndPoint];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exporter => "tls-exporter",
            Self::ServerEndPoint => "tls-server-end-point",
        }
    }

    /// The type of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a login on one connection can be bound to; nothing where there is no TLS of ours.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    /// The data of `tls-exporter`: 32 bytes.
    pub exporter: Option<Secret<[u8; 32]>>,
    /// The data of `tls-server-end-point`: a hash of the certificate, no secret.
    pub server_end_point: Option<Vec<u8>>,
}

impl Bindings {
    /// The data of that type, if the connection has it.
    pub fn data(&self, kind: BindingType) -> Option<&[u8]> {
        match kind {
            BindingType::Exporter => self.exporter.as_ref().map(|data| &data.expose()[..]),
            BindingType::ServerEndPoint => self.server_end_point.as_deref(),
        }
    }

    /// The types that there are, the strongest first.
    pub fn types(&self) -> impl Iterator<Item = BindingType> {
        BindingType::ALL.into_iter().filter(|kind| self.data(*kind).is_some())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.types().next().is_none()
    }
}
