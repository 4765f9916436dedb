//! A client's way to a web server: one connection after another, with the same TLS sessions.

use std::time::Duration;

use aplomb_core::sasl::binding::Bindings;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio_util::task::AbortOnDropHandle;

use super::{Bytes, Checker, ConnectError, Meter, Target, Trust, open_tcp, secure_by};

/// A web server, and how to reach it.
#[derive(Debug, Clone)]
pub struct Web {
    /// Where.
    pub target: Target,
    /// What counts.
    pub meter: Meter,
    /// None without TLS.
    checker: Option<Checker>,
    /// How long each step of connecting may take.
    wait: Duration,
}

/// One connection to a web server, for one request after another.
#[derive(Debug)]
pub struct Line {
    sender: SendRequest<Full<hyper::body::Bytes>>,
    meter: Meter,
    _connection: AbortOnDropHandle<()>,
}

impl Web {
    /// A way to `target`, over which nothing is sent yet.
    ///
    /// - Errors: certificates cannot be checked in this way.
    pub fn new(
        target: Target,
        trust: &Trust,
        wait: Duration,
        meter: &Meter,
    ) -> Result<Self, ConnectError> {
        let checker = target.is_tls.then(|| Checker::new(trust, "http/1.1")).transpose()?;
        Ok(Self { target, meter: meter.clone(), checker, wait })
    }

    /// Connects. TLS goes on with the session of the connection before, as in a browser.
    ///
    /// - Errors: see [`ConnectError`].
    pub async fn connect(&self) -> Result<Box<dyn Bytes>, ConnectError> {
        let tcp = open_tcp(&self.target, self.wait, &self.meter, &mut |_| {}).await?;
        let Some(checker) = &self.checker else { return Ok(Box::new(tcp)) };
        let tls = secure_by(Box::new(tcp), &self.target.host, checker, self.wait).await?;
        Ok(Box::new(tls))
    }

    /// What a login can be bound to that goes over several of its connections, once there was one:
    /// the certificate, which they have in common.
    pub fn bindings(&self) -> Bindings {
        let server_end_point = self.checker.as_ref().and_then(Checker::server_end_point);
        Bindings { exporter: None, server_end_point }
    }

    /// Connects, for requests of HTTP/1.
    ///
    /// - Errors: see [`ConnectError`].
    pub async fn open(&self) -> Result<Line, ConnectError> {
        let bytes = self.connect().await?;
        let shaken = handshake(TokioIo::new(bytes)).await;
        let (sender, connection) =
            shaken.map_err(|error| ConnectError::NotHttp(error.to_string()))?;
        let connection = tokio::spawn(async move {
            // How it ended is told to whoever waits for an answer.
            let _ = connection.with_upgrades().await;
        });
        let meter = self.meter.clone();
        Ok(Line { sender, meter, _connection: AbortOnDropHandle::new(connection) })
    }
}

impl Line {
    /// Whether the server has not ended the connection.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// - Errors: in words, how the connection failed.
    pub async fn ask(
        &mut self,
        request: Request<Full<hyper::body::Bytes>>,
    ) -> Result<Response<Incoming>, String> {
        let words = |error: hyper::Error| error.to_string();
        self.sender.ready().await.map_err(words)?;
        self.meter.asked();
        self.sender.send_request(request).await.map_err(words)
    }
}
