//! Close codes and the payload of a close frame (RFC 6455 §5.5.1, §7.4).

use std::fmt;

use super::Violation;

/// Why a connection closes (RFC 6455 §7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The work is done.
    pub const NORMAL: Self = Self(1000);
    /// The server stops, or the page goes away.
    pub const GOING_AWAY: Self = Self(1001);
    /// A frame that RFC 6455 forbids.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A kind of message that is not taken here: binary.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// A text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// Against a rule of this server.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// A message that is too big.
    pub const TOO_BIG: Self = Self(1009);
    /// Our fault.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// Come back later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The code `number`, if it may stand in a close frame.
    ///
    /// - Source: RFC 6455 §7.4.2 and the registry of IANA: 1000 to 1003 and 1007 to 1014 are
    ///   defined, 3000 to 4999 are for libraries and applications; 1004 to 1006 and 1015 must never
    ///   be sent, and everything else is reserved.
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(number)),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a close frame said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// Why.
    pub code: CloseCode,
    /// Words for a person; at most 123 bytes.
    pub reason: String,
}

impl Close {
    /// Reads the payload; an empty one gives no code.
    ///
    /// - Errors: a payload of one byte and a code that must not be sent are protocol errors, a
    ///   reason that is not UTF-8 is invalid data.
    pub(super) fn parse(payload: &[u8]) -> Result<Option<Self>, Violation> {
        let (code, reason) = match payload {
            [] => return Ok(None),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
            [_] => return Err(Violation::new(CloseCode::PROTOCOL_ERROR, HALF_A_CODE)),
        };
        let code = CloseCode::new(code)
            .ok_or(Violation::new(CloseCode::PROTOCOL_ERROR, FORBIDDEN_CODE))?;
        let reason = std::str::from_utf8(reason)
            .map_err(|_| Violation::new(CloseCode::INVALID_DATA, REASON_NOT_UTF8))?;
        Ok(Some(Self { code, reason: reason.to_owned() }))
    }
}

const HALF_A_CODE: &str = "a close frame with half a code (RFC 6455 §5.5.1)";
const FORBIDDEN_CODE: &str = "a close code that must not be sent (RFC 6455 §7.4)";
const REASON_NOT_UTF8: &str = "a close reason that is not UTF-8 (RFC 6455 §5.5.1)";
