//! The stream from outside: scripted conversations, and our client against our server.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod chaos;
mod desk;
mod pieces;
mod talks;
mod walk;
