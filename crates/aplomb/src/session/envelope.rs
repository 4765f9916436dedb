//! What differs from reader to reader of a notice or a presence, rendered once per session.

use aplomb_core::jid::FullJid;
use aplomb_core::ns;
use aplomb_core::pubsub::{Notice, NotificationType};
use aplomb_core::realm::Shown;
use aplomb_core::xml::escape_attribute;

use crate::link::Wrap;

/// The beginning of a message up to its id, in the two spellings of `to`; and that of a presence.
#[derive(Debug)]
pub(super) struct Envelope {
    presence: Box<str>,
    to_bare: Box<str>,
    to_full: Box<str>,
    wrap: Wrap,
}

impl Envelope {
    /// For messages of the pubsub service of `domain` to `jid`, and for presences.
    pub(super) fn new(domain: &str, jid: &FullJid, wrap: Wrap) -> Self {
        let namespace = match wrap {
            Wrap::Message | Wrap::Child => format!(r#" xmlns="{}""#, ns::CLIENT),
            // It is the stream's own.
            Wrap::Bare => String::new(),
        };
        let head = |to: &str| {
            let (from, to) = (escape_attribute(domain), escape_attribute(to));
            format!(r#"<message{namespace} from="pubsub.{from}" to="{to}" id=""#).into()
        };
        let (to_bare, to_full) = (head(jid.to_bare().as_str()), head(jid.as_str()));
        let to = escape_attribute(jid.as_str());
        let presence = format!(r#"<presence{namespace} to="{to}""#).into();
        Self { presence, to_bare, to_full, wrap }
    }

    /// Appends a presence; the shared part is copied, not rendered again.
    pub(super) fn push_presence(&self, out: &mut Vec<u8>, shown: &Shown) {
        self.wrap.push(out, &[&self.presence, &shown.tail].map(|part| part.as_bytes()));
    }

    /// Appends the whole unit: the shared body is copied, not rendered again.
    pub(super) fn push(&self, out: &mut Vec<u8>, notice: &Notice, to_full: bool) {
        let head = if to_full { &self.to_full } else { &self.to_bare };
        let kind = match notice.kind {
            NotificationType::Normal => "\">",
            NotificationType::Headline => r#"" type="headline">"#,
        };
        let parts = [head.as_ref(), &notice.id, kind, &notice.body, "</message>"];
        self.wrap.push(out, &parts.map(str::as_bytes));
    }
}

#[cfg(test)]
mod tests {
    use aplomb_core::pubsub::Told;
    use aplomb_core::websocket::{Decoder, Input, Role};

    use super::*;

    #[test]
    fn a_notice_is_one_unit_and_the_name_of_the_reader_is_escaped() {
        let jid = FullJid::new("1001@cc.test/o'desk&co").unwrap();
        let mut notice = Notice {
            kind: NotificationType::Normal,
            node: "/finesse/api/User/1001".into(),
            seq: 1,
            id: "abcdefgh".to_owned(),
            told: Told::Purge,
            body: "<event/>".into(),
        };
        let envelope = Envelope::new("cc.test", &jid, Wrap::Message);
        let mut decoder = Decoder::new(Role::Client, 4096);
        for (to_full, to) in [(false, "1001@cc.test"), (true, "1001@cc.test/o&apos;desk&amp;co")] {
            let mut out = Vec::new();
            envelope.push(&mut out, &notice, to_full);
            let expected = format!(
                "<message xmlns=\"jabber:client\" from=\"pubsub.cc.test\" to=\"{to}\" \
                 id=\"abcdefgh\"><event/></message>"
            );
            assert_eq!(decoder.take(&mut out.as_slice()), Ok(Some(Input::Text(expected.clone()))));
            let (mut bare, namespace) = (Vec::new(), " xmlns=\"jabber:client\"");
            Envelope::new("cc.test", &jid, Wrap::Bare).push(&mut bare, &notice, to_full);
            assert_eq!(String::from_utf8(bare).unwrap(), expected.replace(namespace, ""));
        }
        notice.kind = NotificationType::Headline;
        let mut out = Vec::new();
        Envelope::new("cc.test", &jid, Wrap::Bare).push(&mut out, &notice, false);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(r#" id="abcdefgh" type="headline"><event/>"#), "{text}");
    }

    #[test]
    fn a_presence_is_one_unit_with_its_reader_in_front() {
        let jid = FullJid::new("1001@cc.test/desk").unwrap();
        let shown = Shown::gone(&FullJid::new("1002@cc.test/desk").unwrap());
        let check = |wrap, expected: &str| {
            let mut out = Vec::new();
            Envelope::new("cc.test", &jid, wrap).push_presence(&mut out, &shown);
            assert!(String::from_utf8_lossy(&out).ends_with(expected), "{wrap:?}: {out:?}");
        };
        let rest = r#"to="1001@cc.test/desk" type="unavailable" from="1002@cc.test/desk"/>"#;
        check(Wrap::Bare, &format!("<presence {rest}"));
        check(Wrap::Message, &format!(r#"<presence xmlns="jabber:client" {rest}"#));
    }
}
