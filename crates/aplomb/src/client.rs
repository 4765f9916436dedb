//! The client: an initiator over a link, with reconnect.
//!
//! It tells everything that happens as [`News`], in order, and decides only what a person would not
//! want to be asked: when to try again.

pub mod news;
pub mod position;
pub mod system_info;

mod memory;
mod requests;
mod visit;

use std::time::Duration;

use aplomb_core::backoff::Backoff;
use aplomb_core::secret::Secret;
use aplomb_core::stanza::StanzaError;
use aplomb_core::stream::initiator::Trouble;
use tokio_util::sync::CancellationToken;

use crate::limits::{RECONNECT_FIRST_SECS, RECONNECT_SECS_MAX};
use crate::link::dial::{ConnectError, Meter, Over, Target, Trust};
use crate::{clock, random};
use memory::Memory;
use news::{Loss, News, What};
use position::Positions;
use visit::{Ended, Traveller};

/// What a client is to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where.
    pub target: Target,
    /// Which certificates are good enough.
    pub trust: Trust,
    /// The XMPP domain; none asks SystemInfo where there is a web server, and falls back on the
    /// host.
    pub domain: Option<String>,
    /// The account.
    pub user: String,
    /// Its password.
    pub password: Secret<String>,
    /// The wanted resource, where the server does not have SASL2 or there is no `tag`.
    pub resource: String,
    /// What the client is called where the server has SASL2; its resource begins with it.
    pub tag: Option<String>,
    /// Whether the password may be sent without TLS.
    pub allows_plain_without_tls: bool,
    /// The nodes to subscribe to.
    pub nodes: Vec<String>,
    /// How long each step of connecting may take.
    pub wait: Duration,
    /// What counts its connections and bytes.
    pub meter: Meter,
}

/// Why a client gives up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// There never was a connection.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The stream ended, and trying again would not help.
    #[error("{0}")]
    Stream(Trouble),
    /// The connection broke before it was ready.
    #[error("{0}")]
    Lost(Loss),
    /// A node is not for this account, or is not there.
    #[error("the subscription of {node} was refused: {}", error.condition.name())]
    Subscription {
        /// The node.
        node: String,
        /// What the server said.
        error: Box<StanzaError>,
    },
}

/// Connects, logs in, subscribes, and tells what happens until `stop`; comes back by itself when a
/// connection that was ready is lost.
///
/// - Errors: see [`Failure`]. An end by `stop` is none.
pub async fn run(
    settings: &Settings,
    stop: &CancellationToken,
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<(), Failure> {
    let domain = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        domain = find_domain(settings, tell) => domain?,
    };
    let mut positions = Positions::default();
    for node in settings.nodes.iter().cloned().chain(automatic_nodes(&settings.user)) {
        positions.follow(&node);
    }
    let longest = Duration::from_secs(RECONNECT_SECS_MAX);
    let mut backoff = Backoff::new(Duration::from_secs(RECONNECT_FIRST_SECS), longest);
    let mut has_been_ready = false;
    let mut memory = Memory::new();
    loop {
        let mut traveller = Traveller {
            settings,
            domain: &domain,
            positions: &mut positions,
            memory: &mut memory,
            tell: &mut *tell,
            has_been_ready,
            is_ready: false,
        };
        let ended = traveller.visit(stop).await;
        if traveller.is_ready {
            has_been_ready = true;
            backoff.reset();
        }
        let why = match ended {
            Ended::Stopped => return Ok(()),
            Ended::Failed(failure) => return Err(failure),
            Ended::Lost(why) => why,
        };
        positions.lost();
        let wait = backoff.next_wait(u32::from_ne_bytes(random::bytes()));
        let at = clock::moment().since_start();
        tell(News { at, what: What::Lost { why, wait } });
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn find_domain(
    settings: &Settings,
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<String, ConnectError> {
    if let Some(domain) = &settings.domain {
        return Ok(domain.clone());
    }
    let Settings { target, trust, wait, .. } = settings;
    if target.over == Over::Tcp {
        return Ok(target.host.clone());
    }
    let mut tell = |line| {
        tell(News { at: clock::moment().since_start(), what: What::Link(line) });
    };
    let info = system_info::ask(target, trust, *wait, &mut tell).await?;
    Ok(info.map_or_else(|| target.host.clone(), |info| info.domain))
}

/// The nodes whose events come to a user without a subscription, and that keep history.
fn automatic_nodes(user: &str) -> [String; 2] {
    [format!("/finesse/api/User/{user}"), format!("/finesse/api/User/{user}/Dialogs")]
}
