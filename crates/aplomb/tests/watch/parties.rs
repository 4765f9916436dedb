//! The server and the watch, as processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const PASSWORD: &str = "correct horse battery";
const WAIT: Duration = Duration::from_secs(30);

/// A laboratory that is killed at the end.
pub(crate) struct Server {
    child: Child,
    /// What it said when it began to listen.
    listening: Value,
}

impl Server {
    /// Starts it on a data directory, its TLS on `https_port` or on a free one.
    pub(crate) fn start(dir: &Path, https_port: u16) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aplomb"))
            .args(["serve", "--lab", "--lab-password", PASSWORD, "--domain", "cc.test"])
            .args(["--insecure-http", "127.0.0.1:0", "--log", "json"])
            .args(["--xmpp", "127.0.0.1:0", "--xmpps", "127.0.0.1:0", "--https"])
            .arg(format!("127.0.0.1:{https_port}"))
            .arg("--data-dir")
            .arg(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Lines::of(child.stderr.take().unwrap());
        let listening = log.until(|line| line["message"] == "listening");
        Self { child, listening }
    }

    pub(crate) fn https_port(&self) -> u16 {
        self.port("https")
    }

    pub(crate) fn http_port(&self) -> u16 {
        self.port("insecure_http")
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.listening["fingerprint"].as_str().unwrap().to_owned()
    }

    /// Changes agent 1001; gives the status.
    pub(crate) fn put(&self, body: &str) -> u16 {
        let mut socket = TcpStream::connect(("127.0.0.1", self.http_port())).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        let credentials = STANDARD.encode(format!("1001:{PASSWORD}"));
        let length = body.len();
        write!(
            socket,
            "PUT /finesse/api/User/1001 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Basic {credentials}\r\nContent-Type: application/xml\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn port(&self, name: &str) -> u16 {
        let address = self.listening[name].as_str().unwrap();
        address.rsplit(':').next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that was killed already does not mind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line to a server that can be cut.
pub(crate) struct Line {
    pub(crate) port: u16,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    /// Carries whatever comes to a port of its own to `to`.
    pub(crate) fn to(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ends: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let kept = Arc::clone(&ends);
        // It ends with the test.
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else { return };
                let pair = [near, far];
                kept.lock().unwrap().extend(pair.iter().map(|end| end.try_clone().unwrap()));
                for (from, to) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { port, ends }
    }

    /// Cuts what goes over it now.
    pub(crate) fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            // One that is closed already cannot be cut.
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

/// A watch that prints JSON.
pub(crate) struct Watch {
    child: Child,
    news: Lines,
}

impl Watch {
    pub(crate) fn start(url: &str, user: &str, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aplomb"))
            .args(["watch", url, "--user", user, "--json"])
            .args(flags)
            .env("APLOMB_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let news = Lines::of(child.stdout.take().unwrap());
        Self { child, news }
    }

    /// Waits for news; what comes before is of no interest.
    pub(crate) fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        self.news.until(is_it)
    }

    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(killed.unwrap().success());
    }

    /// Waits for its end; gives the exit code and what it said on standard error.
    pub(crate) fn end(&mut self) -> (i32, String) {
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        (self.child.wait().unwrap().code().unwrap(), told)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// JSON lines as they come; a secret in them stops the test.
struct Lines(Receiver<String>);

impl Lines {
    fn of(from: impl Read + Send + 'static) -> Self {
        let (to, lines) = mpsc::channel();
        // It ends with the process, whose end of the pipe closes.
        thread::spawn(move || {
            let lines = BufReader::new(from).lines();
            lines.map_while(Result::ok).for_each(|line| drop(to.send(line)));
        });
        Self(lines)
    }

    fn until(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Vec::new();
        loop {
            let Ok(line) = self.0.recv_timeout(WAIT) else {
                panic!("it never came; before:\n{}", seen.join("\n"));
            };
            assert!(!line.contains(PASSWORD), "{line}");
            let value = serde_json::from_str(&line).unwrap_or(Value::Null);
            if is_it(&value) {
                return value;
            }
            seen.push(line);
        }
    }
}
