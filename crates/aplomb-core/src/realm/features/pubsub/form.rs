//! The form that configures a node (XEP-0060 §8.2, XEP-0004): one list of its fields.

use super::super::{Feature, Speaks};
use super::error::{bad_request, other_form, with};
use crate::ns;
use crate::pubsub::{
    AccessModel, ConfigWish, NodeConfig, NotificationType, PublishModel, SendLast,
};
use crate::stanza::{Condition, StanzaError};
use crate::xml::Element;

/// One field of the form.
struct Field {
    name: &'static str,
    kind: &'static str,
    label: &'static str,
    /// The values to choose from, if not every value is one.
    options: &'static [&'static str],
    values: fn(&NodeConfig) -> Vec<String>,
    /// - Errors: the value is none.
    read: fn(&mut ConfigWish, &[String]) -> Result<(), NotAValue>,
}

/// A value that its field cannot have.
struct NotAValue;

pub(in crate::realm::features) const FEATURE: Feature = Feature {
    name: "Data Forms",
    source: "XEP-0004",
    what: "Of nodes, of subscriptions, of what an owner is asked, of the command. Only a form of \
           type `submit` is done, and one of type `cancel` changes nothing.",
    samples: &[],
    announces: &[],
    stream: None,
    speaks: Speaks::Nothing,
};

pub(in crate::realm::features) const FORM_TYPES: Feature = Feature {
    name: "Field Standardization for Data Forms",
    source: "XEP-0068",
    what: "Every form says its `FORM_TYPE`; one that is sent with another is refused, one with \
           none is taken for what the request needs.",
    samples: &[],
    announces: &[],
    stream: None,
    speaks: Speaks::Nothing,
};

/// The form, if it was filled in; none if it was cancelled, which changes nothing.
///
/// - Errors: a form that is only to be filled in, or to be read (XEP-0004 §3.2).
pub(in crate::realm::features) fn submitted(
    form: &Element,
) -> Result<Option<&Element>, StanzaError> {
    match form.attr("type") {
        Some("submit") => Ok(Some(form)),
        Some("cancel") => Ok(None),
        Some(_) | None => Err(StanzaError::new(Condition::BadRequest)
            .with_text("a form that is filled in has the type submit")),
    }
}

/// Reads a submitted form; fields that XEP-0060 does not know are left alone.
///
/// - Errors: a value that is none, or a wish that cannot be fulfilled, because whoever configures
///   a node must not believe that it is configured otherwise than it is.
pub(super) fn read(form: &Element) -> Result<ConfigWish, StanzaError> {
    read_as(form, ns::PUBSUB_NODE_CONFIG)
}

/// Reads the options of a publish request, each of which must be fulfilled (XEP-0060 §7.1.5).
///
/// - Errors: as for [`read`]; a field that is not of a node's configuration cannot be fulfilled.
pub(super) fn read_preconditions(form: &Element) -> Result<ConfigWish, StanzaError> {
    let is_known = |name: &str| {
        name == "FORM_TYPE"
            || FIELDS.iter().any(|field| field.name == name)
            || FIXED.iter().any(|(fixed, _)| *fixed == name)
    };
    let mut names = fields_of(form).map(|field| field.attr("var").unwrap_or_default());
    if let Some(unknown) = names.find(|name| !is_known(name)) {
        return Err(with(Condition::Conflict, "precondition-not-met")
            .with_text(format!("a node has no {unknown:?}")));
    }
    read_as(form, ns::PUBSUB_PUBLISH_OPTIONS)
}

fn read_as(form: &Element, form_type: &str) -> Result<ConfigWish, StanzaError> {
    let mut wish = ConfigWish::default();
    for element in fields_of(form) {
        let name = element.attr("var").unwrap_or_default();
        let values: Vec<_> = values_of(element).collect();
        let value = values.first().map_or("", String::as_str);
        let field = FIELDS.iter().find(|field| field.name == name);
        let fixed = FIXED.iter().find(|(fixed, _)| *fixed == name);
        match (name, field, fixed) {
            ("FORM_TYPE", ..) if value != form_type => {
                return Err(other_form(form_type));
            }
            ("pubsub#node_type", ..) if value != "leaf" => {
                return Err(bad_request("unsupported-node-type"));
            }
            ("pubsub#access_model", ..) if named(&ACCESS_MODELS, value).is_none() => {
                let names = ACCESS_MODELS.map(|(_, name)| name).join(", ");
                return Err(with(Condition::NotAcceptable, "unsupported-access-model")
                    .with_text(format!("the access models are {names}")));
            }
            (_, Some(field), _) => {
                (field.read)(&mut wish, &values).map_err(|NotAValue| {
                    let text = format!("{name} cannot be {value:?}");
                    StanzaError::new(Condition::NotAcceptable).with_text(text)
                })?;
            }
            (_, None, Some((_, only))) if !only.contains(&value) => {
                let text = format!("{name} is always {:?} here", only[0]);
                return Err(StanzaError::new(Condition::NotAcceptable).with_text(text));
            }
            (_, None, _) => {}
        }
    }
    Ok(wish)
}

/// Writes the form with its present values, to be filled in.
pub(super) fn write(config: &NodeConfig) -> Element {
    let form = Element::new(ns::DATA_FORMS, "x").with_attr("type", "form");
    form.with_child(form_type(ns::PUBSUB_NODE_CONFIG))
        .with_children(FIELDS.iter().map(|field| field.write(config)))
}

/// The hidden field that says what form it is (XEP-0068).
pub(in crate::realm::features) fn form_type(name: &'static str) -> Element {
    field("FORM_TYPE", "hidden", [name])
}

/// A field with its values.
pub(in crate::realm::features) fn field<T: Into<String>>(
    name: &'static str,
    kind: &'static str,
    values: impl IntoIterator<Item = T>,
) -> Element {
    let value = |value: T| Element::new(ns::DATA_FORMS, "value").with_text(value);
    Element::new(ns::DATA_FORMS, "field")
        .with_attr("var", name)
        .with_attr("type", kind)
        .with_children(values.into_iter().map(value))
}

/// The first value of a field.
pub(in crate::realm::features) fn value_of(form: &Element, name: &str) -> Option<String> {
    let field = fields_of(form).find(|field| field.attr("var") == Some(name))?;
    values_of(field).next()
}

/// A flag (XEP-0004 §3.3).
pub(super) fn flag(value: &str) -> Option<bool> {
    match value {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

fn fields_of(form: &Element) -> impl Iterator<Item = &Element> {
    form.children().filter(|child| child.is(ns::DATA_FORMS, "field"))
}

fn values_of(field: &Element) -> impl Iterator<Item = String> {
    let values = field.children().filter(|child| child.is(ns::DATA_FORMS, "value"));
    values.map(|value| value.text().trim().to_owned())
}

impl Field {
    fn write(&self, config: &NodeConfig) -> Element {
        let option = |value: &&str| {
            let value = Element::new(ns::DATA_FORMS, "value").with_text(*value);
            Element::new(ns::DATA_FORMS, "option").with_child(value)
        };
        field(self.name, self.kind, (self.values)(config))
            .with_attr("label", self.label)
            .with_children(self.options.iter().map(option))
    }
}

/// A field of text.
macro_rules! text {
    ($name:literal, $field:ident, $label:literal) => {
        Field {
            name: $name,
            kind: "text-single",
            label: $label,
            options: &[],
            values: |config| vec![config.$field.clone()],
            read: |wish, values| {
                wish.$field = Some(values.first().cloned().unwrap_or_default());
                Ok(())
            },
        }
    };
}

/// A field that is yes or no.
macro_rules! flag {
    ($name:literal, $field:ident, $label:literal) => {
        Field {
            name: $name,
            kind: "boolean",
            label: $label,
            options: &[],
            values: |config| vec![u8::from(config.$field).to_string()],
            read: |wish, values| {
                wish.$field = Some(values.first().and_then(|value| flag(value)).ok_or(NotAValue)?);
                Ok(())
            },
        }
    };
}

/// A field of which one value of a list is chosen.
macro_rules! choice {
    ($name:literal, $field:ident, $label:literal, $names:ident, $options:expr) => {
        Field {
            name: $name,
            kind: "list-single",
            label: $label,
            options: $options,
            values: |config| vec![name_of(&$names, config.$field).to_owned()],
            read: |wish, values| {
                let value = values.first().and_then(|value| named(&$names, value));
                wish.$field = Some(value.ok_or(NotAValue)?);
                Ok(())
            },
        }
    };
}

/// Every field that is honoured.
const FIELDS: &[Field] = &[
    text!("pubsub#title", title, "A short name"),
    text!("pubsub#description", description, "What it is about"),
    text!("pubsub#language", language, "The language of its items"),
    text!("pubsub#type", kind, "The namespace that payloads must have, if any"),
    flag!("pubsub#deliver_notifications", deliver_notifications, "Send events"),
    flag!("pubsub#deliver_payloads", deliver_payloads, "Put payloads into events"),
    flag!("pubsub#persist_items", persist_items, "Keep items"),
    Field {
        name: "pubsub#max_items",
        kind: "text-single",
        label: "How many items are kept: a number, or max",
        options: &[],
        values: |config| vec![config.max_items.to_string()],
        read: |wish, values| {
            let value = match values.first().map(String::as_str) {
                Some("max") => usize::MAX,
                number => number.and_then(|number| number.parse().ok()).ok_or(NotAValue)?,
            };
            wish.max_items = Some(value);
            Ok(())
        },
    },
    Field {
        name: "pubsub#item_expire",
        kind: "text-single",
        label: "Seconds after which an item goes: a number, or max for the service's own time",
        options: &[],
        values: |config| vec![config.item_expire.map_or("max".to_owned(), |secs| secs.to_string())],
        read: |wish, values| {
            let secs = match values.first().map(String::as_str) {
                None | Some("max" | "") => None,
                Some(number) => Some(number.parse().map_err(|_| NotAValue)?),
            };
            wish.item_expire = if secs == Some(0) { return Err(NotAValue) } else { Some(secs) };
            Ok(())
        },
    },
    Field {
        name: "pubsub#max_payload_size",
        kind: "text-single",
        label: "Bytes of a payload",
        options: &[],
        values: |config| vec![config.max_payload_size.to_string()],
        read: |wish, values| {
            let value = values.first().and_then(|number| number.parse().ok());
            wish.max_payload_size = Some(value.ok_or(NotAValue)?);
            Ok(())
        },
    },
    choice!(
        "pubsub#send_last_published_item",
        send_last_published_item,
        "When a subscriber gets the newest item without waiting",
        SEND_LAST,
        &["never", "on_sub", "on_sub_and_presence"]
    ),
    choice!(
        "pubsub#notification_type",
        notification_type,
        "The type of messages that bring events",
        NOTIFICATION_TYPES,
        &["normal", "headline"]
    ),
    flag!("pubsub#notify_retract", notify_retract, "Tell when items are taken back"),
    flag!("pubsub#notify_delete", notify_delete, "Tell when the node is deleted"),
    flag!("pubsub#notify_config", notify_config, "Tell when the node is configured"),
    flag!("pubsub#notify_sub", notify_sub, "Tell owners who subscribes and who ends it"),
    choice!(
        "pubsub#access_model",
        access_model,
        "Who may subscribe and read",
        ACCESS_MODELS,
        &["open", "presence", "roster", "authorize", "whitelist"]
    ),
    Field {
        name: "pubsub#roster_groups_allowed",
        kind: "text-multi",
        label: "The groups of an owner's roster that are let in by the access model roster",
        options: &[],
        values: |config| config.roster_groups_allowed.clone(),
        read: |wish, values| {
            let groups = values.iter().filter(|group| !group.is_empty()).cloned();
            wish.roster_groups_allowed = Some(groups.collect());
            Ok(())
        },
    },
    choice!(
        "pubsub#publish_model",
        publish_model,
        "Who may publish",
        PUBLISH_MODELS,
        &["publishers", "subscribers", "open"]
    ),
];

/// Fields of XEP-0060 that have one value here; the spellings of it, the usual one first.
const FIXED: &[(&str, &[&str])] = &[
    ("pubsub#node_type", &["leaf"]),
    ("pubsub#subscribe", &["1", "true"]),
    ("pubsub#presence_based_delivery", &["1", "true"]),
    ("pubsub#purge_offline", &["0", "false"]),
    ("pubsub#tempsub", &["0", "false"]),
    ("pubsub#collection", &[""]),
    ("pubsub#children", &[""]),
];

/// The names of access models (XEP-0060 §4.5).
pub(super) const ACCESS_MODELS: [(AccessModel, &str); 5] = [
    (AccessModel::Open, "open"),
    (AccessModel::Presence, "presence"),
    (AccessModel::Roster, "roster"),
    (AccessModel::Authorize, "authorize"),
    (AccessModel::Whitelist, "whitelist"),
];

pub(super) const PUBLISH_MODELS: [(PublishModel, &str); 3] = [
    (PublishModel::Publishers, "publishers"),
    (PublishModel::Subscribers, "subscribers"),
    (PublishModel::Open, "open"),
];

const SEND_LAST: [(SendLast, &str); 3] = [
    (SendLast::Never, "never"),
    (SendLast::OnSubscribe, "on_sub"),
    (SendLast::OnSubscribeAndPresence, "on_sub_and_presence"),
];

const NOTIFICATION_TYPES: [(NotificationType, &str); 2] =
    [(NotificationType::Normal, "normal"), (NotificationType::Headline, "headline")];

/// The word for a value.
pub(super) fn name_of<T: Copy + PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    let found = names.iter().find(|(known, _)| *known == value);
    found.map(|(_, name)| *name).expect("every value has a name")
}

/// The value of a word.
pub(super) fn named<T: Copy>(names: &[(T, &str)], name: &str) -> Option<T> {
    names.iter().find(|(_, known)| *known == name).map(|(value, _)| *value)
}
