//! Streams that outlive their connection (XEP-0198), people who see each other whatever carries
//! their streams (RFC 6121), and one order of events on all of them, on real sockets.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod client;
mod cuts;
mod events;
mod exchanges;
mod order;
mod roster;
mod tokens;

use std::net::SocketAddr;

use aplomb::config::Config;
use aplomb::serve::{self, Running};

use client::Carrier;

/// The password of everybody.
const PASSWORD: &str = "secret";

/// The domain of every server here.
const DOMAIN: &str = "cc.test";

/// A laboratory on free ports, and `more` settings.
async fn server(more: &[(&str, &str)]) -> Running {
    let settings = [
        ("lab", "true"),
        ("lab-agents", "4"),
        ("lab-password", PASSWORD),
        ("domain", DOMAIN),
        ("https", "127.0.0.1:0"),
        ("insecure-http", "127.0.0.1:0"),
        ("xmpp", "127.0.0.1:0"),
        ("scram-iterations", "4096"),
        ("logins-per-second-per-address", "1000000"),
    ];
    serve::start(Config::of(&[&settings, more].concat()).unwrap()).await.unwrap()
}

fn at(server: &Running, carrier: Carrier) -> SocketAddr {
    match carrier {
        Carrier::WebSocket | Carrier::Bosh => server.insecure_http.unwrap(),
        Carrier::Tcp => server.xmpp.unwrap(),
    }
}
