//! What passes between a server's stream and its driver.

use crate::framing::StreamError;
use crate::jid::FullJid;
use crate::ns;
use crate::sasl::binding::{BindingType, Bindings};
use crate::sasl::exchange::Offer;
use crate::sasl::fast::{Agent, FastMechanism, Shown};
use crate::sasl::{Failure, Hash, Login, Mechanism, ScramKeys};
use crate::secret::Secret;
use crate::stanza::{Stanza, StanzaError};
use crate::stream::management::{Lie, Management};
use crate::stream::sasl2::Sasl2;
use crate::time::WallTime;
use crate::xml::Element;

/// What every stream of one listener has in common.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The XMPP domain.
    pub domain: String,
    /// The mechanisms offered on this listener, the strongest first.
    pub mechanisms: Vec<Mechanism>,
    /// Whether a stream here may become a stream over TLS.
    pub starttls: StartTls,
    /// Whether an `open` to another domain is refused with `host-unknown`.
    pub strict_host: bool,
    /// What the server's features say besides SASL and bind, before login: caps, limits.
    pub features_before_login: Vec<Element>,
    /// The same after login.
    pub features: Vec<Element>,
    /// Whether streams may be managed (XEP-0198).
    pub management: Management,
    /// Whether logins may be made in the words of SASL2, and by tokens (XEP-0388, XEP-0484).
    pub sasl2: Sasl2,
    /// What a client may ask for along with its address, by name (XEP-0386 §3.1).
    pub inline: Vec<&'static str>,
}

impl Policy {
    /// What a client may log in with.
    pub(super) fn offer<'a>(&'a self, ways_in: &'a WaysIn) -> Offer<'a> {
        let WaysIn { mechanisms, bindings } = ways_in;
        Offer { domain: &self.domain, mechanisms, bindings }
    }

    /// The features before login: TLS, and the mechanisms if there are any without it.
    pub(super) fn ways_in(&self, ways_in: &WaysIn) -> impl Iterator<Item = Element> + use<> {
        let starttls = Element::new(ns::TLS, "starttls");
        let starttls = match self.starttls {
            StartTls::Absent => None,
            StartTls::Offered => Some(starttls),
            StartTls::Required => Some(starttls.with_child(Element::new(ns::TLS, "required"))),
        };
        let offer = self.offer(ways_in);
        let names = offer.mechanisms.iter().map(|mechanism| mechanism.name());
        let each = names.map(|name| Element::new(ns::SASL, "mechanism").with_text(name));
        let mechanisms = Element::new(ns::SASL, "mechanisms").with_children(each);
        let mechanisms = (!offer.mechanisms.is_empty()).then_some(mechanisms);
        starttls.into_iter().chain(mechanisms).chain(binding_types(offer))
    }
}

/// How a client may log in on one connection.
#[derive(Debug, Clone, Default)]
pub struct WaysIn {
    /// By which mechanisms.
    pub mechanisms: Vec<Mechanism>,
    /// Bound to what.
    pub bindings: Bindings,
}

impl WaysIn {
    /// Leaves out what cannot be: everything where TLS must come first, and bound logins where
    /// there is nothing to bind to.
    pub(super) fn new(policy: &Policy, mechanisms: Vec<Mechanism>, bindings: Bindings) -> Self {
        let can_be = |mechanism: &Mechanism| !(mechanism.is_bound() && bindings.is_empty());
        let mechanisms = match policy.starttls {
            StartTls::Required => Vec::new(),
            StartTls::Absent | StartTls::Offered => mechanisms.into_iter().filter(can_be).collect(),
        };
        Self { mechanisms, bindings }
    }
}

/// The types of channel binding, if there are any (XEP-0440 §2).
fn binding_types(offer: Offer<'_>) -> Option<Element> {
    let each: Vec<Element> = offer.binding_types().map(binding_type).collect();
    let types = Element::new(ns::SASL_BINDINGS, "sasl-channel-binding");
    (!each.is_empty()).then(|| types.with_children(each))
}

fn binding_type(kind: BindingType) -> Element {
    Element::new(ns::SASL_BINDINGS, "channel-binding").with_attr("type", kind.name())
}

/// Whether a stream may become one over TLS (RFC 6120 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    /// It may not: it is over TLS already, or on a carrier that has TLS of its own.
    Absent,
    /// It may.
    Offered,
    /// It must, before anybody logs in.
    Required,
}

/// The random names of one stream, made by the caller.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The stream's id.
    pub stream_id: String,
    /// The resource of a client that wants none in particular.
    pub resource: String,
    /// The server's part of a SCRAM nonce.
    pub nonce: String,
}

/// What the caller must do, in order.
#[derive(Debug)]
pub enum Output {
    /// Send this unit.
    Transmit(Vec<u8>),
    /// Something happened, or is asked.
    Event(Event),
    /// Flush, then do the TLS handshake as a server; a new responder goes on. No output follows.
    StartTls,
    /// Flush, then end the carrier. `None` is an orderly end; no output follows.
    Hangup(Option<StreamError>),
}

/// What the stream tells its driver.
#[derive(Debug)]
pub enum Event {
    /// A question. Feed no unit until [`super::Responder::answer`]: it is the server's turn.
    Ask(Question),
    /// The client proved who it is.
    LoggedIn(Login),
    /// The client did not. `name` is who it said it was, if it got so far.
    LoginFailed {
        /// The claimed name.
        name: Option<String>,
        /// Why.
        failure: Failure,
    },
    /// The client has its address and may send stanzas.
    Bound(FullJid),
    /// What the client wants from the start, besides what the stream itself gives it.
    Wanted(Element),
    /// A stanza of a bound client, from the client itself: `from` is set.
    Stanza(Box<Stanza>),
    /// This stanza goes out over a managed stream, and is counted: remember it.
    Sent(Element),
    /// The client of a managed stream says how many stanzas it handled, modulo 2^32.
    Acknowledged(u32),
    /// The client says whether somebody looks at it (XEP-0352).
    ClientState {
        /// Whether somebody does.
        is_active: bool,
    },
}

/// What only the driver knows.
#[derive(Debug)]
pub enum Question {
    /// Is this the password of this account? Answer: [`Answer::Verdict`].
    Password {
        /// The account.
        name: String,
        /// What the client sent.
        password: Secret<String>,
    },
    /// The keys of this account, or a decoy. Answer: [`Answer::Keys`], or a failed
    /// [`Answer::Verdict`].
    Keys {
        /// The account.
        name: String,
        /// For which hash.
        hash: Hash,
        /// By what the client binds the login to its connection, if it does.
        binding: Option<BindingType>,
    },
    /// Who has the token that made this? Answer: [`Answer::Redeemed`], or a failed
    /// [`Answer::Verdict`].
    Token(Box<Shown>),
    /// A token for this client, which has just logged in. Answer: [`Answer::Issued`].
    Issue {
        /// The account's local part.
        name: String,
        /// The client.
        agent: Agent,
        /// What the token is to be good for.
        mechanism: FastMechanism,
    },
    /// May this account have this resource? Answer: [`Answer::Bound`] or [`Answer::BindRefused`].
    Bind {
        /// The account's local part.
        name: String,
        /// The resource, wanted or fresh; already checked for form.
        resource: String,
    },
    /// Manage this stream. Answer: [`Answer::Managed`]; what is sent from then on is counted.
    Manage {
        /// For how many seconds the client wants the stream kept when it is lost, if at all.
        keep_secs: Option<u64>,
    },
    /// May this account go on with this stream here? Answer: [`Answer::Resumed`],
    /// [`Answer::NotResumed`] or [`Answer::Lied`].
    Resume {
        /// The account's local part.
        name: String,
        /// What [`Answer::Managed`] named the stream.
        id: String,
        /// How many stanzas the client handled.
        handled: u32,
    },
}

impl Question {
    /// Who wants to log in, if that is what is asked.
    pub(super) fn account(&self) -> Option<&str> {
        match self {
            Self::Password { name, .. } | Self::Keys { name, .. } => Some(name),
            Self::Token(shown) => Some(&shown.proof.name),
            Self::Issue { .. } | Self::Bind { .. } | Self::Manage { .. } | Self::Resume { .. } => {
                None
            }
        }
    }
}

/// The answer to the last [`Question`].
#[derive(Debug)]
pub enum Answer {
    /// To a password; a failure also refuses a request for keys.
    Verdict(Result<Login, Failure>),
    /// To a request for keys.
    Keys {
        /// The account that the client's name means.
        account: String,
        /// Its keys, or a decoy.
        keys: Box<ScramKeys>,
    },
    /// To a token that is good.
    Redeemed {
        /// Whose it is.
        login: Login,
        /// What proves the server to the client.
        proof: [u8; 32],
        /// Whether the client should get a new one.
        is_due: bool,
    },
    /// To a wish for a token: it, and until when it is good; none if it cannot be had.
    Issued(Option<(Secret<String>, WallTime)>),
    /// To a bind that may be.
    Bound(FullJid),
    /// To a bind that may not be.
    BindRefused(StanzaError),
    /// To a wish for management: the id by which the stream can be resumed, and for how many
    /// seconds after it was lost.
    Managed(Option<(String, u64)>),
    /// To a stream that goes on here.
    Resumed {
        /// Its id.
        id: String,
        /// Its address.
        jid: FullJid,
        /// How many stanzas of the client were handled so far.
        handled: u32,
    },
    /// To a stream that is not there, not any more, or not this account's.
    NotResumed,
    /// To a client that cannot have handled so much.
    Lied(Lie),
}
