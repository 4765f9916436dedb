//! Requests from one person's session to another's, and their answers (RFC 6121 §8.5.3.1).

use std::sync::Arc;

use super::message::too_big;
use super::{Effect, Feature, Speaks, not_here};
use crate::jid::Jid;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::standard::{Hears, Sample};
use crate::stanza::{Iq, IqKind};

pub(super) const FEATURE: Feature = Feature {
    name: "Requests",
    source: "RFC 6121 §8.5.3.1",
    what: "To one session of somebody, between people who work in or supervise one team: what \
           clients ask each other, such as a ping or what they can do. Everybody else is answered \
           like an address that does not exist.",
    samples: &[Sample {
        says: "<iq type='get' to='1002@cc.test/desk'><ping xmlns='urn:xmpp:ping'/></iq>",
        hears: Hears::Answer("<service-unavailable"),
    }],
    announces: &[],
    stream: None,
    speaks: Speaks::Nothing,
};

/// Passes on what is for `to`, which is a session of somebody or nobody. Its sender is in it.
pub(in crate::realm) fn pass_on(iq: Iq, to: Jid) -> Vec<Effect> {
    let is_asked = matches!(iq.kind, IqKind::Get(_) | IqKind::Set(_));
    let stanza = Arc::new(iq.clone().into_element());
    if stanza.to_xml().len() > MESSAGE_BYTES_MAX {
        let refusal = is_asked.then(|| Effect::Reply(iq.error(too_big()).into_element()));
        return refusal.into_iter().collect();
    }
    let id = iq.id.clone();
    vec![match is_asked {
        true => Effect::Request { to, id, stanza, otherwise: iq.error(not_here()).into_element() },
        false => Effect::Answer { to, id, stanza },
    }]
}
