//! The feeds as their readers meet them: a real server on free ports, plain HTTP.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bounds;
mod listed;
mod login;
mod reader;
mod resume;
mod rights;
