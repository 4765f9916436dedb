//! When to try again: pure, seeded.
