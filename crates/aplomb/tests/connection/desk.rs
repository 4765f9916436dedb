//! A server in this process, and a client that can also misbehave.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aplomb::config::Config;
use aplomb::serve::{self, Running};
use aplomb_core::handshake::ClientUpgrade;
use aplomb_core::websocket::{CloseCode, Decoder, Input, Opcode, Role, push_close, push_frame};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "secret";

/// The domain of every server here.
pub(crate) const DOMAIN: &str = "cc.test";

/// A laboratory with two agents on free ports, and `more` settings.
pub(crate) async fn server(more: &[(&str, &str)]) -> Running {
    let settings = [
        ("lab", "true"),
        ("lab-agents", "4"),
        ("lab-teams", "2"),
        ("lab-password", PASSWORD),
        ("domain", DOMAIN),
        ("scram-iterations", "4096"),
        ("https", "127.0.0.1:0"),
        ("insecure-http", "127.0.0.1:0"),
    ];
    serve::start(Config::of(&[&settings, more].concat()).unwrap()).await.unwrap()
}

/// Where the server of a test speaks clear text.
pub(crate) fn clear(server: &Running) -> SocketAddr {
    server.insecure_http.unwrap()
}

/// Waits, but not for ever: what does not come is a failure that says so.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.unwrap_or_else(|_| panic!("no {what} in 20 s"))
}

/// One WebSocket, the client's end.
pub(crate) struct Desk<S = TcpStream> {
    pub(crate) stream: S,
    decoder: Decoder,
    unread: Vec<u8>,
}

/// What a desk hears.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(String),
    Ping,
    Pong(usize),
    Close(u16),
    /// The server ended the connection.
    End,
}

impl Desk {
    /// A desk whose WebSocket stands.
    pub(crate) async fn open(at: SocketAddr) -> Self {
        Self::open_over(TcpStream::connect(at).await.unwrap(), at).await
    }

    /// A desk that is logged in, bound, and available.
    pub(crate) async fn login(at: SocketAddr, user: &str, resource: &str) -> Self {
        let mut desk = Self::open(at).await;
        desk.walk(user, resource).await;
        desk
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Desk<S> {
    pub(crate) async fn open_over(mut stream: S, at: SocketAddr) -> Self {
        let upgrade = ClientUpgrade::new([7; 16]);
        let request = upgrade.request("/ws/", &at.to_string(), None);
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_head(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        Self { stream, decoder: Decoder::new(Role::Client, 1024 * 1024), unread: Vec::new() }
    }

    pub(crate) async fn walk(&mut self, user: &str, resource: &str) {
        self.authenticate(user).await;
        self.say(&format!(
            "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:\
             xmpp-bind'><resource>{resource}</resource></bind></iq>"
        ))
        .await;
        let bound = self.until("id=\"b\"").await;
        assert!(bound.contains(&format!("@{DOMAIN}/{resource}</jid>")), "{bound}");
        self.say("<presence xmlns='jabber:client'/>").await;
        self.until("from=\"finesse@cc.test").await;
    }

    /// Logs in and opens the stream anew.
    pub(crate) async fn authenticate(&mut self, user: &str) {
        self.open_stream().await;
        let blob = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
        self.say(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{blob}</auth>"
        ))
        .await;
        self.until("<success").await;
        self.open_stream().await;
    }

    pub(crate) async fn open_stream(&mut self) {
        self.say(&format!(
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>"
        ))
        .await;
        self.until("<stream:features").await;
    }

    pub(crate) async fn say(&mut self, unit: &str) {
        self.frame(Opcode::Text, unit.as_bytes()).await;
    }

    pub(crate) async fn frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut bytes = Vec::new();
        push_frame(&mut bytes, opcode, payload, Some(MASK));
        self.raw(&bytes).await;
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Says something to a server that may be gone already.
    pub(crate) async fn try_say(&mut self, unit: &str) {
        let mut bytes = Vec::new();
        push_frame(&mut bytes, Opcode::Text, unit.as_bytes(), Some(MASK));
        let _ = self.stream.write_all(&bytes).await;
    }

    pub(crate) async fn close(&mut self) {
        let mut bytes = Vec::new();
        push_close(&mut bytes, CloseCode::NORMAL, "", Some(MASK));
        self.raw(&bytes).await;
    }

    /// Answers a close, as every good client does; the server may be gone already.
    async fn answer_close(&mut self) {
        let mut bytes = Vec::new();
        push_close(&mut bytes, CloseCode::NORMAL, "", Some(MASK));
        let _ = self.stream.write_all(&bytes).await;
    }

    /// The next thing that the server does.
    pub(crate) async fn hear(&mut self) -> Heard {
        soon("word from the server", self.next()).await
    }

    /// The next text that contains `part`; whatever else comes before is passed over.
    pub(crate) async fn until(&mut self, part: &str) -> String {
        loop {
            match self.hear().await {
                Heard::Text(text) if text.contains(part) => return text,
                Heard::Close(code) => panic!("closed with {code} before {part}"),
                Heard::End => panic!("ended before {part}"),
                Heard::Text(_) | Heard::Ping | Heard::Pong(_) => {}
            }
        }
    }

    /// Everything up to the end, texts whole and the rest in a word.
    pub(crate) async fn until_end(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            match self.hear().await {
                Heard::End => return all,
                Heard::Text(text) => all.push(text),
                other => all.push(format!("{other:?}")),
            }
        }
    }

    async fn next(&mut self) -> Heard {
        loop {
            let mut bytes = self.unread.as_slice();
            let taken = self.decoder.take(&mut bytes).expect("the server keeps to the standard");
            let rest = bytes.to_vec();
            self.unread = rest;
            match taken {
                Some(Input::Text(text)) => return Heard::Text(text),
                Some(Input::Ping(_)) => return Heard::Ping,
                Some(Input::Pong(payload)) => return Heard::Pong(payload.len()),
                Some(Input::Close(close)) => {
                    self.answer_close().await;
                    return Heard::Close(close.map_or(1005, |close| close.code.number()));
                }
                None => {}
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return Heard::End,
                Ok(n) => self.unread.extend_from_slice(&buffer[..n]),
            }
        }
    }
}

/// Reads up to the end of an HTTP header.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match soon("HTTP answer", stream.read_u8()).await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Reads everything up to the end of the connection.
pub(crate) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    // A reset after the answer is an end too.
    let _ = soon("end", stream.read_to_end(&mut all)).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// A TLS connection that offers these protocols and takes any certificate.
pub(crate) async fn tls(at: SocketAddr, protocols: &[&str]) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(at).await.unwrap();
    let name = ServerName::try_from(DOMAIN).unwrap();
    let connector = TlsConnector::from(Arc::new(config(protocols)));
    soon("TLS", connector.connect(name, tcp)).await.unwrap()
}

/// The client's side of TLS, which offers these protocols and takes any certificate.
pub(crate) fn config(protocols: &[&str]) -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TakeAny(provider)))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

#[derive(Debug)]
struct TakeAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TakeAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
