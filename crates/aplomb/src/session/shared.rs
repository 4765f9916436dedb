//! What all sessions of one server share.

use std::sync::Arc;
use std::time::Duration;

use aplomb_core::stream::responder::Policy;
use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::resume::Kept;
use super::tickets::Tickets;

use crate::accounts::Accounts;
use crate::hub::Hub;
use crate::watch::Metrics;

/// What all sessions have in common.
pub struct Shared {
    /// Who may log in.
    pub accounts: Arc<Accounts>,
    /// Where bound sessions sit.
    pub hub: Arc<Hub>,
    /// What is counted.
    pub metrics: Metrics,
    /// The rules of streams over TLS.
    pub policy_tls: Arc<Policy>,
    /// The rules of streams in clear text that stay so.
    pub policy_clear: Arc<Policy>,
    /// The rules of streams in clear text that may become streams over TLS.
    pub policy_starttls: Arc<Policy>,
    /// How such a stream becomes one over TLS.
    pub tls: Arc<ServerConfig>,
    /// What a login over TLS can be bound to by `tls-server-end-point`.
    pub server_end_point: Option<Vec<u8>>,
    /// Silence after which a peer is pinged.
    pub ping_after: Duration,
    /// Silence after which a peer is dead.
    pub dead_after: Duration,
    /// Letters in one mailbox.
    pub mailbox_letters: usize,
    /// Bytes in one mailbox.
    pub mailbox_bytes: usize,
    /// How long a managed stream is kept when its connection is lost.
    pub resume_within: Duration,
    /// The streams that can be resumed.
    pub tickets: Arc<Tickets<Kept>>,
    /// The sessions, with a connection and without one, so that somebody waits for their end.
    pub tasks: TaskTracker,
    /// Cancelled when the server stops.
    pub stopping: CancellationToken,
}
