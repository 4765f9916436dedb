//! The table of stanza errors (RFC 6120 §8.3).

use crate::ns;
use crate::xml::Element;

/// Why a stanza was refused (RFC 6120 §8.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StanzaError {
    /// What the sender may do about it.
    pub kind: ErrorType,
    /// The defined condition.
    pub condition: Condition,
    /// Words for a person.
    pub text: Option<String>,
    /// A condition of the application, such as XEP-0060's `not-subscribed`.
    pub application: Option<Box<Element>>,
}

/// What the sender of a refused stanza may do (RFC 6120 §8.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorType {
    /// Retry after giving credentials.
    Auth,
    /// Do not retry.
    Cancel,
    /// Proceed: it was only a warning.
    Continue,
    /// Retry after changing what was sent.
    Modify,
    /// Retry after waiting.
    Wait,
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:ident $code:literal;)*) => {
        /// The defined conditions of a stanza error (RFC 6120 §8.3.3).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Condition {
            $($(#[$doc])* $variant,)*
        }

        impl Condition {
            /// The element's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The condition whose element has this name.
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// The type that the standard associates with the condition.
            pub const fn usual_type(self) -> ErrorType {
                match self { $(Self::$variant => ErrorType::$kind,)* }
            }

            /// The number that Openfire still sends (XEP-0086).
            pub const fn legacy_code(self) -> u16 {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

conditions! {
    /// Malformed.
    BadRequest "bad-request" Modify 400;
    /// Such a thing or name exists already.
    Conflict "conflict" Cancel 409;
    /// Not implemented.
    FeatureNotImplemented "feature-not-implemented" Cancel 501;
    /// Known, but not permitted.
    Forbidden "forbidden" Auth 403;
    /// The addressee or item moved.
    Gone "gone" Cancel 302;
    /// Our fault.
    InternalServerError "internal-server-error" Cancel 500;
    /// No such thing.
    ItemNotFound "item-not-found" Cancel 404;
    /// No address.
    JidMalformed "jid-malformed" Modify 400;
    /// It breaks a rule of ours.
    NotAcceptable "not-acceptable" Modify 406;
    /// Nobody may do that.
    NotAllowed "not-allowed" Cancel 405;
    /// Log in first.
    NotAuthorized "not-authorized" Auth 401;
    /// Against local policy.
    PolicyViolation "policy-violation" Modify 402;
    /// The addressee is not there now.
    RecipientUnavailable "recipient-unavailable" Wait 404;
    /// Elsewhere, for now.
    Redirect "redirect" Modify 302;
    /// Register first.
    RegistrationRequired "registration-required" Auth 407;
    /// No such server.
    RemoteServerNotFound "remote-server-not-found" Cancel 404;
    /// That server did not answer.
    RemoteServerTimeout "remote-server-timeout" Wait 504;
    /// Too much of something.
    ResourceConstraint "resource-constraint" Wait 500;
    /// Nothing here answers this.
    ServiceUnavailable "service-unavailable" Cancel 503;
    /// Subscribe first.
    SubscriptionRequired "subscription-required" Auth 407;
    /// None of the others; the application condition says what.
    UndefinedCondition "undefined-condition" Cancel 500;
    /// Understood, but not now.
    UnexpectedRequest "unexpected-request" Wait 400;
}

impl StanzaError {
    /// The error of `condition`, with the type that the standard gives it.
    pub const fn new(condition: Condition) -> Self {
        Self { kind: condition.usual_type(), condition, text: None, application: None }
    }

    /// The error with words for a person.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The error with another type than the usual one.
    #[must_use]
    pub const fn with_type(mut self, kind: ErrorType) -> Self {
        self.kind = kind;
        self
    }

    /// The error with a condition of the application.
    #[must_use]
    pub fn with_application(mut self, application: Element) -> Self {
        self.application = Some(Box::new(application));
        self
    }

    /// Writes `<error code="404" type="cancel"><item-not-found …/></error>`, in Openfire's shape.
    pub fn to_element(&self) -> Element {
        let text = self
            .text
            .iter()
            .map(|text| Element::new(ns::STANZA_ERRORS, "text").with_text(text.clone()));
        Element::new(ns::CLIENT, "error")
            .with_attr("code", self.condition.legacy_code().to_string())
            .with_attr("type", self.kind.name())
            .with_child(Element::new(ns::STANZA_ERRORS, self.condition.name()))
            .with_children(text)
            .with_children(self.application.as_deref().cloned())
    }

    /// Sends a stanza back with this error, and without what was in it. Nobody answers an answer
    /// (RFC 6120 §8.3.1).
    pub fn refuse(&self, stanza: &Element) -> Option<Element> {
        if matches!(stanza.attr("type"), Some("error" | "result")) {
            return None;
        }
        let mut refusal = Element::new(ns::CLIENT, stanza.name().to_owned());
        refusal.set_attr("type", "error");
        for (name, of) in [("id", "id"), ("from", "to"), ("to", "from")] {
            if let Some(value) = stanza.attr(of) {
                refusal.set_attr(name, value);
            }
        }
        Some(refusal.with_child(self.to_element()))
    }

    /// Reads an `<error/>`; an unknown condition is `undefined-condition`.
    pub fn from_element(error: &Element) -> Self {
        let defined = error.children().find(|c| c.ns() == ns::STANZA_ERRORS && c.name() != "text");
        let condition = defined
            .and_then(|element| Condition::named(element.name()))
            .unwrap_or(Condition::UndefinedCondition);
        let kind = error.attr("type").and_then(ErrorType::named);
        Self {
            kind: kind.unwrap_or(condition.usual_type()),
            condition,
            text: error.child(ns::STANZA_ERRORS, "text").map(Element::text),
            application: error
                .children()
                .find(|c| c.ns() != ns::STANZA_ERRORS)
                .cloned()
                .map(Box::new),
        }
    }
}

impl ErrorType {
    /// The value of the `type` attribute.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }

    /// The type whose attribute has this value.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Auth, Self::Cancel, Self::Continue, Self::Modify, Self::Wait]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}
