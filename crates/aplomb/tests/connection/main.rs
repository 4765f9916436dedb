//! The connection as clients meet it, good ones and bad ones: a real server on free ports.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bosh;
mod desk;
mod frames;
mod hostile;
mod http;
mod malformed;
mod messages;
mod program;
mod sessions;
mod tcp;
mod upgrade;
