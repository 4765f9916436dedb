//! Every XML namespace we speak, under the title of the standard that defines it.

/// Stanzas between client and server (RFC 6120 §4.8.2).
pub const CLIENT: &str = "jabber:client";
/// Stream features and stream errors, prefix `stream` (RFC 6120 §4.8.1).
pub const STREAMS: &str = "http://etherx.jabber.org/streams";
/// Conditions of stream errors (RFC 6120 §4.9.2).
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// Conditions of stanza errors (RFC 6120 §8.3.2).
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// `open` and `close` over WebSocket (RFC 7395 §3.3).
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// The wrapper of a request and of its answer over HTTP (XEP-0124 §6).
pub const HTTP_BIND: &str = "http://jabber.org/protocol/httpbind";
/// What XMPP adds to that wrapper (XEP-0206 §2).
pub const XBOSH: &str = "urn:xmpp:xbosh";
/// STARTTLS negotiation (RFC 6120 §5).
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// SASL negotiation (RFC 6120 §6).
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// The types of channel binding that a server has (XEP-0440 §2).
pub const SASL_BINDINGS: &str = "urn:xmpp:sasl-cb:0";
/// Extensible SASL profile (XEP-0388).
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// Bind 2 (XEP-0386).
pub const BIND2: &str = "urn:xmpp:bind:0";
/// Fast authentication streamlining tokens (XEP-0484).
pub const FAST: &str = "urn:xmpp:fast:0";
/// Resource binding (RFC 6120 §7).
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// Session establishment (RFC 3921 §3).
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// Roster (RFC 6121 §2).
pub const ROSTER: &str = "jabber:iq:roster";
/// Roster versioning as a stream feature (RFC 6121 §2.6).
pub const ROSTER_VERSIONING: &str = "urn:xmpp:features:rosterver";
/// Presence subscriptions that are allowed beforehand, as a stream feature (RFC 6121 §3.4).
pub const PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";
/// Service discovery, information (XEP-0030 §3).
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// Service discovery, items (XEP-0030 §4).
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// Publish-Subscribe (XEP-0060).
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// Publish-Subscribe, conditions of errors (XEP-0060 §4).
pub const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
/// Publish-Subscribe, event notifications (XEP-0060 §7.1.2).
pub const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// Publish-Subscribe, what owners do (XEP-0060 §8).
pub const PUBSUB_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
/// Publish-Subscribe, the form that configures a node (XEP-0060 §8.2).
pub const PUBSUB_NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";
/// Publish-Subscribe, the form of a publish request's options (XEP-0060 §7.1.5).
pub const PUBSUB_PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";
/// Publish-Subscribe, the form that says what a node is (XEP-0060 §5.4).
pub const PUBSUB_META_DATA: &str = "http://jabber.org/protocol/pubsub#meta-data";
/// Publish-Subscribe, the form that asks an owner to let somebody in (XEP-0060 §8.6).
pub const PUBSUB_AUTHORIZATION: &str = "http://jabber.org/protocol/pubsub#subscribe_authorization";
/// Commands (XEP-0050).
pub const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// Publish-Subscribe, the form of a subscription's options (XEP-0060 §6.3).
pub const PUBSUB_SUBSCRIBE_OPTIONS: &str = "http://jabber.org/protocol/pubsub#subscribe_options";
/// Delayed delivery (XEP-0203).
pub const DELAY: &str = "urn:xmpp:delay";
/// Data forms (XEP-0004).
pub const DATA_FORMS: &str = "jabber:x:data";
/// Result set management (XEP-0059).
pub const RESULT_SET: &str = "http://jabber.org/protocol/rsm";
/// Our own: why what comes after an item cannot be told.
pub const LOST: &str = "urn:aplomb:lost:0";
/// Software version (XEP-0092).
pub const VERSION: &str = "jabber:iq:version";
/// Entity capabilities (XEP-0115).
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// XMPP ping (XEP-0199).
pub const PING: &str = "urn:xmpp:ping";
/// Stream management (XEP-0198).
pub const MANAGEMENT: &str = "urn:xmpp:sm:3";
/// Entity time (XEP-0202).
pub const TIME: &str = "urn:xmpp:time";
/// Client state indication (XEP-0352).
pub const CLIENT_STATE: &str = "urn:xmpp:csi:0";
/// Stream limits advertisement (XEP-0478).
pub const STREAM_LIMITS: &str = "urn:xmpp:stream-limits:0";
/// Message carbons (XEP-0280).
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// Stanza forwarding (XEP-0297).
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// Message processing hints (XEP-0334).
pub const HINTS: &str = "urn:xmpp:hints";
/// Conditions of errors that no standard of its own defines (XEP-0182).
pub const ERRORS: &str = "urn:xmpp:errors";
/// The prefix `xml`, as in `xml:lang` (XML 1.0 §2.12).
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The namespaces that a reader hands out without an allocation.
pub(crate) const KNOWN: [&str; 34] = [
    CLIENT,
    STREAMS,
    STREAM_ERRORS,
    STANZA_ERRORS,
    FRAMING,
    HTTP_BIND,
    XBOSH,
    TLS,
    SASL,
    SASL_BINDINGS,
    SASL2,
    BIND2,
    FAST,
    BIND,
    SESSION,
    ROSTER,
    ROSTER_VERSIONING,
    PRE_APPROVAL,
    DISCO_INFO,
    DISCO_ITEMS,
    PUBSUB,
    PUBSUB_ERRORS,
    PUBSUB_EVENT,
    PUBSUB_OWNER,
    PUBSUB_NODE_CONFIG,
    DATA_FORMS,
    RESULT_SET,
    VERSION,
    CAPS,
    PING,
    MANAGEMENT,
    TIME,
    XML,
    "",
];
