//! Stream limits: a client is told them before it runs into them (XEP-0478).

use super::{Feature, Speaks};
use crate::ns;
use crate::realm::StreamFacts;
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Stream Limits Advertisement",
    source: "XEP-0478",
    what: "In the features of every stream, before login and after it: the bytes of the longest \
           element, and the seconds of silence after which a client is asked for a sign of life; \
           before login, those after which the stream ends.",
    samples: &[],
    announces: &[],
    stream: Some(limits),
    speaks: Speaks::Nothing,
};

fn limits(facts: StreamFacts) -> Element {
    let tell = |name, number: String| Element::new(ns::STREAM_LIMITS, name).with_text(number);
    Element::new(ns::STREAM_LIMITS, "limits")
        .with_child(tell("max-bytes", facts.element_bytes_max.to_string()))
        .with_child(tell("idle-seconds", facts.idle_secs.to_string()))
}
