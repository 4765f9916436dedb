//! ARCHITECTURE.md, held against the source: who may import whom, and what must not be there.

mod absences;
mod layering;
mod source;
