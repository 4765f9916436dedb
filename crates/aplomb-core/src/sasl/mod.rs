//! Login (RFC 6120 §6): one file per mechanism; each ends in a [`Login`].

pub mod binding;
pub mod decoy;
pub mod exchange;
pub mod keys;
pub mod memory;
pub mod plain;
pub mod scram;
pub mod tokens;

pub use keys::ScramKeys;

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
        what: "`SCRAM-SHA-256`. An account that does not exist is answered like one that does.",
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
    /// RFC 7677, without channel binding.
    ScramSha256,
}

impl Mechanism {
    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
        }
    }

    /// The mechanism of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Plain, Self::ScramSha256].into_iter().find(|m| m.name() == name)
    }
}

/// Why a login was refused (RFC 6120 §6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The client gave up.
    Aborted,
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
}

impl Failure {
    /// The failure whose element has this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Aborted,
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
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}
