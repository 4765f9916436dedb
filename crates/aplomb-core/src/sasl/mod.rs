//! Login (RFC 6120 §6): one file per mechanism; each ends in a [`Login`].

pub mod decoy;
pub mod keys;
pub mod memory;
pub mod plain;
pub mod scram;

pub use keys::ScramKeys;

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
    /// The element's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}
