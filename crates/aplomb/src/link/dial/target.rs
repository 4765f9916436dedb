//! Where a client goes: `wss://host:8445/ws/`, `xmpps://host:5223` or
//! `https://host:8445/http-bind/`, taken apart.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// What carries a client's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// RFC 7395.
    WebSocket,
    /// RFC 6120.
    Tcp,
    /// XEP-0124 and XEP-0206.
    Bosh,
}

/// The address of an XMPP service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What carries the stream.
    pub over: Over,
    /// Whether it is in TLS from the first byte.
    pub is_tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port, given or usual.
    pub port: u16,
    /// The path and query; none over TCP.
    pub path: String,
}

/// A text that is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address; write it like wss://finesse.example:8445/ws/, \
     xmpps://finesse.example:5223 or https://finesse.example:8445/http-bind/"
)]
pub struct BadTarget(String);

impl Target {
    /// The value of the `Host` header: the port is named when it is not the usual one.
    pub fn authority(&self) -> String {
        let usual = usual_port(self.over, self.is_tls);
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
        let scheme = uri.scheme_str();
        let (_, over, is_tls) =
            SCHEMES.into_iter().find(|(name, ..)| scheme == Some(name)).ok_or_else(bad)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(bad)?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(bad());
        }
        let path = match uri.path_and_query().map_or("/", |path| path.as_str()) {
            "/" => match over {
                Over::WebSocket => "/ws/",
                Over::Bosh => "/http-bind/",
                Over::Tcp => "",
            },
            _ if over == Over::Tcp => return Err(bad()),
            path => path,
        };
        Ok(Self {
            over,
            is_tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(usual_port(over, is_tls)),
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_it =
            |(_, over, is_tls): &(_, Over, bool)| (*over, *is_tls) == (self.over, self.is_tls);
        let (scheme, ..) = SCHEMES.iter().find(|row| is_it(row)).expect("each has its scheme");
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

/// Every way to carry a stream: its scheme, the carrier, and whether it begins in TLS.
pub const SCHEMES: [(&str, Over, bool); 6] = [
    ("wss", Over::WebSocket, true),
    ("ws", Over::WebSocket, false),
    ("xmpps", Over::Tcp, true),
    ("xmpp", Over::Tcp, false),
    ("https", Over::Bosh, true),
    ("http", Over::Bosh, false),
];

const fn usual_port(over: Over, is_tls: bool) -> u16 {
    match (over, is_tls) {
        (Over::WebSocket | Over::Bosh, true) => 443,
        (Over::WebSocket | Over::Bosh, false) => 80,
        (Over::Tcp, true) => 5223,
        (Over::Tcp, false) => 5222,
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
        check("xmpp://a.test", "a.test", 5222, "", "xmpp://a.test");
        check("xmpps://a.test:5223/", "a.test", 5223, "", "xmpps://a.test");
        check("https://a.test", "a.test", 443, "/http-bind/", "https://a.test/http-bind/");
        check("http://a.test:7071/x/", "a.test", 7071, "/x/", "http://a.test:7071/x/");
        check("xmpps://a.test:443", "a.test", 443, "", "xmpps://a.test:443");
    }

    #[test]
    fn what_is_no_address_is_told_how_one_looks() {
        for text in [
            "",
            "uccx.example:8445",
            "ftp://a.test/",
            "wss://",
            "wss://u:p@a.test/",
            "xmpps://a.test/ws/",
            "xmpp:1001@a.test",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
