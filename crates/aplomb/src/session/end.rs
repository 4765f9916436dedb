//! How a session ended: who did it, at which layer, a code to search for, and a remedy.

use std::borrow::Cow;
use std::io;

use aplomb_core::framing::bosh::Condition;
use aplomb_core::framing::{StreamCondition, StreamError};
use aplomb_core::sasl::Failure;
use aplomb_core::websocket::{Close, CloseCode, Violation};

use crate::link::Farewell;
use crate::mailbox::EndReason;

/// Why a session is over.
#[derive(Debug)]
pub(super) enum End {
    /// The client closed its stream in order.
    Left,
    /// The client closed the WebSocket without closing its stream.
    WebSocketClosed(Option<Close>),
    /// The connection ended without a close.
    Vanished,
    /// The client asked for TLS and the handshake failed.
    NoTls(String),
    /// The connection failed.
    Failed(io::Error),
    /// The client broke the rules of WebSocket.
    Violation(Violation),
    /// The client broke the rules of requests over HTTP.
    Refused(Condition),
    /// The client broke the rules of the stream, or said that we did.
    Stream(StreamError),
    /// The client could not prove who it is.
    LoginFailed(Failure),
    /// The client did not log in and bind in time.
    LoginTimeout,
    /// The server ended it.
    Told(EndReason),
    /// The client goes on with its stream over another connection.
    Resumed,
    /// The client gave no sign of life.
    Silent,
    /// The client took nothing of what was written to it.
    Stalled,
}

/// The place of the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    Tcp,
    Tls,
    WebSocket,
    Bosh,
    Xmpp,
    Auth,
    Policy,
}

impl Layer {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::WebSocket => "websocket",
            Self::Bosh => "bosh",
            Self::Xmpp => "xmpp",
            Self::Auth => "auth",
            Self::Policy => "policy",
        }
    }
}

/// What the log and the metrics say of an end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Who ended it: `client`, `server` or `network`.
    pub(super) by: &'static str,
    pub(super) layer: Layer,
    /// One of a small number of words.
    pub(super) code: &'static str,
    pub(super) remedy: &'static str,
}

impl End {
    /// Names the end.
    pub(super) fn verdict(&self) -> Verdict {
        let (by, layer, code, remedy) = match self {
            Self::Left => ("client", Layer::Xmpp, "left", "none: the client left in order"),
            Self::WebSocketClosed(close) => {
                let (code, remedy) = meaning_of(close.as_ref());
                ("client", Layer::WebSocket, code, remedy)
            }
            Self::Vanished => ("network", Layer::Tcp, "vanished", VANISHED),
            Self::NoTls(_) => ("network", Layer::Tls, "no-tls", NO_TLS),
            Self::Failed(error) => return verdict_of_io(error),
            Self::Violation(violation) => {
                let code = match violation.code {
                    CloseCode::UNSUPPORTED_DATA => "ws-binary",
                    CloseCode::INVALID_DATA => "ws-not-utf8",
                    CloseCode::TOO_BIG => "ws-too-big",
                    _ => "ws-protocol-error",
                };
                ("server", Layer::WebSocket, code, BROKEN_CLIENT)
            }
            Self::Refused(condition) => ("server", Layer::Bosh, condition.name(), OUT_OF_TURN),
            Self::Stream(error) => ("server", Layer::Xmpp, error.condition.name(), BROKEN_CLIENT),
            Self::LoginFailed(failure) => ("server", Layer::Auth, failure.name(), BAD_LOGIN),
            Self::LoginTimeout => ("server", Layer::Auth, "login-timeout", NO_LOGIN),
            Self::Told(EndReason::Conflict) => ("server", Layer::Policy, "conflict", CONFLICT),
            Self::Told(EndReason::SlowReader) => ("server", Layer::Policy, "slow-reader", SLOW),
            Self::Told(EndReason::Shutdown) => ("server", Layer::Policy, "shutdown", SHUTDOWN),
            Self::Told(EndReason::AccountChanged) => {
                ("server", Layer::Policy, "account-changed", ACCOUNT)
            }
            Self::Resumed => ("client", Layer::Xmpp, "resumed", RESUMED),
            Self::Silent => ("network", Layer::Tcp, "silent", SILENT),
            Self::Stalled => ("network", Layer::Tcp, "stalled", SLOW),
        };
        Verdict { by, layer, code, remedy }
    }

    /// Whether only the connection is lost, so that the client may come back for its stream. A
    /// WebSocket that was closed without `<close/>` is one (RFC 7395 §3.6).
    pub(super) const fn is_loss(&self) -> bool {
        match self {
            Self::WebSocketClosed(_)
            | Self::Vanished
            | Self::Failed(_)
            | Self::Refused(_)
            | Self::Silent
            | Self::Stalled => true,
            Self::Left
            | Self::NoTls(_)
            | Self::Violation(_)
            | Self::Stream(_)
            | Self::LoginFailed(_)
            | Self::LoginTimeout
            | Self::Told(_)
            | Self::Resumed => false,
        }
    }

    /// What else there is to say: the peer's words or the error's.
    pub(super) fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::WebSocketClosed(Some(close)) => {
                Cow::Owned(format!("{} {:?}", close.code, close.reason))
            }
            Self::NoTls(problem) => Cow::Owned(problem.clone()),
            Self::Failed(error) => Cow::Owned(error.to_string()),
            Self::Violation(violation) => Cow::Borrowed(violation.what),
            Self::Stream(error) => Cow::Owned(error.text.clone().unwrap_or_default()),
            Self::Left
            | Self::WebSocketClosed(None)
            | Self::Vanished
            | Self::Refused(_)
            | Self::LoginFailed(_)
            | Self::LoginTimeout
            | Self::Told(_)
            | Self::Resumed
            | Self::Silent
            | Self::Stalled => Cow::Borrowed(""),
        }
    }

    /// How the end is told; none if there is nobody to tell.
    pub(super) fn farewell(&self) -> Option<Farewell> {
        let (code, reason, is_answer_awaited) = match self {
            Self::Left => (CloseCode::NORMAL, "", true),
            Self::WebSocketClosed(close) => {
                let code = close.as_ref().map_or(CloseCode::NORMAL, |close| close.code);
                (code, "", false)
            }
            Self::Vanished
            | Self::NoTls(_)
            | Self::Failed(_)
            | Self::Refused(_)
            | Self::Silent
            | Self::Stalled => return None,
            Self::Violation(violation) => (violation.code, violation.what, false),
            Self::Stream(error) => (code_for(error.condition), error.condition.name(), true),
            Self::LoginFailed(_) => (CloseCode::POLICY_VIOLATION, "login failed", true),
            Self::LoginTimeout => (CloseCode::POLICY_VIOLATION, "login timed out", true),
            Self::Told(EndReason::Conflict) | Self::Resumed => {
                (CloseCode::NORMAL, "conflict", true)
            }
            Self::Told(EndReason::Shutdown) => (CloseCode::GOING_AWAY, "the server stops", true),
            Self::Told(EndReason::SlowReader) => {
                (CloseCode::POLICY_VIOLATION, "too slow a reader", true)
            }
            Self::Told(EndReason::AccountChanged) => {
                (CloseCode::POLICY_VIOLATION, "the account changed", true)
            }
        };
        Some(Farewell { code, reason, is_answer_awaited, condition: self.condition() })
    }

    /// What a client over HTTP is told; none if it left.
    fn condition(&self) -> Option<Condition> {
        match self {
            Self::Left => None,
            Self::Stream(error) => Some(Condition::of(error)),
            Self::Told(reason) => Some(Condition::of(&stream_error(*reason))),
            _ => Some(Condition::RemoteStreamError),
        }
    }
}

/// The stream error that tells the client of it.
pub(super) fn stream_error(reason: EndReason) -> StreamError {
    let (condition, text) = match reason {
        EndReason::Conflict => (StreamCondition::Conflict, None),
        EndReason::SlowReader => (StreamCondition::PolicyViolation, Some("too slow a reader")),
        EndReason::Shutdown => (StreamCondition::SystemShutdown, None),
        EndReason::AccountChanged => (StreamCondition::Reset, Some("the account changed")),
    };
    StreamError { condition, text: text.map(str::to_owned), detail: None }
}

fn verdict_of_io(error: &io::Error) -> Verdict {
    let is_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    let (layer, code, remedy) = match error.kind() {
        _ if is_tls => (Layer::Tls, "tls-error", TLS),
        // This is how the TLS library says that the peer ended TCP without ending TLS.
        io::ErrorKind::UnexpectedEof => (Layer::Tls, "vanished", VANISHED),
        io::ErrorKind::TimedOut => (Layer::Tcp, "timed-out", SILENT),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            (Layer::Tcp, "reset", VANISHED)
        }
        _ => (Layer::Tcp, "failed", VANISHED),
    };
    Verdict { by: "network", layer, code, remedy }
}

fn meaning_of(close: Option<&Close>) -> (&'static str, &'static str) {
    match close.map(|close| close.code.number()) {
        None => ("ws-closed", PAGE),
        Some(1000) => ("ws-closed-1000", PAGE),
        Some(1001) => ("ws-closed-1001", PAGE),
        Some(1002..=1015) => ("ws-closed-by-error", BROKEN_SERVER),
        Some(_) => ("ws-closed-by-application", "the detail has the application's own code"),
    }
}

fn code_for(condition: StreamCondition) -> CloseCode {
    match condition {
        StreamCondition::InternalServerError => CloseCode::INTERNAL_ERROR,
        StreamCondition::SystemShutdown => CloseCode::GOING_AWAY,
        StreamCondition::UnsupportedEncoding => CloseCode::INVALID_DATA,
        _ => CloseCode::POLICY_VIOLATION,
    }
}

const PAGE: &str = "none if the page was closed, left or reloaded; else see what the client logs";
const VANISHED: &str = "the client or a proxy between dropped the connection without a close: \
    compare the idle time-outs of proxies and firewalls with ping-after";
const SILENT: &str = "no sign of life: a laptop asleep, a network lost, or a firewall that \
    forgot the connection; the client must connect again";
const SLOW: &str = "the client does not read fast enough: its network or its page is stuck; \
    mailbox-letters and mailbox-bytes let more wait";
const BROKEN_CLIENT: &str = "the client, or a proxy that changes what passes, breaks the \
    protocol: the detail says how; report it to its maker";
const BROKEN_SERVER: &str = "the client found something wrong in what it got: a proxy changes it, \
    or the fault is ours; the detail says what";
const OUT_OF_TURN: &str = "requests over HTTP with a wrong number or key, too many or too often: \
    two pages with one session, or a proxy that repeats requests; the client must connect again";
const BAD_LOGIN: &str = "check the name and the password; too many wrong ones lock the account \
    for the time of lockout";
const NO_LOGIN: &str = "something connects and does not log in: a stuck client, a probe of a \
    load balancer, or a scanner";
const CONFLICT: &str = "the user logged in again with the same resource; give a second \
    connection another resource, and never reconnect on a conflict";
const RESUMED: &str = "none: the client came back over another connection and goes on there";
const SHUTDOWN: &str = "none: the server was stopped; clients connect again";
const ACCOUNT: &str = "log in again with the new password";
const NO_TLS: &str = "the client does not trust the certificate, or its TLS is too old; see the \
    detail and what the client logs";
const TLS: &str = "the peer or a middle box breaks TLS; see the detail";

#[cfg(test)]
mod tests {
    use super::*;

    const INTRODUCTION: &str = "\
# How a session ends

Made from the code; a test of `session::end` holds it against this page.

Every session that began ends in one log line, `session ended`, with these fields:

| field | meaning |
|---|---|
| `jid`, `peer` | who, as far as it was known, and the address |
| `by` | who ended it: `client`, `server` or `network` |
| `layer` | where: `tcp`, `tls`, `websocket`, `bosh`, `xmpp`, `auth` or `policy` |
| `code` | which of the ends below; `aplomb_session_ends_total` counts them |
| `detail` | the words of the peer or of the system |
| `age_secs` | seconds since the connection became a session |
| `last_in_secs`, `last_out_secs` | seconds since something came and since something was sent |
| `queue` | letters that were not delivered |
| `remedy` | what to do |

";

    /// One of each kind, in the order of the page.
    fn ends() -> Vec<End> {
        let io = |kind: io::ErrorKind| End::Failed(kind.into());
        let tls = rustls::Error::DecryptError;
        let closed = |number| {
            let code = CloseCode::new(number).expect("a code that may be sent");
            End::WebSocketClosed(Some(Close { code, reason: String::new() }))
        };
        let violation = |code| End::Violation(Violation { code, what: "" });
        let told = [
            EndReason::Conflict,
            EndReason::SlowReader,
            EndReason::AccountChanged,
            EndReason::Shutdown,
        ];
        let mut ends = vec![End::Left, End::Resumed, End::WebSocketClosed(None)];
        ends.extend([1000, 1001, 1002, 3000].map(closed));
        ends.extend([End::Vanished, io(io::ErrorKind::UnexpectedEof)]);
        ends.extend([io(io::ErrorKind::ConnectionReset), io(io::ErrorKind::TimedOut)]);
        ends.extend([io(io::ErrorKind::Other), End::Silent, End::Stalled]);
        ends.extend([End::NoTls(String::new()), End::Failed(io::Error::other(tls))]);
        ends.extend([
            violation(CloseCode::PROTOCOL_ERROR),
            violation(CloseCode::UNSUPPORTED_DATA),
            violation(CloseCode::INVALID_DATA),
            violation(CloseCode::TOO_BIG),
            End::Refused(Condition::ItemNotFound),
            End::Stream(StreamError::new(StreamCondition::NotWellFormed)),
            End::LoginFailed(Failure::NotAuthorized),
            End::LoginTimeout,
        ]);
        ends.extend(told.map(End::Told));
        ends
    }

    #[test]
    fn the_manual_page_lists_every_end() {
        let mut page = INTRODUCTION.to_owned();
        page.push_str("| code | layer | by | remedy |\n|---|---|---|---|\n");
        for end in ends() {
            let Verdict { by, layer, code, remedy } = end.verdict();
            let code = match end {
                End::Refused(_) => format!("`{code}` and the other conditions of XEP-0124 §17.2"),
                End::Stream(_) => format!("`{code}` and the other conditions of RFC 6120 §4.9.3"),
                End::LoginFailed(_) => format!("`{code}` and the others of RFC 6120 §6.5"),
                _ => format!("`{code}`"),
            };
            page.push_str(&format!("| {code} | {} | {by} | {remedy} |\n", layer.name()));
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/session-ends.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == page, "docs/session-ends.md is not current; it should be\n{page}");
    }

    #[test]
    fn whoever_can_still_hear_is_told_by_a_close() {
        for end in ends() {
            // A request that is refused is answered at once.
            let is_gone = matches!(end.verdict().layer, Layer::Tcp | Layer::Tls | Layer::Bosh);
            assert_eq!(end.farewell().is_none(), is_gone, "{end:?}");
        }
    }
}
