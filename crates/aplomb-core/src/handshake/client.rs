//! The client's side: what to ask, and what the answer means.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Header, SUBPROTOCOL, VERSION, accept_of, has_token, values};

/// One attempt to upgrade.
#[derive(Debug, Clone)]
pub struct ClientUpgrade {
    key: String,
}

/// Why there is no WebSocket. The text says what it means and where to look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// 200: something answered that takes the path for a page.
    #[error(
        "200 OK instead of 101: whoever answered does not take this path for a WebSocket. Usually \
         a proxy dropped the headers Upgrade and Connection, or the path is another server's"
    )]
    Page,
    /// 301 and its like. Browsers do not follow it.
    #[error(
        "{status}, go to {location:?}: a WebSocket is never redirected, so use that address \
         itself. A plain port answers so on Finesse from 12.5 on; use https and port 8445"
    )]
    Redirect {
        /// The status.
        status: u16,
        /// Where to.
        location: String,
    },
    /// 400.
    #[error("400 Bad Request: the server refuses the upgrade itself: {words}")]
    BadRequest {
        /// What the server wrote.
        words: String,
    },
    /// 401.
    #[error(
        "401 Unauthorized: a proxy wants credentials at the upgrade. Finesse's reverse proxy reads \
         them from Sec-WebSocket-Protocol"
    )]
    Unauthorized,
    /// 403.
    #[error(
        "403 Forbidden: the server refuses where this comes from: the Origin is not in its list, \
         or the client's address is not"
    )]
    Forbidden,
    /// 404.
    #[error(
        "404 Not Found: no WebSocket under this path. Finesse has it at /ws/ on port 8445 from \
         12.6 on, before on 7443"
    )]
    NotFound,
    /// 426.
    #[error(
        "426 Upgrade Required: the server is there, but the upgrade did not reach it. A proxy \
         dropped the headers Upgrade and Connection, or speaks HTTP/1.0 or HTTP/2 to it"
    )]
    UpgradeRequired,
    /// 429 or 503 with such a reason.
    #[error("429 Too Many Requests: come back later, and more slowly")]
    TooMany,
    /// 502, 503 or 504.
    #[error(
        "{status}: the proxy is there, but the notification service behind it is not. Look whether \
         it runs, and whether SystemInfo says IN_SERVICE"
    )]
    BadGateway {
        /// The status.
        status: u16,
    },
    /// Any other status.
    #[error("{status} instead of 101 Switching Protocols: {words}")]
    Other {
        /// The status.
        status: u16,
        /// What the server wrote.
        words: String,
    },
    /// 101 without the headers that go with it.
    #[error("101, but without Upgrade: websocket and Connection: Upgrade (RFC 6455 §4.1)")]
    NotUpgraded,
    /// 101 with the wrong proof.
    #[error(
        "101, but Sec-WebSocket-Accept is not the answer to our key: a cache or proxy answered, \
         not a WebSocket server"
    )]
    WrongAccept,
    /// 101 without a sub-protocol.
    #[error(
        "101, but without Sec-WebSocket-Protocol: xmpp: a proxy dropped the header, or the server \
         speaks no XMPP there. A browser hangs up here"
    )]
    NoSubprotocol,
    /// 101 with something that was not asked for.
    #[error("101, but the server chose {what}, which was not offered (RFC 6455 §4.1)")]
    NotOffered {
        /// The header and its value.
        what: String,
    },
}

impl ClientUpgrade {
    /// An attempt with 16 fresh random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self { key: STANDARD.encode(random) }
    }

    /// The request, from `GET` to the empty line. `host` has the port when it is not the default.
    ///
    /// - Source: RFC 6455 §4.1, RFC 7395 §3.1.
    pub fn request(&self, path: &str, host: &str, origin: Option<&str>) -> String {
        let key = &self.key;
        let origin = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             {origin}Sec-WebSocket-Version: {VERSION}\r\nSec-WebSocket-Key: {key}\r\n\
             Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
        )
    }

    /// Checks the answer; `body` is its beginning, for the words in it.
    ///
    /// - Errors: [`UpgradeError`] says what the answer means.
    /// - Source: RFC 6455 §4.1 (client requirements 1 to 6).
    pub fn check(
        &self,
        status: u16,
        headers: &[Header<'_>],
        body: &str,
    ) -> Result<(), UpgradeError> {
        if status != 101 {
            return Err(meaning_of(status, headers, body));
        }
        if !has_token(headers, "upgrade", "websocket")
            || !has_token(headers, "connection", "upgrade")
        {
            return Err(UpgradeError::NotUpgraded);
        }
        if !values(headers, "sec-websocket-accept").eq([accept_of(&self.key).as_str()]) {
            return Err(UpgradeError::WrongAccept);
        }
        if let Some(extension) = values(headers, "sec-websocket-extensions").next() {
            return Err(UpgradeError::NotOffered { what: format!("the extension {extension}") });
        }
        let mut chosen = values(headers, "sec-websocket-protocol");
        match (chosen.next(), chosen.next()) {
            (Some(SUBPROTOCOL), None) => Ok(()),
            (None, _) => Err(UpgradeError::NoSubprotocol),
            (Some(other), _) => {
                Err(UpgradeError::NotOffered { what: format!("the sub-protocol {other}") })
            }
        }
    }
}

fn meaning_of(status: u16, headers: &[Header<'_>], body: &str) -> UpgradeError {
    let words = || {
        let line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        line.chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect()
    };
    match status {
        200..=299 => UpgradeError::Page,
        300..=399 => {
            let location = values(headers, "location").next().unwrap_or_default().to_owned();
            UpgradeError::Redirect { status, location }
        }
        400 => UpgradeError::BadRequest { words: words() },
        401 => UpgradeError::Unauthorized,
        403 => UpgradeError::Forbidden,
        404 => UpgradeError::NotFound,
        426 => UpgradeError::UpgradeRequired,
        429 => UpgradeError::TooMany,
        502..=504 => UpgradeError::BadGateway { status },
        _ => UpgradeError::Other { status, words: words() },
    }
}

/// Characters of a foreign answer that an error repeats: enough for a sentence.
const WORDS_CHARS_MAX: usize = 200;
