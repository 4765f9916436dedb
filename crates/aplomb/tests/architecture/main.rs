//! ARCHITECTURE.md, held against the source: who may import whom, and what must not be there.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod absences;
mod documents;
mod layering;
mod source;
