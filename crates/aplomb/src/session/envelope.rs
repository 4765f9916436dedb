//! The message around a notice: what differs from reader to reader, rendered once per session.

use aplomb_core::jid::FullJid;
use aplomb_core::ns;
use aplomb_core::pubsub::Notice;
use aplomb_core::xml::escape_attribute;

use crate::link::Wrap;

/// The beginning of a message up to its id, in the two spellings of `to`.
#[derive(Debug)]
pub(super) struct Envelope {
    to_bare: Box<str>,
    to_full: Box<str>,
    wrap: Wrap,
}

impl Envelope {
    /// For messages of the pubsub service of `domain` to `jid`.
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
        Self { to_bare: head(jid.to_bare().as_str()), to_full: head(jid.as_str()), wrap }
    }

    /// Appends the whole unit: the shared body is copied, not rendered again.
    pub(super) fn push(&self, out: &mut Vec<u8>, notice: &Notice, to_full: bool) {
        let head = if to_full { &self.to_full } else { &self.to_bare };
        let parts = [head.as_ref(), &notice.id, "\">", &notice.body, "</message>"];
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
        let notice = Notice {
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
    }
}
