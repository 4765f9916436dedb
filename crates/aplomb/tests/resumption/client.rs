//! A client over any carrier that expects its connection to be cut at any byte.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use aplomb_core::framing::{Frame, Framing, tcp, ws};
use aplomb_core::handshake::ClientUpgrade;
use aplomb_core::websocket::{Decoder, Input, Opcode, Role, push_frame};
use aplomb_core::xml::{Element, Prologue, read_element};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{DOMAIN, PASSWORD};

/// What carries the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    WebSocket,
    Tcp,
    Bosh,
}

impl Carrier {
    pub(crate) const ALL: [Self; 3] = [Self::WebSocket, Self::Tcp, Self::Bosh];
}

/// The connection is no more.
#[derive(Debug)]
pub(crate) struct Gone;

pub(crate) type Outcome<T> = Result<T, Gone>;

/// One end of one connection.
pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
    wire: Wire,
    /// How often it waited for an answer to what it had said.
    trips: u32,
    has_said: bool,
    /// What the server offered after the login.
    pub(crate) features: String,
}

enum Wire {
    WebSocket(Box<Decoder>),
    Tcp(Box<tcp::Document>),
    Bosh(Page),
}

/// A client that asks one thing at a time over one connection: nothing comes unasked.
#[derive(Default)]
struct Page {
    sid: String,
    rid: u64,
    heard: VecDeque<String>,
}

/// What the server answers to a wish to resume.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resumption {
    /// How many stanzas it handled.
    Resumed(u32),
    /// The condition.
    Failed(String),
    /// The condition of a stream error, and what says it more exactly.
    Ended(String),
}

impl Client {
    /// Connects up to where a stream can be opened.
    pub(crate) async fn connect(carrier: Carrier, at: SocketAddr) -> Outcome<Self> {
        let mut stream = TcpStream::connect(at).await.map_err(|_| Gone)?;
        stream.set_nodelay(true).map_err(|_| Gone)?;
        let wire = match carrier {
            Carrier::WebSocket => {
                let request = ClientUpgrade::new([7; 16]).request("/ws/", DOMAIN, None);
                stream.write_all(request.as_bytes()).await.map_err(|_| Gone)?;
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(soon("HTTP answer", stream.read_u8()).await.map_err(|_| Gone)?);
                }
                assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
                Wire::WebSocket(Box::new(Decoder::new(Role::Client, 1024 * 1024)))
            }
            Carrier::Tcp => Wire::Tcp(Box::default()),
            Carrier::Bosh => Wire::Bosh(Page::default()),
        };
        let (unread, features) = Default::default();
        Ok(Self { stream, unread, wire, trips: 0, has_said: false, features })
    }

    /// A client that is logged in and has no address yet.
    pub(crate) async fn log_in(carrier: Carrier, at: SocketAddr, user: &str) -> Outcome<Self> {
        let mut client = Self::connect(carrier, at).await?;
        client.open_stream().await?;
        let blob = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
        client
            .say(&format!(
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{blob}</auth>"
            ))
            .await;
        client.until("<success").await?;
        if let Wire::Tcp(document) = &mut client.wire {
            document.restart();
        }
        client.features = client.open_stream().await?;
        Ok(client)
    }

    /// Round trips so far.
    pub(crate) const fn trips(&self) -> u32 {
        self.trips
    }

    /// Opens a stream; returns the features.
    pub(crate) async fn open_stream(&mut self) -> Outcome<String> {
        self.say_open().await;
        self.until("<stream:features").await
    }

    /// Opens a stream and does not wait.
    pub(crate) async fn say_open(&mut self) {
        match self.wire {
            Wire::WebSocket(_) => {
                self.say(&format!(
                    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' \
                     version='1.0'/>"
                ))
                .await;
            }
            Wire::Bosh(_) => self.restart().await,
            Wire::Tcp(_) => {
                self.say(&format!(
                    "<stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' \
                     xmlns:stream='http://etherx.jabber.org/streams'>"
                ))
                .await;
            }
        }
    }

    /// Gets an address and says that it is there.
    pub(crate) async fn bind(&mut self, resource: &str) -> Outcome<()> {
        self.say(&format!(
            "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:\
             xmpp-bind'><resource>{resource}</resource></bind></iq>"
        ))
        .await;
        self.until("id=\"b\"").await?;
        self.say("<presence xmlns='jabber:client'/>").await;
        self.until("from=\"finesse@cc.test").await?;
        Ok(())
    }

    /// Has the stream managed; returns the id by which it is resumed.
    pub(crate) async fn enable(&mut self) -> Outcome<String> {
        self.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await;
        let enabled = self.until("<enabled").await?;
        Ok(attribute(&enabled, "id").expect("it can be resumed"))
    }

    /// Goes on with a stream that was lost.
    pub(crate) async fn resume(&mut self, id: &str, handled: u32) -> Outcome<Resumption> {
        self.say(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='{handled}'/>")).await;
        let answer = self.hear().await?;
        Ok(if answer.starts_with("<resumed") {
            assert_eq!(attribute(&answer, "previd").as_deref(), Some(id));
            Resumption::Resumed(attribute(&answer, "h").unwrap().parse().unwrap())
        } else if answer.starts_with("<failed") {
            Resumption::Failed(answer.split('<').nth(2).unwrap().split(' ').next().unwrap().into())
        } else {
            Resumption::Ended(answer)
        })
    }

    /// Sends one element as it is. That the connection is gone shows when all is heard that came
    /// before its end.
    pub(crate) async fn say(&mut self, text: &str) {
        self.has_said = true;
        let mut bytes = Vec::new();
        match self.wire {
            Wire::WebSocket(_) => {
                push_frame(&mut bytes, Opcode::Text, text.as_bytes(), Some([1, 2, 3, 4]));
            }
            Wire::Tcp(_) => bytes.extend_from_slice(text.as_bytes()),
            Wire::Bosh(_) => return drop(self.ask("", text).await),
        }
        let _ = self.stream.write_all(&bytes).await;
    }

    /// The next element from the server.
    pub(crate) async fn hear(&mut self) -> Outcome<String> {
        self.trips += u32::from(std::mem::take(&mut self.has_said));
        if matches!(self.wire, Wire::Bosh(_)) {
            return self.hear_answers().await;
        }
        loop {
            while !self.unread.is_empty() {
                let before = self.unread.len();
                match self.take() {
                    Some(Frame::Element(element)) => return Ok(element.to_xml()),
                    Some(Frame::Close(_)) => return Err(Gone),
                    Some(Frame::Open(_)) => {}
                    None if self.unread.len() == before => break,
                    None => {}
                }
            }
            let mut buffer = [0; 4096];
            match soon("word from the server", self.stream.read(&mut buffer)).await {
                Ok(0) | Err(_) => return Err(Gone),
                Ok(n) => self.unread.extend_from_slice(&buffer[..n]),
            }
        }
    }

    fn take(&mut self) -> Option<Frame> {
        let mut bytes = self.unread.as_slice();
        let frame = match &mut self.wire {
            Wire::WebSocket(decoder) => match decoder.take(&mut bytes).unwrap() {
                Some(Input::Text(text)) => {
                    ws::Messages.read(&mut text.as_bytes(), usize::MAX).unwrap()
                }
                Some(Input::Close(_)) => Some(Frame::Close(Default::default())),
                Some(Input::Ping(_) | Input::Pong(_)) | None => None,
            },
            Wire::Tcp(document) => document.read(&mut bytes, usize::MAX).unwrap(),
            Wire::Bosh(_) => unreachable!("its answers are read whole"),
        };
        let rest = bytes.to_vec();
        self.unread = rest;
        frame
    }

    async fn hear_answers(&mut self) -> Outcome<String> {
        loop {
            let Wire::Bosh(page) = &mut self.wire else { unreachable!("it is a page") };
            match page.heard.pop_front() {
                Some(text) if text.is_empty() => return Err(Gone),
                Some(text) => return Ok(text),
                None => self.ask("", "").await?,
            }
        }
    }

    /// Begins a session, or the stream anew.
    async fn restart(&mut self) {
        self.has_said = true;
        let Wire::Bosh(page) = &self.wire else { unreachable!("it is a page") };
        let attributes = match page.sid.as_str() {
            "" => "wait='1' hold='1' ver='1.6'",
            _ => "xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'",
        };
        let _ = self.ask(&format!("to='{DOMAIN}' {attributes}"), "").await;
    }

    /// Sends a request and takes its answer; an empty text stands for the end.
    async fn ask(&mut self, attributes: &str, content: &str) -> Outcome<()> {
        let Wire::Bosh(page) = &mut self.wire else { unreachable!("it is a page") };
        page.rid += 1;
        let (rid, sid) = (page.rid, &page.sid);
        let sid = if sid.is_empty() { String::new() } else { format!(" sid='{sid}'") };
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='{rid}'{sid} {attributes}>\
             {content}</body>"
        );
        let request = format!(
            "POST /http-bind/ HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let _ = self.stream.write_all(request.as_bytes()).await;
        let answer = soon("answer over HTTP", read_answer(&mut self.stream)).await?;
        let body = read_element(&answer, Prologue::Forbidden).unwrap();
        let Wire::Bosh(page) = &mut self.wire else { unreachable!("it is a page") };
        if let Some(sid) = body.attr("sid") {
            sid.clone_into(&mut page.sid);
        }
        page.heard.extend(body.children().map(Element::to_xml));
        if body.attr("type") == Some("terminate") {
            page.heard.push_back(String::new());
        }
        Ok(())
    }

    /// The next element that contains `part`; whatever else comes before is passed over.
    pub(crate) async fn until(&mut self, part: &str) -> Outcome<String> {
        loop {
            let text = self.hear().await?;
            if text.contains(part) {
                return Ok(text);
            }
        }
    }
}

/// The body of an answer over HTTP.
async fn read_answer(stream: &mut TcpStream) -> Outcome<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.map_err(|_| Gone)?);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let bytes = head.split("content-length: ").nth(1).unwrap().split('\r').next().unwrap();
    let mut body = vec![0; bytes.parse().unwrap()];
    stream.read_exact(&mut body).await.map_err(|_| Gone)?;
    Ok(String::from_utf8(body).unwrap())
}

/// The value of an attribute of the outermost element.
pub(crate) fn attribute(text: &str, name: &str) -> Option<String> {
    let start = text.split('>').next()?;
    Some(start.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.to_owned())
}

/// Waits, but not for ever: what does not come is a failure that says so.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.unwrap_or_else(|_| panic!("no {what} in 20 s"))
}
