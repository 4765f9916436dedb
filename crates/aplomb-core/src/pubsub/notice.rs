//! Items, and the notices that tell of them.

use std::sync::Arc;

use super::{NodeConfig, NotificationType};
use crate::ns::{DELAY, PUBSUB_EVENT};
use crate::time::WallTime;
use crate::xml::escape_attribute;

/// A published item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The number within its node: gapless, counting every notice.
    pub seq: u64,
    /// The id: the publisher's, or the service's epoch followed by the number.
    pub id: String,
    /// The payload as it goes on the wire.
    pub payload: Option<Arc<str>>,
    /// When it was published.
    pub at: WallTime,
}

/// What subscribers are told, rendered once for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The node.
    pub node: Arc<str>,
    /// The number within the node.
    pub seq: u64,
    /// The message id: eight characters.
    pub id: String,
    /// The type of the message.
    pub kind: NotificationType,
    /// What it tells, for readers that are not XMPP's.
    pub told: Told,
    /// `<event xmlns="…pubsub#event">…</event>`, ready to be put into a message.
    pub body: NoticeBody,
}

/// Rendered XML that many readers share.
pub type NoticeBody = Arc<str>;

impl Notice {
    /// Renders the notice `told` of `node`.
    ///
    /// The id is eight letters and digits as Openfire's is, but made from epoch, node and number:
    /// a notice that is delivered again after a crash has the id it had before.
    pub(super) fn render(
        epoch: &str,
        node: &Arc<str>,
        seq: u64,
        kind: NotificationType,
        told: Told,
    ) -> Arc<Self> {
        let name = escape_attribute(node);
        let inside = match &told {
            Told::Item(item) => match &item.payload {
                Some(payload) => format!(
                    r#"<items node="{name}"><item id="{}">{payload}</item></items>"#,
                    escape_attribute(&item.id)
                ),
                None => format!(
                    r#"<items node="{name}"><item id="{}"/></items>"#,
                    escape_attribute(&item.id)
                ),
            },
            Told::Retract(id) => {
                let id = escape_attribute(id);
                format!(r#"<items node="{name}"><retract id="{id}"/></items>"#)
            }
            Told::Purge => format!(r#"<purge node="{name}"/>"#),
            Told::Delete(None) => format!(r#"<delete node="{name}"/>"#),
            Told::Delete(Some(uri)) => format!(
                r#"<delete node="{name}"><redirect uri="{}"/></delete>"#,
                escape_attribute(uri)
            ),
            Told::Signal => format!(r#"<items node="{name}"/>"#),
            Told::Configuration => format!(r#"<configuration node="{name}"/>"#),
        };
        let body = format!(r#"<event xmlns="{PUBSUB_EVENT}">{inside}</event>"#);
        let id = message_id(epoch, node, seq);
        Arc::new(Self { node: Arc::clone(node), seq, id, kind, told, body: body.into() })
    }

    /// Renders the notice of an item once more, for who was not there when it was published.
    ///
    /// - Source: XEP-0060 §6.1.7, XEP-0203.
    pub(super) fn late(
        epoch: &str,
        node: &Arc<str>,
        item: &Arc<Item>,
        config: &NodeConfig,
    ) -> Arc<Self> {
        let shown = Told::Item(Item::shown(item, config.deliver_payloads));
        let notice = Self::render(epoch, node, item.seq, config.notification_type, shown);
        let stamp = item.at.to_iso();
        let body = format!(r#"{}<delay xmlns="{DELAY}" stamp="{stamp}"/>"#, notice.body);
        Arc::new(Self { body: body.into(), ..Self::clone(&notice) })
    }
}

impl Item {
    /// The item as a node shows it that delivers payloads, or none.
    pub(super) fn shown(item: &Arc<Self>, with_payload: bool) -> Arc<Self> {
        match with_payload || item.payload.is_none() {
            true => Arc::clone(item),
            false => Arc::new(Self { payload: None, ..Self::clone(item) }),
        }
    }
}

/// What a notice tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// An item was published (XEP-0060 §7.1.2).
    Item(Arc<Item>),
    /// The item of this id is gone (XEP-0060 §7.2.2).
    Retract(String),
    /// All items are gone (XEP-0060 §8.5.2).
    Purge,
    /// The node is gone, and perhaps another takes its place (XEP-0060 §8.4.2).
    Delete(Option<String>),
    /// Something happened, and that is all there is to say (XEP-0060 §7.1.3).
    Signal,
    /// The node is configured otherwise (XEP-0060 §8.2.5); the form is there for the asking.
    Configuration,
}

/// Eight letters and digits out of a number that stands for one notice (FNV-1a, 64 bits).
pub(super) fn message_id(epoch: &str, node: &str, seq: u64) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let number = seq.to_be_bytes();
    let bytes = epoch.bytes().chain(node.bytes()).chain(number);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut rest = hash ^ (hash >> 32);
    let mut letter = || {
        let at = usize::try_from(rest % 62).expect("a remainder of 62 is small");
        rest /= 62;
        char::from(LETTERS[at])
    };
    (0..8).map(|_| letter()).collect()
}
