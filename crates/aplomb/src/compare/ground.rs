//! The server that is compared on, the agent, and requests of HTTP with his password.

use std::time::Duration;

use aplomb_core::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HOST, HeaderValue};
use http::request::Builder;
use http::{Method, Request};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::told::Marks;
use crate::client;
use crate::limits::{COMPARE_ANSWER_BYTES_MAX, COMPARE_ANSWER_SECS_MAX};
use crate::link::dial::{ConnectError, Line, Meter, Over, Target, Trust, Web};
use crate::random;

/// Where and as whom everything is done.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The web server.
    pub web: Target,
    /// Which certificates are good enough.
    pub trust: Trust,
    /// The XMPP domain.
    pub domain: String,
    /// The agent.
    pub user: String,
    /// His password.
    pub password: Secret<String>,
    /// Where XMPP over WebSocket is, if it is not where Finesse has it.
    pub ws: Option<Target>,
    /// Where XMPP over BOSH is, if it is not where Finesse has it.
    pub bosh: Option<Target>,
    /// The port of XMPP over TCP with STARTTLS.
    pub xmpp: u16,
    /// The port of XMPP over TLS.
    pub xmpps: u16,
    /// Whether the password may be sent without TLS.
    pub plain_without_tls: bool,
    /// How long each step of connecting may take.
    pub wait: Duration,
    /// How the events of this run are known.
    pub marks: Marks,
    /// Whether the server numbers the events of each node without gaps, as aplomb does.
    pub has_gapless_numbers: bool,
}

impl Ground {
    /// The node of the agent, which is also his path over REST.
    pub fn node(&self) -> String {
        let keeps = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let encoded = |byte: u8| match keeps(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        format!("/finesse/api/User/{}", self.user.bytes().map(encoded).collect::<String>())
    }

    /// A way to the web server, whose bytes `meter` counts.
    ///
    /// - Errors: see [`ConnectError`].
    pub fn web(&self, meter: &Meter) -> Result<Web, ConnectError> {
        Web::new(self.web.clone(), &self.trust, self.wait, meter)
    }

    /// A request with the agent's password.
    pub fn request(&self, method: Method, path: &str) -> Builder {
        let plain = format!("{}:{}", self.user, self.password.expose());
        let basic = format!("Basic {}", STANDARD.encode(plain));
        let mut basic = HeaderValue::try_from(basic).expect("base64 may be in a header");
        basic.set_sensitive(true);
        let request = Request::builder().method(method).uri(path);
        request.header(HOST, self.web.authority()).header(AUTHORIZATION, basic)
    }

    /// What a client of XMPP over this carrier is to do.
    pub fn client(&self, over: Over, is_tls: bool, meter: &Meter) -> client::Settings {
        let at = |path: &str, port| {
            let (host, path) = (self.web.host.clone(), path.to_owned());
            Target { over, is_tls, host, port, path }
        };
        let target = match (over, is_tls) {
            (Over::WebSocket, _) => self.ws.clone().unwrap_or_else(|| at("/ws/", self.web.port)),
            (Over::Bosh, _) => {
                self.bosh.clone().unwrap_or_else(|| at("/http-bind/", self.web.port))
            }
            (Over::Tcp, true) => at("", self.xmpps),
            (Over::Tcp, false) => at("", self.xmpp),
        };
        client::Settings {
            target,
            trust: self.trust.clone(),
            domain: Some(self.domain.clone()),
            user: self.user.clone(),
            password: self.password.clone(),
            resource: format!("compare-{}", random::name(6)),
            tag: None,
            allows_plain_without_tls: self.plain_without_tls,
            nodes: Vec::new(),
            wait: self.wait,
            meter: meter.clone(),
        }
    }
}

/// Asks on a line, and reads the whole answer.
///
/// - Errors: in words, how the connection failed.
pub(super) async fn exchange(
    line: &mut Line,
    request: Request<http_body_util::Full<bytes::Bytes>>,
) -> Result<(u16, String), String> {
    let response = line.ask(request).await?;
    let status = response.status().as_u16();
    Ok((status, whole(response.into_body()).await?))
}

async fn whole(body: Incoming) -> Result<String, String> {
    let body = Limited::new(body, COMPARE_ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// How long an answer may take that is not to be waited for.
pub(super) const ANSWER_WAIT: Duration = Duration::from_secs(COMPARE_ANSWER_SECS_MAX);
