//! The configuration: one struct; file, environment, flags; prints itself with reasons.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aplomb_core::domain::Flavour;

/// The effective values.
#[derive(Debug, Clone)]
pub struct Config {
    /// The XMPP domain.
    pub domain: String,
    /// Where state is kept; none keeps it in memory (only with `lab`).
    pub data_dir: Option<PathBuf>,
    /// HTTPS and `wss`.
    pub https: SocketAddr,
    /// Clear-text HTTP and `ws`, for laboratories and benchmarks.
    pub insecure_http: Option<SocketAddr>,
    /// PEM chain; none makes a self-signed certificate.
    pub tls_certificate: Option<PathBuf>,
    /// PEM key.
    pub tls_key: Option<PathBuf>,
    /// UCCX or UCCE.
    pub flavour: Flavour,
    /// Whether PLAIN is offered on the clear-text listener.
    pub plain_without_tls: bool,
    /// Origins besides the server's own that a page may connect from, `https://crm.example`.
    pub allowed_origins: Vec<String>,
    /// Whether an `open` to another domain is refused.
    pub strict_host: bool,
    /// Whether log lines are JSON.
    pub log_json: bool,
    /// Log filter, such as `info` or `aplomb=debug`.
    pub log_level: String,
    /// Login attempts per second and address; a burst is ten times as many.
    pub logins_per_second_per_address: u32,
    /// Wrong passwords in a row that lock an account.
    pub lockout_failures: u32,
    /// How long it stays locked.
    pub lockout: Duration,
    /// How long a verified password is remembered.
    pub remember_password: Duration,
    /// PBKDF2 rounds of new passwords.
    pub scram_iterations: u32,
    /// Silence after which an idle peer is pinged.
    pub ping_after: Duration,
    /// Silence after which a peer is dead.
    pub dead_after: Duration,
    /// Letters in one session's mailbox.
    pub mailbox_letters: usize,
    /// Bytes in one session's mailbox.
    pub mailbox_bytes: usize,
    /// Items of history per node.
    pub history_items: usize,
    /// Age of history.
    pub history_age: Duration,
    /// Bytes of history altogether.
    pub history_bytes: usize,
    /// How long a stop may take.
    pub drain: Duration,
    /// Connections from one address.
    pub connections_per_address: usize,
    /// Connections altogether.
    pub connections: usize,
    /// The laboratory, if one is wanted.
    pub lab: Option<Lab>,
}

/// A small contact centre out of nothing.
#[derive(Debug, Clone)]
pub struct Lab {
    /// Agents, `1001…`.
    pub agents: u32,
    /// Teams, `1…`.
    pub teams: u32,
    /// The password of all; none makes one.
    pub password: Option<aplomb_core::secret::Secret<String>>,
}
