//! The grammar of a stream: what may legally come next (RFC 6120 §4.3, RFC 7395 §3).
//!
//! A stream has two legs. The first ends in a login; then it is opened anew, and the second ends
//! in a bound resource. A login in the words of SASL2 opens nothing anew, and may bring the
//! resource with it (XEP-0388, XEP-0386).

use std::fmt;

use crate::framing::Frame;
use crate::ns;
use crate::xml::Element;

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who opened the connection.
    Client,
    /// Who accepted it.
    Server,
}

/// Before or after login: both legs begin with an `open` and features (RFC 6120 §4.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// Nobody is logged in yet.
    Login,
    /// The client is logged in and has no resource yet.
    Bind,
    /// It got its resource with its login: there are features yet to come, and nothing else.
    Arrival,
}

/// In whose words a login is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// RFC 6120 §6.
    #[default]
    Sasl,
    /// XEP-0388.
    Sasl2,
}

impl Profile {
    /// The namespace of its elements.
    pub const fn ns(self) -> &'static str {
        match self {
            Self::Sasl => ns::SASL,
            Self::Sasl2 => ns::SASL2,
        }
    }
}

/// Where a stream is; named for what it expects, or for what has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The client must open.
    ExpectOpen(Leg),
    /// The server must open too.
    ExpectAnswer(Leg),
    /// The server must send its features.
    ExpectFeatures(Leg),
    /// The client must choose a mechanism, or TLS first.
    ExpectAuth,
    /// The server must agree to TLS, or refuse it; after it everything begins anew.
    ExpectTls,
    /// The server must accept, refuse or challenge.
    ExpectVerdict(Profile),
    /// The client must answer a challenge, or give up.
    ExpectResponse(Profile),
    /// The client must bind.
    ExpectBind,
    /// The server must answer the bind.
    ExpectBound,
    /// The server must say whether a lost stream goes on here.
    ExpectResumed,
    /// Stanzas, either way, at any time.
    Bound,
    /// The server opened a stream that it refuses, and must say why.
    ExpectError,
    /// This side sent a stream error and must close.
    ExpectClose(Side),
    /// This side closed; the other may still have something on its way.
    Closing(Side),
    /// Both sides closed.
    Closed,
}

/// A frame as the grammar sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `<open/>`.
    Open,
    /// `<close/>`.
    Close,
    /// `<stream:features/>`.
    Features,
    /// `<stream:error/>`.
    Error,
    /// The client's `<starttls/>`.
    StartTls,
    /// The server's `<proceed/>`.
    Proceed,
    /// The server's `<failure/>` of TLS.
    TlsFailure,
    /// The client's `<auth/>` or `<authenticate/>`.
    Auth(Profile),
    /// The client's `<response/>` or `<abort/>`.
    Response(Profile),
    /// The server's `<challenge/>`.
    Challenge(Profile),
    /// The server's `<success/>`.
    Success(Profile),
    /// The server's `<success/>` with an address in it.
    Arrival,
    /// The server's `<failure/>`.
    Failure(Profile),
    /// A stanza that asks for a resource.
    Bind,
    /// An iq that answers with a result.
    Result,
    /// An iq that answers with an error.
    Refusal,
    /// Any other stanza.
    Stanza,
    /// The client's `<enable/>` of stream management.
    Enable,
    /// The client's `<resume/>`, in the place of a bind.
    Resume,
    /// The server's `<enabled/>`.
    Enabled,
    /// The server's `<resumed/>`.
    Resumed,
    /// The server's `<failed/>`.
    Unmanaged,
    /// `<r/>` or `<a/>`.
    Acknowledge,
    /// The client's `<active/>` or `<inactive/>`.
    ClientState,
    /// Anything else.
    Unknown,
}

/// A step that the grammar does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where the stream was.
    pub phase: Phase,
    /// Who broke it.
    pub from: Side,
    /// What came.
    pub came: String,
    /// What was legal.
    pub legal: &'static str,
    /// The section of the standard.
    pub source: &'static str,
}

impl Phase {
    /// Where every stream begins.
    pub const START: Self = Self::ExpectOpen(Leg::Login);

    /// Takes one frame from one side.
    ///
    /// - Errors: a [`Violation`]; the phase stays.
    pub fn step(self, from: Side, frame: &Frame) -> Result<Self, Violation> {
        self.next(from, Step::of(frame)).ok_or_else(|| {
            let (legal, source) = self.legal();
            Violation { phase: self, from, came: came(frame), legal, source }
        })
    }

    fn next(self, from: Side, step: Step) -> Option<Self> {
        use Side::{Client, Server};
        use Step as S;
        Some(match (self, from, step) {
            (Self::ExpectOpen(leg), Client, S::Open) => Self::ExpectAnswer(leg),
            (Self::ExpectAnswer(leg), Server, S::Open) => Self::ExpectFeatures(leg),
            (Self::ExpectFeatures(Leg::Login), Server, S::Features) => Self::ExpectAuth,
            (Self::ExpectFeatures(Leg::Bind), Server, S::Features) => Self::ExpectBind,
            (Self::ExpectFeatures(Leg::Arrival), Server, S::Features) => Self::Bound,

            (Self::ExpectAuth, Client, S::StartTls) => Self::ExpectTls,
            (Self::ExpectTls, Server, S::Proceed) => Self::START,
            // RFC 6120 §5.4.2.2.
            (Self::ExpectTls, Server, S::TlsFailure) => Self::ExpectClose(Server),

            (Self::ExpectAuth | Self::ExpectVerdict(_) | Self::ExpectResponse(_), _, step)
                if step.is_login() =>
            {
                return self.next_of_login(from, step);
            }

            (Self::ExpectBind, Client, S::Bind) => Self::ExpectBound,
            (Self::ExpectBound, Server, S::Result) => Self::Bound,
            (Self::ExpectBound, Server, S::Refusal) => Self::ExpectBind,
            (Self::Bound, _, S::Bind | S::Result | S::Refusal | S::Stanza) => Self::Bound,

            // XEP-0198 §3 to §5; what is asked in the wrong place is refused, and that is all.
            (Self::ExpectBind, Client, S::Enable) => Self::ExpectBind,
            (Self::ExpectBind, Client, S::Resume) => Self::ExpectResumed,
            (Self::ExpectResumed, Server, S::Resumed) => Self::Bound,
            (Self::ExpectBind | Self::ExpectResumed, Server, S::Unmanaged) => Self::ExpectBind,
            (Self::Bound, Client, S::Enable | S::Resume) => Self::Bound,
            (Self::Bound, Server, S::Enabled | S::Unmanaged) => Self::Bound,
            (Self::Bound, _, S::Acknowledge) => Self::Bound,
            // XEP-0352 §4.2.
            (Self::Bound, Client, S::ClientState) => Self::Bound,

            // A stream that goes wrong while it opens is opened first (RFC 7395 §3.5).
            (Self::ExpectOpen(_), Server, S::Open) => Self::ExpectError,

            (Self::Closed, _, _) => return None,
            (Self::Closing(closed), from, S::Close) if from != closed => Self::Closed,
            (Self::Closing(closed), from, _) if from == closed => return None,
            (Self::Closing(closed), _, _) => Self::Closing(closed),
            (Self::ExpectClose(failed), from, step) if from == failed => {
                return (step == S::Close).then_some(Self::Closing(failed));
            }
            (Self::ExpectClose(_), from, S::Close) => Self::Closing(from),
            (Self::ExpectClose(failed), _, _) => Self::ExpectClose(failed),

            // Before its own open the server has no stream in which it could say an error.
            (Self::ExpectOpen(_) | Self::ExpectAnswer(_), Server, S::Error) => return None,
            (_, from, S::Error) => Self::ExpectClose(from),
            (_, from, S::Close) => Self::Closing(from),
            _ => return None,
        })
    }

    /// Goes on with a login in the words in which it began.
    fn next_of_login(self, from: Side, step: Step) -> Option<Self> {
        use Side::{Client, Server};
        use Step as S;
        Some(match (self, from, step) {
            (Self::ExpectAuth, Client, S::Auth(words)) => Self::ExpectVerdict(words),
            (Self::ExpectVerdict(begun), Server, S::Challenge(words)) if words == begun => {
                Self::ExpectResponse(words)
            }
            (Self::ExpectResponse(begun), Client, S::Response(words)) if words == begun => {
                Self::ExpectVerdict(words)
            }
            (Self::ExpectVerdict(begun), Server, S::Failure(words)) if words == begun => {
                Self::ExpectAuth
            }
            (Self::ExpectVerdict(begun), Server, S::Success(words)) if words == begun => {
                match words {
                    Profile::Sasl => Self::ExpectOpen(Leg::Bind),
                    Profile::Sasl2 => Self::ExpectFeatures(Leg::Bind),
                }
            }
            (Self::ExpectVerdict(Profile::Sasl2), Server, S::Arrival) => {
                Self::ExpectFeatures(Leg::Arrival)
            }
            _ => return None,
        })
    }

    /// What may come, and where the standard says so.
    const fn legal(self) -> (&'static str, &'static str) {
        match self {
            Self::ExpectOpen(Leg::Login) => (
                "<open/>, over TCP <stream:stream>, from the client",
                "RFC 7395 §3.4, RFC 6120 §4.2",
            ),
            Self::ExpectOpen(Leg::Bind | Leg::Arrival) => {
                ("a new <open/> from the client after its login", "RFC 6120 §6.4.6, RFC 7395 §3.7")
            }
            Self::ExpectAnswer(_) => ("<open/> from the server", "RFC 7395 §3.4"),
            Self::ExpectFeatures(_) => ("<stream:features/> from the server", "RFC 6120 §4.3.2"),
            Self::ExpectAuth => ("<auth/> from the client", "RFC 6120 §6.4.2"),
            Self::ExpectTls => ("<proceed/> or <failure/> from the server", "RFC 6120 §5.4.2"),
            Self::ExpectVerdict(words) => (
                "<success/>, <failure/> or <challenge/> from the server",
                match words {
                    Profile::Sasl => "RFC 6120 §6.4.3 to §6.4.6",
                    Profile::Sasl2 => "XEP-0388 §2.5 and §2.6",
                },
            ),
            Self::ExpectResponse(words) => (
                "<response/> or <abort/> from the client",
                match words {
                    Profile::Sasl => "RFC 6120 §6.4.4",
                    Profile::Sasl2 => "XEP-0388 §2.5",
                },
            ),
            Self::ExpectBind => ("an iq with <bind/> from the client", "RFC 6120 §7.6"),
            Self::ExpectResumed => ("<resumed/> or <failed/> from the server", "XEP-0198 §5"),
            Self::ExpectBound => ("the server's answer to the bind", "RFC 6120 §7.6.1"),
            Self::Bound => ("<iq/>, <message/> or <presence/>", "RFC 6120 §8"),
            Self::ExpectError => ("<stream:error/> from the server", "RFC 7395 §3.5"),
            Self::ExpectClose(_) => ("<close/> after the stream error", "RFC 6120 §4.9.1.1"),
            Self::Closing(_) => ("<close/> from the other side", "RFC 7395 §3.6"),
            Self::Closed => ("nothing: both sides have closed", "RFC 7395 §3.6"),
        }
    }
}

impl Step {
    /// What `frame` is to the grammar.
    pub fn of(frame: &Frame) -> Self {
        match frame {
            Frame::Open(_) => Self::Open,
            Frame::Close(_) => Self::Close,
            Frame::Element(element) => Self::of_element(element),
        }
    }

    /// What `element` is to the grammar.
    pub fn of_element(element: &Element) -> Self {
        match (element.ns(), element.name()) {
            (ns::STREAMS, "features") => Self::Features,
            (ns::STREAMS, "error") => Self::Error,
            (ns::TLS, "starttls") => Self::StartTls,
            (ns::TLS, "proceed") => Self::Proceed,
            (ns::TLS, "failure") => Self::TlsFailure,
            (ns::SASL, "auth") => Self::Auth(Profile::Sasl),
            (ns::SASL2, "authenticate") => Self::Auth(Profile::Sasl2),
            (ns::SASL2, "success") if has_address(element) => Self::Arrival,
            (ns::SASL | ns::SASL2, name) => Self::of_sasl(element.ns(), name),
            (ns::MANAGEMENT, "enable") => Self::Enable,
            (ns::MANAGEMENT, "resume") => Self::Resume,
            (ns::MANAGEMENT, "enabled") => Self::Enabled,
            (ns::MANAGEMENT, "resumed") => Self::Resumed,
            (ns::MANAGEMENT, "failed") => Self::Unmanaged,
            (ns::MANAGEMENT, "r" | "a") => Self::Acknowledge,
            (ns::CLIENT_STATE, "active" | "inactive") => Self::ClientState,
            (ns::CLIENT, "iq") => Self::of_iq(element),
            (ns::CLIENT, "message" | "presence") => Self::Stanza,
            _ => Self::Unknown,
        }
    }

    const fn is_login(self) -> bool {
        matches!(
            self,
            Self::Auth(_)
                | Self::Response(_)
                | Self::Challenge(_)
                | Self::Success(_)
                | Self::Arrival
                | Self::Failure(_)
        )
    }

    fn of_sasl(ns: &str, name: &str) -> Self {
        let words = if ns == ns::SASL { Profile::Sasl } else { Profile::Sasl2 };
        match name {
            "response" | "abort" => Self::Response(words),
            "challenge" => Self::Challenge(words),
            "success" => Self::Success(words),
            "failure" => Self::Failure(words),
            _ => Self::Unknown,
        }
    }

    fn of_iq(iq: &Element) -> Self {
        match iq.attr("type") {
            Some("set") if iq.child(ns::BIND, "bind").is_some() => Self::Bind,
            Some("result") => Self::Result,
            Some("error") => Self::Refusal,
            _ => Self::Stanza,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "the client",
            Self::Server => "the server",
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, came, legal, source, .. } = self;
        write!(f, "{came} came from {from}, where only {legal} is legal ({source})")
    }
}

/// Whether a success says where the client is: newly bound, or where it was before.
fn has_address(success: &Element) -> bool {
    success.child(ns::BIND2, "bound").is_some()
        || success.child(ns::MANAGEMENT, "resumed").is_some()
}

fn came(frame: &Frame) -> String {
    match frame {
        Frame::Open(_) => "<open/>".to_owned(),
        Frame::Close(_) => "<close/>".to_owned(),
        Frame::Element(element) => {
            // A peer's names are of any length; a report is not.
            let short = |text: &str| text.chars().take(80).collect::<String>();
            format!("<{}/> in {:?}", short(element.name()), short(element.ns()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Side::{Client, Server};
    use super::*;
    use crate::framing::{Close, Open};
    use crate::stream::bind;

    fn sasl(name: &'static str) -> Frame {
        Frame::Element(Element::new(ns::SASL, name))
    }

    fn sasl2(name: &'static str) -> Frame {
        Frame::Element(Element::new(ns::SASL2, name))
    }

    fn arrival(child: Element) -> Frame {
        Frame::Element(Element::new(ns::SASL2, "success").with_child(child))
    }

    fn tls(name: &'static str) -> Frame {
        Frame::Element(Element::new(ns::TLS, name))
    }

    fn streams(name: &'static str) -> Frame {
        Frame::Element(Element::new(ns::STREAMS, name))
    }

    fn managed(name: &'static str) -> Frame {
        Frame::Element(Element::new(ns::MANAGEMENT, name))
    }

    fn iq(kind: &str) -> Frame {
        let iq = Element::new(ns::CLIENT, "iq").with_attr("type", kind);
        Frame::Element(if kind == "set" { iq.with_child(bind::request(None)) } else { iq })
    }

    fn every_frame() -> Vec<Frame> {
        let mut frames = vec![Frame::Open(Open::default()), Frame::Close(Close::default())];
        frames.extend(["features", "error"].map(streams));
        let names = ["auth", "response", "abort", "challenge", "success", "failure", "other"];
        frames.extend(names.map(sasl));
        let names = ["authenticate", "response", "abort", "challenge", "success", "failure"];
        frames.extend(names.map(sasl2));
        frames.push(arrival(Element::new(ns::BIND2, "bound")));
        frames.extend(["starttls", "proceed", "failure"].map(tls));
        frames.extend(["set", "get", "result", "error"].map(iq));
        frames.push(Frame::Element(Element::new(ns::CLIENT, "presence")));
        let names = ["enable", "resume", "enabled", "resumed", "failed", "r", "a"];
        frames.extend(names.map(managed));
        frames
    }

    /// Walks `steps` from the start; the last may be the phase it ends in.
    fn walk(steps: &[(Side, Frame)]) -> Result<Phase, Violation> {
        let start = Phase::ExpectOpen(Leg::Login);
        steps.iter().try_fold(start, |phase, (from, frame)| phase.step(*from, frame))
    }

    fn login() -> Vec<(Side, Frame)> {
        vec![
            (Client, Frame::Open(Open::default())),
            (Server, Frame::Open(Open::default())),
            (Server, streams("features")),
            (Client, sasl("auth")),
            (Server, sasl("success")),
            (Client, Frame::Open(Open::default())),
            (Server, Frame::Open(Open::default())),
            (Server, streams("features")),
            (Client, iq("set")),
            (Server, iq("result")),
        ]
    }

    #[test]
    fn the_whole_walk_is_legal_and_ends_bound() {
        let steps = login();
        assert_eq!(walk(&steps), Ok(Phase::Bound));
        assert_eq!(walk(&steps[..5]), Ok(Phase::ExpectOpen(Leg::Bind)));
    }

    #[test]
    fn in_each_phase_only_what_it_expects_goes_on() {
        let steps = login();
        for taken in 0..steps.len() {
            let phase = walk(&steps[..taken]).unwrap();
            let went_on: Vec<String> = every_frame()
                .iter()
                .flat_map(|frame| [Client, Server].map(|from| (from, frame)))
                .filter(|(_, frame)| !matches!(Step::of(frame), Step::Close | Step::Error))
                .filter(|(from, frame)| phase.step(*from, frame).is_ok())
                .map(|(from, frame)| format!("{from:?} {:?}", Step::of(frame)))
                .collect();
            let expected: &[&str] = match phase {
                Phase::ExpectOpen(_) => &["Client Open", "Server Open"],
                Phase::ExpectAnswer(_) => &["Server Open"],
                Phase::ExpectFeatures(_) => &["Server Features"],
                Phase::ExpectAuth => {
                    &["Client Auth(Sasl)", "Client Auth(Sasl2)", "Client StartTls"]
                }
                Phase::ExpectVerdict(_) => {
                    &["Server Challenge(Sasl)", "Server Success(Sasl)", "Server Failure(Sasl)"]
                }
                Phase::ExpectBind => {
                    &["Client Bind", "Client Enable", "Client Resume", "Server Unmanaged"]
                }
                Phase::ExpectBound => &["Server Result", "Server Refusal"],
                other => panic!("the walk does not pass {other:?}"),
            };
            assert_eq!(went_on, expected, "{phase:?}");
        }
    }

    #[test]
    fn after_tls_everything_begins_anew() {
        let mut steps = login()[..3].to_vec();
        steps.push((Client, tls("starttls")));
        assert_eq!(walk(&steps), Ok(Phase::ExpectTls));
        assert!(Phase::ExpectTls.step(Client, &sasl("auth")).is_err());
        let refused = [&steps[..], &[(Server, tls("failure"))]].concat();
        assert_eq!(walk(&refused), Ok(Phase::ExpectClose(Server)));
        steps.push((Server, tls("proceed")));
        steps.extend(login());
        assert_eq!(walk(&steps), Ok(Phase::Bound));
    }

    #[test]
    fn a_challenge_asks_for_a_response() {
        let mut steps = login()[..4].to_vec();
        steps.push((Server, sasl("challenge")));
        assert_eq!(walk(&steps), Ok(Phase::ExpectResponse(Profile::Sasl)));
        steps.push((Client, sasl("abort")));
        steps.push((Server, sasl("failure")));
        assert_eq!(walk(&steps), Ok(Phase::ExpectAuth));
    }

    #[test]
    fn a_login_stays_in_the_words_in_which_it_began() {
        let mut steps = login()[..3].to_vec();
        steps.push((Client, sasl2("authenticate")));
        let verdict = walk(&steps).unwrap();
        assert_eq!(verdict, Phase::ExpectVerdict(Profile::Sasl2));
        for name in ["challenge", "success", "failure"] {
            assert!(verdict.step(Server, &sasl(name)).is_err(), "{name}");
        }
        steps.push((Server, sasl2("challenge")));
        let response = walk(&steps).unwrap();
        assert!(response.step(Client, &sasl("response")).is_err());
        assert!(response.step(Client, &sasl2("authenticate")).is_err());
        assert_eq!(response.step(Client, &sasl2("response")), Ok(verdict));
        assert_eq!(verdict.step(Server, &sasl2("failure")), Ok(Phase::ExpectAuth));
        assert!(walk(&login()[..4]).unwrap().step(Server, &sasl2("success")).is_err());
    }

    #[test]
    fn sasl2_opens_nothing_anew_and_may_bring_an_address() {
        let mut steps = login()[..3].to_vec();
        steps.push((Client, sasl2("authenticate")));
        for (success, then) in [
            (sasl2("success"), Phase::ExpectBind),
            (arrival(Element::new(ns::BIND2, "bound")), Phase::Bound),
            (arrival(Element::new(ns::MANAGEMENT, "resumed")), Phase::Bound),
            (arrival(Element::new(ns::MANAGEMENT, "failed")), Phase::ExpectBind),
        ] {
            let phase = walk(&[&steps[..], &[(Server, success)]].concat()).unwrap();
            assert!(phase.step(Client, &Frame::Open(Open::default())).is_err());
            assert!(phase.step(Client, &sasl2("authenticate")).is_err());
            assert_eq!(phase.step(Server, &streams("features")), Ok(then));
        }
    }

    #[test]
    fn a_refused_bind_may_be_tried_again() {
        let mut steps = login()[..9].to_vec();
        steps.push((Server, iq("error")));
        assert_eq!(walk(&steps), Ok(Phase::ExpectBind));
    }

    #[test]
    fn a_stream_goes_on_in_the_place_of_a_bind_or_is_bound_after_all() {
        let mut steps = login()[..8].to_vec();
        steps.push((Client, managed("resume")));
        assert_eq!(walk(&steps), Ok(Phase::ExpectResumed));
        assert!(Phase::ExpectResumed.step(Client, &iq("set")).is_err());
        let resumed = [&steps[..], &[(Server, managed("resumed"))]].concat();
        assert_eq!(walk(&resumed), Ok(Phase::Bound));
        steps.push((Server, managed("failed")));
        assert_eq!(walk(&steps), Ok(Phase::ExpectBind));
    }

    #[test]
    fn an_error_is_followed_by_a_close_and_nothing_else() {
        let mut steps = login();
        steps.push((Server, streams("error")));
        let phase = walk(&steps).unwrap();
        assert_eq!(phase, Phase::ExpectClose(Server));
        assert!(phase.step(Server, &iq("get")).is_err());
        assert_eq!(phase.step(Client, &iq("get")), Ok(phase), "it was on its way");
        let phase = phase.step(Server, &Frame::Close(Close::default())).unwrap();
        assert!(phase.step(Server, &iq("get")).is_err());
        assert_eq!(phase.step(Client, &Frame::Close(Close::default())), Ok(Phase::Closed));
    }

    #[test]
    fn a_server_that_refuses_an_open_opens_first() {
        let open = Frame::Open(Open::default());
        assert_eq!(walk(&[(Server, streams("error"))]).unwrap_err().from, Server);
        let steps = [(Server, open), (Server, streams("error"))];
        assert_eq!(walk(&steps), Ok(Phase::ExpectClose(Server)));
    }

    #[test]
    fn nothing_comes_after_both_closed() {
        for frame in every_frame() {
            assert!(Phase::Closed.step(Client, &frame).is_err(), "{frame:?}");
        }
    }

    #[test]
    fn a_violation_says_what_was_legal_what_came_from_whom_and_where_it_is_written() {
        let presence = Frame::Element(Element::new(ns::CLIENT, "presence"));
        let violation = Phase::ExpectAuth.step(Client, &presence).unwrap_err();
        assert_eq!(
            violation.to_string(),
            "<presence/> in \"jabber:client\" came from the client, \
             where only <auth/> from the client is legal (RFC 6120 §6.4.2)"
        );
    }
}
