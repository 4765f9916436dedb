//! The grammar of a stream: what may legally come next (RFC 6120 §4.3, RFC 7395 §3).

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who opened the connection.
    Client,
    /// Who accepted it.
    Server,
}

/// Where a stream is; named for what it expects, or for what has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The client must open.
    ExpectOpen,
    /// The server must open too.
    ExpectAnswer,
    /// The server must send its features.
    ExpectFeatures,
    /// The client must choose a mechanism.
    ExpectAuth,
    /// The server must accept, refuse or challenge.
    ExpectVerdict,
    /// The client must bind.
    ExpectBind,
    /// The server must answer the bind.
    ExpectBound,
    /// Stanzas, either way, at any time.
    Bound,
    /// One side closed.
    Closing,
    /// Both sides closed.
    Closed,
}

/// A step that the grammar does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where the stream was.
    pub phase: Phase,
    /// Who broke it.
    pub from: Side,
    /// What came.
    pub came: String,
    /// What was legal.
    pub legal: &'static str,
    /// The section of the standard.
    pub source: &'static str,
}
