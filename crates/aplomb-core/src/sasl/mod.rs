//! Login (RFC 6120 §6): one file per mechanism; each ends in a [`Login`].

pub mod announced;
pub mod binding;
pub mod decoy;
pub mod exchange;
pub mod fast;
mod hash;
pub mod keys;
pub mod memory;
pub mod plain;
pub mod scram;
pub mod tokens;

pub use hash::Hash;
pub use keys::{KeyRing, MoreKeys, ScramKeys};

use crate::jid::{self, BareJid};
use crate::standard::Standard;

/// What is followed here.
pub const STANDARDS: &[Standard] = &[
    Standard {
        source: "RFC 4616",
        name: "The PLAIN SASL Mechanism",
        what: "Over TLS, or where the configuration says so. An authzid must be one's own.",
        samples: &[],
    },
    Standard {
        source: "RFC 5802, RFC 7677",
        name: "SCRAM",
        what: "By SHA-1, SHA-256 and SHA-512, each with and without channel binding. An account \
               that does not exist is answered like one that does. See [login](login.md).",
        samples: &[],
    },
    Standard {
        source: "RFC 9266, RFC 5929 §4",
        name: "Channel Bindings for TLS",
        what: "`tls-exporter`, and `tls-server-end-point` for certificates whose signature has a \
               hash. Where TLS ends elsewhere nothing is bound, and over HTTP (XEP-0124) only the \
               certificate is.",
        samples: &[],
    },
    Standard {
        source: "XEP-0440",
        name: "SASL Channel-Binding Type Capability",
        what: "The types are announced beside the mechanisms, and our client picks from them.",
        samples: &[],
    },
    Standard {
        source: "XEP-0474",
        name: "SASL SCRAM Downgrade Protection",
        what: "A challenge proves what was announced to every client that knows channel binding, \
               used or not: older browser clients break on it. Our client checks it.",
        samples: &[],
    },
];

/// Proof that somebody logged in. Nothing outside this module can make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    name: String,
}

impl Login {
    /// The account's name: the local part of its JID, unescaped and lower-cased.
    pub fn name(&self) -> &str {
        &self.name
    }

    const fn new(name: String) -> Self {
        Self { name }
    }
}

/// Checks that a client that is `name` wants to be itself: no authzid, or its own bare JID.
fn check_authzid(authzid: &str, name: &str, domain: &str) -> Result<(), Failure> {
    let own = jid::user_jid(name, domain).map_err(|_| Failure::InvalidAuthzid)?;
    let is_own = || BareJid::new(authzid).is_ok_and(|wanted| wanted == own);
    if authzid.is_empty() || is_own() { Ok(()) } else { Err(Failure::InvalidAuthzid) }
}

/// The mechanisms we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// RFC 4616; over TLS, or where the configuration says so.
    Plain,
    /// SCRAM without channel binding.
    Scram(Hash),
    /// SCRAM bound to the TLS connection it comes over.
    ScramPlus(Hash),
}

impl Mechanism {
    /// Every one, the strongest first: a binding counts for more than the hash.
    pub const ALL: [Self; 7] = [
        Self::ScramPlus(Hash::Sha512),
        Self::ScramPlus(Hash::Sha256),
        Self::ScramPlus(Hash::Sha1),
        Self::Scram(Hash::Sha512),
        Self::Scram(Hash::Sha256),
        Self::Scram(Hash::Sha1),
        Self::Plain,
    ];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        use Hash::{Sha1, Sha256, Sha512};
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(Sha1) => "SCRAM-SHA-1",
            Self::Scram(Sha256) => "SCRAM-SHA-256",
            Self::Scram(Sha512) => "SCRAM-SHA-512",
            Self::ScramPlus(Sha1) => "SCRAM-SHA-1-PLUS",
            Self::ScramPlus(Sha256) => "SCRAM-SHA-256-PLUS",
            Self::ScramPlus(Sha512) => "SCRAM-SHA-512-PLUS",
        }
    }

    /// The mechanism of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// Whether a login by it is bound to its TLS connection.
    pub const fn is_bound(self) -> bool {
        matches!(self, Self::ScramPlus(_))
    }

    /// The hash whose keys it needs; PLAIN is checked by whichever there are.
    pub const fn hash(self) -> Option<Hash> {
        match self {
            Self::Plain => None,
            Self::Scram(hash) | Self::ScramPlus(hash) => Some(hash),
        }
    }
}

/// Why a login was refused (RFC 6120 §6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The client gave up.
    Aborted,
    /// The token was good once.
    CredentialsExpired,
    /// There must be TLS first.
    EncryptionRequired,
    /// The base64 is none.
    IncorrectEncoding,
    /// The authzid is somebody else.
    InvalidAuthzid,
    /// The mechanism is not offered here.
    InvalidMechanism,
    /// The message does not fit the mechanism.
    MalformedRequest,
    /// Unknown user, wrong password or locked account: never told apart.
    NotAuthorized,
    /// We cannot check just now.
    TemporaryAuthFailure,
    /// The client was told that nothing can be bound here, and it can (RFC 5802 §6).
    Downgraded,
    /// The client wants to bind to what this connection does not have.
    UnknownBinding,
    /// The proof is right, but for another TLS connection.
    WrongBinding,
}

impl Failure {
    /// The failure whose element has this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Aborted,
            Self::CredentialsExpired,
            Self::EncryptionRequired,
            Self::IncorrectEncoding,
            Self::InvalidAuthzid,
            Self::InvalidMechanism,
            Self::MalformedRequest,
            Self::NotAuthorized,
            Self::TemporaryAuthFailure,
        ];
        all.into_iter().find(|failure| failure.name() == name)
    }

    /// The element's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::CredentialsExpired => "credentials-expired",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
            // RFC 6120 §6.5 has no conditions of their own for these.
            Self::Downgraded | Self::WrongBinding => Self::NotAuthorized.name(),
            Self::UnknownBinding => Self::MalformedRequest.name(),
        }
    }

    /// Words for a person, where the condition alone says too little.
    pub const fn text(self) -> Option<&'static str> {
        match self {
            Self::Downgraded => Some(
                "logins can be bound to this TLS connection, and your client was told that they \
                 cannot: somebody may be in between",
            ),
            Self::UnknownBinding => {
                Some("logins on this connection cannot be bound by that type of channel binding")
            }
            Self::WrongBinding => Some(
                "the login is bound to another TLS connection than the one it came over: \
                 somebody may be in between, or a proxy that ends TLS",
            ),
            _ => None,
        }
    }
}
