//! One desktop, as cheap as a client can be, so that the figures are the server's.
//!
//! It masks with a zero key, so a payload goes out as it is, and it reads frames without checks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use aplomb_core::sasl::fast;
use aplomb_core::secret::Secret;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::tls;

/// Where a desk connects, and how.
#[derive(Clone)]
pub struct Target {
    /// The server's address.
    pub address: SocketAddr,
    /// TLS, if the server wants it.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// The XMPP domain.
    pub domain: String,
    /// Everybody's password.
    pub password: String,
}

impl Target {
    /// A target without TLS.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None, domain: DOMAIN.to_owned(), password: PASSWORD.to_owned() }
    }

    /// A target with TLS that trusts any certificate.
    pub fn tls(address: SocketAddr) -> Self {
        Self { tls: Some(tls::trusting_client()), ..Self::plain(address) }
    }
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// What a desktop keeps to come back with.
pub struct Kept {
    user: String,
    agent: String,
    id: String,
    token: Secret<String>,
    count: u32,
}

fn open(target: &Target) -> String {
    format!(
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{}' version='1.0'/>",
        target.domain
    )
}

/// A connected desktop.
pub struct Desk {
    wire: Box<dyn Wire>,
    inbox: Vec<u8>,
}

impl Desk {
    /// Opens TCP and TLS.
    pub async fn connect(target: &Target) -> io::Result<Self> {
        let stream = TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        let wire: Box<dyn Wire> = match &target.tls {
            None => Box::new(stream),
            Some(config) => {
                let name = ServerName::try_from("localhost").expect("a valid name");
                Box::new(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?)
            }
        };
        Ok(Self { wire, inbox: Vec::new() })
    }

    /// The whole walk of the desktop: upgrade, open, PLAIN, bind, session, presence, the gate, and
    /// two subscriptions.
    pub async fn walk(target: &Target, user: &str, resource: &str) -> io::Result<Self> {
        let mut desk = Self::connect(target).await?;
        desk.upgrade(target).await?;
        let open = open(target);
        desk.ask(&open, "mechanisms").await?;
        let blob = base64(format!("\0{user}\0{}", target.password).as_bytes());
        desk.ask(
            &format!(
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{blob}</auth>"
            ),
            "success",
        )
        .await?;
        desk.ask(&open, "xmpp-bind").await?;
        desk.ask(
            &format!(
                "<iq xmlns='jabber:client' type='set' id='b1'>\
                 <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                 <resource>{resource}</resource></bind></iq>"
            ),
            "b1",
        )
        .await?;
        desk.ask(
            "<iq xmlns='jabber:client' type='set' id='s1'><session \
             xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
            "s1",
        )
        .await?;
        desk.ask("<presence xmlns='jabber:client'/>", "finesse@").await?;
        for node in ["", "/Dialogs"] {
            let node = format!("/finesse/api/User/{user}{node}");
            desk.subscribe(target, user, resource, &node).await?;
        }
        Ok(desk)
    }

    /// The first login of a desktop that will come back: by SASL2, with its address, a managed
    /// stream and a token. The server must offer it.
    pub async fn first_time(target: &Target, user: &str) -> io::Result<Kept> {
        let mut desk = Self::connect(target).await?;
        desk.upgrade(target).await?;
        desk.ask(&open(target), "urn:xmpp:sasl:2").await?;
        let blob = base64(format!("\0{user}\0{}", target.password).as_bytes());
        let agent = format!("d4565fa7-4d72-4749-b3d3-{user:0>12}");
        let authenticate = format!(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
             <initial-response>{blob}</initial-response><user-agent id='{agent}'/>\
             <bind xmlns='urn:xmpp:bind:0'><tag>desk</tag>\
             <enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>\
             <request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>"
        );
        let success = desk.ask(&authenticate, "<success").await?;
        let value = |after: &str, name: &str| {
            let rest = success.split(after).nth(1)?.split(&format!(" {name}=\"")).nth(1)?;
            rest.split('"').next().map(str::to_owned)
        };
        let kept = value("<enabled", "id").zip(value("<token", "token"));
        let (id, token) = kept.ok_or_else(|| io::Error::other(success.clone()))?;
        Ok(Kept { user: user.to_owned(), agent, id, token: Secret::new(token), count: 0 })
    }

    /// Comes back by a token, with its lost stream: one round trip after the upgrade.
    pub async fn back(target: &Target, kept: &mut Kept) -> io::Result<Self> {
        kept.count += 1;
        let Kept { user, agent, id, token, count } = kept;
        let mut desk = Self::connect(target).await?;
        desk.upgrade(target).await?;
        desk.say(&open(target)).await?;
        let proof = base64(fast::initiator_message(user, token, b"").expose());
        let authenticate = format!(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'>\
             <initial-response>{proof}</initial-response><user-agent id='{agent}'/>\
             <resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>\
             <fast xmlns='urn:xmpp:fast:0' count='{count}'/></authenticate>"
        );
        let success = desk.ask(&authenticate, "urn:xmpp:sm:3\" h=").await?;
        refuse_unless(success.contains("<resumed"), &success)?;
        Ok(desk)
    }

    /// Subscribes the full JID to a node.
    pub async fn subscribe(
        &mut self,
        target: &Target,
        user: &str,
        resource: &str,
        node: &str,
    ) -> io::Result<()> {
        let domain = &target.domain;
        let request = format!(
            "<iq xmlns='jabber:client' type='set' id='n1' to='pubsub.{domain}'><pubsub \
             xmlns='http://jabber.org/protocol/pubsub'><subscribe node='{node}' \
             jid='{user}@{domain}/{resource}'/></pubsub></iq>"
        );
        let answer = self.ask(&request, "n1").await?;
        refuse_unless(answer.contains("subscribed"), &answer)
    }

    /// Publishes an item; [`Desk::expect_published`] waits for the answer.
    pub async fn publish(&mut self, target: &Target, node: &str, text: &str) -> io::Result<()> {
        let request = format!(
            "<iq xmlns='jabber:client' type='set' id='p1' to='pubsub.{}'><pubsub \
             xmlns='http://jabber.org/protocol/pubsub'><publish node='{node}'><item>\
             <notification xmlns='http://jabber.org/protocol/pubsub'>{text}</notification>\
             </item></publish></pubsub></iq>",
            target.domain
        );
        self.say(&request).await
    }

    /// Waits until the server has accepted the item.
    pub async fn expect_published(&mut self) -> io::Result<()> {
        loop {
            let heard = self.hear().await?;
            if heard.starts_with("<iq") {
                return refuse_unless(heard.contains("result"), &heard);
            }
        }
    }

    /// Sends a message and waits for one that holds `word`.
    pub async fn ask(&mut self, text: &str, word: &str) -> io::Result<String> {
        self.say(text).await?;
        loop {
            let heard = self.hear().await?;
            if heard.contains(word) {
                return Ok(heard);
            }
            refuse_unless(!heard.contains("error") && !heard.contains("failure"), &heard)?;
        }
    }

    /// Sends one text message.
    pub async fn say(&mut self, text: &str) -> io::Result<()> {
        self.frame(0x81, text.as_bytes()).await
    }

    /// Closes the stream and waits for the server to do the same.
    pub async fn close(mut self) -> io::Result<()> {
        self.ask("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "close").await?;
        self.frame(0x88, &1000_u16.to_be_bytes()).await
    }

    /// The next text message; pings are answered on the way.
    pub async fn hear(&mut self) -> io::Result<String> {
        loop {
            let Some((opcode, payload)) = self.take_frame() else {
                self.read().await?;
                continue;
            };
            match opcode {
                1 => return String::from_utf8(payload).map_err(io::Error::other),
                9 => self.frame(0x8a, &payload).await?,
                8 => return Err(io::Error::other(format!("closed: {payload:?}"))),
                _ => {}
            }
        }
    }

    /// One HTTP exchange without a body in the answer; gives the status line.
    pub async fn http(&mut self, request: &str) -> io::Result<String> {
        self.wire.write_all(request.as_bytes()).await?;
        loop {
            if let Some(end) = find(&self.inbox, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.inbox[..end]).into_owned();
                self.inbox.drain(..end + 4);
                return Ok(head.lines().next().unwrap_or_default().to_owned());
            }
            self.read().await?;
        }
    }

    /// One HTTP exchange whose answer has a length; gives the body.
    pub async fn exchange(&mut self, request: &str) -> io::Result<String> {
        self.send(request).await?;
        loop {
            if let Some(end) = find(&self.inbox, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.inbox[..end]).to_ascii_lowercase();
                refuse_unless(head.starts_with("http/1.1 200 "), &head)?;
                let length = head.split("content-length: ").nth(1).unwrap_or_default();
                let length: usize = length.lines().next().unwrap_or_default().parse().unwrap_or(0);
                if self.inbox.len() >= end + 4 + length {
                    let body = self.inbox[end + 4..end + 4 + length].to_vec();
                    self.inbox = Vec::new();
                    return String::from_utf8(body).map_err(io::Error::other);
                }
            }
            self.read().await?;
        }
    }

    /// Sends a request and waits for nothing.
    pub async fn send(&mut self, request: &str) -> io::Result<()> {
        self.wire.write_all(request.as_bytes()).await?;
        self.wire.flush().await
    }

    /// Waits until what came holds `word`, which is not forgotten.
    pub async fn until(&mut self, word: &str) -> io::Result<()> {
        while find(&self.inbox, word.as_bytes()).is_none() {
            self.read().await?;
        }
        Ok(())
    }

    /// A desk that has only upgraded: all that the floor knows.
    pub async fn upgraded(target: &Target) -> io::Result<Self> {
        let mut desk = Self::connect(target).await?;
        desk.upgrade(target).await?;
        Ok(desk)
    }

    /// The next event, whatever else comes before it.
    pub async fn hear_event(&mut self) -> io::Result<String> {
        loop {
            let heard = self.hear().await?;
            if heard.starts_with("<message") {
                return Ok(heard);
            }
        }
    }

    async fn upgrade(&mut self, target: &Target) -> io::Result<()> {
        let status = self
            .http(&format!(
                "GET /ws/ HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Protocol: xmpp\r\n\r\n",
                target.address
            ))
            .await?;
        refuse_unless(status.contains(" 101 "), &status)
    }

    async fn frame(&mut self, head: u8, payload: &[u8]) -> io::Result<()> {
        let mut frame = vec![head];
        match payload.len() {
            len @ 0..=125 => frame.push(0x80 | u8::try_from(len).expect("it fits")),
            len => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(len).expect("short messages").to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.wire.write_all(&frame).await?;
        self.wire.flush().await
    }

    fn take_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let opcode = self.inbox.first()? & 0x0f;
        let (start, len) = match *self.inbox.get(1)? {
            126 => (4, u16::from_be_bytes(self.inbox.get(2..4)?.try_into().ok()?).into()),
            127 => return None,
            len => (2, usize::from(len)),
        };
        let payload = self.inbox.get(start..start + len)?.to_vec();
        self.inbox.drain(..start + len);
        if self.inbox.is_empty() {
            self.inbox = Vec::new();
        }
        Some((opcode, payload))
    }

    async fn read(&mut self) -> io::Result<()> {
        let mut scratch = [0; 4096];
        match self.wire.read(&mut scratch).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            len => {
                self.inbox.extend_from_slice(&scratch[..len]);
                Ok(())
            }
        }
    }
}

/// The XMPP domain of every benchmark.
pub const DOMAIN: &str = "bench.test";
/// The password of every benchmark account.
pub const PASSWORD: &str = "bench";

/// Fails with what was heard instead.
pub fn refuse_unless(is_good: bool, heard: &str) -> io::Result<()> {
    if is_good { Ok(()) } else { Err(io::Error::other(format!("unexpected: {heard}"))) }
}

/// Base64, for PLAIN and Basic.
pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}
