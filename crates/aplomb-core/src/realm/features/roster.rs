//! The roster: whom a person keeps, under which name and in which groups (RFC 6121 §2).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Answer, Answered, Ask, Feature, Place, Speaks, not_here};
use crate::jid::{BareJid, Jid};
use crate::ns;
use crate::realm::{Realm, StreamFacts};
use crate::roster::{Consent, Contact, Request};
use crate::standard::Sample;
use crate::stanza::{Condition, Iq, StanzaError};
use crate::xml::Element;

pub(super) const FEATURE: Feature = Feature {
    name: "Roster",
    source: "RFC 6121 §2",
    what: "Everybody has a roster, empty at first, with a version; who knows the present one gets \
           an empty result. Changes are pushed to the sessions that asked for it.",
    samples: &[
        Sample::answered("<iq type='get'><query xmlns='jabber:iq:roster' ver=''/></iq>"),
        Sample::answered(
            "<iq type='set'><query xmlns='jabber:iq:roster'><item jid='1002@cc.test' name='B'>\
             <group>Friends</group></item></query></iq>",
        ),
        Sample::refused(
            "<iq type='set'><query xmlns='jabber:iq:roster'>\
             <item jid='nobody@cc.test' subscription='remove'/></query></iq>",
        ),
    ],
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
    match ask.is_set {
        true => change(ask.payload).map(Answer::Roster),
        false if ask.payload.children().next().is_some() => Err(bad("a request has no items")),
        false => Ok(Answer::Contacts),
    }
}

/// How the id of a push begins.
const PUSH_ID: &str = "push-";

fn bad(text: &str) -> StanzaError {
    StanzaError::new(Condition::BadRequest).with_text(text)
}

/// Reads what is to change: of one contact, and no more (RFC 6121 §2.3.3).
fn change(query: &Element) -> Result<Request, StanzaError> {
    let mut items = query.children();
    let (Some(item), None) = (items.next(), items.next()) else {
        return Err(bad("a change is of one item"));
    };
    if !item.is(ns::ROSTER, "item") {
        return Err(bad("a change is of one item"));
    }
    let address = item.attr("jid").ok_or_else(|| bad("an item has an address"))?;
    let address = Jid::new(address).map_err(|_| StanzaError::new(Condition::JidMalformed))?;
    if address.is_full() {
        return Err(bad("a contact has a bare address"));
    }
    let contact = address.to_bare();
    if item.attr("subscription") == Some("remove") {
        return Ok(Request::Remove { contact });
    }
    let mut groups = BTreeSet::new();
    for group in item.children().filter(|child| child.is(ns::ROSTER, "group")) {
        if !groups.insert(group.text()) {
            return Err(bad("a contact is in a group once"));
        }
    }
    let name = item.attr("name").filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Request::Set { contact, name, groups })
}

impl Realm {
    /// Writes the answer to a request for a roster: nothing to who knows this version.
    ///
    /// - Source: RFC 6121 §2.1.4, §2.6.
    pub fn roster_answer<'a>(
        &self,
        request: &Iq,
        version: u64,
        contacts: impl Iterator<Item = &'a Arc<Contact>>,
    ) -> Element {
        let known = request.request().and_then(|query| query.attr("ver"));
        let version = version.to_string();
        if known == Some(version.as_str()) {
            return request.result(None).into_element();
        }
        let listed = contacts.filter(|contact| contact.is_listed).map(|contact| item(contact));
        let mut query = Element::new(ns::ROSTER, "query");
        if known.is_some() {
            query.set_attr("ver", version);
        }
        request.result(Some(query.with_children(listed))).into_element()
    }

    /// Writes what a session of `owner` is told when a contact changes.
    ///
    /// - Source: RFC 6121 §2.1.6.
    pub fn roster_push(
        &self,
        owner: &BareJid,
        resource: &str,
        contact: &Contact,
        version: u64,
    ) -> Element {
        let item = match contact.is_listed {
            true => item(contact),
            false => Element::new(ns::ROSTER, "item")
                .with_attr("jid", contact.jid.as_str())
                .with_attr("subscription", "remove"),
        };
        let query = Element::new(ns::ROSTER, "query").with_attr("ver", version.to_string());
        Element::new(ns::CLIENT, "iq")
            .with_attr("type", "set")
            .with_attr("id", format!("{PUSH_ID}{version}"))
            .with_attr("to", format!("{owner}/{resource}"))
            .with_child(query.with_child(item))
    }
}

/// Of whom a stanza is that [`Realm::roster_push`] wrote; none of any other.
pub fn pushed_contact(stanza: &Element) -> Option<&str> {
    let is_push = stanza.name() == "iq" && stanza.attr("id")?.starts_with(PUSH_ID);
    let query = stanza.children().next().filter(|query| is_push && query.is(ns::ROSTER, "query"));
    query?.children().next()?.attr("jid")
}

fn item(contact: &Contact) -> Element {
    let mut item = Element::new(ns::ROSTER, "item").with_attr("jid", contact.jid.as_str());
    if let Some(name) = &contact.name {
        item.set_attr("name", name.as_str());
    }
    item.set_attr("subscription", contact.subscription());
    if contact.to == Consent::Pending {
        item.set_attr("ask", "subscribe");
    }
    if contact.is_approved {
        item.set_attr("approved", "true");
    }
    let group = |name: &String| Element::new(ns::ROSTER, "group").with_text(name.as_str());
    item.with_children(contact.groups.iter().map(group))
}
