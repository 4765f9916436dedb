//! The roster, which is always empty: Finesse's people know each other by their teams
//! (RFC 6121 §2).

use super::{Answer, Answered, Ask, Feature, Place, Speaks, not_here};
use crate::ns;
use crate::realm::StreamFacts;
use crate::standard::Sample;
use crate::stanza::{Condition, StanzaError};
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Roster",
    source: "RFC 6121 §2",
    what: "The roster is empty and cannot be changed. It has the version 0, so a client that \
           knows it gets an empty result.",
    samples: &[Sample::answered("<iq type='get'><query xmlns='jabber:iq:roster' ver=''/></iq>")],
    announces: &[],
    stream: Some(versioning),
    speaks: Speaks::Iq { namespaces: &[ns::ROSTER], answer, write: None },
};

fn versioning(_: StreamFacts) -> Element {
    Element::new(ns::ROSTER_VERSIONING, "ver")
}

fn answer(ask: &Ask<'_>) -> Answered {
    if ask.place != Place::Account || ask.payload.name() != "query" {
        return Err(not_here());
    }
    if ask.is_set {
        return Err(StanzaError::new(Condition::NotAllowed));
    }
    let empty = Element::new(ns::ROSTER, "query");
    Ok(Answer::Result(match ask.payload.attr("ver") {
        None => Some(empty),
        Some(VERSION) => None,
        Some(_) => Some(empty.with_attr("ver", VERSION)),
    }))
}

const VERSION: &str = "0";
