//! Ping (XEP-0199): Cisco's desktop sends one every 10 s and gives up after two.

use super::{Answer, Answered, Ask, Feature, Place, Speaks, not_here};
use crate::ns;
use crate::standard::Sample;

pub(super) const FEATURE: Feature = Feature {
    name: "XMPP Ping",
    source: "XEP-0199",
    what: "Answered by the domain, by one's own bare address, without an address, and by the \
           services.",
    samples: &[Sample::answered("<iq type='get' to='cc.test'><ping xmlns='urn:xmpp:ping'/></iq>")],
    announces: &[
        (Place::Server, &[ns::PING]),
        (Place::Account, &[ns::PING]),
        (Place::PubSub, &[ns::PING]),
        (Place::Finesse, &[ns::PING]),
    ],
    stream: None,
    speaks: Speaks::Iq { namespaces: &[ns::PING], answer, write: None },
};

fn answer(ask: &Ask<'_>) -> Answered {
    match ask.payload.name() {
        "ping" if !ask.is_set => Ok(Answer::Result(None)),
        _ => Err(not_here()),
    }
}
