//! One client for every link, good and bad alike. What it hears is one text: the server's own
//! words, and in brackets what is no text: `[close 1002]`, `[status 413]`, `[end]`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aplomb::serve::Running;
use aplomb_core::handshake::ClientUpgrade;
use aplomb_core::websocket::{CloseCode, Decoder, Input, Opcode, Role, push_close, push_frame};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::desk::{DOMAIN, PASSWORD, config};

/// A way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    WebSocket,
    Tcp,
    Tls,
    Bosh,
    Poll,
    LongPoll,
    Sse,
    FeedSocket,
}

impl Link {
    pub(crate) const ALL: [Self; 8] = [
        Self::WebSocket,
        Self::Tcp,
        Self::Tls,
        Self::Bosh,
        Self::Poll,
        Self::LongPoll,
        Self::Sse,
        Self::FeedSocket,
    ];

    /// Those that carry XMPP.
    pub(crate) const STREAMS: &[Self] = &[Self::WebSocket, Self::Tcp, Self::Tls, Self::Bosh];

    pub(crate) fn at(self, server: &Running) -> SocketAddr {
        let at = match self {
            Self::Tcp => server.xmpp,
            Self::Tls => server.xmpps,
            Self::WebSocket | Self::Bosh => server.insecure_http,
            Self::Poll | Self::LongPoll | Self::Sse | Self::FeedSocket => server.insecure_http,
        };
        at.expect("every listener is on")
    }

    /// The path of a feed.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Poll => "/feeds/poll",
            Self::LongPoll => "/feeds/longpoll",
            Self::Sse => "/feeds/sse",
            Self::FeedSocket => "/feeds/ws",
            Self::WebSocket => "/ws/",
            Self::Bosh => "/http-bind/",
            Self::Tcp | Self::Tls => "",
        }
    }
}

trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Bytes for S {}

/// One end of one connection.
pub(crate) struct Party {
    pub(crate) link: Link,
    stream: Box<dyn Bytes>,
    frames: Option<Box<Decoder>>,
    unread: Vec<u8>,
    page: Page,
    heard: String,
    is_ended: bool,
}

/// Where a client of BOSH is in its session.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) sid: String,
    pub(crate) rid: u64,
    /// Requests that were not answered yet.
    open: u32,
}

impl Party {
    /// Connects up to where the first unit can be sent; a feed's request is still to be sent, but
    /// for a WebSocket's, which is of 1001.
    pub(crate) async fn connect(server: &Running, link: Link) -> Self {
        let at = link.at(server);
        // A window that does not grow, so that who does not read is noticed soon.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        let tcp = soon("connection", socket.connect(at)).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let stream: Box<dyn Bytes> = if link == Link::Tls {
            let connector = TlsConnector::from(Arc::new(config(&["xmpp-client"])));
            Box::new(connector.connect(DOMAIN.try_into().unwrap(), tcp).await.unwrap())
        } else {
            Box::new(tcp)
        };
        let (unread, heard) = (Vec::new(), String::new());
        let page = Page { rid: 1_000_000, ..Page::default() };
        let mut party = Self { link, stream, frames: None, unread, page, heard, is_ended: false };
        match link {
            Link::WebSocket => {
                party.upgrade(&ClientUpgrade::new([7; 16]).request("/ws/", DOMAIN, None)).await;
            }
            Link::FeedSocket => {
                party.upgrade(&feed_upgrade("1001", "/finesse/api/User/1001")).await
            }
            Link::Tcp | Link::Tls | Link::Bosh | Link::Poll | Link::LongPoll | Link::Sse => {}
        }
        party
    }

    async fn upgrade(&mut self, request: &str) {
        self.raw(request.as_bytes()).await;
        let head = self.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        self.frames = Some(Box::new(Decoder::new(Role::Client, 16 << 20)));
    }

    /// A party that is logged in and bound, and has said that it is there.
    pub(crate) async fn bound(server: &Running, link: Link, who: &str) -> Self {
        let (user, resource) = who.split_once('/').unwrap();
        let mut party = Self::logged_in(server, link, user).await;
        party.bind(resource).await;
        party
    }

    /// A party that is logged in and has no address yet.
    pub(crate) async fn logged_in(server: &Running, link: Link, user: &str) -> Self {
        let mut party = Self::connect(server, link).await;
        party.open().await;
        party.say(plain(user).as_bytes()).await;
        party.until("<success").await;
        party.open().await;
        party
    }

    /// Opens a stream.
    pub(crate) async fn open(&mut self) {
        self.forget();
        let xmpp = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";
        let to = format!("to='{DOMAIN}' version='1.0'");
        match self.link {
            Link::WebSocket => {
                let ns = "urn:ietf:params:xml:ns:xmpp-framing";
                self.say(format!("<open xmlns='{ns}' {to}/>").as_bytes()).await;
            }
            Link::Bosh => {
                let first = "wait='1' hold='1' ver='1.6'";
                let again = "xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'";
                let more = if self.page.sid.is_empty() { first } else { again };
                self.ask(&format!("to='{DOMAIN}' {more}"), b"").await;
            }
            _ => self.say(format!("<stream:stream {to} {xmpp}>").as_bytes()).await,
        }
        self.until("</stream:features>").await;
    }

    pub(crate) async fn bind(&mut self, resource: &str) {
        self.say(
            format!(
                "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:\
                 xmpp-bind'><resource>{resource}</resource></bind></iq>"
            )
            .as_bytes(),
        )
        .await;
        self.until("</jid>").await;
        self.say(b"<presence xmlns='jabber:client'/>").await;
        self.until("from=\"finesse@cc.test").await;
    }

    /// Sends a unit: a message, a request, or bytes. That the connection is gone shows when what
    /// came before its end is heard.
    pub(crate) async fn say(&mut self, unit: &[u8]) {
        match self.link {
            Link::WebSocket | Link::FeedSocket => self.frame(Opcode::Text, unit).await,
            Link::Bosh => self.ask("", unit).await,
            _ => self.raw(unit).await,
        }
    }

    pub(crate) async fn frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut bytes = Vec::new();
        push_frame(&mut bytes, opcode, payload, Some([0x37, 0xFA, 0x21, 0x3D]));
        self.raw(&bytes).await;
    }

    /// Sends bytes as they are, as far as the server takes them.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        // Who is refused in the middle of a unit is read no further.
        let _ = timeout(Duration::from_secs(2), sent).await;
    }

    /// Sends one write, and tells how much of it was taken; none if nothing is for a second.
    pub(crate) async fn push(&mut self, bytes: &[u8]) -> Option<usize> {
        let write = timeout(Duration::from_secs(1), self.stream.write(bytes)).await;
        write.ok().and_then(Result::ok).filter(|taken| *taken > 0)
    }

    /// The next request of a BOSH session.
    pub(crate) async fn ask(&mut self, attributes: &str, content: &[u8]) {
        let body = self.request(attributes, content);
        self.post(&body).await;
    }

    async fn post(&mut self, body: &[u8]) {
        let head = format!(
            "POST /http-bind/ HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.page.open += 1;
        self.raw(&[head.as_bytes(), body].concat()).await;
    }

    /// The body of the next request, not yet sent.
    pub(crate) fn request(&mut self, attributes: &str, content: &[u8]) -> Vec<u8> {
        let page = &mut self.page;
        page.rid += 1;
        let sid = match page.sid.as_str() {
            "" => String::new(),
            sid => format!(" sid='{sid}'"),
        };
        let ns = "http://jabber.org/protocol/httpbind";
        let start = format!("<body xmlns='{ns}' rid='{}'{sid} {attributes}>", page.rid);
        [start.as_bytes(), content, b"</body>"].concat()
    }

    /// A request of a session that is right but for these attributes, which replace its own.
    pub(crate) async fn ask_wrong(&mut self, attributes: &str) {
        let name = attributes.split('=').next().unwrap();
        let body = String::from_utf8(self.request("", b"")).unwrap();
        let own = format!(" {name}='");
        let body = match body.split_once(&own) {
            Some((start, rest)) => {
                let rest = rest.split_once('\'').unwrap().1;
                format!("{start} {attributes}{rest}")
            }
            None => body.replacen('>', &format!(" {attributes}>"), 1),
        };
        self.post(body.as_bytes()).await;
    }

    /// Everything heard up to and with `part`; it is forgotten then.
    pub(crate) async fn until(&mut self, part: &str) -> String {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < WAIT, "{:?}: no {part}: {}", self.link, self.heard);
            if let Some(at) = self.heard.find(part) {
                let rest = self.heard.split_off(at + part.len());
                return std::mem::replace(&mut self.heard, rest);
            }
            assert!(!self.is_ended, "{:?}: ended before {part}: {}", self.link, self.heard);
            self.hear().await;
        }
    }

    /// Everything up to the end of the connection, or of the session over BOSH.
    pub(crate) async fn until_end(&mut self) -> String {
        let start = Instant::now();
        while !self.is_ended {
            assert!(start.elapsed() < WAIT, "{:?}: no end: {}", self.link, self.heard);
            self.hear().await;
        }
        std::mem::take(&mut self.heard)
    }

    /// Asks for a sign of life, and gives what was heard before it.
    pub(crate) async fn ping(&mut self, id: &str) -> String {
        let ping = "<ping xmlns='urn:xmpp:ping'/>";
        let iq = format!("<iq xmlns='jabber:client' type='get' id='{id}'>{ping}</iq>");
        self.say(iq.as_bytes()).await;
        self.until(&format!("id=\"{id}\"")).await
    }

    fn forget(&mut self) {
        self.heard.clear();
    }

    /// Reads once more.
    async fn hear(&mut self) {
        if self.link == Link::Bosh && self.page.open == 0 {
            self.ask("", b"").await;
        }
        let mut buffer = vec![0; 64 * 1024];
        let what = format!("word over {:?} after {}", self.link, self.heard);
        match soon(&what, self.stream.read(&mut buffer)).await {
            Ok(0) | Err(_) => self.end(),
            Ok(read) => self.unread.extend_from_slice(&buffer[..read]),
        }
        match self.link {
            _ if self.frames.is_some() => self.take_frames().await,
            Link::Bosh => self.take_answers(),
            _ => {
                self.heard.push_str(&String::from_utf8_lossy(&self.unread));
                self.unread.clear();
                if self.heard.contains("</stream:stream>") && !self.is_ended {
                    self.raw(b"</stream:stream>").await;
                }
            }
        }
    }

    fn end(&mut self) {
        self.is_ended = true;
        self.heard.push_str("[end]");
    }

    async fn take_frames(&mut self) {
        let mut bytes = std::mem::take(&mut self.unread);
        let mut rest = bytes.as_slice();
        let decoder = self.frames.as_mut().expect("it has frames");
        let mut close = None;
        loop {
            match decoder.take(&mut rest).expect("the server keeps to the standard") {
                Some(Input::Text(text)) => self.heard.push_str(&text),
                Some(Input::Close(told)) => {
                    close = Some(told.map_or(1005, |told| told.code.number()));
                }
                Some(Input::Ping(_)) => self.heard.push_str("[ping]"),
                Some(Input::Pong(_)) => self.heard.push_str("[pong]"),
                None => break,
            }
        }
        let read = bytes.len() - rest.len();
        bytes.drain(..read);
        self.unread = bytes;
        if self.heard.contains("<close ") && close.is_none() && !self.is_ended {
            let ns = "urn:ietf:params:xml:ns:xmpp-framing";
            self.frame(Opcode::Text, format!("<close xmlns='{ns}'/>").as_bytes()).await;
        }
        if let Some(code) = close {
            self.heard.push_str(&format!("[close {code}]"));
            let mut answer = Vec::new();
            push_close(&mut answer, CloseCode::NORMAL, "", Some([1, 2, 3, 4]));
            self.raw(&answer).await;
        }
    }

    fn take_answers(&mut self) {
        while let Some(at) = find(&self.unread, b"\r\n\r\n") {
            let head = String::from_utf8(self.unread[..at].to_vec()).unwrap();
            let length = head.split("content-length: ").nth(1);
            let length = length.map_or(0, |rest| rest.split('\r').next().unwrap().parse().unwrap());
            if self.unread.len() < at + 4 + length {
                return;
            }
            let body: Vec<u8> = self.unread.drain(..at + 4 + length).skip(at + 4).collect();
            let body = String::from_utf8(body).unwrap();
            self.page.open = self.page.open.saturating_sub(1);
            let status = head.split(' ').nth(1).unwrap();
            if status != "200" {
                self.heard.push_str(&format!("[status {status}]"));
            }
            if let Some(sid) = body.split_once(" sid=\"") {
                sid.1.split('"').next().unwrap().clone_into(&mut self.page.sid);
            }
            self.heard.push_str(&body);
            if status != "200" || body.contains("type=\"terminate\"") {
                self.end();
            }
        }
    }

    /// Reads the head of an answer over HTTP.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match soon("HTTP answer", self.stream.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8_lossy(&head).into_owned()
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// A login by PLAIN.
pub(crate) fn plain(user: &str) -> String {
    let blob = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{blob}</auth>")
}

/// A login over HTTP.
pub(crate) fn basic(user: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{PASSWORD}")))
}

/// The request that opens a plain WebSocket as `user`.
pub(crate) fn feed_upgrade(user: &str, node: &str) -> String {
    format!(
        "GET /feeds/ws?node={node} HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n\r\n",
        basic(user)
    )
}

/// Waits, but not for ever: what does not come is a failure that says so.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(WAIT, future).await.unwrap_or_else(|_| panic!("no {what} in {WAIT:?}"))
}

/// Longer than the longest time that a session may be silent, which is that of BOSH.
const WAIT: Duration = Duration::from_secs(40);
