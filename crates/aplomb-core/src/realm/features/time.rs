//! Entity time (XEP-0202).

use super::{Answer, Answered, Ask, Feature, Place, Speaks, not_here};
use crate::ns;
use crate::standard::Sample;
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Entity Time",
    source: "XEP-0202",
    what: "The server's clock, in UTC.",
    samples: &[Sample::answered("<iq type='get' to='cc.test'><time xmlns='urn:xmpp:time'/></iq>")],
    announces: &[(Place::Server, &[ns::TIME])],
    stream: None,
    speaks: Speaks::Iq { namespaces: &[ns::TIME], answer, write: None },
};

pub(super) const PROFILES: Feature = Feature {
    name: "XMPP Date and Time Profiles",
    source: "XEP-0082",
    what: "Times are told in UTC with milliseconds, and read with any offset.",
    samples: &[],
    announces: &[],
    stream: None,
    speaks: Speaks::Nothing,
};

fn answer(ask: &Ask<'_>) -> Answered {
    if ask.place != Place::Server || ask.is_set || ask.payload.name() != "time" {
        return Err(not_here());
    }
    let tell = |name, text: String| Element::new(ns::TIME, name).with_text(text);
    let time = Element::new(ns::TIME, "time")
        .with_child(tell("tzo", "+00:00".to_owned()))
        .with_child(tell("utc", ask.now.wall.to_iso()));
    Ok(Answer::Result(Some(time)))
}
