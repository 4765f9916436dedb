//! The client's end: name, TCP, TLS and HTTP, up to a connection that carries XMPP, and its units.

mod bosh;
mod meter;
mod socket;
mod target;
mod trust;
mod web;
mod wire;

pub use bosh::Bosh;
pub use meter::{Count, Meter};
pub use socket::Socket;
pub use target::{BadTarget, Over, SCHEMES, Target};
pub use trust::{BadFingerprint, Checker, Fingerprint, Trust, TrustError};
pub use web::{Line, Web};
pub use wire::Wire;

use std::net::SocketAddr;
use std::time::Duration;

use aplomb_core::handshake::{ClientUpgrade, Header, UpgradeError};
use aplomb_core::sasl::binding::Bindings;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use meter::Metered;

use super::binding;
use crate::limits::ANSWER_HEAD_BYTES_MAX;
use crate::{clock, random};

/// A connection of bytes, clear or not.
pub trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// Why there is no connection. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No address under this name.
    #[error(
        "{host} has no address: {problem}. Check the spelling, and the name server of this machine"
    )]
    Name {
        /// The name.
        host: String,
        /// What the resolver says.
        problem: String,
    },
    /// Nobody answers, or answers no.
    #[error(
        "no TCP connection to {address}: {problem}. Check the port, a firewall between here and \
         there, and whether the service runs"
    )]
    Tcp {
        /// Where.
        address: String,
        /// What the system says.
        problem: String,
    },
    /// The server's certificate is not trusted here.
    #[error(
        "the certificate is not trusted: {problem}.\nIts SHA-256 is {fingerprint}.\nIf that is the \
         server's own, as its administrator can tell, trust it with\n  --fingerprint \
         {fingerprint}\n\
         or name the authority that signed it with --ca FILE"
    )]
    Untrusted {
        /// What it shows.
        fingerprint: Fingerprint,
        /// Why it is not trusted.
        problem: String,
    },
    /// TLS failed otherwise.
    #[error(
        "no TLS with the server: {0}. Is this port for TLS at all? ws:// and xmpp:// begin without"
    )]
    Tls(String),
    /// Our side cannot check certificates.
    #[error("{0}")]
    Trust(#[from] TrustError),
    /// The server did not upgrade.
    #[error("no WebSocket: {0}")]
    Upgrade(#[from] UpgradeError),
    /// The server speaks something else than HTTP.
    #[error(
        "the server answered the upgrade with {0}; is this a web server, and is its port not for \
         TLS (wss://)?"
    )]
    NotHttp(String),
    /// A step took too long.
    #[error("{step} took more than {} s; look for a firewall that swallows it", wait.as_secs())]
    Slow {
        /// The step.
        step: &'static str,
        /// How long we waited.
        wait: Duration,
    },
}

/// What a link step told, line by line.
pub type Tell<'a> = &'a mut (dyn FnMut(String) + Send);

/// Whom a client wants to reach over TLS, and how sure it must be.
#[derive(Debug, Clone, Copy)]
pub struct Security<'a> {
    /// The name that the certificate must bear: the host of a web server, the domain of an XMPP
    /// service (RFC 6120 §13.7.2.1).
    pub name: &'a str,
    /// Which certificates are good enough.
    pub trust: &'a Trust,
    /// What is spoken in it (RFC 7301).
    pub protocol: &'a str,
}

impl<'a> Security<'a> {
    /// For the stream to `domain` at `target`.
    pub fn of_stream(target: &'a Target, domain: &'a str, trust: &'a Trust) -> Self {
        match target.over {
            Over::WebSocket | Over::Bosh => Self::of_web(target, trust),
            Over::Tcp => Self { name: domain, trust, protocol: "xmpp-client" },
        }
    }

    /// For a web server at `target`; the upgrade of RFC 6455 is HTTP/1.1.
    pub fn of_web(target: &'a Target, trust: &'a Trust) -> Self {
        Self { name: &target.host, trust, protocol: "http/1.1" }
    }
}

/// Connects by TCP and, where the target says so, TLS. Each step has `wait`. Says too what a login
/// can be bound to.
///
/// - Errors: see [`ConnectError`].
pub async fn open(
    target: &Target,
    security: Security<'_>,
    wait: Duration,
    meter: &Meter,
    tell: Tell<'_>,
) -> Result<(Box<dyn Bytes>, Bindings), ConnectError> {
    let tcp = Box::new(open_tcp(target, wait, meter, tell).await?);
    match target.is_tls {
        true => secure(tcp, security, wait, tell).await,
        false => Ok((tcp, Bindings::default())),
    }
}

async fn open_tcp(
    target: &Target,
    wait: Duration,
    meter: &Meter,
    tell: Tell<'_>,
) -> Result<Metered, ConnectError> {
    let name = |problem: String| ConnectError::Name { host: target.host.clone(), problem };
    let lookup = tokio::net::lookup_host((target.host.as_str(), target.port));
    let found = timeout(wait, lookup).await;
    let found = found.map_err(|_| ConnectError::Slow { step: "the name", wait })?;
    let addresses: Vec<SocketAddr> = found.map_err(|error| name(error.to_string()))?.collect();
    let mut last = name("it is known, but without an address".to_owned());
    for address in addresses {
        let started = clock::moment();
        match timeout(wait, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                // Each message is one write, which should not wait for the next.
                let _ = tcp.set_nodelay(true);
                let millis = (clock::moment() - started).as_secs_f64() * 1000.0;
                tell(format!("TCP: {address} answered in {millis:.1} ms."));
                return Ok(Metered::new(tcp, meter));
            }
            Ok(Err(error)) => {
                last =
                    ConnectError::Tcp { address: address.to_string(), problem: error.to_string() };
            }
            Err(_) => last = ConnectError::Slow { step: "the TCP connection", wait },
        }
    }
    Err(last)
}

/// Does the TLS handshake on a connection. Says too what a login can be bound to.
///
/// - Errors: see [`ConnectError`].
pub async fn secure(
    bytes: Box<dyn Bytes>,
    security: Security<'_>,
    wait: Duration,
    tell: Tell<'_>,
) -> Result<(Box<dyn Bytes>, Bindings), ConnectError> {
    let Security { name, trust, protocol } = security;
    let checker = Checker::new(trust, protocol)?;
    let tls = secure_by(bytes, name, &checker, wait).await?;
    let (_, session) = tls.get_ref();
    let version = session.protocol_version().and_then(|v| v.as_str()).unwrap_or("TLS");
    let trusted = match trust {
        Trust::System | Trust::Authority(_) => "trusted",
        Trust::Pinned(_) => "the one that is expected",
        Trust::Anything => "not checked",
    };
    let seen = checker.seen().map(|seen| format!(", SHA-256 {seen}")).unwrap_or_default();
    let version = version.replace("TLSv1_", "TLS 1.");
    tell(format!("TLS: {version}; the certificate is {trusted}{seen}."));
    let exporter = binding::exporter(session);
    let bindings = Bindings { exporter, server_end_point: checker.server_end_point() };
    Ok((Box::new(tls), bindings))
}

async fn secure_by(
    bytes: Box<dyn Bytes>,
    name: &str,
    checker: &Checker,
    wait: Duration,
) -> Result<TlsStream<Box<dyn Bytes>>, ConnectError> {
    let name = ServerName::try_from(name.to_owned())
        .map_err(|error| ConnectError::Tls(error.to_string()))?;
    let connecting = TlsConnector::from(checker.config.clone()).connect(name, bytes);
    let connected = timeout(wait, connecting).await;
    let connected =
        connected.map_err(|_| ConnectError::Slow { step: "the TLS handshake", wait })?;
    connected.map_err(|error| explain(&error, checker))
}

fn explain(error: &std::io::Error, checker: &Checker) -> ConnectError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (inner, checker.seen()) {
        (Some(rustls::Error::InvalidCertificate(problem)), Some(fingerprint)) => {
            let problem = match problem {
                rustls::CertificateError::ApplicationVerificationFailure => {
                    "it is another one than the fingerprint says".to_owned()
                }
                // The last two: somebody who is trusted has the signer's name, but another key.
                rustls::CertificateError::UnknownIssuer
                | rustls::CertificateError::BadSignature
                | rustls::CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                    ..
                } => "nobody who is trusted here signed it".to_owned(),
                rustls::CertificateError::Other(error) => error.to_string(),
                other => other.to_string(),
            };
            ConnectError::Untrusted { fingerprint, problem }
        }
        _ => ConnectError::Tls(error.to_string()),
    }
}

/// An upgraded connection, and what came right behind the answer.
pub struct Upgraded {
    /// The connection.
    pub bytes: Box<dyn Bytes>,
    /// The first frames, if they were fast.
    pub early: Vec<u8>,
    /// The request as it was sent.
    pub request: String,
    /// The head of the answer as it came.
    pub answer: String,
}

/// Asks for the upgrade to WebSocket and checks the answer.
///
/// - Errors: [`ConnectError::Upgrade`] says what the answer means.
/// - Source: RFC 6455 §4.1.
pub async fn upgrade(
    mut bytes: Box<dyn Bytes>,
    target: &Target,
    wait: Duration,
) -> Result<Upgraded, ConnectError> {
    let upgrade = ClientUpgrade::new(random::bytes());
    let request = upgrade.request(&target.path, &target.authority(), None);
    let exchange = async {
        bytes.write_all(request.as_bytes()).await?;
        bytes.flush().await?;
        read_head(&mut bytes).await
    };
    let slow = |_| ConnectError::Slow { step: "the answer to the upgrade", wait };
    let read = timeout(wait, exchange).await.map_err(slow)?;
    let (head, rest) = read.map_err(|error| ConnectError::NotHttp(error.to_string()))?;
    let (status, headers) = parse_head(&head)
        .ok_or_else(|| ConnectError::NotHttp(format!("{:?}", first_line(&head))))?;
    let body = String::from_utf8_lossy(&rest);
    let body = if status == 101 { "" } else { body.as_ref() };
    upgrade.check(status, &headers, body)?;
    Ok(Upgraded { bytes, early: rest, request, answer: head })
}

/// Reads up to the empty line; returns the head, and what came behind it.
async fn read_head(bytes: &mut Box<dyn Bytes>) -> std::io::Result<(String, Vec<u8>)> {
    let mut read = Vec::with_capacity(1024);
    loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = read.split_off(at + 4);
            return Ok((String::from_utf8_lossy(&read).into_owned(), rest));
        }
        if read.len() > ANSWER_HEAD_BYTES_MAX {
            return Err(std::io::Error::other("endless headers"));
        }
        if bytes.read_buf(&mut read).await? == 0 {
            return Err(std::io::Error::other("the end of the connection"));
        }
    }
}

fn parse_head(head: &str) -> Option<(u16, Vec<Header<'_>>)> {
    let mut lines = head.trim_end().split("\r\n");
    let status_line = lines.next()?.strip_prefix("HTTP/1.")?;
    let status = status_line.split(' ').nth(1)?.parse().ok()?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.push((name.trim(), value.trim().as_bytes()));
    }
    Some((status, headers))
}

fn first_line(head: &str) -> String {
    head.lines().next().unwrap_or_default().chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_is_taken_apart() {
        let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nX:\r\n\r\n";
        let (status, headers) = parse_head(head).unwrap();
        assert_eq!(status, 101);
        assert_eq!(headers, [("Upgrade", &b"WebSocket"[..]), ("X", b"")]);
        assert_eq!(parse_head("HTTP/1.0 200\r\n\r\n").unwrap().0, 200);
    }

    #[test]
    fn what_is_no_http_is_none() {
        for head in
            ["", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 200\r\nx\r\n\r\n"]
        {
            assert_eq!(parse_head(head), None, "{head}");
        }
    }
}
