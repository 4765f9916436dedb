//! The words of SASL2, Bind 2 and FAST: what is asked for with a login, and what comes of it.
//!
//! Whatever of a request nobody here knows is left out of account. Source: XEP-0388, XEP-0386,
//! XEP-0484; for what is resumed or managed along with it XEP-0198 §9.

use base64::DecodeError;

use super::auth::{decode, encode};
use super::bind;
use crate::jid::FullJid;
use crate::limits::BIND_TAG_BYTES_MAX;
use crate::ns;
use crate::sasl::fast::{Agent, FastMechanism, Use};
use crate::secret::Secret;
use crate::standard::Standard;
use crate::time::WallTime;
use crate::xml::Element;

/// What is followed here.
pub const STANDARDS: &[Standard] = &[
    Standard {
        source: "XEP-0388",
        name: "Extensible SASL Profile",
        what: "Where `sasl2` is `offered`: login, address and lost stream in one exchange, and \
               nothing is opened anew. Over TLS, or wherever a password may be sent. There are no \
               tasks after a login. See [login](login.md).",
        samples: &[],
    },
    Standard {
        source: "XEP-0386",
        name: "Bind 2",
        what: "The resource is the client's tag and a part that is the same whenever the same \
               client comes, which does not tell its id. Along with the address come stream \
               management, carbons and the client's state.",
        samples: &[],
    },
    Standard {
        source: "XEP-0484",
        name: "Fast Authentication Streamlining Tokens",
        what: "By HT-SHA-256-EXPR, -ENDP and -NONE. A token is for one account, one client and one \
               mechanism, lives for `fast-token-life` and dies with the password. TLS early data \
               is never taken.",
        samples: &[],
    },
];

/// Whether clients may log in in the words of SASL2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sasl2 {
    /// They may not.
    Off,
    /// The features say that they may.
    Offered,
}

/// What a client wants besides being let in.
#[derive(Debug, Clone, Default)]
pub struct Wants {
    /// Which program it is, on which device.
    pub agent: Option<Agent>,
    /// To go on with a lost stream (XEP-0198).
    pub resume: Option<Element>,
    /// An address.
    pub bind: Option<Bind2>,
    /// A token for next time.
    pub token: Option<FastMechanism>,
    /// By which of the mechanisms for tokens it logs in, if by one.
    pub by: Option<FastMechanism>,
    /// How it uses the token that it logs in with.
    pub fast: Option<Use>,
}

/// The wish for an address (XEP-0386 §3.2).
#[derive(Debug, Clone, Default)]
pub struct Bind2 {
    /// What the client is called.
    pub tag: Option<String>,
    /// How its stream is to be managed.
    pub enable: Option<Element>,
    /// What else it wants from the start, each in its own namespace.
    pub others: Vec<Element>,
}

impl Wants {
    /// Reads what stands in an `<authenticate/>` beside the mechanism's own.
    pub fn read(authenticate: &Element) -> Self {
        let agent = authenticate.child(ns::SASL2, "user-agent");
        let token = authenticate.child(ns::FAST, "request-token");
        Self {
            agent: agent.and_then(|agent| agent.attr("id")).and_then(Agent::parse),
            resume: authenticate.child(ns::MANAGEMENT, "resume").cloned(),
            bind: authenticate.child(ns::BIND2, "bind").map(Bind2::read),
            by: authenticate.attr("mechanism").and_then(FastMechanism::named),
            token: token.and_then(|t| t.attr("mechanism")).and_then(FastMechanism::named),
            fast: authenticate.child(ns::FAST, "fast").map(read_use),
        }
    }
}

impl Bind2 {
    fn read(bind: &Element) -> Self {
        let is_other = |child: &&Element| !matches!(child.ns(), ns::BIND2 | ns::MANAGEMENT);
        Self {
            tag: bind.child(ns::BIND2, "tag").map(Element::text),
            enable: bind.child(ns::MANAGEMENT, "enable").cloned(),
            others: bind.children().filter(is_other).cloned().collect(),
        }
    }

    /// Picks the resource: the tag, and a part that is the same whenever the same client comes.
    ///
    /// `fresh` is the part of a client that does not say who it is. A tag that cannot be part of a
    /// resource is left out.
    ///
    /// - Shape: `watch/1f0a3c5e7b`, as XEP-0386 §3.2.1 recommends it.
    pub fn resource(&self, agent: Option<Agent>, fresh: &str) -> String {
        let own = agent.map_or_else(|| fresh.to_owned(), |agent| agent.mark());
        let tag = self.tag.as_deref().map(str::trim);
        let tag = tag.filter(|tag| (1..=BIND_TAG_BYTES_MAX).contains(&tag.len()));
        let tagged =
            tag.and_then(|tag| bind::pick_resource(Some(&format!("{tag}/{own}")), "").ok());
        tagged.unwrap_or(own)
    }
}

/// Reads the attributes of `<fast/>`; a count that is no number is the lowest, which never rises.
fn read_use(fast: &Element) -> Use {
    let count = fast.attr("count").map(|count| count.parse().unwrap_or(0));
    Use { count, is_last: matches!(fast.attr("invalidate"), Some("true" | "1")) }
}

/// Writes the feature `<authentication/>` (XEP-0388 §2.1).
pub fn offer(
    mechanisms: &[&'static str],
    tokens: &[FastMechanism],
    inline: &[&'static str],
    is_managed: bool,
) -> Element {
    let named = |ns, name: &'static str| Element::new(ns, "mechanism").with_text(name);
    let each = mechanisms.iter().map(|name| named(ns::SASL2, name));
    let managed = is_managed.then_some(ns::MANAGEMENT);
    let features = managed.into_iter().chain(inline.iter().copied());
    let features = features.map(|var| Element::new(ns::BIND2, "feature").with_attr("var", var));
    let bind = Element::new(ns::BIND2, "bind")
        .with_child(Element::new(ns::BIND2, "inline").with_children(features));
    let tokens = tokens.iter().map(|mechanism| named(ns::FAST, mechanism.name()));
    let fast = Element::new(ns::FAST, "fast").with_children(tokens);
    let inline = Element::new(ns::SASL2, "inline")
        .with_child(bind)
        .with_children(is_managed.then(|| Element::new(ns::MANAGEMENT, "sm")))
        .with_child(fast);
    Element::new(ns::SASL2, "authentication").with_children(each).with_child(inline)
}

/// What a server offers of it, as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The mechanisms.
    pub mechanisms: Vec<String>,
    /// The mechanisms for tokens, of those that we know.
    pub tokens: Vec<FastMechanism>,
}

impl Offer {
    /// Reads it from the features; none if there is no such offer.
    pub fn of(features: &Element) -> Option<Self> {
        let offer = features.child(ns::SASL2, "authentication")?;
        let named = |element: &Element, ns| -> Vec<String> {
            let mechanisms = element.children().filter(|child| child.is(ns, "mechanism"));
            mechanisms.map(|mechanism| mechanism.text().trim().to_owned()).collect()
        };
        let fast = offer.child(ns::SASL2, "inline").and_then(|i| i.child(ns::FAST, "fast"));
        let tokens = fast.map(|fast| named(fast, ns::FAST)).unwrap_or_default();
        Some(Self {
            mechanisms: named(offer, ns::SASL2),
            tokens: tokens.iter().filter_map(|name| FastMechanism::named(name)).collect(),
        })
    }
}

/// Writes `<authenticate/>` without its mechanism.
pub(super) fn authenticate(
    message: String,
    agent: Agent,
    wants: impl IntoIterator<Item = Element>,
) -> Element {
    let software = Element::new(ns::SASL2, "software").with_text("aplomb");
    let agent = Element::new(ns::SASL2, "user-agent").with_attr("id", agent.to_string());
    Element::new(ns::SASL2, "authenticate")
        .with_child(Element::new(ns::SASL2, "initial-response").with_text(message))
        .with_child(agent.with_child(software))
        .with_children(wants)
}

/// Writes the wish for an address.
pub(super) fn bind(tag: &str) -> Element {
    let tag = Element::new(ns::BIND2, "tag").with_text(tag);
    Element::new(ns::BIND2, "bind").with_child(tag)
}

/// The client's first message; none if it comes only when it is asked for.
///
/// - Errors: what stands there is not base64.
pub(super) fn initial_response(authenticate: &Element) -> Result<Option<Vec<u8>>, DecodeError> {
    let response = authenticate.child(ns::SASL2, "initial-response");
    response.map(|response| decode(response.text().trim())).transpose()
}

/// Writes `<success/>`: for whom, the mechanism's last word, and what came of the client's wants.
pub(super) fn success(
    identifier: &str,
    proof: &[u8],
    came: impl IntoIterator<Item = Element>,
) -> Element {
    let data = Element::new(ns::SASL2, "additional-data");
    Element::new(ns::SASL2, "success")
        .with_children((!proof.is_empty()).then(|| data.with_text(encode(proof))))
        .with_child(Element::new(ns::SASL2, "authorization-identifier").with_text(identifier))
        .with_children(came)
}

/// Writes `<token/>` (XEP-0484 §3.3).
pub(super) fn token((token, expires): (Secret<String>, WallTime)) -> Element {
    Element::new(ns::FAST, "token")
        .with_attr("expiry", expires.to_iso())
        .with_attr("token", token.expose())
}

/// The mechanism's last word in a success.
pub(super) fn additional_data(success: &Element) -> Result<Option<Vec<u8>>, DecodeError> {
    let data = success.child(ns::SASL2, "additional-data");
    data.map(|data| decode(data.text().trim())).transpose()
}

/// Whom a success is for: a bare JID, or a full one.
pub fn identifier(success: &Element) -> Option<String> {
    Some(success.child(ns::SASL2, "authorization-identifier")?.text().trim().to_owned())
}

/// The address that a client got with its login.
pub fn arrived_as(success: &Element) -> Option<FullJid> {
    FullJid::new(&identifier(success)?).ok()
}
