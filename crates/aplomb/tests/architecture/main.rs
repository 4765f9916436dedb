//! ARCHITECTURE.md, held against the source: who may import whom, and what must not be there.

#![allow(clippy::unwrap_used, reason = "a panic here is a test's report")]

mod absences;
mod layering;
mod source;
