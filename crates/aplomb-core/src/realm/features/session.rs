//! Session establishment: a step that does nothing, kept for old clients (RFC 3921 §3).

use super::{Answer, Answered, Ask, Feature, Place, Speaks, not_here};
use crate::ns;
use crate::standard::Sample;

pub(super) const FEATURE: Feature = Feature {
    name: "Session Establishment",
    source: "RFC 3921 §3",
    what: "Every request for a session is answered with an empty result, as Openfire does; \
           Strophe always sends one.",
    samples: &[Sample::answered(
        "<iq type='set'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
    )],
    announces: &[],
    stream: None,
    speaks: Speaks::Iq { namespaces: &[ns::SESSION], answer, write: None },
};

fn answer(ask: &Ask<'_>) -> Answered {
    let is_here = matches!(ask.place, Place::Account | Place::Server);
    if is_here && ask.is_set && ask.payload.name() == "session" {
        Ok(Answer::Result(None))
    } else {
        Err(not_here())
    }
}
