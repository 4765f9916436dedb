//! The least of an XMPP client over WebSocket (RFC 6455, RFC 7395, RFC 6120, XEP-0060), written
//! apart from the server's own code, so that one mistake is not made on both sides.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{DOMAIN, PASSWORD, WAIT};

/// A session; every verb gives nothing once the server is gone.
pub(crate) struct Desk {
    socket: TcpStream,
    asked: u32,
}

/// An item of a node.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its number: what follows the 36 characters of the epoch; 0 with an id of the publisher's.
    pub(crate) seq: u64,
    /// The request id in it, or the publisher's own id.
    pub(crate) request: String,
    /// The state in it.
    pub(crate) state: String,
}

impl Desk {
    /// Logs in.
    pub(crate) fn open(server: &str, user: &str) -> Option<Self> {
        let socket = TcpStream::connect(server).ok()?;
        socket.set_read_timeout(Some(WAIT)).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut desk = Self { socket, asked: 0 };
        desk.upgrade(server)?;
        let open = format!(
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>"
        );
        desk.send(&open)?;
        desk.until(|text| text.contains("mechanisms"))?;
        let plain = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
        desk.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
        ))?;
        desk.until(|text| text.starts_with("<success"))?;
        desk.send(&open)?;
        desk.until(|text| text.contains("xmpp-bind"))?;
        desk.ask(
            "set",
            "",
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>crash</resource></bind>",
        )?;
        Some(desk)
    }

    /// Makes a node, unless it is there.
    pub(crate) fn create(&mut self, node: &str) -> Option<()> {
        self.pubsub("set", &format!("<create node='{node}'/>")).map(|_| ())
    }

    /// Publishes an item under an id of its own.
    pub(crate) fn publish(&mut self, node: &str, id: &str) -> Option<()> {
        let answer = self.pubsub(
            "set",
            &format!(
                "<publish node='{node}'><item id='{id}'><fed xmlns='urn:example:fed'/></item>\
                 </publish>"
            ),
        )?;
        assert!(answer.contains("type=\"result\"") || answer.contains("type='result'"), "{answer}");
        Some(())
    }

    /// The newest items of a node, oldest first.
    pub(crate) fn items(&mut self, node: &str, newest: usize) -> Option<Vec<Item>> {
        let ask = format!("<items node='{node}' max_items='{newest}'/>");
        let answer = self.pubsub("get", &ask)?;
        let parts = answer.split("<item ").skip(1);
        Some(parts.map(Item::parse).collect())
    }

    /// Puts somebody into the roster.
    pub(crate) fn list(&mut self, contact: &str) -> Option<()> {
        let item = format!("<query xmlns='jabber:iq:roster'><item jid='{contact}'/></query>");
        let answer = self.ask("set", "", &item)?;
        assert!(answer.contains("type=\"result\""), "{answer}");
        Some(())
    }

    /// The roster, which tells of its changes from then on.
    pub(crate) fn roster(&mut self) -> Option<String> {
        self.ask("get", "", "<query xmlns='jabber:iq:roster'/>")
    }

    /// Says something about a subscription.
    pub(crate) fn presence(&mut self, kind: &str, to: &str) -> Option<()> {
        self.send(&format!("<presence xmlns='jabber:client' type='{kind}' to='{to}'/>"))
    }

    /// Waits for a change of the roster that has `part` in it.
    pub(crate) fn pushed(&mut self, part: &str) -> Option<String> {
        self.until(|text| text.contains("jabber:iq:roster") && text.contains(part))
    }

    fn pubsub(&mut self, kind: &str, inside: &str) -> Option<String> {
        let to = format!("to='pubsub.{DOMAIN}'");
        let body = format!("<pubsub xmlns='http://jabber.org/protocol/pubsub'>{inside}</pubsub>");
        self.ask(kind, &to, &body)
    }

    fn ask(&mut self, kind: &str, to: &str, body: &str) -> Option<String> {
        self.asked += 1;
        let id = format!("q{}", self.asked);
        self.send(&format!("<iq xmlns='jabber:client' type='{kind}' id='{id}' {to}>{body}</iq>"))?;
        let ids = [format!("id=\"{id}\""), format!("id='{id}'")];
        self.until(|text| text.starts_with("<iq") && ids.iter().any(|id| text.contains(id)))
    }

    fn upgrade(&mut self, server: &str) -> Option<()> {
        let request = format!(
            "GET /ws/ HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: xmpp\r\n\r\n"
        );
        self.socket.write_all(request.as_bytes()).ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.socket.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        Some(())
    }

    /// One masked text frame. The mask is zero, which masks nothing and is allowed by the frame.
    fn send(&mut self, text: &str) -> Option<()> {
        let length = u16::try_from(text.len()).expect("what is sent here is short");
        let mut frame = vec![0x81];
        match length {
            0..126 => frame.push(0x80 | length as u8),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.socket.write_all(&frame).ok()
    }

    fn until(&mut self, is_it: impl Fn(&str) -> bool) -> Option<String> {
        loop {
            let text = self.receive()?;
            if is_it(&text) {
                return Some(text);
            }
        }
    }

    /// The next frame; the server splits no message and masks none.
    fn receive(&mut self) -> Option<String> {
        let mut head = [0; 2];
        self.socket.read_exact(&mut head).ok()?;
        let length = match head[1] {
            126 => {
                let mut long = [0; 2];
                self.socket.read_exact(&mut long).ok()?;
                usize::from(u16::from_be_bytes(long))
            }
            127 => {
                let mut long = [0; 8];
                self.socket.read_exact(&mut long).ok()?;
                usize::try_from(u64::from_be_bytes(long)).unwrap()
            }
            short => usize::from(short),
        };
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body).ok()?;
        Some(String::from_utf8_lossy(&body).into_owned())
    }
}

impl Item {
    fn parse(part: &str) -> Self {
        let id = after(part, &["id=\"", "id='"]).expect("an item has an id");
        let id = id.split(['"', '\'']).next().unwrap();
        let request = after(part, &["requestId&gt;", "requestId>"]);
        match request {
            Some(request) => Self {
                seq: id[36..].parse().expect("a number follows the epoch"),
                request: until_markup(request),
                state: until_markup(after(part, &["&lt;state&gt;", "&lt;state>"]).unwrap()),
            },
            None => Self { seq: 0, request: id.to_owned(), state: "FED".to_owned() },
        }
    }
}

fn after<'a>(text: &'a str, marks: &[&str]) -> Option<&'a str> {
    marks.iter().find_map(|mark| text.split_once(mark)).map(|(_, rest)| rest)
}

fn until_markup(text: &str) -> String {
    text.split(['<', '&']).next().unwrap().to_owned()
}
