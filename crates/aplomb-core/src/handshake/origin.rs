//! Where a page comes from, and whether it may connect (RFC 6454, RFC 6455 §10.2).
//!
//! A browser sends the page's origin and cannot be made to lie about it by the page. Without this
//! check any web site could use an agent's browser to reach a server that only the agent can reach.

use std::fmt;
use std::str::FromStr;

/// A page's origin: scheme, host and port, in one spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

/// A text that names no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is written like https://crm.example or https://crm.example:8445")]
pub struct OriginError;

impl Origin {
    /// Whether a page from here is one that the server named by `host` may have sent itself.
    ///
    /// `host` is the value of the `Host` header. Without a port in it, it means the port of
    /// `https` when the connection is TLS. Else it means the port of the page's own scheme, for a
    /// proxy may have taken off the TLS.
    pub fn is_same_host(&self, host: &str, is_tls: bool) -> bool {
        let scheme = if is_tls { "https" } else { &self.scheme };
        split_port(host).is_some_and(|(host, port)| {
            host.eq_ignore_ascii_case(&self.host)
                && self.port.is_some()
                && port.or_else(|| default_port(scheme)) == self.port
        })
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let (scheme, authority) = text.split_once("://").ok_or(OriginError)?;
        let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(is_scheme_char) {
            return Err(OriginError);
        }
        let (host, port) = split_port(authority).ok_or(OriginError)?;
        let scheme = scheme.to_ascii_lowercase();
        let port = port.or_else(|| default_port(&scheme));
        Ok(Self { scheme, host: host.to_ascii_lowercase(), port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) if default_port(&self.scheme) != Some(port) => write!(f, ":{port}"),
            Some(_) | None => Ok(()),
        }
    }
}

/// Splits `host:port`, where the host may be `[::1]`; none if it is neither.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(host_end);
    let is_host_char = |c: char| c.is_ascii_alphanumeric() || "-._~[]:".contains(c);
    if host.is_empty() || !host.chars().all(is_host_char) {
        return None;
    }
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some((host, None)),
        None => None,
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
            port.parse().ok().map(|port| (host, Some(port)))
        }
        Some(_) => None,
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}
