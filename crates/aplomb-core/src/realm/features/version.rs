//! Software version (XEP-0092).

use super::{Answer, Answered, Ask, Feature, Place, Speaks, not_here};
use crate::ns;
use crate::standard::Sample;
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Software Version",
    source: "XEP-0092",
    what: "Name and version; the operating system is nobody's business.",
    samples: &[Sample::answered(
        "<iq type='get' to='cc.test'><query xmlns='jabber:iq:version'/></iq>",
    )],
    announces: &[(Place::Server, &[ns::VERSION]), (Place::Finesse, &[ns::VERSION])],
    stream: None,
    speaks: Speaks::Iq { namespaces: &[ns::VERSION], answer, write: None },
};

fn answer(ask: &Ask<'_>) -> Answered {
    let is_here = matches!(ask.place, Place::Server | Place::Finesse);
    if !is_here || ask.is_set || ask.payload.name() != "query" {
        return Err(not_here());
    }
    let tell = |name, text: &str| Element::new(ns::VERSION, name).with_text(text);
    let query = Element::new(ns::VERSION, "query")
        .with_child(tell("name", super::disco::NAME))
        .with_child(tell("version", &ask.realm.version));
    Ok(Answer::Result(Some(query)))
}
