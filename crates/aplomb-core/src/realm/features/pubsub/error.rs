//! The error conditions of XEP-0060.

use crate::ns;
use crate::pubsub::{AccessModel, Lost, Refusal};
use crate::stanza::{Condition, ErrorType, StanzaError};
use crate::xml::Element;

/// The stanza error of a refusal (XEP-0060, the error cases of each section).
pub(crate) fn stanza_error(refusal: &Refusal) -> StanzaError {
    let plain = StanzaError::new;
    match refusal {
        Refusal::NodeUnknown | Refusal::ItemUnknown => plain(Condition::ItemNotFound),
        Refusal::Lost(lost) => plain(Condition::ItemNotFound)
            .with_text(words_of(*lost))
            .with_application(Element::new(ns::LOST, lost.name())),
        Refusal::Forbidden => plain(Condition::Forbidden),
        Refusal::MayNotCreate => plain(Condition::Forbidden)
            .with_text("administrators and publishers make nodes; ask one of them"),
        Refusal::InvalidJid => bad_request("invalid-jid"),
        Refusal::NotSubscribed => {
            with(Condition::UnexpectedRequest, "not-subscribed").with_type(ErrorType::Cancel)
        }
        Refusal::Automatic => plain(Condition::NotAllowed)
            .with_text("this subscription comes with the account and stays as it is"),
        Refusal::Served => plain(Condition::NotAllowed)
            .with_text("this node exists as long as what it tells of; purge it instead"),
        Refusal::NodeExists => plain(Condition::Conflict),
        Refusal::Closed(model) => closed(*model),
        Refusal::StillPending => with(Condition::NotAuthorized, "pending-subscription"),
        Refusal::ItemRequired => bad_request("item-required"),
        Refusal::ItemForbidden => bad_request("item-forbidden"),
        Refusal::PayloadInvalid(wanted) => bad_request("invalid-payload")
            .with_text(format!("this node takes payloads of the namespace {wanted:?}")),
        Refusal::NothingKept => unsupported("persistent-items"),
        Refusal::PreconditionNotMet(field) => with(Condition::Conflict, "precondition-not-met")
            .with_text(format!("the node has another {field}")),
        Refusal::ModelsFixed => with(Condition::NotAcceptable, "unsupported-access-model")
            .with_text("this node's access model stays whitelist, its publish model publishers"),
        Refusal::LastOwner(last) => plain(Condition::NotAcceptable)
            .with_text(format!("{last} is the last owner; make another one first")),
        Refusal::Repeated => plain(Condition::BadRequest).with_text("say each address once"),
        Refusal::PayloadRequired => bad_request("payload-required"),
        Refusal::PayloadTooBig(max) => with(Condition::NotAcceptable, "payload-too-big")
            .with_text(format!("a payload has at most {max} bytes here")),
        Refusal::TooManySubscriptions => with(Condition::PolicyViolation, "too-many-subscriptions")
            .with_type(ErrorType::Wait)
            .with_text("end subscriptions of earlier resources first"),
        Refusal::TooMany(what) => plain(Condition::ResourceConstraint)
            .with_text(format!("there are too many {what} already")),
        Refusal::BadConfig(why) => plain(Condition::NotAcceptable).with_text(why.clone()),
        Refusal::Unavailable => plain(Condition::ResourceConstraint)
            .with_text("this cannot be kept just now; try again later"),
    }
}

/// Why what comes after an item cannot be told, and what to do.
const fn words_of(lost: Lost) -> &'static str {
    match lost {
        Lost::EpochChanged => "the server's history began anew; read the items again",
        Lost::HistoryTooShort | Lost::NotKept => {
            "the history does not reach back to this place any more; read the items again"
        }
        Lost::HistoryReset => "the node began anew; read the items again",
        Lost::Unknown => "this is no place; say the `first` or the `last` of an earlier answer",
    }
}

/// How an access model keeps somebody out (XEP-0060 §6.1.3, §6.5.9).
fn closed(model: AccessModel) -> StanzaError {
    match model {
        AccessModel::Presence => with(Condition::NotAuthorized, "presence-subscription-required"),
        AccessModel::Roster => with(Condition::NotAuthorized, "not-in-roster-group"),
        AccessModel::Authorize => with(Condition::NotAuthorized, "not-subscribed"),
        AccessModel::Whitelist => with(Condition::NotAllowed, "closed-node"),
        AccessModel::Open => StanzaError::new(Condition::Forbidden),
    }
}

/// `bad-request` with a condition of XEP-0060.
pub(super) fn bad_request(condition: &'static str) -> StanzaError {
    with(Condition::BadRequest, condition)
}

/// A feature of XEP-0060 that we do not have, named as the standard asks.
pub(super) fn unsupported(feature: &'static str) -> StanzaError {
    let element = Element::new(ns::PUBSUB_ERRORS, "unsupported").with_attr("feature", feature);
    StanzaError::new(Condition::FeatureNotImplemented).with_application(element)
}

/// A form of another kind than the request's.
pub(super) fn other_form(wanted: &str) -> StanzaError {
    StanzaError::new(Condition::BadRequest).with_text(format!("FORM_TYPE must be {wanted}"))
}

/// An element that is no request there.
pub(super) fn no_request(verb: &Element) -> StanzaError {
    let text = format!("there is no such request: {} in {}", verb.name(), verb.ns());
    StanzaError::new(Condition::BadRequest).with_text(text)
}

pub(super) fn with(condition: Condition, application: &'static str) -> StanzaError {
    StanzaError::new(condition).with_application(Element::new(ns::PUBSUB_ERRORS, application))
}
