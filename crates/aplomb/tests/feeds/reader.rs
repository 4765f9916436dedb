//! A server in this process, and readers that speak HTTP by hand, so that they can break off
//! anywhere. Requests are of HTTP/1.0, whose answers end with the connection.

use std::net::SocketAddr;
use std::time::Duration;

use aplomb::config::Config;
use aplomb::serve::{self, Running};
use aplomb_core::websocket::{Decoder, Input, Role};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "secret";

/// The node of the agent that most tests follow.
pub(crate) const NODE: &str = "/finesse/api/User/1001";

/// A laboratory on free ports, and `more` settings.
pub(crate) async fn server(more: &[(&str, &str)]) -> Running {
    let settings = [
        ("lab", "true"),
        ("lab-agents", "4"),
        ("lab-teams", "2"),
        ("lab-password", PASSWORD),
        ("domain", "cc.test"),
        ("scram-iterations", "4096"),
        ("https", "127.0.0.1:0"),
        ("insecure-http", "127.0.0.1:0"),
    ];
    serve::start(Config::of(&[&settings, more].concat()).unwrap()).await.unwrap()
}

/// Where the server speaks clear text.
pub(crate) fn clear(server: &Running) -> SocketAddr {
    server.insecure_http.unwrap()
}

/// Waits, but not for ever: what does not come is a failure that says so.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), future).await.unwrap_or_else(|_| panic!("no {what} in 30 s"))
}

/// The header of a login by password.
pub(crate) fn basic(user: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{PASSWORD}")))
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn has(&self, header: &str) -> bool {
        self.head.to_ascii_lowercase().contains(&format!("\r\n{}", header.to_ascii_lowercase()))
    }
}

/// Sends a request; the answer is still to be read.
pub(crate) async fn send(
    at: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> TcpStream {
    // A window that does not grow, so that a reader who does not read is noticed soon.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut stream = soon("connection", socket.connect(at)).await.unwrap();
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: cc.test\r\nContent-Length: {length}\r\n{headers}\r\n\
         {body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Asks, and reads the whole answer.
pub(crate) async fn ask(
    at: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
    let mut stream = send(at, method, path, headers, body).await;
    let mut all = Vec::new();
    soon("answer", stream.read_to_end(&mut all)).await.unwrap();
    let all = String::from_utf8(all).unwrap();
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {all}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Reads from a feed as somebody.
pub(crate) async fn get(at: SocketAddr, user: &str, path: &str) -> Answer {
    ask(at, "GET", path, &[&basic(user)], "").await
}

/// What a poll at `path` answers, which must be 200.
pub(crate) async fn poll(at: SocketAddr, path: &str) -> Value {
    let answer = get(at, "1001", path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Brings about events `from..to`, named by their numbers: 1001 signs in, is ready, is not.
pub(crate) async fn changes(at: SocketAddr, numbers: std::ops::Range<u32>) {
    if numbers.is_empty() {
        return;
    }
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for number in numbers {
        let (to, extension) = match number {
            0 => ("LOGIN", "<extension>1001</extension>"),
            odd if odd % 2 == 1 => ("READY", ""),
            _ => ("NOT_READY", ""),
        };
        let body = format!("<User><state>{to}</state>{extension}</User>");
        let request = format!(
            "PUT {NODE} HTTP/1.1\r\nHost: cc.test\r\nContent-Length: {}\r\n{}\r\n\
             Content-Type: application/xml\r\nrequestId: {number}\r\n\r\n{body}",
            body.len(),
            basic("1001"),
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let head = head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 202 "), "{head}");
    }
}

/// Reads the head of an answer.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon("head", stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// The names of events, or the reasons of what is no notice.
pub(crate) fn names(events: &[Value]) -> Vec<String> {
    let name = |event: &Value| {
        let reason = event["reason"].as_str();
        let name = reason.or_else(|| event["update"]["requestId"].as_str());
        name.unwrap_or_else(|| panic!("{event}")).to_owned()
    };
    events.iter().map(name).collect()
}

/// The names of events from 0 or another number on.
pub(crate) fn numbered(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

/// The events of an answer.
pub(crate) fn events(answer: &Value) -> &[Value] {
    answer["events"].as_array().unwrap()
}

/// The cursor of an answer.
pub(crate) fn cursor(answer: &Value) -> &str {
    answer["cursor"].as_str().unwrap()
}

/// One server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

/// A reader of server-sent events, as the standard has it: what is not ended by an empty line is
/// thrown away.
pub(crate) struct Sse {
    stream: TcpStream,
    unread: String,
    /// The last id, of an event or alone.
    pub(crate) last_id: String,
    pub(crate) comments: usize,
}

impl Sse {
    /// Opens a feed; `last_id` as a browser sends it when it comes back.
    pub(crate) async fn open(at: SocketAddr, user: &str, path: &str, last_id: &str) -> Self {
        let last = format!("Last-Event-ID: {last_id}");
        let mut headers = vec![basic(user)];
        headers.extend((!last_id.is_empty()).then_some(last));
        let headers: Vec<_> = headers.iter().map(String::as_str).collect();
        let stream = send(at, "GET", path, &headers, "").await;
        Self { stream, unread: String::new(), last_id: last_id.to_owned(), comments: 0 }
    }

    /// Reads the head of the answer.
    pub(crate) async fn greeted(mut self) -> Self {
        while !self.unread.contains("\r\n\r\n") {
            assert!(self.fill(4096).await > 0, "{}", self.unread);
        }
        let (head, rest) = self.unread.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 ") && head.contains("text/event-stream"), "{head}");
        self.unread = rest.to_owned();
        self
    }

    /// The next event; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(sent) = self.whole() {
                return Some(sent);
            }
            if self.fill(64 * 1024).await == 0 {
                return None;
            }
        }
    }

    /// Waits for a sign of life during which nothing is told.
    pub(crate) async fn until_comment(&mut self) {
        while self.comments == 0 {
            assert!(self.fill(4096).await > 0, "the feed ended");
            assert_eq!(self.whole(), None);
        }
    }

    /// Everything that comes within the next `bytes`, and then breaks off.
    pub(crate) async fn cut_after(mut self, mut bytes: usize) -> (Vec<Sent>, String) {
        while bytes > 0 {
            match self.fill(bytes).await {
                0 => break,
                read => bytes -= read,
            }
        }
        if let Some((_, rest)) = self.unread.split_once("\r\n\r\n") {
            self.unread = rest.to_owned();
        } else {
            self.unread.clear();
        }
        let mut all = Vec::new();
        while let Some(sent) = self.whole() {
            all.push(sent);
        }
        (all, self.last_id)
    }

    async fn fill(&mut self, most: usize) -> usize {
        let mut bytes = vec![0; most];
        let read = soon("event", self.stream.read(&mut bytes)).await.unwrap_or(0);
        // The laboratory's names are ASCII, so a piece of text is text.
        self.unread.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        read
    }

    /// Takes the next event from what was read.
    fn whole(&mut self) -> Option<Sent> {
        while let Some((block, rest)) = self.unread.split_once("\n\n") {
            let (mut kind, mut data) = (String::new(), Vec::new());
            for line in block.lines() {
                let (field, value) = line.split_once(':').unwrap();
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "" => self.comments += 1,
                    "id" => self.last_id = value.to_owned(),
                    "event" => kind = value.to_owned(),
                    "data" => data.push(value),
                    "retry" => assert_eq!(value, "2000"),
                    other => panic!("a field {other}"),
                }
            }
            let data = data.join("\n");
            let data =
                (!data.is_empty()).then(|| serde_json::from_str(&data).unwrap_or(data.into()));
            self.unread = rest.to_owned();
            if let Some(data) = data {
                return Some(Sent { id: self.last_id.clone(), kind, data });
            }
        }
        None
    }
}

/// A reader at the plain WebSocket.
pub(crate) struct Socket {
    stream: TcpStream,
    decoder: Decoder,
    unread: Vec<u8>,
}

/// The header of an upgrade.
pub(crate) fn upgrade(path: &str, headers: &[&str]) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!(
        "GET {path} HTTP/1.1\r\nHost: cc.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

impl Socket {
    pub(crate) async fn open(at: SocketAddr, path: &str) -> Self {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let request = upgrade(path, &[&basic("1001")]);
        stream.write_all(request.as_bytes()).await.unwrap();
        let head = head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self { stream, decoder: Decoder::new(Role::Client, 16 << 20), unread: Vec::new() }
    }

    /// The next message; none at a close or the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.whole() {
                return message;
            }
            if self.fill(64 * 1024).await == 0 {
                return None;
            }
        }
    }

    /// Every message that comes within the next `bytes`.
    pub(crate) async fn cut_after(mut self, mut bytes: usize) -> Vec<Value> {
        while bytes > 0 {
            match self.fill(bytes).await {
                0 => break,
                read => bytes -= read,
            }
        }
        std::iter::from_fn(|| self.whole().flatten()).collect()
    }

    async fn fill(&mut self, most: usize) -> usize {
        let mut bytes = vec![0; most];
        let read = soon("message", self.stream.read(&mut bytes)).await.unwrap_or(0);
        self.unread.extend_from_slice(&bytes[..read]);
        read
    }

    /// What is whole: a message, or the end.
    fn whole(&mut self) -> Option<Option<Value>> {
        let mut bytes = self.unread.as_slice();
        loop {
            let input = self.decoder.take(&mut bytes).expect("the server keeps to the standard");
            let rest = bytes.to_vec();
            match input {
                Some(Input::Text(text)) => {
                    self.unread = rest;
                    return Some(Some(serde_json::from_str(&text).unwrap()));
                }
                Some(Input::Close(_)) => return Some(None),
                Some(Input::Ping(_) | Input::Pong(_)) => {}
                None => {
                    self.unread = rest;
                    return None;
                }
            }
        }
    }
}
