//! The real program on free ports.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::{DOMAIN, PASSWORD, WAIT};

/// A server that is killed at the end.
pub(crate) struct Server {
    child: Child,
    log: Receiver<String>,
    /// Where clear-text HTTP listens; empty until it does.
    pub(crate) address: String,
}

impl Server {
    /// Starts it on a data directory.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_aplomb")), dir)
    }

    /// Starts it where no file can grow over so many bytes; a write beyond fails as on a full disk.
    pub(crate) fn start_on_a_disk_of(bytes: u64, dir: &Path) -> Self {
        let mut shell = Command::new("sh");
        // Ignored signals stay ignored in the program that takes the shell's place.
        let limited = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$0\" \"$@\"", bytes / 512);
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_aplomb")]);
        Self::spawn(shell, dir)
    }

    /// Ends the limit of [`Server::start_on_a_disk_of`].
    pub(crate) fn make_room(&self) {
        let limit = Rlimit { current: None, maximum: None };
        prlimit(Pid::from_raw(self.child.id() as i32), Resource::Fsize, limit).unwrap();
    }

    fn spawn(mut command: Command, dir: &Path) -> Self {
        let mut child = command
            .args(["serve", "--lab", "--lab-agents", "16", "--lab-teams", "2"])
            .args(["--lab-password", PASSWORD, "--domain", DOMAIN, "--log", "json"])
            .args(["--https", "127.0.0.1:0", "--insecure-http", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .env("RUST_BACKTRACE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, log) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // It ends with the program, whose end of the pipe closes.
        thread::spawn(move || lines.map_while(Result::ok).all(|line| to.send(line).is_ok()));
        Self { child, log, address: String::new() }
    }

    /// Waits for the line that tells the ports.
    pub(crate) fn until_it_listens(mut self) -> Self {
        let fields = self.until_it_says("listening");
        self.address = fields["insecure_http"].as_str().unwrap().to_owned();
        self
    }

    /// Waits for a message in the log; gives its fields.
    pub(crate) fn until_it_says(&self, message: &str) -> serde_json::Value {
        let deadline = Instant::now() + WAIT;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.log.recv_timeout(left) else {
                panic!("the server does not say {message:?}; its log:\n{}", seen.join("\n"));
            };
            let fields: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if fields["message"] == message {
                return fields;
            }
            seen.push(line);
        }
    }

    /// Kills it, without a warning, when the time is over or when it has ended by itself, which
    /// it must not.
    pub(crate) fn kill_within(mut self, wait: Duration) {
        let deadline = Instant::now() + wait;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.log.recv_timeout(left) {
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the server ended by itself; its log:\n{}", seen.join("\n"));
                }
            }
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whoever was killed already does not mind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
