//! Publish-Subscribe on the wire (XEP-0060), in Openfire's shapes.

mod error;
mod form;
mod meta;
mod options;
mod owner;
mod read;
mod samples;
mod tell;
mod write;

pub(crate) use error::stanza_error;
pub(super) use form::{FEATURE as FORMS, FORM_TYPES, field, form_type, submitted, value_of};
pub(super) use meta::meta_data;
pub(crate) use owner::decision;
pub(crate) use tell::message as told_message;

use super::{Answered, Ask, Feature, Place, Speaks, not_here};
use crate::ns;

pub(super) const FEATURE: Feature = Feature {
    name: "Publish-Subscribe",
    source: "XEP-0060",
    what: "Leaf nodes with gapless numbers: subscribe, unsubscribe, subscriptions, items (by \
           number and by id), publish with options, retract, create, delete, configure, purge, \
           affiliations, subscribers, approval, subscription options with leases, the newest item \
           without waiting; all access models and publish models. Collections are not there, and \
           are refused by name. See `pubsub.md` for the nodes and who may read them.",
    samples: samples::SAMPLES,
    announces: &[(
        Place::PubSub,
        &[
            ns::PUBSUB,
            "http://jabber.org/protocol/pubsub#access-authorize",
            "http://jabber.org/protocol/pubsub#access-open",
            "http://jabber.org/protocol/pubsub#access-presence",
            "http://jabber.org/protocol/pubsub#access-roster",
            "http://jabber.org/protocol/pubsub#access-whitelist",
            "http://jabber.org/protocol/pubsub#config-node",
            "http://jabber.org/protocol/pubsub#config-node-max",
            "http://jabber.org/protocol/pubsub#create-and-configure",
            "http://jabber.org/protocol/pubsub#create-nodes",
            "http://jabber.org/protocol/pubsub#delete-items",
            "http://jabber.org/protocol/pubsub#delete-nodes",
            "http://jabber.org/protocol/pubsub#instant-nodes",
            "http://jabber.org/protocol/pubsub#item-ids",
            "http://jabber.org/protocol/pubsub#leased-subscription",
            "http://jabber.org/protocol/pubsub#manage-subscriptions",
            "http://jabber.org/protocol/pubsub#member-affiliation",
            "http://jabber.org/protocol/pubsub#meta-data",
            "http://jabber.org/protocol/pubsub#modify-affiliations",
            "http://jabber.org/protocol/pubsub#outcast-affiliation",
            "http://jabber.org/protocol/pubsub#persistent-items",
            "http://jabber.org/protocol/pubsub#publish",
            "http://jabber.org/protocol/pubsub#publish-only-affiliation",
            "http://jabber.org/protocol/pubsub#publish-options",
            "http://jabber.org/protocol/pubsub#publisher-affiliation",
            "http://jabber.org/protocol/pubsub#purge-nodes",
            "http://jabber.org/protocol/pubsub#retract-items",
            "http://jabber.org/protocol/pubsub#retrieve-affiliations",
            "http://jabber.org/protocol/pubsub#retrieve-default",
            "http://jabber.org/protocol/pubsub#retrieve-default-sub",
            "http://jabber.org/protocol/pubsub#retrieve-items",
            "http://jabber.org/protocol/pubsub#retrieve-subscriptions",
            "http://jabber.org/protocol/pubsub#subscribe",
            "http://jabber.org/protocol/pubsub#subscription-options",
        ],
    )],
    stream: None,
    speaks: Speaks::Iq {
        namespaces: &[ns::PUBSUB, ns::PUBSUB_OWNER],
        answer,
        write: Some(write::write),
    },
};

pub(super) const DELAY: Feature = Feature {
    name: "Delayed Delivery",
    source: "XEP-0203",
    what: "The newest item that comes without waiting tells when it was published.",
    samples: &[],
    announces: &[],
    stream: None,
    speaks: Speaks::Nothing,
};

fn answer(ask: &Ask<'_>) -> Answered {
    match ask.place {
        Place::PubSub => read::read(ask.payload, ask.is_set, ask.now.wall),
        // Personal eventing (XEP-0163) is switched off, as Cisco says it is.
        Place::Server | Place::Account | Place::Finesse => Err(not_here()),
    }
}
