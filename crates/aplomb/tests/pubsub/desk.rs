//! The least of an XMPP client over WebSocket (RFC 6455, RFC 7395), with its own frames, so that a
//! mistake of the server's is not made here too.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use aplomb_core::ns::{DELAY, RESULT_SET};
use aplomb_core::xml::{Element, Prologue, read_element};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{DOMAIN, PASSWORD, WAIT, matches};

/// A session.
pub(crate) struct Desk {
    socket: TcpStream,
    asked: u32,
    messages: Vec<Element>,
}

impl Desk {
    /// Logs in as `user/resource`.
    pub(crate) fn open(server: &str, who: &str) -> Self {
        let (user, resource) = who.split_once('/').unwrap();
        let socket = TcpStream::connect(server).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut desk = Self { socket, asked: 0, messages: Vec::new() };
        desk.upgrade(server);
        let open = format!(
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>"
        );
        desk.send(&open);
        desk.until(|text| text.contains("<mechanism>PLAIN"));
        let plain = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
        desk.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
        ));
        desk.until(|text| text.starts_with("<success"));
        desk.send(&open);
        desk.until(|text| text.contains("xmpp-bind"));
        let resource = format!("<resource>{resource}</resource>");
        let bind = format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{resource}</bind>");
        desk.ask("set", "", &bind);
        desk
    }

    /// Sends presence and waits for that of `finesse`.
    pub(crate) fn come(&mut self, priority: &str) {
        self.send(&format!(
            "<presence xmlns='jabber:client'><priority>{priority}</priority></presence>"
        ));
        self.until(|text| text.starts_with("<presence") && text.contains("finesse@"));
    }

    /// Asks the pubsub service and tells the answer in a few words.
    pub(crate) fn pubsub(&mut self, kind: &str, xml: &str) -> String {
        let (space, xml) = match xml.strip_prefix(':') {
            Some(xml) => ("pubsub#owner", xml),
            None => ("pubsub", xml),
        };
        let space = format!("http://jabber.org/protocol/{space}");
        let body = format!("<pubsub xmlns='{space}'>{xml}</pubsub>");
        let answer = self.ask(kind, &format!("to='pubsub.{DOMAIN}'"), &body);
        short(&answer_in_words(&read_element(&answer, Prologue::Forbidden).unwrap()))
    }

    /// The messages that came since the last time, as soon as they are what is expected.
    ///
    /// Where nothing is expected, two pings are waited for: whatever was in the mailbox when the
    /// first came is written before the session has nothing left to do.
    pub(crate) fn hears(&mut self, expected: &str) -> String {
        let start = Instant::now();
        loop {
            for _ in 0..2 {
                self.ask("get", "", "<ping xmlns='urn:xmpp:ping'/>");
            }
            let words: Vec<_> = self.messages.iter().map(message_in_words).collect();
            let heard =
                if words.is_empty() { "nothing".to_owned() } else { short(&words.join(" ")) };
            if matches(&heard, expected) || start.elapsed() > WAIT {
                self.messages.clear();
                return heard;
            }
        }
    }

    /// Waits for the next message and tells the id of its item.
    pub(crate) fn next_item(&mut self) -> String {
        while self.messages.is_empty() {
            let text = self.receive().expect("the stream goes on");
            self.keep(&text);
        }
        let message = self.messages.remove(0);
        let item = message.children().next().unwrap().children().next().unwrap();
        item.children().next().unwrap().attr("id").unwrap().to_owned()
    }

    /// Everything until the WebSocket closes; the stream's end is answered with our own.
    pub(crate) fn until_the_end(&mut self) -> String {
        let mut all = String::new();
        while let Some(text) = self.receive() {
            if text.starts_with("<close") {
                self.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
            }
            all.push_str(&text);
        }
        all
    }

    /// Says as an owner whether somebody may subscribe, by the form; and what is said to that.
    pub(crate) fn decide(&mut self, node: &str, jid: &str, allow: &str) {
        let field =
            |name: &str, value: &str| format!("<field var='{name}'><value>{value}</value></field>");
        let fields = [
            field("FORM_TYPE", "http://jabber.org/protocol/pubsub#subscribe_authorization"),
            field("pubsub#node", node),
            field("pubsub#subscriber_jid", jid),
            field("pubsub#allow", allow),
        ];
        self.send(&format!(
            "<message xmlns='jabber:client' to='pubsub.{DOMAIN}' id='d'>\
             <x xmlns='jabber:x:data' type='submit'>{}</x></message>",
            fields.concat()
        ));
    }

    /// Sends a presence of this type to somebody, and waits until it was handled.
    pub(crate) fn presence(&mut self, kind: &str, whom: &str) {
        self.send(&format!("<presence xmlns='jabber:client' type='{kind}' to='{whom}@{DOMAIN}'/>"));
        self.ask("get", "", "<ping xmlns='urn:xmpp:ping'/>");
    }

    /// Puts somebody into a group of the roster.
    pub(crate) fn file(&mut self, whom: &str, group: &str) {
        let item = format!("<item jid='{whom}@{DOMAIN}'><group>{group}</group></item>");
        let answer =
            self.ask("set", "", &format!("<query xmlns='jabber:iq:roster'>{item}</query>"));
        assert!(answer.contains("type=\"result\""), "{answer}");
    }

    /// Asks for those who wait at a node, or where any do, by the command; the answer in words.
    pub(crate) fn pending(&mut self, node: Option<&str>) -> String {
        let form = node.map(|node| {
            format!(
                "<x xmlns='jabber:x:data' type='submit'><field var='pubsub#node'>\
                 <value>{node}</value></field></x>"
            )
        });
        let command = format!(
            "<command xmlns='http://jabber.org/protocol/commands' \
             node='http://jabber.org/protocol/pubsub#get-pending'>{}</command>",
            form.unwrap_or_default()
        );
        let answer = self.ask("set", &format!("to='pubsub.{DOMAIN}'"), &command);
        let answer = read_element(&answer, Prologue::Forbidden).unwrap();
        if answer.attr("type") == Some("error") {
            return answer_in_words(&answer);
        }
        let command = answer.children().next().unwrap();
        let form = command.children().find(|child| child.name() == "x");
        let field = form.and_then(|form| form.children().last());
        let options = field.into_iter().flat_map(Element::children);
        let options = options.flat_map(Element::children).map(Element::text);
        let words = std::iter::once(command.attr("status").unwrap().to_owned()).chain(options);
        words.collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn ask(&mut self, kind: &str, to: &str, body: &str) -> String {
        self.asked += 1;
        let id = format!("q{}", self.asked);
        self.send(&format!("<iq xmlns='jabber:client' type='{kind}' id='{id}' {to}>{body}</iq>"));
        let id = format!("id=\"{id}\"");
        self.until(|text| text.starts_with("<iq") && text.contains(&id))
    }

    /// The same session for another thread, to write while this one reads.
    pub(crate) fn second_half(&self) -> Self {
        let socket = self.socket.try_clone().unwrap();
        Self { socket, asked: 0, messages: Vec::new() }
    }

    fn upgrade(&mut self, server: &str) {
        let request = format!(
            "GET /ws/ HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: xmpp\r\n\r\n"
        );
        self.socket.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    }

    /// One masked text frame; the mask is zero, which masks nothing.
    pub(crate) fn send(&mut self, text: &str) {
        let length = u16::try_from(text.len()).expect("what is sent here is short");
        let mut frame = vec![0x81];
        match u8::try_from(length) {
            Ok(short @ 0..126) => frame.push(0x80 | short),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.socket.write_all(&frame).unwrap();
    }

    fn until(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        loop {
            let text = self.receive().expect("the stream goes on");
            self.keep(&text);
            if is_it(&text) {
                return text;
            }
        }
    }

    fn keep(&mut self, text: &str) {
        if text.starts_with("<message") {
            self.messages.push(read_element(text, Prologue::Forbidden).expect(text));
        }
    }

    /// The next text; none when the WebSocket closes. The server splits and masks nothing.
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
        (head[0] == 0x81).then(|| String::from_utf8(body).unwrap())
    }
}

fn short(words: &str) -> String {
    words.replace("/finesse/api/", "~")
}

/// `subscribed NODE JID`, `items NODE: ID…`, the conditions of an error, `done`, …, and of a page
/// `(INDEX of COUNT)`.
fn answer_in_words(iq: &Element) -> String {
    let set = iq.children().next().and_then(|pubsub| pubsub.child(RESULT_SET, "set"));
    let words = entries_in_words(iq);
    let Some(set) = set.filter(|_| iq.attr("type") == Some("result")) else { return words };
    let index = set.child(RESULT_SET, "first").and_then(|first| first.attr("index"));
    let count = set.child(RESULT_SET, "count").unwrap().text();
    format!("{words} ({} of {count})", index.unwrap_or("none"))
}

fn entries_in_words(iq: &Element) -> String {
    if let Some(error) = iq.children().find(|child| child.name() == "error") {
        let conditions = error.children().filter(|child| child.name() != "text");
        return conditions.map(Element::name).collect::<Vec<_>>().join(" ");
    }
    let Some(pubsub) = iq.children().next() else { return "done".to_owned() };
    let told = pubsub.children().next().unwrap();
    let node = told.attr("node").unwrap_or_default();
    let children = || told.children();
    match told.name() {
        "subscription" => {
            let state = told.attr("subscription").unwrap();
            format!("{state} {node} {}", told.attr("jid").unwrap())
        }
        "subscriptions" => {
            let each = |s: &Element| {
                let state = s.attr("subscription").filter(|state| *state != "subscribed");
                let words = [s.attr("node"), s.attr("jid"), state].into_iter().flatten();
                words.collect::<Vec<_>>().join(" ")
            };
            format!("subscriptions {}", children().map(each).collect::<Vec<_>>().join(" "))
        }
        "items" => {
            let each = |item: &Element| match item.children().next().map(Element::text) {
                Some(text) if !text.is_empty() => format!(" {text}"),
                _ => format!(" {}", item.attr("id").unwrap()),
            };
            format!("items {node}:{}", children().map(each).collect::<String>())
        }
        name => format!("{name} {node}"),
    }
}

/// `may JID NODE?`
fn question_in_words(form: &Element) -> String {
    let value = |name: &str| {
        let field = form.children().find(|field| field.attr("var") == Some(name)).unwrap();
        field.children().next().unwrap().text()
    };
    assert!(value("FORM_TYPE").ends_with("#subscribe_authorization"));
    format!("may {} {}?", value("pubsub#subscriber_jid"), value("pubsub#node"))
}

/// `TO NODE: TEXT`, with the text of the payload if it has one, or else what happened to which,
/// and `delayed` if it comes late.
fn message_in_words(message: &Element) -> String {
    assert_eq!(message.attr("from"), Some("pubsub.cc.test"));
    let to = message.attr("to").unwrap();
    if message.attr("type") == Some("error") {
        return format!("{to} {}", answer_in_words(message));
    }
    assert_eq!(message.attr("id").map(str::len), Some(8));
    let content = message.children().next().unwrap();
    if content.is(aplomb_core::ns::DATA_FORMS, "x") {
        return format!("{to} {}", question_in_words(content));
    }
    let told = content.children().next().unwrap();
    let node = told.attr("node").unwrap();
    if told.name() == "subscription" {
        let (jid, state) = (told.attr("jid").unwrap(), told.attr("subscription").unwrap());
        return format!("{to} {node}: {jid} {state}");
    }
    let Some(item) = told.children().next() else {
        return format!("{to} {node}: {}", told.name());
    };
    match item.children().next().map(Element::text) {
        Some(text) if !text.is_empty() => format!("{to} {node}: {}", text.replace('\n', "")),
        _ if item.name() == "redirect" => {
            format!("{to} {node}: {} {}", told.name(), item.attr("uri").unwrap())
        }
        _ if item.name() == "affiliation" => {
            format!("{to} {node}: {}", item.attr("affiliation").unwrap())
        }
        _ => {
            let delay = message.child(DELAY, "delay").map_or("", |_| " delayed");
            format!("{to} {node}: {} {}{delay}", item.name(), item.attr("id").unwrap())
        }
    }
}
