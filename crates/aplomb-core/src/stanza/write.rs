//! From a stanza to an element.

use super::{Iq, IqKind, Message, Presence, Stanza};
use crate::jid::Jid;
use crate::ns;
use crate::xml::Element;

impl Stanza {
    /// Writes the stanza as an element of `jabber:client`.
    pub fn into_element(self) -> Element {
        match self {
            Self::Iq(iq) => iq.into_element(),
            Self::Message(message) => message.into_element(),
            Self::Presence(presence) => presence.into_element(),
        }
    }
}

impl Iq {
    /// Writes the iq as an element of `jabber:client`.
    pub fn into_element(self) -> Element {
        let (kind, payload) = match self.kind {
            IqKind::Get(request) => ("get", vec![request]),
            IqKind::Set(request) => ("set", vec![request]),
            IqKind::Result(payload) => ("result", payload.into_iter().collect()),
            IqKind::Error { error, request } => {
                ("error", request.into_iter().chain([error.to_element()]).collect())
            }
        };
        let element = Element::new(ns::CLIENT, "iq").with_attr("type", kind);
        addressed(element, Some(&self.id), self.from.as_ref(), self.to.as_ref())
            .with_children(payload)
    }
}

impl Message {
    /// Writes the message as an element of `jabber:client`.
    pub fn into_element(self) -> Element {
        let mut element = Element::new(ns::CLIENT, "message");
        if let Some(kind) = self.kind {
            element.set_attr("type", kind);
        }
        addressed(element, self.id.as_deref(), self.from.as_ref(), self.to.as_ref())
            .with_children(self.payload)
    }
}

impl Presence {
    /// Writes the presence as an element of `jabber:client`.
    pub fn into_element(self) -> Element {
        let mut element = Element::new(ns::CLIENT, "presence");
        if let Some(kind) = self.kind.name() {
            element.set_attr("type", kind);
        }
        let element = addressed(element, self.id.as_deref(), self.from.as_ref(), self.to.as_ref());
        let priority = (self.priority != 0)
            .then(|| Element::new(ns::CLIENT, "priority").with_text(self.priority.to_string()));
        element.with_children(priority).with_children(self.payload)
    }
}

fn addressed(
    mut element: Element,
    id: Option<&str>,
    from: Option<&Jid>,
    to: Option<&Jid>,
) -> Element {
    if let Some(id) = id {
        element.set_attr("id", id);
    }
    if let Some(from) = from {
        element.set_attr("from", from.as_str());
    }
    if let Some(to) = to {
        element.set_attr("to", to.as_str());
    }
    element
}
