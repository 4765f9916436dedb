//! Every bound of the core, with its unit and the reason for the number.
//!
//! A bound is named once, here; the configuration may lower some of them.

/// Bytes of a message from one person to another: a long letter. What is longer is a file.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Bytes of memory of a content that goes back with an error (RFC 6120 §8.3.1 leaves it open): a
/// usual request, by which a person finds his mistake. Whoever sent more has it.
pub const ECHOED_BYTES_MAX: usize = 4 * 1024;

/// Bytes of one WebSocket message or stanza after login. Openfire's maximum for a text message.
pub const STANZA_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of one stanza before login: an `open` and an `auth` fit many times over.
pub const STANZA_BYTES_BEFORE_LOGIN_MAX: usize = 16 * 1024;

/// Levels of nested elements: no XMPP payload comes near it, and recursion stays shallow.
pub const XML_DEPTH_MAX: usize = 64;

/// Attributes on one element, namespace declarations included. Finesse's richest has six.
pub const XML_ATTRIBUTES_MAX: usize = 64;

/// Bytes that a text must be allowed to have for each element, attribute and piece of text in it,
/// which takes up to 120 bytes of memory: what is read takes at most some times its longest text.
/// So a stanza may have 32,768 of them, more than any list of ours, and 512 before login.
pub const XML_PART_BYTES: usize = 32;

/// Bytes of a namespace's name; the longest of the standards have 80. It is written again wherever
/// the namespace changes.
pub const XML_NAMESPACE_BYTES_MAX: usize = 256;

/// Bytes of one name or attribute value: three JID parts of 1,023 bytes and two separators.
pub const XML_TOKEN_BYTES_MAX: usize = 3 * 1023 + 2;

/// Bytes of a WebSocket control frame's payload (RFC 6455 §5.5).
pub const WS_CONTROL_BYTES_MAX: usize = 125;

/// Pieces of one WebSocket message: 1 MiB in pieces of 256 bytes. Empty pieces cost only time.
pub const WS_FRAGMENTS_MAX: u32 = 4096;

/// Sub-protocols that a client may offer; ours is one of one or two.
pub const WS_SUBPROTOCOLS_MAX: usize = 32;

/// Bytes of a salt, of real accounts and of decoys alike: RFC 5802 asks for chance, 128 bits of it.
pub const SALT_BYTES: usize = 16;

/// Clients of one account that hold tokens: desktops, connectors, pages. The oldest makes room.
pub const FAST_AGENTS_OF_ONE_MAX: usize = 16;

/// Bytes of the tag by which a client is called in its address: a program's name, as in a list.
pub const BIND_TAG_BYTES_MAX: usize = 128;

/// Rounds of PBKDF2 below which our client refuses a server (RFC 7677 §4).
pub const SCRAM_ITERATIONS_MIN: u32 = 4_096;

/// Rounds of PBKDF2 above which our client refuses a server: a second of work by SHA-256, some by
/// SHA-512.
pub const SCRAM_ITERATIONS_MAX: u32 = 10_000_000;

/// Characters of a SCRAM nonce that a peer may send; ours have 25, others' up to 64.
pub const SCRAM_NONCE_BYTES_MAX: usize = 256;

/// Seconds from the connection to a bound stream: people wait no longer, slow attackers may not.
pub const LOGIN_SECS_MAX: u64 = 30;

/// Seconds from the first byte of a stanza to its last, on a carrier that brings it in pieces: the
/// longest one at 35 KB a second.
pub const STANZA_SECS_MAX: u64 = 30;

/// Failed logins of one stream, after which it ends (RFC 6120 §6.4.5 advises two to five).
pub const LOGIN_ATTEMPTS_MAX: u32 = 5;

/// Seconds that a peer has to answer our `<close/>`; with those of the carrier's own close, five.
pub const CLOSE_SECS_MAX: u64 = 3;

/// Stanzas after which a managed stream asks for an acknowledgement: one small answer for each.
pub const ACK_REQUEST_STANZAS: usize = 16;

/// Seconds that our client waits for each answer while it logs in.
pub const ANSWER_SECS_MAX: u64 = 15;

/// Characters of a user's id, login name or a team's id. UCCE stops at 12, CUCM names are longer.
pub const USER_ID_CHARS_MAX: usize = 64;

/// Characters of a name that people see. Finesse's longest is 128 in phone books.
pub const SHOWN_NAME_CHARS_MAX: usize = 128;

/// Characters of an extension, as of a number in Finesse's phone books.
pub const PHONE_CHARS_MAX: usize = 32;

/// Characters of a reason's label (Finesse administration guide).
pub const REASON_LABEL_CHARS_MAX: usize = 40;

/// The highest code of a configured NOT_READY reason (Finesse administration guide).
pub const REASON_CODE_NOT_READY_MAX: u32 = 65_532;

/// The highest code of a configured LOGOUT reason (Finesse administration guide).
pub const REASON_CODE_LOGOUT_MAX: u32 = 65_535;

/// Bytes of a pubsub node's name or title: as long as a JID's part (RFC 7622 §3.1).
pub const PUBSUB_NODE_NAME_BYTES_MAX: usize = 1023;

/// Names of nodes that are gone, known so that readers of others need not fear a loss: 1 MB.
pub const PUBSUB_GRAVES_MAX: usize = 1000;

/// People with a right of their own to one node; teams get theirs from the contact centre.
pub const PUBSUB_AFFILIATIONS_MAX: usize = 1000;

/// Groups of a roster that one node lets in. A client shows them as a list to choose from.
pub const PUBSUB_ROSTER_GROUPS_MAX: usize = 100;

/// Subscriptions to one node that wait for an owner's word.
pub const PUBSUB_PENDING_MAX: usize = 1000;

/// Owners' answers that one is asked for at a time; the others follow when these are given.
pub const PUBSUB_QUESTIONS_MAX: usize = 100;

/// Seconds for which they wait: a week, so that an owner may be away for some days.
pub const PUBSUB_PENDING_SECS: i64 = 7 * 24 * 60 * 60;

/// Nodes in one answer of service discovery: about 100 KB. Pages lead to the others.
pub const PUBSUB_NODES_LISTED_MAX: usize = 1000;

/// Subscriptions or affiliations in one answer: all of one person's, in less than a stanza.
pub const PUBSUB_ENTRIES_LISTED_MAX: usize = 4000;

/// Subscriptions and nodes whose time is over that end in one step: thousands may be due at once,
/// and nobody waits long behind so many.
pub const PUBSUB_LAPSES_MAX: usize = 256;

/// Items in one answer to a reader that comes back; it asks again for more.
pub const RECALL_ITEMS_MAX: usize = 500;

/// Bytes of items in one such answer, after which it stops: the first item is always in it.
pub const RECALL_BYTES_MAX: usize = 1024 * 1024;

/// Expired items that one publish throws out, so that the first after a quiet night stays quick.
pub const HISTORY_TRIMS_MAX: usize = 64;

/// Bytes of items in one answer, so that it fits into a stanza; the newest go first.
pub const ITEMS_BYTES_MAX: usize = STANZA_BYTES_MAX / 2;

/// Seconds for which a request over HTTP is held at most; Openfire's usual maximum.
pub const BOSH_WAIT_SECS_MAX: u64 = 60;

/// Requests of one client that are held at a time. Every client known asks for one.
pub const BOSH_HOLD_MAX: u64 = 1;

/// Seconds without a request after which a client is gone; Openfire's value.
pub const BOSH_INACTIVITY_SECS: u64 = 30;

/// The same for a client that polls and has no request held; must be more than it polls in.
pub const BOSH_POLLER_INACTIVITY_SECS: u64 = 60;

/// Seconds that must lie between two empty requests of a client that polls; Openfire's value.
pub const BOSH_POLLING_SECS: u64 = 5;

/// Seconds for which a client may ask to be away; Openfire's value.
pub const BOSH_PAUSE_SECS_MAX: u64 = 300;

/// Bytes of the start tag of a request over HTTP. Keys, names and namespaces need 1 KB.
pub const BOSH_HEAD_BYTES_MAX: usize = 8 * 1024;

/// Contacts in one roster: everybody of a large team, and room.
pub const ROSTER_CONTACTS_MAX: usize = 1000;

/// Bytes of the contacts in one roster as they are sent, so that its answer fits into a stanza:
/// 500 for each of the most contacts, where a name and a group or two take 200.
pub const ROSTER_BYTES_MAX: usize = STANZA_BYTES_MAX / 2;

/// Bytes of a contact's name, and of a group's: some lines of a list.
pub const ROSTER_NAME_BYTES_MAX: usize = 255;

/// Groups that one contact is in.
pub const ROSTER_GROUPS_MAX: usize = 32;

/// People who wait to be answered whether they may see somebody; he hears of no more.
pub const ROSTER_WISHES_MAX: usize = 200;

/// Bytes of a presence. One with capabilities, a nickname and a photo's hash has under 1,000; it is
/// kept for each session, and goes to everybody who sees it.
pub const PRESENCE_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a wish to see somebody, which is kept until it is answered.
pub const WISH_BYTES_MAX: usize = 4 * 1024;

/// Addresses to which one session shows itself directly, which it must be taken from at the end.
pub const DIRECTED_PRESENCES_MAX: usize = 100;
