//! What a file that follows a standard says of it: a name, a sentence, and examples to test with.
//!
//! The docs and the test of malformed requests are made from these. Each stands in the file that
//! does what it says; [`crate::catalogue`] lists them.

/// One standard, or the part of one that we follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standard {
    /// Where it is written: `XEP-0199`, `RFC 6121 §4`.
    pub source: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What we do of it, in a sentence or two.
    pub what: &'static str,
    /// What a client of it says and what it hears, between the good and the malformed.
    pub samples: &'static [Sample],
}

/// Something that the client `1001@cc.test/desk`, logged in and bound, may say to `cc.test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// One element as XML; a stanza is in `jabber:client` and gets an id by the test.
    pub says: &'static str,
    /// What comes back.
    pub hears: Hears,
}

impl Sample {
    /// A request that is answered with a result.
    pub const fn answered(says: &'static str) -> Self {
        Self { says, hears: Hears::Answer("type=\"result\"") }
    }

    /// A request that this client may not make, and that is refused.
    pub const fn refused(says: &'static str) -> Self {
        Self { says, hears: Hears::Answer("type=\"error\"") }
    }

    /// Something that nobody answers.
    pub const fn unanswered(says: &'static str) -> Self {
        Self { says, hears: Hears::Nothing }
    }
}

/// What a sample is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hears {
    /// A stanza with the same id, or an element that is none, whose XML has this in it.
    Answer(&'static str),
    /// Nothing, or nothing that answers: presence and the like.
    Nothing,
}
