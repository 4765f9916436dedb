//! The listeners, bound and not yet accepting, with their real addresses.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;

use super::ServeError;
use crate::config::Config;
use crate::link::binding;
use crate::listen::{Listener, Service, Site};
use crate::tls::{self, Identity};

pub(super) struct Doors {
    listeners: Vec<Listener>,
    pub(super) https: SocketAddr,
    pub(super) insecure_http: Option<SocketAddr>,
    pub(super) xmpp: Option<SocketAddr>,
    pub(super) xmpps: Option<SocketAddr>,
    /// What a stream that asks for TLS gets.
    pub(super) starttls: Arc<ServerConfig>,
    /// What a login can be bound to wherever the certificate is shown (RFC 5929 §4).
    pub(super) server_end_point: Option<Vec<u8>>,
}

impl Doors {
    pub(super) fn open(config: &Config, identity: Identity) -> Result<Self, ServeError> {
        let mut listeners = Vec::new();
        let mut open = |setting, address: SocketAddr, tls: Option<&Arc<ServerConfig>>, service| {
            let listener = Listener::bind(address, tls.cloned(), service);
            let bound = listener.and_then(|listener| Ok((listener.address()?, listener)));
            let refused = |error| ServeError::Bind { address, setting, error };
            let (real, listener) = bound.map_err(refused)?;
            listeners.push(listener);
            Ok::<_, ServeError>(real)
        };
        let server_end_point = binding::server_end_point(identity.certificate());
        let http = identity.into_server_config()?;
        let xmpp = tls::for_xmpp(&http);
        let https = open("https", config.https, Some(&http), Service::Http)?;
        let insecure =
            config.insecure_http.map(|at| open("insecure-http", at, None, Service::Http));
        let clear = config.xmpp.map(|at| open("xmpp", at, None, Service::Xmpp));
        let direct = config.xmpps.map(|at| open("xmpps", at, Some(&xmpp), Service::Xmpp));
        Ok(Self {
            https,
            insecure_http: insecure.transpose()?,
            xmpp: clear.transpose()?,
            xmpps: direct.transpose()?,
            listeners,
            starttls: xmpp,
            server_end_point,
        })
    }

    /// Lets clients in.
    pub(super) fn accept(&mut self, site: &Arc<Site>) {
        for listener in self.listeners.drain(..) {
            site.tasks.spawn(listener.run(Arc::clone(site)));
        }
    }
}
