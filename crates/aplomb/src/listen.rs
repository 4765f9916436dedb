//! Listeners: TCP, TLS, HTTP/1 and HTTP/2, XMPP, limits per address.
//!
//! Every phase of a connection has its deadline: the TLS handshake, the header of a request, its
//! answer; the upgrade hands the connection to a session, which has its own.

mod bosh;
mod discovery;
mod http;
mod pages;
mod permits;
mod upgrade;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::clock;
use crate::limits::{
    ACCEPT_BACKLOG, ACCEPT_PAUSE_MS, TCP_UNACKNOWLEDGED_SECS_MAX, TLS_HANDSHAKE_SECS_MAX,
};
use crate::link::tcp::Tcp;
use crate::link::{Carrier, Link, Peer};
use crate::session;
use crate::watch::Metrics;
pub use bosh::{Binds, routes as binds};
pub use discovery::routes as discovery;
pub use pages::{Watchers, routes as pages};
pub use permits::{Permit, Permits, TooMany};
pub use upgrade::{Upgrades, routes as upgrades};
pub(crate) use upgrade::{accept, refuse, take_over};

/// What all listeners have in common.
pub struct Site {
    /// What is served.
    pub router: Router,
    /// How many connections there may be.
    pub permits: Arc<Permits>,
    /// What is counted.
    pub metrics: Metrics,
    /// Cancelled when no new connection is to be taken.
    pub stopping: CancellationToken,
    /// The connections, so that somebody waits for their end.
    pub tasks: TaskTracker,
    /// The requests that do not wait for a session, so that somebody waits for their answers.
    pub requests: TaskTracker,
    /// What the sessions need.
    pub sessions: Arc<session::Shared>,
    /// The sessions, so that somebody waits for their end.
    pub session_tasks: TaskTracker,
}

/// What is spoken on an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// HTTP/1 and HTTP/2, with their upgrade to XMPP over WebSocket.
    Http,
    /// XMPP over TCP.
    Xmpp,
}

/// One address on which we listen.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    service: Service,
}

impl Listener {
    /// Binds the address; with `tls`, everything on it is TLS.
    ///
    /// - Errors: those of the system, such as an address in use.
    pub fn bind(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        service: Service,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() && address.ip().is_unspecified() {
            socket.set_only_v6(false)?;
        }
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(ACCEPT_BACKLOG)?;
        Ok(Self { tcp: TcpListener::from_std(socket.into())?, tls, service })
    }

    /// The address with the real port.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Accepts connections until the site stops.
    pub async fn run(self, site: Arc<Site>) {
        let mut is_failing = false;
        loop {
            let accepted = tokio::select! {
                () = site.stopping.cancelled() => return,
                accepted = self.tcp.accept() => accepted,
            };
            match accepted {
                Ok((tcp, address)) => {
                    is_failing = false;
                    self.admit(tcp, address, &site);
                }
                Err(error) => {
                    // Without file descriptors this would spin, and fill the log.
                    if !std::mem::replace(&mut is_failing, true) {
                        warn!(%error, "no connection can be accepted; see `ulimit -n`");
                    }
                    sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                }
            }
        }
    }

    fn admit(&self, tcp: TcpStream, address: SocketAddr, site: &Arc<Site>) {
        let permit = match site.permits.take(address.ip()) {
            Ok(permit) => Arc::new(permit),
            Err(too_many) => {
                debug!(peer = %address, ?too_many, "connection refused");
                return site.metrics.refused(match too_many {
                    TooMany::FromAddress => "too-many-from-address",
                    TooMany::InAll => "too-many",
                });
            }
        };
        if let Err(error) = tune(&tcp) {
            debug!(peer = %address, %error, "connection lost at once");
            return;
        }
        let (tls, site) = (self.tls.clone(), Arc::clone(site));
        let peer = Peer { address, is_tls: tls.is_some() };
        let tasks = site.tasks.clone();
        let service = self.service;
        tasks.spawn(async move {
            site.metrics.connections.inc();
            let carrier = match tls {
                None => Some(Carrier::Tcp(tcp)),
                Some(tls) => shake_hands(tcp, tls, peer, service, &site).await,
            };
            match (service, carrier) {
                (_, None) => {}
                (Service::Http, Some(carrier)) => {
                    serve_http(carrier, peer, permit, &site).await;
                }
                (Service::Xmpp, Some(carrier)) => serve_xmpp(carrier, peer, permit, &site),
            }
            site.metrics.connections.dec();
        });
    }
}

/// Does the TLS handshake; none if it failed.
async fn shake_hands(
    tcp: TcpStream,
    tls: Arc<ServerConfig>,
    peer: Peer,
    service: Service,
    site: &Site,
) -> Option<Carrier> {
    let wait = Duration::from_secs(TLS_HANDSHAKE_SECS_MAX);
    let deadline = clock::instant_of(clock::moment() + wait).into();
    let mut first = [0];
    if service == Service::Http
        && let Ok(Ok(1)) = timeout_at(deadline, tcp.peek(&mut first)).await
        && first[0].is_ascii_uppercase()
    {
        http::ask_for_tls(TokioIo::new(tcp), peer).await;
        return None;
    }
    // On the heap: it is over when the session begins.
    let handshake = Box::pin(TlsAcceptor::from(tls).accept(tcp));
    let problem = match timeout_at(deadline, handshake).await {
        Ok(Ok(stream)) => return Some(Carrier::Tls(Box::new(stream))),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("not finished within {TLS_HANDSHAKE_SECS_MAX} s"),
    };
    site.metrics.tls_failures.inc();
    debug!(peer = %peer.address, problem, "TLS handshake failed");
    None
}

async fn serve_http(carrier: Carrier, peer: Peer, permit: Arc<Permit>, site: &Arc<Site>) {
    match carrier {
        Carrier::Tcp(tcp) => http::serve_http1(TokioIo::new(tcp), peer, permit, site).await,
        Carrier::Tls(tls) if tls.get_ref().1.alpn_protocol() == Some(b"h2") => {
            http::serve_http2(TokioIo::new(*tls), peer, permit, site).await;
        }
        Carrier::Tls(tls) => http::serve_http1(TokioIo::new(*tls), peer, permit, site).await,
        Carrier::Gone(_) => {}
    }
}

/// Starts a session, which outlives the acceptance of its connection.
fn serve_xmpp(carrier: Carrier, peer: Peer, permit: Arc<Permit>, site: &Site) {
    let session = session::run(Arc::clone(&site.sessions), Link::Tcp(Tcp::new(carrier)), peer);
    site.session_tasks.spawn(async move {
        session.await;
        drop(permit);
    });
}

/// Sends small writes at once, and notices a peer that is gone.
fn tune(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let socket = socket2::SockRef::from(tcp);
    let wait = Duration::from_secs(TCP_UNACKNOWLEDGED_SECS_MAX);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(wait))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(wait))?;
    Ok(())
}
