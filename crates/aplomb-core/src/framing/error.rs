//! Stream errors: what ends a stream, said on the wire (RFC 6120 §4.9).

use crate::ns;
use crate::xml::{Element, XmlError};

/// Why a stream ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// The defined condition.
    pub condition: StreamCondition,
    /// Words for a person.
    pub text: Option<String>,
    /// A condition of another standard that says it more exactly (RFC 6120 §4.9.4).
    pub detail: Option<Box<Element>>,
}

macro_rules! stream_conditions {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// The defined conditions of a stream error (RFC 6120 §4.9.3).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum StreamCondition {
            $($(#[$doc])* $variant,)*
        }

        impl StreamCondition {
            /// The element's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The condition whose element has this name.
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

stream_conditions! {
    /// XML that cannot be processed.
    BadFormat "bad-format";
    /// A namespace prefix that is not allowed there.
    BadNamespacePrefix "bad-namespace-prefix";
    /// Another stream took this one's place.
    Conflict "conflict";
    /// The peer stopped answering.
    ConnectionTimeout "connection-timeout";
    /// The domain is served here no more.
    HostGone "host-gone";
    /// The domain is not served here.
    HostUnknown "host-unknown";
    /// An address is missing.
    ImproperAddressing "improper-addressing";
    /// Our fault.
    InternalServerError "internal-server-error";
    /// The `from` is not the sender's.
    InvalidFrom "invalid-from";
    /// A namespace that is not the stream's.
    InvalidNamespace "invalid-namespace";
    /// The XML does not fit a schema.
    InvalidXml "invalid-xml";
    /// Something was sent before login.
    NotAuthorized "not-authorized";
    /// Not well-formed as XML.
    NotWellFormed "not-well-formed";
    /// Against local policy: too big, too many, too often.
    PolicyViolation "policy-violation";
    /// No connection to a needed party.
    RemoteConnectionFailed "remote-connection-failed";
    /// The stream must be opened anew.
    Reset "reset";
    /// Too little of something here.
    ResourceConstraint "resource-constraint";
    /// XML that XMPP forbids.
    RestrictedXml "restricted-xml";
    /// Connect elsewhere.
    SeeOtherHost "see-other-host";
    /// The server stops.
    SystemShutdown "system-shutdown";
    /// None of the others.
    UndefinedCondition "undefined-condition";
    /// Not UTF-8.
    UnsupportedEncoding "unsupported-encoding";
    /// A feature that is not offered.
    UnsupportedFeature "unsupported-feature";
    /// A first-level child that is not known.
    UnsupportedStanzaType "unsupported-stanza-type";
    /// A version that is not known.
    UnsupportedVersion "unsupported-version";
}

impl StreamError {
    /// The error of `condition`, without words.
    pub const fn new(condition: StreamCondition) -> Self {
        Self { condition, text: None, detail: None }
    }

    /// The error with words for a person.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The error with a condition of another standard.
    #[must_use]
    pub fn with_detail(mut self, detail: Element) -> Self {
        self.detail = Some(Box::new(detail));
        self
    }

    /// Writes `<stream:error><conflict …/></stream:error>`.
    pub fn to_element(&self) -> Element {
        let text = self
            .text
            .iter()
            .map(|text| Element::new(ns::STREAM_ERRORS, "text").with_text(text.clone()));
        Element::new(ns::STREAMS, "error")
            .with_child(Element::new(ns::STREAM_ERRORS, self.condition.name()))
            .with_children(text)
            .with_children(self.detail.as_deref().cloned())
    }

    /// Reads a `<stream:error/>`; an unknown condition is `undefined-condition`.
    pub fn from_element(error: &Element) -> Self {
        let mut defined = error.children().filter(|c| c.ns() == ns::STREAM_ERRORS);
        let condition = defined
            .find(|c| c.name() != "text")
            .and_then(|c| StreamCondition::named(c.name()))
            .unwrap_or(StreamCondition::UndefinedCondition);
        let detail = error.children().find(|c| c.ns() != ns::STREAM_ERRORS).cloned();
        let text = error.child(ns::STREAM_ERRORS, "text").map(Element::text);
        Self { condition, text, detail: detail.map(Box::new) }
    }
}

impl From<XmlError> for StreamError {
    fn from(error: XmlError) -> Self {
        let condition = match error {
            XmlError::Restricted(_) => StreamCondition::RestrictedXml,
            XmlError::NotUtf8 => StreamCondition::UnsupportedEncoding,
            XmlError::NotWellFormed(_) => StreamCondition::NotWellFormed,
            XmlError::TooMuch(_) => StreamCondition::PolicyViolation,
        };
        Self::new(condition).with_text(error.to_string())
    }
}
