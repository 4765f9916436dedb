//! What a node says of itself in service discovery (XEP-0060 §5.4).

use super::form::{self, field};
use crate::ns;
use crate::pubsub::NodeMeta;
use crate::xml::Element;

/// Writes the form; fields that say nothing are left out.
pub(crate) fn meta_data(meta: &NodeMeta) -> Element {
    let config = &meta.config;
    let text = |name, value: &str| (!value.is_empty()).then(|| field(name, "text-single", [value]));
    let origin = meta.origin.as_ref();
    let creator =
        origin.map(|origin| field("pubsub#creator", "jid-single", [origin.creator.as_str()]));
    let made =
        origin.map(|origin| field("pubsub#creation_date", "text-single", [origin.at.to_iso()]));
    let people = |name, jids: &[crate::jid::BareJid]| {
        (!jids.is_empty()).then(|| field(name, "jid-multi", jids.iter().map(|jid| jid.as_str())))
    };
    let access = form::name_of(&form::ACCESS_MODELS, config.access_model);
    let publish = form::name_of(&form::PUBLISH_MODELS, config.publish_model);
    let fields = [
        text("pubsub#title", &config.title),
        text("pubsub#description", &config.description),
        text("pubsub#language", &config.language),
        text("pubsub#type", &config.kind),
        creator,
        made,
        people("pubsub#owner", &meta.owners),
        people("pubsub#publisher", &meta.publishers),
        text("pubsub#num_subscribers", &meta.subscribers.to_string()),
        text("pubsub#max_items", &config.max_items.to_string()),
        text("pubsub#access_model", access),
        text("pubsub#publish_model", publish),
    ];
    Element::new(ns::DATA_FORMS, "x")
        .with_attr("type", "result")
        .with_child(form::form_type(ns::PUBSUB_META_DATA))
        .with_children(fields.into_iter().flatten())
}
