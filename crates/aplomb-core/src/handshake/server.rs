//! The server's side: may this request become a WebSocket that carries XMPP, or a feed?

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{
    FEED_SUBPROTOCOL, Header, Origin, SUBPROTOCOL, VERSION, accept_of, has_token,
    origin::OriginError, tokens, values,
};
use crate::limits::WS_SUBPROTOCOLS_MAX;

/// A request for the path of the WebSocket.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// Whether the request is of HTTP/1.1; only there an upgrade exists.
    pub is_http_1_1: bool,
    /// Whether the connection to us is TLS.
    pub is_tls: bool,
    /// The headers, in order.
    pub headers: &'a [Header<'a>],
}

/// What the WebSocket of a path carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// XMPP; a client must offer its sub-protocol (RFC 7395 §3.1).
    Xmpp,
    /// A feed; a client offers its sub-protocol, or none.
    Feed,
}

/// The request is a good one: answer 101 with these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// `Sec-WebSocket-Accept`.
    pub accept: String,
    /// `Sec-WebSocket-Protocol`, unless the client offered none.
    pub subprotocol: Option<&'static str>,
}

impl Accepted {
    /// The headers of the 101.
    ///
    /// COMPAT: reverse proxies of Finesse: the client may offer `xmpp, <authorization>`; only the
    /// name is echoed, never what stands beside it.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let subprotocol = self.subprotocol.map(|name| ("sec-websocket-protocol", name));
        [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-accept", self.accept.as_str()),
        ]
        .into_iter()
        .chain(subprotocol)
    }
}

/// Why a request does not become a WebSocket. The text is the body of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Some other method than GET.
    #[error("This is a WebSocket: ask with GET.")]
    Method,
    /// A plain request, by a browser or curl.
    #[error(
        "This is a WebSocket, not a page. Connect with a WebSocket client; one for XMPP offers the \
         sub-protocol \"xmpp\". A proxy in between must pass the headers Upgrade and Connection on."
    )]
    NotAnUpgrade,
    /// HTTP/1.0 or HTTP/2.
    #[error("The WebSocket needs HTTP/1.1; a proxy in between must speak it to us too.")]
    HttpVersion,
    /// Some other version of WebSocket than 13.
    #[error("The only version of WebSocket spoken here is 13 (RFC 6455).")]
    Version,
    /// No key, two keys, or one that is not 16 bytes in base64.
    #[error("Sec-WebSocket-Key must be there once and hold 16 bytes in base64 (RFC 6455 §4.1).")]
    Key,
    /// No `Host`, or two.
    #[error("Host must be there once (RFC 9112 §3.2).")]
    Host,
    /// The sub-protocol `xmpp` is not among those offered, or far too many are.
    #[error(
        "Sec-WebSocket-Protocol must offer \"xmpp\" (RFC 7395 §3.1). If the client did, a proxy \
         dropped the header."
    )]
    Subprotocol,
    /// Sub-protocols are offered, and that of the feed is not among them, or far too many are.
    #[error("This feed speaks the sub-protocol \"aplomb.feed\"; offer that one, or none.")]
    FeedSubprotocol,
    /// A page from elsewhere, or one that hides where it is from.
    #[error(
        "The page's origin may not connect here. The server's administrator can allow it with \
         --allowed-origins, or `allowed-origins` in the file."
    )]
    Origin,
    /// A body, or something that could be read as one.
    #[error("A request for a WebSocket has no body.")]
    Body,
}

impl Refusal {
    /// The status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::NotAnUpgrade | Self::HttpVersion | Self::Version => 426,
            Self::Key | Self::Host | Self::Subprotocol | Self::FeedSubprotocol | Self::Body => 400,
            Self::Origin => 403,
        }
    }

    /// The headers that tell a client what to do instead.
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Method => &[("allow", "GET")],
            Self::NotAnUpgrade | Self::HttpVersion => {
                &[("upgrade", "websocket"), ("connection", "Upgrade")]
            }
            Self::Version => &[
                ("upgrade", "websocket"),
                ("connection", "Upgrade"),
                ("sec-websocket-version", VERSION),
            ],
            Self::Key
            | Self::Host
            | Self::Subprotocol
            | Self::FeedSubprotocol
            | Self::Origin
            | Self::Body => &[],
        }
    }
}

/// Checks a request; `allowed` are the origins besides the server's own.
///
/// - Errors: [`Refusal`] has the status, the headers and the text of the answer.
/// - Source: RFC 6455 §4.2.1, §10.2; RFC 7395 §3.1.
pub fn check_request(
    request: &Request<'_>,
    allowed: &[Origin],
    carries: Carries,
) -> Result<Accepted, Refusal> {
    let headers = request.headers;
    if request.method != "GET" {
        return Err(Refusal::Method);
    }
    if !request.is_http_1_1 {
        return Err(Refusal::HttpVersion);
    }
    if !has_token(headers, "upgrade", "websocket") || !has_token(headers, "connection", "upgrade") {
        return Err(Refusal::NotAnUpgrade);
    }
    if !values(headers, "sec-websocket-version").eq([VERSION]) {
        return Err(Refusal::Version);
    }
    if values(headers, "transfer-encoding").next().is_some()
        || values(headers, "content-length").any(|length| length != "0")
    {
        return Err(Refusal::Body);
    }
    let host = only(values(headers, "host")).ok_or(Refusal::Host)?;
    check_origin(request, host, allowed)?;
    let key = only(values(headers, "sec-websocket-key")).ok_or(Refusal::Key)?;
    if STANDARD.decode(key).map_or(0, |bytes| bytes.len()) != 16 {
        return Err(Refusal::Key);
    }
    Ok(Accepted { accept: accept_of(key), subprotocol: subprotocol(headers, carries)? })
}

/// Passes a client that is no page, a page of this very server, and an allowed one.
fn check_origin(request: &Request<'_>, host: &str, allowed: &[Origin]) -> Result<(), Refusal> {
    let mut origins = values(request.headers, "origin");
    let Some(origin) = origins.next() else { return Ok(()) };
    if origins.next().is_some() {
        return Err(Refusal::Origin);
    }
    let origin: Origin = origin.parse().map_err(|_: OriginError| Refusal::Origin)?;
    if origin.is_same_host(host, request.is_tls) || allowed.contains(&origin) {
        Ok(())
    } else {
        Err(Refusal::Origin)
    }
}

/// Chooses what the client offered, if that may be.
fn subprotocol(headers: &[Header<'_>], carries: Carries) -> Result<Option<&'static str>, Refusal> {
    let offered = || tokens(headers, "sec-websocket-protocol").take(WS_SUBPROTOCOLS_MAX + 1);
    let is_bounded = offered().count() <= WS_SUBPROTOCOLS_MAX;
    let offers = |name| is_bounded && offered().any(|other| other == name);
    match carries {
        Carries::Xmpp if offers(SUBPROTOCOL) => Ok(Some(SUBPROTOCOL)),
        Carries::Xmpp => Err(Refusal::Subprotocol),
        Carries::Feed if offers(FEED_SUBPROTOCOL) => Ok(Some(FEED_SUBPROTOCOL)),
        Carries::Feed if offered().next().is_none() => Ok(None),
        Carries::Feed => Err(Refusal::FeedSubprotocol),
    }
}

/// The one value; none if there are two.
fn only<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    values.next().filter(|value| !value.is_empty() && values.next().is_none())
}
