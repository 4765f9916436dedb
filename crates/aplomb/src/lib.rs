//! The acting half of aplomb: sockets, storage, HTTP, command line.
//!
//! It feeds `aplomb-core` and does what the core says.

pub mod accounts;
pub mod cli;
pub mod client;
pub mod clock;
pub mod compare;
pub mod config;
pub mod control;
pub mod departure;
pub mod feed;
pub mod hub;
pub mod lab;
pub mod limits;
pub mod link;
pub mod listen;
pub mod mailbox;
pub mod office;
pub mod random;
pub mod rest;
pub mod serve;
pub mod session;
pub mod store;
pub mod tls;
pub mod watch;
pub mod web;
pub mod writer;
