//! The Finesse paths as clients meet them: every answer, for every role, in both flavours.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod centre;
mod clients;
mod document;
mod http;
mod roles;
mod states;
