//! The table: what is sent, over which links, and what must happen. A row that is not for every
//! link says why.

use aplomb_core::limits::{STANZA_BYTES_MAX, WS_FRAGMENTS_MAX, XML_TOKEN_BYTES_MAX};

use super::party::Link;

/// One input.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) on: &'static [Link],
    /// Why it is not for the others.
    pub(crate) not_on_others: &'static str,
    pub(crate) when: When,
    pub(crate) sent: Sent,
    pub(crate) must: Must,
}

/// How far the client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// The link stands; nothing was said.
    Fresh,
    /// The stream is open; nobody is logged in.
    Opened,
    /// 1001 is logged in and bound.
    Bound,
    /// The publisher is.
    Publishing,
}

/// What the client sends.
pub(crate) enum Sent {
    /// These bytes, over whatever is below the units of the link.
    Bytes(fn() -> Vec<u8>),
    /// One unit: a message, a request's content, or bytes of a stream.
    Unit(fn() -> Vec<u8>),
    /// Units, one after another.
    Units(&'static [&'static str]),
    /// A request of a session with these attributes and nothing in it.
    Request(&'static str),
    /// A request of this kind to the pubsub service, what follows its namespace, and the verb.
    PubSub(&'static str, &'static str, &'static str),
}

/// What becomes of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Must {
    /// The WebSocket closes with this code.
    Close(u16),
    /// The stream ends with this condition; over BOSH, the session with what stands for it.
    StreamError(&'static str),
    /// It is no UTF-8, which each link says in its own words: a WebSocket with 1007.
    NotText,
    /// The stanza is answered with this error, and the stream goes on.
    Refused(&'static str),
    /// The stream goes on as if nothing had been said.
    Nothing,
    /// The session over BOSH ends with this condition.
    Terminate(&'static str),
    /// HTTP answers this, and the connection or session is over.
    Status(u16),
}

use Link::{Bosh, FeedSocket, LongPoll, Poll, Sse, Tcp, Tls, WebSocket};
use Must::{Close, NotText, Nothing, Refused, Status, StreamError, Terminate};
use Sent::{Bytes, PubSub, Request, Unit, Units};
use When::{Bound, Fresh, Opened, Publishing};

const SOCKETS: &[Link] = &[WebSocket, FeedSocket];
const OF_SOCKETS: &str = "only a WebSocket has frames";
const STREAMS: &[Link] = Link::STREAMS;
const OF_STREAMS: &str = "a feed takes no XML: what comes to it is a query, or nothing";
const BYTES: &[Link] = &[Tcp, Tls];
const UNITS: &[Link] = &[WebSocket, Bosh];

/// Frames (RFC 6455).
pub(crate) const FRAMES: &[Row] = &[
    frame("a frame that is not masked", || b"\x81\x05Hello".into(), 1002),
    frame("a compressed frame, without that being agreed: no bomb", bomb_in_a_frame, 1002),
    frame("the second reserved bit", || b"\xA1\x80\0\0\0\0".into(), 1002),
    frame("the third reserved bit", || b"\x91\x80\0\0\0\0".into(), 1002),
    frame("a header that says 2^40 bytes", || b"\x81\xFF\0\0\x01\0\0\0\0\0\0\0\0\0".into(), 1009),
    frame("a header with the highest bit", || b"\x81\xFF\x80\0\0\0\0\0\0\0\0\0\0\0".into(), 1002),
    frame("more pieces than a message may have", || pieces(b""), 1009),
    frame("as many pieces of one byte", || pieces(b"a"), 1009),
    frame("a ping of 126 bytes", || b"\x89\xFE\x00\x7E\0\0\0\0".into(), 1002),
    frame("a ping in pieces", || b"\x09\x80\0\0\0\0".into(), 1002),
    frame("opcode 3", || b"\x83\x80\0\0\0\0".into(), 1002),
    frame("opcode 7", || b"\x87\x80\0\0\0\0".into(), 1002),
    frame("opcode B", || b"\x8B\x80\0\0\0\0".into(), 1002),
    frame("opcode F", || b"\x8F\x80\0\0\0\0".into(), 1002),
    frame("a piece of nothing", || b"\x80\x80\0\0\0\0".into(), 1002),
    frame("a message within a message", || b"\x01\x80\0\0\0\0\x81\x80\0\0\0\0".into(), 1002),
    frame("close 0", || close(0), 1002),
    frame("close 999", || close(999), 1002),
    frame("close 1004", || close(1004), 1002),
    frame("close 1005", || close(1005), 1002),
    frame("close 1006", || close(1006), 1002),
    frame("close 1015", || close(1015), 1002),
    frame("close 5000", || close(5000), 1002),
    frame("half a close code", || b"\x88\x81\0\0\0\0\x03".into(), 1002),
    frame("a close reason that is no text", || b"\x88\x83\0\0\0\0\x03\xE8\xFF".into(), 1007),
    frame("text that is no text", || b"\x81\x82\0\0\0\0\xC3\x28".into(), 1007),
    frame("a surrogate", || b"\x81\x83\0\0\0\0\xED\xA0\x80".into(), 1007),
    frame("binary", || b"\x82\x81\0\0\0\0a".into(), 1003),
];

/// HTTP around what has no frames.
pub(crate) const HTTP: &[Row] = &[
    http(&[Bosh], 413, || request("POST", "/http-bind/", "Content-Length: 1099511627776\r\n")),
    http(&[Poll], 401, || request("GET", "/feeds/poll", "Content-Length: 1099511627776\r\n")),
    http(&[LongPoll], 401, || request("GET", "/feeds/longpoll", "Content-Length: 9999999999\r\n")),
    http(&[Sse], 401, || request("GET", "/feeds/sse", "Content-Length: 1099511627776\r\n")),
    http(&[Bosh], 400, || {
        let bomb = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3, 0x63, 0, 0, 0, 0xFF, 0xFF];
        let headers = format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n", bomb.len());
        [request("POST", "/http-bind/", &headers), bomb.into()].concat()
    }),
];

/// XML and streams: the same answer on every link, as far as it has words for it.
pub(crate) const XML: &[Row] = &[
    before("entities that expand", Unit(|| LAUGHS.into()), "restricted-xml"),
    before("500 elements", Unit(|| iq(&"<a/>".repeat(500))), "not-authorized"),
    before("600 elements", Unit(|| iq(&"<a/>".repeat(600))), "policy-violation"),
    before("a long namespace", Unit(|| iq(&in_namespace(3_000, 2_000))), "policy-violation"),
    before("an external entity", Unit(|| EXTERNAL.into()), "restricted-xml"),
    stream("a document type", Unit(|| LAUGHS.into()), "restricted-xml"),
    stream("an entity of nobody", Unit(|| iq("<a>&lol;</a>")), "restricted-xml"),
    stream("an instruction", Unit(|| b"<?php x?>".into()), "restricted-xml"),
    stream("a comment", Unit(|| b"<!-- c -->".into()), "restricted-xml"),
    stream("a comment in a stanza", Unit(|| iq("<a><!-- c --></a>")), "restricted-xml"),
    goes_on("character data, which is text", Unit(|| iq("<a xmlns='x'><![CDATA[&]]></a>"))),
    not_text("a name that is no text", Unit(|| iq_of(b"<a\xC3\x28 xmlns='x'/>"))),
    not_text("an attribute that is no text", Unit(|| iq_of(b"<a b='\xF8\xA0'/>"))),
    not_text("text that is no text", Unit(|| iq_of(b"<a xmlns='x'>\xED\xA0\x80</a>"))),
    not_text("text that is longer than need be", Unit(|| iq_of(b"<a b='\xC0\xBC'/>"))),
    stream("the character 0", Unit(|| iq("<a xmlns='x'>\0</a>")), "not-well-formed"),
    stream("the character 0 by its number", Unit(|| iq("<a b='&#0;'/>")), "not-well-formed"),
    stream("an end that is no end", Unit(|| iq("<a></b>")), "not-well-formed"),
    stream("an attribute twice", Unit(|| iq("<a b='1' b='2'/>")), "not-well-formed"),
    stream("a prefix of nothing", Unit(|| iq("<p:a/>")), "not-well-formed"),
    stream("text between stanzas", Unit(|| b"text".into()), "not-well-formed"),
    stream("the end of nothing", Unit(|| b"</iq>".into()), "not-well-formed"),
    Row {
        on: &[WebSocket],
        not_on_others: "two stanzas may come together over TCP, and in one request of BOSH",
        ..stream("two stanzas in one message", Unit(two), "")
    },
    Row {
        on: &[WebSocket],
        not_on_others: "over TCP a stanza comes in whatever pieces; in a request of BOSH: below",
        ..stream("a stanza over two messages", Units(&["<presence xmlns='jabber:client'>"]), "")
    },
    Row {
        on: &[Bosh],
        not_on_others: "over TCP a stanza comes in whatever pieces; a WebSocket's: above",
        ..stream(
            "half a stanza",
            Unit(|| b"<presence xmlns='jabber:client'>".into()),
            "not-well-formed",
        )
    },
    Row {
        on: UNITS,
        not_on_others: "over TCP it is the end of the stream",
        ..stream("the end of another carrier's stream", Unit(|| b"</stream:stream>".into()), "")
    },
    stream("a stream in a stream", Unit(|| [STREAM, b"</stream:stream>"].concat()), ""),
    stream("`open` in mid-session", Unit(|| OPEN.into()), ""),
    Row {
        on: &[Tcp, Tls, Bosh],
        not_on_others: "there it is how a stream is closed",
        ..stream("`close` of another carrier", Unit(|| CLOSE.into()), "")
    },
    goes_on(
        "`close` inside a stanza is text to nobody",
        Unit(|| iq("<a xmlns='x'><close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/></a>")),
    ),
    stream("50,000 elements in each other", Unit(|| iq(&"<a>".repeat(50_000))), "policy-violation"),
    stream(
        "60,000 attributes",
        Unit(|| iq(&format!("<a{}/>", attributes("")))),
        "policy-violation",
    ),
    stream(
        "60,000 namespaces",
        Unit(|| iq(&format!("<a{}/>", attributes("xmlns:")))),
        "policy-violation",
    ),
    stream("200,000 elements", Unit(|| iq(&"<a/>".repeat(200_000))), "policy-violation"),
    stream("100,000 texts and elements", Unit(|| iq(&"x<a/>".repeat(50_000))), "policy-violation"),
    stream(
        "100,000 attributes of 50,000 elements",
        Unit(|| iq(&"<a b='' c=''/>".repeat(50_000))),
        "policy-violation",
    ),
    stream(
        "a long namespace of many elements",
        Unit(|| iq(&in_namespace(3_000, 100_000))),
        "policy-violation",
    ),
    goes_on("a usual namespace of many elements", Unit(|| iq(&in_namespace(80, 20_000)))),
    stream("a name without an end", Unit(|| iq(&long_name())), "policy-violation"),
    Row {
        must: Status(413),
        on: &[Bosh],
        not_on_others: "a request has a length that can be looked at first: HTTP says it",
        ..stream("a stanza beyond the bound, in a request", Unit(too_long), "")
    },
    Row {
        must: Close(1009),
        on: &[WebSocket],
        not_on_others: "a frame has a length that can be looked at first: its close code says it",
        ..stream("a stanza beyond the bound, in a message", Unit(too_long), "")
    },
    Row {
        on: BYTES,
        not_on_others: "where units have a length they are refused by it: above",
        ..stream("a stanza beyond the bound", Unit(too_long), "policy-violation")
    },
];

/// Stanzas that claim what is not so, or lack what must be there.
pub(crate) const STANZAS: &[Row] = &[
    stream("a stanza of somebody else", Unit(|| SPOOFED.into()), "invalid-from"),
    stream("a stanza of another domain", Unit(|| FOREIGN_FROM.into()), "invalid-from"),
    stream("no stanza", Unit(|| b"<unknown xmlns='urn:x'/>".into()), "unsupported-stanza-type"),
    Row {
        when: Opened,
        ..stream("a stanza before login", Unit(|| FOREIGN_TO.into()), "not-authorized")
    },
    refused("a request to a foreign domain", Unit(|| FOREIGN_TO.into()), "remote-server-not-found"),
    goes_on(
        "an answer that nobody asked for",
        Unit(|| {
            b"<iq xmlns='jabber:client' \
        type='result' id='never' to='cc.test'/>"
                .into()
        }),
    ),
    goes_on("the same id twice: two answers", Units(&[TWICE, TWICE])),
    refused(
        "a kind of request that is none",
        Unit(|| {
            b"<iq xmlns='jabber:client' type='x' \
        id='1'><ping xmlns='urn:xmpp:ping'/></iq>"
                .into()
        }),
        "bad-request",
    ),
    refused(
        "a request for two things",
        Unit(|| iq("<ping xmlns='urn:xmpp:ping'/><ping xmlns='urn:xmpp:ping'/>")),
        "bad-request",
    ),
    goes_on(
        "capabilities of a kind that is over, which are believed to nobody",
        Unit(|| {
            b"<presence \
        xmlns='jabber:client'><c xmlns='http://jabber.org/protocol/caps' node='n' ver='1' \
        ext='a b c'/></presence>"
                .into()
        }),
    ),
    goes_on(
        "capabilities with a wrong digest",
        Unit(|| {
            b"<presence xmlns='jabber:client'><c \
        xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='bm90aGluZw=='/>\
        </presence>"
                .into()
        }),
    ),
    pubsub("subscribe without a node", "set", "<subscribe jid='1001@cc.test'/>"),
    pubsub("subscribe without an address", "set", "<subscribe node='/finesse/api/User/1001'/>"),
    pubsub("subscribe without both", "set", "<subscribe/>"),
    pubsub("unsubscribe without a node", "set", "<unsubscribe jid='1001@cc.test'/>"),
    pubsub("unsubscribe without an address", "set", "<unsubscribe node='x'/>"),
    pubsub("publish without a node", "set", "<publish><item id='a'/></publish>"),
    pubsub("retract without a node", "set", "<retract><item id='a'/></retract>"),
    pubsub("retract without an item", "set", "<retract node='/finesse/api/User/1001'/>"),
    pubsub("retract of an item without an id", "set", "<retract node='x'><item/></retract>"),
    pubsub("items without a node", "get", "<items/>"),
    pubsub("options without a node", "get", "<options jid='1001@cc.test'/>"),
    pubsub("a verb that is none", "set", "<steal node='/finesse/api/User/1001'/>"),
    pubsub("no verb", "set", ""),
    owner("configure without a node", "get", "<configure/>"),
    owner("delete without a node", "set", "<delete/>"),
    owner("purge without a node", "set", "<purge/>"),
    owner("affiliations without a node", "get", "<affiliations/>"),
    owner("subscriptions without a node", "get", "<subscriptions/>"),
    refused("subscribe to another's node", Unit(|| subscribe("/finesse/api/User/1002")), HIDDEN),
    refused("subscribe to a node of nobody", Unit(|| subscribe("/finesse/api/User/9999")), HIDDEN),
    refused("subscribe to a team", Unit(|| subscribe("/finesse/api/Team/1/Users")), HIDDEN),
    refused("read another's node", Unit(|| items("/finesse/api/User/1002")), HIDDEN),
    refused("read a node of nobody", Unit(|| items("/finesse/api/User/9999")), HIDDEN),
    refused("publish to another's node", Unit(|| publish("/finesse/api/User/1002", "x")), HIDDEN),
    refused("publish to a node of nobody", Unit(|| publish("/finesse/api/User/9999", "x")), HIDDEN),
    refused("publish to one's own node", Unit(|| publish("/finesse/api/User/1001", "x")), DENIED),
    refused("create a node", PubSub("set", "", "<create node='/crm/mine'/>"), DENIED),
    refused("create a node of any name", PubSub("set", "", "<create/>"), DENIED),
    Row {
        when: Publishing,
        ..refused("a payload beyond the bound", Unit(too_big), "payload-too-big")
    },
    Row {
        when: Publishing,
        ..refused("a node's name beyond the bound", Unit(|| publish(&"n".repeat(1024), "x")), "")
    },
];

/// The rules of a session over HTTP (XEP-0124).
pub(crate) const BOSH: &[Row] = &[
    bosh("a request of the far future", "rid='1000099'", "item-not-found"),
    bosh("a request of the far past", "rid='7'", "item-not-found"),
    bosh("a request without a number", "rid='x'", "bad-request"),
    bosh("a number beyond 2^53", "rid='9007199254740993'", "bad-request"),
    bosh("a session of nobody", "sid='nobody'", "item-not-found"),
    bosh("a pause beyond the bound", "pause='301'", "policy-violation"),
    bosh("a pause that is no number", "pause='-1'", "bad-request"),
];

/// A wish for an address.
pub(crate) const BIND: &str = "<iq xmlns='jabber:client' type='set' id='b'><bind \
    xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>";
/// Of what the client knows to be there.
const DENIED: &str = "forbidden";
/// Of what it may not know to be there.
const HIDDEN: &str = "item-not-found";
const LAUGHS: &[u8] = b"<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>\
    <message xmlns='jabber:client'><body>&b;</body></message>";
const EXTERNAL: &[u8] = b"<!DOCTYPE l SYSTEM 'file:///etc/passwd'><message/>";
const OPEN: &[u8] =
    b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='cc.test' version='1.0'/>";
const CLOSE: &[u8] = b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";
const STREAM: &[u8] = b"<stream:stream xmlns='jabber:client' to='cc.test' version='1.0' \
    xmlns:stream='http://etherx.jabber.org/streams'>";
const SPOOFED: &[u8] = b"<message xmlns='jabber:client' from='1003@cc.test/desk' \
    to='1002@cc.test/desk'><body>I am 1003</body></message>";
const FOREIGN_FROM: &[u8] = b"<presence xmlns='jabber:client' from='elsewhere.test'/>";
const FOREIGN_TO: &[u8] = b"<iq xmlns='jabber:client' type='get' id='1' to='elsewhere.test'>\
    <ping xmlns='urn:xmpp:ping'/></iq>";
const TWICE: &str = "<iq xmlns='jabber:client' type='get' id='twice'><ping xmlns='urn:xmpp:ping'/>\
    </iq>";

const fn frame(what: &'static str, sent: fn() -> Vec<u8>, code: u16) -> Row {
    let (on, not_on_others) = (SOCKETS, OF_SOCKETS);
    Row { what, on, not_on_others, when: Fresh, sent: Bytes(sent), must: Close(code) }
}

const fn http(on: &'static [Link], status: u16, sent: fn() -> Vec<u8>) -> Row {
    Row {
        what: "a request that says more than it is",
        on,
        not_on_others: "TCP has no HTTP; the others have a row of their own",
        when: Fresh,
        sent: Bytes(sent),
        must: Status(status),
    }
}

const fn stream(what: &'static str, sent: Sent, condition: &'static str) -> Row {
    let must = StreamError(condition);
    Row { what, on: STREAMS, not_on_others: OF_STREAMS, when: Bound, sent, must }
}

const fn not_text(what: &'static str, sent: Sent) -> Row {
    Row { must: NotText, ..stream(what, sent, "") }
}

const fn before(what: &'static str, sent: Sent, condition: &'static str) -> Row {
    Row { when: Opened, ..stream(what, sent, condition) }
}

const fn goes_on(what: &'static str, sent: Sent) -> Row {
    Row { must: Nothing, ..stream(what, sent, "") }
}

const fn refused(what: &'static str, sent: Sent, condition: &'static str) -> Row {
    Row { must: Refused(condition), ..stream(what, sent, "") }
}

const fn bosh(what: &'static str, attributes: &'static str, condition: &'static str) -> Row {
    Row {
        on: &[Bosh],
        not_on_others: "only BOSH has requests that are numbered",
        must: Terminate(condition),
        ..stream(what, Request(attributes), "")
    }
}

const fn pubsub(what: &'static str, kind: &'static str, verb: &'static str) -> Row {
    refused(what, PubSub(kind, "", verb), "")
}

const fn owner(what: &'static str, kind: &'static str, verb: &'static str) -> Row {
    refused(what, PubSub(kind, "#owner", verb), "")
}

fn pieces(piece: &[u8]) -> Vec<u8> {
    let length = 0x80 | u8::try_from(piece.len()).unwrap();
    let first = [&[0x01, length, 0, 0, 0, 0], piece].concat();
    let more = [&[0x00, length, 0, 0, 0, 0], piece].concat();
    [first, more.repeat(WS_FRAGMENTS_MAX as usize)].concat()
}

/// A kilobyte that would be a megabyte: deflate of zeros, over and over.
fn bomb_in_a_frame() -> Vec<u8> {
    let head = [0xC1, 0xFE, 0x04, 0x00, 0, 0, 0, 0];
    [&head[..], &[0xEC, 0xC0, 0x01, 0x0D].repeat(256)].concat()
}

fn close(code: u16) -> Vec<u8> {
    [&b"\x88\x82\0\0\0\0"[..], &code.to_be_bytes()].concat()
}

fn request(method: &str, path: &str, headers: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: cc.test\r\n{headers}\r\n").into_bytes()
}

fn iq(inner: &str) -> Vec<u8> {
    iq_of(inner.as_bytes())
}

fn iq_of(inner: &[u8]) -> Vec<u8> {
    let start = b"<iq xmlns='jabber:client' type='get' id='1' to='cc.test'>";
    [&start[..], inner, b"</iq>"].concat()
}

fn two() -> Vec<u8> {
    iq("<ping xmlns='urn:xmpp:ping'/>").repeat(2)
}

fn attributes(prefix: &str) -> String {
    (0..60_000).map(|n| format!(" {prefix}a{n}='1'")).collect()
}

fn in_namespace(bytes: usize, count: usize) -> String {
    format!("<p:a xmlns:p='{}'>{}</p:a>", "n".repeat(bytes), "<p:b/>".repeat(count))
}

fn long_name() -> String {
    format!("<items node='{}'/>", "n".repeat(XML_TOKEN_BYTES_MAX + 1))
}

fn too_long() -> Vec<u8> {
    let body = "x".repeat(STANZA_BYTES_MAX);
    format!("<message xmlns='jabber:client'><body>{body}</body></message>").into_bytes()
}

pub(crate) fn of_pubsub(kind: &str, owner: &str, verb: &str) -> Vec<u8> {
    format!(
        "<iq xmlns='jabber:client' type='{kind}' id='1' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub{owner}'>{verb}</pubsub></iq>"
    )
    .into_bytes()
}

fn subscribe(node: &str) -> Vec<u8> {
    of_pubsub("set", "", &format!("<subscribe node='{node}' jid='1001@cc.test'/>"))
}

fn items(node: &str) -> Vec<u8> {
    of_pubsub("get", "", &format!("<items node='{node}'/>"))
}

fn publish(node: &str, text: &str) -> Vec<u8> {
    let item = format!("<item><n xmlns='x'>{text}</n></item>");
    of_pubsub("set", "", &format!("<publish node='{node}'>{item}</publish>"))
}

fn too_big() -> Vec<u8> {
    publish("/finesse/api/User/1001", &"x".repeat(aplomb::limits::PAYLOAD_BYTES_MAX + 1))
}
