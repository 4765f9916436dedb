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
        if let Some(lang) = self.lang {
            element.set_attr_in(ns::XML, "lang", lang);
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

#[cfg(test)]
mod tests {
    use crate::limits::ECHOED_BYTES_MAX;
    use crate::ns;
    use crate::stanza::{
        BadStanza, Condition, ErrorType, Iq, IqKind, PresenceKind, Stanza, StanzaError,
    };
    use crate::xml::{Element, Prologue, read_element_in};

    fn element(text: &str) -> Element {
        read_element_in(text, Prologue::Forbidden, ns::CLIENT).unwrap()
    }

    fn parse(text: &str) -> Result<Stanza, BadStanza> {
        Stanza::parse(element(text))
    }

    fn comes_back(text: &str) -> Stanza {
        let stanza = parse(text).unwrap_or_else(|bad| panic!("{text}: {bad:?}"));
        assert_eq!(stanza.clone().into_element().to_xml().replace('"', "'"), text);
        stanza
    }

    fn refused(text: &str, condition: Condition) {
        match parse(text) {
            Err(BadStanza::Refused(error)) => assert_eq!(error.condition, condition, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_kind_of_stanza_comes_back_as_it_was() {
        for text in [
            "<iq xmlns='jabber:client' type='get' id='1' to='cc.test'>\
             <ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq xmlns='jabber:client' type='set' id='1' from='a@cc.test/b'>\
             <x xmlns='urn:x'/></iq>",
            "<iq xmlns='jabber:client' type='result' id='1'/>",
            "<iq xmlns='jabber:client' type='error' id='1'><x xmlns='urn:x'/>\
             <error code='404' type='cancel'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
            "<message xmlns='jabber:client' type='chat' xml:lang='de' id='m'>\
             <body>hi</body></message>",
            "<presence xmlns='jabber:client'/>",
            "<presence xmlns='jabber:client' type='unavailable'/>",
            "<presence xmlns='jabber:client'><priority>-5</priority>\
             <c xmlns='http://jabber.org/protocol/caps'/></presence>",
        ] {
            comes_back(text);
        }
    }

    #[test]
    fn what_a_stanza_must_have_is_asked_of_it() {
        use Condition::{BadRequest, JidMalformed};
        refused("<iq type='get'><a xmlns='u'/></iq>", BadRequest);
        refused("<iq id='1'><a xmlns='u'/></iq>", BadRequest);
        refused("<iq id='1' type='get'/>", BadRequest);
        refused("<iq id='1' type='set'><a xmlns='u'/><b xmlns='u'/></iq>", BadRequest);
        refused("<iq id='1' type='result'><a xmlns='u'/><b xmlns='u'/></iq>", BadRequest);
        refused("<iq id='1' type='error'/>", BadRequest);
        refused("<iq id='1' type='GET'><a xmlns='u'/></iq>", BadRequest);
        refused("<iq id='1' type='get' to='@cc.test'><a xmlns='u'/></iq>", JidMalformed);
        refused("<message from='a@b@c/'/>", JidMalformed);
        refused("<presence type='here'/>", BadRequest);
        refused("<presence><priority>128</priority></presence>", BadRequest);
        refused("<presence><priority>high</priority></presence>", BadRequest);
        assert_eq!(parse("<a/>"), Err(BadStanza::NotAStanza));
        assert_eq!(parse("<iq xmlns='jabber:server' id='1'/>"), Err(BadStanza::NotAStanza));
    }

    #[test]
    fn an_answer_goes_back_to_who_asked_with_the_same_id() {
        let Ok(Stanza::Iq(ask)) =
            parse("<iq type='get' id='7' from='a@cc.test/b' to='cc.test'><a xmlns='u'/></iq>")
        else {
            panic!("an iq")
        };
        let check = |answer: Iq, expected: &str| {
            assert_eq!(answer.into_element().to_xml().replace('"', "'"), expected);
        };
        check(
            ask.result(None),
            "<iq xmlns='jabber:client' type='result' id='7' from='cc.test' to='a@cc.test/b'/>",
        );
        check(
            ask.error(StanzaError::new(Condition::ServiceUnavailable)),
            "<iq xmlns='jabber:client' type='error' id='7' from='cc.test' to='a@cc.test/b'>\
             <a xmlns='u'/><error code='503' type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        );
    }

    #[test]
    fn an_error_is_read_with_its_words_and_its_application_condition() {
        let text = "<iq type='error' id='1'><error type='wait'>\
                    <unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
                    <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no</text>\
                    <not-subscribed xmlns='http://jabber.org/protocol/pubsub#errors'/>\
                    </error></iq>";
        let Ok(Stanza::Iq(Iq { kind: IqKind::Error { error, request }, .. })) = parse(text) else {
            panic!("an error")
        };
        let expected = StanzaError::new(Condition::UnexpectedRequest)
            .with_type(ErrorType::Wait)
            .with_text("no")
            .with_application(Element::new(ns::PUBSUB_ERRORS, "not-subscribed"));
        assert_eq!((error, request), (expected, None));
        let unknown = element("<error><from-the-future xmlns='urn:x'/></error>");
        let read = StanzaError::from_element(&unknown);
        assert_eq!(read.condition, Condition::UndefinedCondition);
    }

    #[test]
    fn a_presence_without_a_priority_has_zero() {
        let Ok(Stanza::Presence(presence)) = parse("<presence><priority> 7 </priority></presence>")
        else {
            panic!("a presence")
        };
        assert_eq!((presence.kind, presence.priority), (PresenceKind::Available, 7));
        let Stanza::Presence(bare) = comes_back("<presence xmlns='jabber:client'/>") else {
            panic!("a presence")
        };
        assert_eq!(bare.priority, 0);
    }

    #[test]
    fn a_large_content_does_not_go_back_with_an_error() {
        let error = || StanzaError::new(Condition::ServiceUnavailable);
        let large = ["x".repeat(ECHOED_BYTES_MAX), "<a/>".repeat(ECHOED_BYTES_MAX / 64)];
        for (content, is_echoed) in [("x", true), (&large[0], false), (&large[1], false)] {
            let content = format!("<a xmlns='urn:a'>{content}</a>");
            let iq = Stanza::parse(element(&format!("<iq id='1' type='get'>{content}</iq>")));
            let message = Stanza::parse(element(&format!("<message>{content}</message>")));
            let presence = Stanza::parse(element(&format!("<presence>{content}</presence>")));
            for stanza in [iq, message, presence] {
                let refusal = match stanza.unwrap() {
                    Stanza::Iq(iq) => iq.error(error()).into_element(),
                    Stanza::Message(message) => message.refused(&error()).into_element(),
                    Stanza::Presence(presence) => presence.error(error()).into_element(),
                };
                assert_eq!(refusal.child("urn:a", "a").is_some(), is_echoed);
                assert!(refusal.child(ns::CLIENT, "error").is_some());
                assert!(refusal.weight() <= 2 * ECHOED_BYTES_MAX);
            }
        }
    }
}
