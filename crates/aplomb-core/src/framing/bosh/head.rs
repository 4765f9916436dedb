//! The start tag of a request: what it says about the session, not what it carries.

use crate::limits::BOSH_HEAD_BYTES_MAX;
use crate::ns;
use crate::xml::{Element, Item, Reader};

/// What the wrapper of a request says (XEP-0124 §7.1 and §8 to §15).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The number of the request.
    pub rid: u64,
    /// The session; none asks for a new one.
    pub sid: Option<String>,
    /// Seconds that the client wants an answer to be waited for.
    pub wait_secs: Option<u64>,
    /// Requests that the client wants to be held.
    pub hold: Option<u64>,
    /// The version of BOSH; a client without one knows only HTTP's own errors.
    pub version: Option<String>,
    /// Seconds for which the client wants to be away.
    pub pause_secs: Option<u64>,
    /// Whether the session ends with what this request carries.
    pub is_terminate: bool,
    /// Whether the stream starts anew (XEP-0206 §5).
    pub is_restart: bool,
    /// The key of this request (XEP-0124 §15.4).
    pub key: Option<String>,
    /// The first key of another sequence, or of the first one.
    pub new_key: Option<String>,
    /// Whether the request carries nothing.
    pub is_empty: bool,
}

impl Head {
    /// Reads the start tag of a whole request; none if that is no `<body/>` or has values that
    /// make no sense.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut rest = body;
        let item = Reader::new("").read(&mut rest, BOSH_HEAD_BYTES_MAX).ok()?;
        let Some(Item::Start(header)) = item else { return None };
        let content = rest.trim_ascii_start();
        let is_empty = [&b"</"[..], b"/>", b">"].iter().any(|end| content.starts_with(end));
        Some(Self { is_empty: is_empty || content.is_empty(), ..Self::of(&header)? })
    }

    /// What a start tag says; `is_empty` is not known from it.
    pub(super) fn of(header: &Element) -> Option<Self> {
        let text = |name| header.attr(name).map(str::to_owned);
        let number = |name| match header.attr(name).map(str::parse::<u64>) {
            Some(number) => number.map(Some).map_err(drop),
            None => Ok(None),
        };
        let head = Self {
            rid: number("rid").ok()??,
            sid: text("sid"),
            wait_secs: number("wait").ok()?,
            hold: number("hold").ok()?,
            version: text("ver"),
            pause_secs: number("pause").ok()?,
            is_terminate: header.attr("type") == Some("terminate"),
            is_restart: matches!(header.attr_in(ns::XBOSH, "restart"), Some("true" | "1")),
            key: text("key"),
            new_key: text("newkey"),
            is_empty: false,
        };
        let is_body = header.is(ns::HTTP_BIND, "body") && (1..=RID_MAX).contains(&head.rid);
        is_body.then_some(head)
    }

    /// Whether the request begins a stream, the session's first or a new one after login.
    pub const fn opens_stream(&self) -> bool {
        self.sid.is_none() || self.is_restart
    }
}

/// The highest number of a request: 2^53 - 1, as far as JavaScript counts (XEP-0124 §14.1).
const RID_MAX: u64 = (1 << 53) - 1;
