//! A store that forgets: for laboratories and tests.

/// Keeps nothing beyond the process.
pub struct Memory;
