//! The least of an HTTP/1.1 client (RFC 9112): one connection, one request at a time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{PASSWORD, WAIT};

/// A connection of one agent; gone once the server is.
pub(crate) struct Rest {
    socket: Option<BufReader<TcpStream>>,
    agent: u32,
}

impl Rest {
    pub(crate) fn to(server: &str, agent: u32) -> Self {
        let socket = TcpStream::connect(server).ok().map(|socket| {
            socket.set_read_timeout(Some(WAIT)).unwrap();
            socket.set_nodelay(true).unwrap();
            BufReader::new(socket)
        });
        Self { socket, agent }
    }

    /// Puts the agent's user; gives the status, or nothing if the server is gone.
    pub(crate) fn put(&mut self, body: &str, request_id: &str) -> Option<u16> {
        let head = format!(
            "Content-Type: application/xml\r\nrequestId: {request_id}\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.ask("PUT", &self.path(), &head, body).map(|(status, _)| status)
    }

    /// The agent's state.
    pub(crate) fn state(&mut self) -> Option<String> {
        let (status, body) = self.ask("GET", &self.path(), "", "")?;
        assert_eq!(status, 200, "{body}");
        inside(&body, "<state>")
    }

    fn path(&self) -> String {
        format!("/finesse/api/User/{}", self.agent)
    }

    fn ask(&mut self, method: &str, path: &str, head: &str, body: &str) -> Option<(u16, String)> {
        let socket = self.socket.as_mut()?;
        let agent = self.agent;
        let credentials = STANDARD.encode(format!("{agent}:{PASSWORD}"));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Basic {credentials}\r\n{head}\r\n{body}"
        );
        socket.get_mut().write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        socket.read_line(&mut line).ok()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut length = 0;
        loop {
            line.clear();
            if socket.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        socket.read_exact(&mut body).ok()?;
        Some((status, String::from_utf8(body).unwrap()))
    }
}

/// What SystemInfo says of the service.
pub(crate) fn service(server: &str) -> Option<String> {
    let (_, body) = Rest::to(server, 1001).ask("GET", "/finesse/api/SystemInfo", "", "")?;
    inside(&body, "<status>")
}

fn inside(body: &str, tag: &str) -> Option<String> {
    let text = body.split(tag).nth(1)?.split('<').next()?;
    Some(text.to_owned())
}
