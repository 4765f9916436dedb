//! The client's end of a stream over HTTP: requests out, answers in (XEP-0124).
//!
//! One request is always open for what the server has to say; what the client says goes into
//! another, as many as the server allows.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aplomb_core::framing::bosh::{Answers, Told};
use aplomb_core::limits::{BOSH_WAIT_SECS_MAX, STANZA_BYTES_MAX};
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full, Limited};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::{ConnectError, Line, Web};
use crate::limits::BOSH_UNITS_MAX;
use crate::random;

/// An answer, and the connection that is free again; or why there is none.
type Answered = Result<(Line, Vec<u8>), String>;

/// A session over HTTP.
#[derive(Debug)]
pub struct Bosh {
    web: Arc<Web>,
    /// The number of the next request.
    rid: u64,
    sid: Option<String>,
    /// Requests that may be open at a time.
    requests: usize,
    /// What is to be said when a request may be sent.
    units: VecDeque<Vec<u8>>,
    /// Requests under way, in order; the server answers in the same.
    open: VecDeque<AbortOnDropHandle<Answered>>,
    /// Connections without a request.
    idle: Vec<Line>,
    /// The end that the server told, after which nothing is asked.
    end: Option<String>,
}

impl Bosh {
    /// Connects; the session begins with the first unit.
    ///
    /// - Errors: see [`ConnectError`].
    pub async fn open(web: Arc<Web>) -> Result<Self, ConnectError> {
        let line = web.open().await?;
        Ok(Self {
            web,
            rid: u64::from(u32::from_ne_bytes(random::bytes())) + 1,
            sid: None,
            requests: 1,
            units: VecDeque::new(),
            open: VecDeque::new(),
            idle: vec![line],
            end: None,
        })
    }

    /// The next answer, even one that carries nothing. It may be dropped while it waits: nothing is
    /// lost.
    ///
    /// - Errors: in words, how the session ended.
    pub async fn next(&mut self) -> Result<Vec<u8>, String> {
        if let Some(end) = &self.end {
            return Err(end.clone());
        }
        self.ask();
        let Some(first) = self.open.front_mut() else {
            return Err("the session is over".to_owned());
        };
        let answered = first.await;
        self.open.pop_front();
        let (line, body) = answered.map_err(|error| error.to_string())??;
        self.idle.push(line);
        let told = Told::read(&body).ok_or("an answer is no <body/> of XEP-0124")?;
        self.take(&told);
        if told.is_empty && told.end.is_none() {
            self.web.meter.answered_nothing();
        }
        Ok(body)
    }

    /// Says something soon; what is said while nobody waits for [`Bosh::next`] goes at once too.
    ///
    /// - Errors: in words, why not.
    pub fn send(&mut self, unit: &[u8]) -> Result<(), String> {
        if self.units.len() >= BOSH_UNITS_MAX {
            return Err("the server answers no request".to_owned());
        }
        self.units.push_back(unit.to_vec());
        self.ask();
        Ok(())
    }

    /// Ends it: whatever waits is given up.
    pub fn hang_up(&mut self) {
        self.open.clear();
        self.idle.clear();
    }

    fn take(&mut self, told: &Told) {
        if let Some(sid) = &told.sid {
            self.sid = Some(sid.clone());
            self.requests = told.requests.unwrap_or(2).max(1);
        }
        if let Some(condition) = &told.end {
            self.end = Some(match condition.as_str() {
                "" => "the server ended the session".to_owned(),
                condition => format!("the server ended the session: {condition}"),
            });
        }
    }

    /// Sends what may be sent, and lets one request wait if there is nothing.
    fn ask(&mut self) {
        while self.open.len() < self.requests {
            let unit = match self.units.pop_front() {
                Some(unit) => unit,
                None if self.open.is_empty() && self.sid.is_some() => Vec::new(),
                None => return,
            };
            let body = Answers::request(&unit, self.rid, self.sid.as_deref());
            self.rid += 1;
            self.idle.retain(Line::is_open);
            let exchange = exchange(Arc::clone(&self.web), self.idle.pop(), body);
            self.open.push_back(AbortOnDropHandle::new(tokio::spawn(exchange)));
        }
    }
}

/// Sends one request over `line` or a new connection. One that was idle may have ended just now, so
/// it is sent again: the server knows it by its number (XEP-0124 §14.3).
async fn exchange(web: Arc<Web>, line: Option<Line>, body: Vec<u8>) -> Answered {
    if let Some(line) = line
        && let Ok(answered) = ask(&web, line, &body).await
    {
        return Ok(answered);
    }
    let line = web.open().await.map_err(|error| error.to_string())?;
    ask(&web, line, &body).await
}

async fn ask(web: &Web, mut line: Line, body: &[u8]) -> Answered {
    let request = Request::post(web.target.path.as_str())
        .header(HOST, web.target.authority())
        .header(CONTENT_TYPE, "text/xml; charset=utf-8")
        .body(Full::from(body.to_vec()))
        .map_err(|error| error.to_string())?;
    let exchange = async {
        let response = line.ask(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        match status.as_u16() {
            200 => Ok(body.to_vec()),
            status => Err(format!("the server answered {status} at {}", web.target.path)),
        }
    };
    let answered = timeout(WAIT, exchange).await;
    let body = answered.unwrap_or_else(|_| Err("the server answers no request".to_owned()))?;
    Ok((line, body))
}

/// What the server may hold a request for, and as long again for a slow way.
const WAIT: Duration = Duration::from_secs(2 * BOSH_WAIT_SECS_MAX);

/// Bytes of one answer: several stanzas of full size may be in it.
const ANSWER_BYTES_MAX: usize = 8 * STANZA_BYTES_MAX;
