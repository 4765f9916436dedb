//! The comparison and a server, as processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery";
const WAIT: Duration = Duration::from_secs(60);

/// `aplomb compare`, running.
pub(crate) struct Compare {
    child: Child,
    /// Where it may leave things behind.
    temporary: TempDir,
    said: Lines,
    out: JoinHandle<String>,
}

/// How it ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) said: String,
    pub(crate) leftovers: Vec<String>,
}

impl Compare {
    pub(crate) fn start(flags: &[&str]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_aplomb"))
            .arg("compare")
            .args(flags)
            .env("TMPDIR", temporary.path())
            .env("APLOMB_PASSWORD", PASSWORD)
            // A setting for another server is not to reach the one of the comparison.
            .env("APLOMB_DOMAIN", "elsewhere.test")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Lines::of(child.stderr.take().unwrap());
        let mut stdout = child.stdout.take().unwrap();
        let out = thread::spawn(move || {
            let mut out = String::new();
            stdout.read_to_string(&mut out).unwrap();
            out
        });
        Self { child, temporary, said, out }
    }

    /// Waits for a line on standard error.
    pub(crate) fn until(&mut self, words: &str) {
        self.said.until(words);
    }

    pub(crate) fn interrupt(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }

    pub(crate) fn end(mut self) -> Ended {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let out = self.out.join().unwrap();
        let said = self.said.rest();
        let left = std::fs::read_dir(self.temporary.path()).unwrap();
        let leftovers = left.map(|entry| format!("{:?}", entry.unwrap().path())).collect();
        Ended { code, out, said, leftovers }
    }
}

/// A laboratory that is killed at the end.
pub(crate) struct Server {
    child: Child,
    /// What it said when it began to listen.
    listening: Value,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aplomb"))
            .args(["serve", "--lab", "--lab-password", PASSWORD, "--domain", "cc.test"])
            .args(["--insecure-http", "127.0.0.1:0", "--plain-without-tls", "--log", "json"])
            .args(["--https", "127.0.0.1:0", "--xmpp", "127.0.0.1:0", "--xmpps", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = Lines::of(child.stderr.take().unwrap());
        let listening = serde_json::from_str(&log.until("\"listening\"")).unwrap();
        Self { child, listening }
    }

    pub(crate) fn port(&self, name: &str) -> u16 {
        let address = self.listening[name].as_str().unwrap();
        address.rsplit(':').next().unwrap().parse().unwrap()
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.listening["fingerprint"].as_str().unwrap().to_owned()
    }

    /// Asks as agent 1002, without TLS.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port("insecure_http"))).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        let credentials = STANDARD.encode(format!("1002:{PASSWORD}"));
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Basic {credentials}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// A port at which nobody listens.
    pub(crate) fn free_port() -> u16 {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Passes connections on, and keeps the first line of each direction.
pub(crate) struct Relay {
    pub(crate) port: u16,
    heads: Arc<Mutex<Vec<(String, String)>>>,
}

impl Relay {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            heads: Arc::new(Mutex::new(Vec::new())),
        };
        let heads = Arc::clone(&relay.heads);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let heads = Arc::clone(&heads);
                thread::spawn(move || {
                    let there = [client.try_clone().unwrap(), server.try_clone().unwrap()];
                    let asking = thread::spawn(move || pass(there));
                    let answered = pass([server, client]);
                    heads.lock().unwrap().push((asking.join().unwrap(), answered));
                });
            }
        });
        relay
    }

    /// The first line of each connection that is over, and of what came back.
    pub(crate) fn exchanges(&self) -> Vec<(String, String)> {
        self.heads.lock().unwrap().clone()
    }
}

/// Passes bytes on until their end; tells the first line.
fn pass([mut from, mut to]: [TcpStream; 2]) -> String {
    let (mut first, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    // Either side may go away in the middle.
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if first.is_empty() {
            first.extend(buffer[..length].split(|byte| *byte == b'\r').next().unwrap());
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    String::from_utf8_lossy(&first).into_owned()
}

/// Lines as they come; those that were waited for are kept.
struct Lines {
    coming: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, coming) = mpsc::sync_channel(10_000);
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                // Who does not listen any more has seen enough; the pipe must not fill.
                let _ = sender.try_send(line);
            }
        });
        Self { coming, seen: Vec::new() }
    }

    fn until(&mut self, words: &str) -> String {
        loop {
            let line = self.coming.recv_timeout(WAIT);
            let line = line.unwrap_or_else(|_| panic!("no {words} in {:#?}", self.seen));
            self.seen.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    fn rest(mut self) -> String {
        self.seen.extend(self.coming.iter());
        self.seen.join("\n")
    }
}
