//! Where a client goes: `wss://host:8445/ws/`, taken apart.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// The address of an XMPP WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whether TLS carries it.
    pub is_tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port, given or usual.
    pub port: u16,
    /// The path and query.
    pub path: String,
}

/// A text that is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no WebSocket address; write it like wss://finesse.example:8445/ws/")]
pub struct BadTarget(String);

impl Target {
    /// The value of the `Host` header: the port is named when it is not the usual one.
    pub fn authority(&self) -> String {
        let usual = if self.is_tls { 443 } else { 80 };
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let bad = || BadTarget(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let is_tls = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            Some(_) | None => return Err(bad()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(bad)?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(bad());
        }
        let path = match uri.path_and_query().map_or("/", |path| path.as_str()) {
            "/" => "/ws/",
            path => path,
        };
        Ok(Self {
            is_tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, host: &str, port: u16, path: &str, shown: &str) {
        let target: Target = text.parse().unwrap();
        assert_eq!((target.host.as_str(), target.port, target.path.as_str()), (host, port, path));
        assert_eq!(target.to_string(), shown);
    }

    #[test]
    fn an_address_is_taken_apart() {
        let shown = "wss://uccx.example:8445/ws/";
        check(shown, "uccx.example", 8445, "/ws/", shown);
        check("wss://uccx.example:8445", "uccx.example", 8445, "/ws/", shown);
        check("wss://a.test/xmpp?x=1", "a.test", 443, "/xmpp?x=1", "wss://a.test/xmpp?x=1");
        check("ws://[::1]:8080/ws", "::1", 8080, "/ws", "ws://[::1]:8080/ws");
    }

    #[test]
    fn what_is_no_address_is_told_how_one_looks() {
        for text in ["", "uccx.example:8445", "https://a.test/", "wss://", "wss://u:p@a.test/"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
