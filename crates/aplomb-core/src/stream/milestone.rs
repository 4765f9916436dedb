//! What a frame means for the stream, in words that a person reads.

use std::fmt;

use super::auth;
use super::bind;
use super::phase::{Leg, Phase, Side, Step};
use super::sasl2;
use crate::framing::{Close, Frame, Open, StreamError};
use crate::ns;
use crate::sasl::scram::binding_named;
use crate::stanza::StanzaError;
use crate::xml::Element;

/// A step of a stream that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Milestone {
    /// The client opens the stream, before or after its login.
    Opening(Leg, Open),
    /// The server opens it too.
    Opened(Leg, Open),
    /// The server says which mechanisms it takes.
    MechanismsOffered(Vec<String>),
    /// The client wants TLS before anything else.
    TlsWanted,
    /// The server agrees: what follows is TLS, and in it everything begins anew.
    TlsGranted,
    /// The server does not.
    TlsRefused,
    /// The client chooses one, and binds the login to its connection by this type, if it does.
    LoginTried(String, Option<String>),
    /// The server asks for more.
    Challenged,
    /// The client gives it.
    Responded,
    /// The password was right.
    LoggedIn,
    /// It was, or a token was, and with the login comes the address: a new one, or a lost stream
    /// that goes on (XEP-0388, XEP-0386).
    Arrived {
        /// The address.
        jid: String,
        /// Whether a lost stream goes on.
        is_resumed: bool,
    },
    /// The server has no further steps.
    Settled,
    /// It was not, or the server says something else; the condition and the server's words.
    LoginRefused(String, Option<String>),
    /// The server offers an address, and maybe the session of RFC 3921.
    BindOffered {
        /// Whether the session is offered too.
        has_session: bool,
    },
    /// The client wants this resource, or any.
    BindWanted(Option<String>),
    /// The client has its address.
    Bound(String),
    /// It does not get it.
    BindRefused(StanzaError),
    /// The client asks for the session of RFC 3921 §3.
    SessionWanted,
    /// It has it; nothing changes by it.
    SessionGiven,
    /// One side ends the stream with an error.
    Failed(Side, StreamError),
    /// One side ends the stream.
    Closed(Side, Close),
}

impl Milestone {
    /// What `frame` means when `from` sends it in the phase `before`; a stanza of a bound stream
    /// means nothing to the stream itself.
    pub fn of(before: Phase, from: Side, frame: &Frame) -> Option<Self> {
        let element = match (frame, before) {
            (Frame::Open(open), Phase::ExpectOpen(leg)) if from == Side::Client => {
                return Some(Self::Opening(leg, open.clone()));
            }
            (Frame::Open(open), Phase::ExpectAnswer(leg)) => {
                return Some(Self::Opened(leg, open.clone()));
            }
            (Frame::Open(_), _) => return None,
            (Frame::Close(close), _) => return Some(Self::Closed(from, close.clone())),
            (Frame::Element(element), _) => element,
        };
        match (Step::of_element(element), before) {
            (Step::Features, Phase::ExpectFeatures(Leg::Login)) => {
                Some(Self::MechanismsOffered(mechanisms(element)))
            }
            (Step::Features, Phase::ExpectFeatures(Leg::Bind)) => {
                let has_session = element.child(ns::SESSION, "session").is_some();
                Some(Self::BindOffered { has_session })
            }
            (Step::Features, Phase::ExpectFeatures(Leg::Arrival)) => Some(Self::Settled),
            (Step::StartTls, _) => Some(Self::TlsWanted),
            (Step::Proceed, _) => Some(Self::TlsGranted),
            (Step::TlsFailure, _) => Some(Self::TlsRefused),
            (Step::Auth(_), _) => {
                let mechanism = element.attr("mechanism").unwrap_or_default().to_owned();
                let message = auth::first_message(element).unwrap_or_default();
                Some(Self::LoginTried(mechanism, binding_named(&message).map(str::to_owned)))
            }
            (Step::Challenge(_), _) => Some(Self::Challenged),
            (Step::Response(_), _) => Some(Self::Responded),
            (Step::Success(_), _) => Some(Self::LoggedIn),
            (Step::Arrival, _) => Some(Self::arrived(element)),
            (Step::Failure(_), _) => Some(Self::refused_login(element)),
            (Step::Bind, Phase::ExpectBind) => {
                let bind = element.child(ns::BIND, "bind");
                Some(Self::BindWanted(bind.and_then(bind::wanted_resource)))
            }
            (Step::Result, Phase::ExpectBound) => {
                let jid = element.child(ns::BIND, "bind").and_then(bind::bound_jid);
                Some(Self::Bound(jid.map(|jid| jid.to_string()).unwrap_or_default()))
            }
            (Step::Refusal, Phase::ExpectBound) => Some(Self::BindRefused(refusal(element))),
            (Step::Stanza, Phase::Bound) if element.child(ns::SESSION, "session").is_some() => {
                Some(Self::SessionWanted)
            }
            (Step::Error, _) => Some(Self::Failed(from, StreamError::from_element(element))),
            _ => None,
        }
    }

    fn arrived(success: &Element) -> Self {
        let is_resumed = success.child(ns::MANAGEMENT, "resumed").is_some();
        Self::Arrived { jid: sasl2::identifier(success).unwrap_or_default(), is_resumed }
    }

    fn refused_login(failure: &Element) -> Self {
        let is_text = |child: &&Element| child.is(failure.ns(), "text");
        let condition = failure.children().find(|child| !is_text(child));
        let condition = condition.map_or("not-authorized", Element::name).to_owned();
        Self::LoginRefused(condition, failure.children().find(is_text).map(Element::text))
    }
}

/// The names of the mechanisms that features offer.
pub(super) fn mechanisms(features: &Element) -> Vec<String> {
    let offer = features.child(ns::SASL, "mechanisms");
    offer.into_iter().flat_map(Element::children).map(Element::text).collect()
}

/// The types of channel binding that features announce (XEP-0440); none if they say nothing.
pub(super) fn binding_types(features: &Element) -> Option<Vec<String>> {
    let announced = features.child(ns::SASL_BINDINGS, "sasl-channel-binding")?;
    Some(announced.children().filter_map(|kind| kind.attr("type")).map(str::to_owned).collect())
}

/// The error of an iq that refuses.
pub(super) fn refusal(iq: &Element) -> StanzaError {
    let error = iq.child(ns::CLIENT, "error").cloned();
    StanzaError::from_element(&error.unwrap_or_else(|| Element::new(ns::CLIENT, "error")))
}

/// The frame as it may be shown: what SASL carries becomes dots.
pub fn redacted(frame: &Frame) -> Frame {
    match frame {
        Frame::Element(element) if matches!(element.ns(), ns::SASL | ns::SASL2) => {
            let mut shown = element.clone();
            hide(&mut shown);
            Frame::Element(shown)
        }
        Frame::Open(_) | Frame::Close(_) | Frame::Element(_) => frame.clone(),
    }
}

/// Puts dots in the place of what SASL carries and of tokens; words and names are no secrets.
fn hide(element: &mut Element) {
    let is_carrier = match element.name() {
        "auth" | "challenge" | "response" | "initial-response" | "additional-data" => true,
        "success" => element.ns() == ns::SASL,
        _ => false,
    };
    if is_carrier && !element.text().is_empty() {
        element.set_text("•••");
    }
    if element.ns() == ns::FAST && element.attr("token").is_some() {
        element.set_attr("token", "•••");
    }
    element.children_mut().for_each(hide);
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opening(leg, open) => write_opening(f, *leg, open),
            Self::Opened(leg, open) => write_opened(f, *leg, open),
            Self::MechanismsOffered(names) if names.is_empty() => {
                f.write_str("The server offers no way to log in here.")
            }
            Self::MechanismsOffered(names) => {
                write!(f, "The server takes logins by {}.", names.join(", "))
            }
            Self::TlsWanted => f.write_str("The client wants TLS first."),
            Self::TlsGranted => f.write_str("The server agrees: TLS begins."),
            Self::TlsRefused => f.write_str("The server refuses TLS."),
            Self::LoginTried(mechanism, None) => write!(f, "The client logs in by {mechanism}."),
            Self::LoginTried(mechanism, Some(binding)) => {
                write!(
                    f,
                    "The client logs in by {mechanism}, bound to this connection by {binding}."
                )
            }
            Self::Challenged => f.write_str("The server sends a challenge."),
            Self::Responded => f.write_str("The client answers it."),
            Self::LoggedIn => f.write_str("The login worked."),
            Self::Settled => f.write_str("The server has no further steps."),
            Self::Arrived { jid, is_resumed } => write_arrival(f, jid, *is_resumed),
            Self::LoginRefused(condition, text) => {
                write!(f, "The login was refused: {condition}{}.", words(text.as_deref()))
            }
            Self::BindOffered { has_session: true } => {
                f.write_str("The server offers an address, and a session as of RFC 3921.")
            }
            Self::BindOffered { has_session: false } => {
                f.write_str("The server offers an address.")
            }
            Self::BindWanted(Some(resource)) => {
                write!(f, "The client wants the resource {resource}.")
            }
            Self::BindWanted(None) => f.write_str("The client wants any resource."),
            Self::Bound(jid) => write!(f, "The client is {jid} from now on."),
            Self::BindRefused(error) => write!(
                f,
                "The resource was refused: {}{}.",
                error.condition.name(),
                words(error.text.as_deref())
            ),
            Self::SessionWanted => f.write_str("The client asks for a session, as older ones do."),
            Self::SessionGiven => f.write_str("It is given; nothing changes by it."),
            Self::Failed(side, error) => {
                let words = words(error.text.as_deref());
                write!(f, "A stream error from {side}: {}{words}.", error.condition.name())
            }
            Self::Closed(side, Close { see_other_uri: Some(uri) }) => {
                write!(f, "The stream is closed by {side}, which points to {uri}.")
            }
            Self::Closed(side, Close { see_other_uri: None }) => {
                write!(f, "The stream is closed by {side}.")
            }
        }
    }
}

fn write_arrival(f: &mut fmt::Formatter<'_>, jid: &str, is_resumed: bool) -> fmt::Result {
    match is_resumed {
        false => write!(f, "The login worked, and the client is {jid} from now on."),
        true => write!(f, "The login worked, and the lost stream of {jid} goes on."),
    }
}

fn write_opening(f: &mut fmt::Formatter<'_>, leg: Leg, open: &Open) -> fmt::Result {
    match leg {
        Leg::Login => write!(f, "The client opens a stream to {}.", shown(open.to.as_deref())),
        Leg::Bind | Leg::Arrival => {
            f.write_str("The client opens the stream anew, as everybody must after a login.")
        }
    }
}

fn write_opened(f: &mut fmt::Formatter<'_>, leg: Leg, open: &Open) -> fmt::Result {
    let (from, id) = (shown(open.from.as_deref()), shown(open.id.as_deref()));
    match leg {
        Leg::Login => write!(f, "The server {from} opens it too and names it {id}."),
        Leg::Bind | Leg::Arrival => write!(f, "The server opens it anew as {id}."),
    }
}

fn shown(name: Option<&str>) -> &str {
    name.unwrap_or("(no name)")
}

fn words(text: Option<&str>) -> String {
    text.map(|text| format!(" ({text})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::{Framing, ws::Messages};
    use crate::stream::Profile;

    fn frame(text: &str) -> Frame {
        Messages.read(&mut text.as_bytes(), 4096).unwrap().unwrap()
    }

    #[test]
    fn what_sasl_carries_is_shown_as_dots() {
        let auth = frame(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFkYQBwZW4=</auth>",
        );
        let shown = String::from_utf8(Messages.write(&redacted(&auth))).unwrap();
        assert!(shown.contains("PLAIN") && shown.contains("•••"), "{shown}");
        assert!(!shown.contains("AGFkYQ"), "{shown}");
        let authenticate = frame(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
             <initial-response>AGFkYQBwZW5j</initial-response><user-agent id='x'/></authenticate>",
        );
        let shown = String::from_utf8(Messages.write(&redacted(&authenticate))).unwrap();
        assert!(shown.contains("PLAIN") && shown.contains("user-agent"), "{shown}");
        assert!(shown.contains("•••") && !shown.contains("AGFkYQ"), "{shown}");
        let success = frame(
            "<success xmlns='urn:xmpp:sasl:2'><additional-data>dj02cnJp</additional-data>\
             <authorization-identifier>ada@cc.test</authorization-identifier>\
             <token xmlns='urn:xmpp:fast:0' token='s3cret' expiry='2026-12-01T00:00:00Z'/>\
             </success>",
        );
        let shown = String::from_utf8(Messages.write(&redacted(&success))).unwrap();
        assert!(shown.contains("ada@cc.test") && shown.contains("2026-12"), "{shown}");
        assert!(!shown.contains("dj02") && !shown.contains("s3cret"), "{shown}");
        let presence = frame("<presence/>");
        assert_eq!(redacted(&presence), presence);
    }

    #[test]
    fn a_refused_login_is_told_with_the_servers_words() {
        let failure = frame(
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
             <text>locked for 5 minutes</text><not-authorized/></failure>",
        );
        let milestone =
            Milestone::of(Phase::ExpectVerdict(Profile::Sasl), Side::Server, &failure).unwrap();
        assert_eq!(
            milestone.to_string(),
            "The login was refused: not-authorized (locked for 5 minutes)."
        );
    }
}
