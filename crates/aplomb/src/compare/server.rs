//! A server of our own to compare on: this program again, in a process by itself, so that its CPU
//! time is nobody else's.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aplomb_core::secret::Secret;
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::limits::{COMPARE_LOG_LINES, COMPARE_SERVER_SECS_MAX};
use crate::random;

/// A server in a process of its own; it ends with this value.
#[derive(Debug)]
pub struct Own {
    child: Child,
    dir: PathBuf,
    /// Where it listens.
    pub listening: Listening,
    /// Everybody's password.
    pub password: Secret<String>,
}

/// What a server says of itself when it begins to listen.
#[derive(Debug, Clone, Deserialize)]
pub struct Listening {
    /// Where HTTPS is.
    pub https: SocketAddr,
    /// Where XMPP over TCP is.
    pub xmpp: SocketAddr,
    /// Where XMPP over TLS is.
    pub xmpps: SocketAddr,
    /// The XMPP domain.
    pub domain: String,
    /// The SHA-256 of the certificate.
    pub fingerprint: String,
}

/// Why there is no server of our own.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It cannot be begun.
    #[error("a server of our own cannot be started: {0}")]
    Start(#[from] io::Error),
    /// It ended, or did not listen in time.
    #[error("our own server did not start to listen; its last words:\n{0}")]
    Silent(String),
}

impl Own {
    /// Starts one with a laboratory in a new directory, on free ports of this machine.
    ///
    /// - Errors: see [`ServerError`].
    pub async fn start() -> Result<Self, ServerError> {
        let dir = std::env::temp_dir().join(format!("aplomb-compare-{}", random::name(12)));
        fs::create_dir(&dir)?;
        let password = random::name(20);
        let spawned = command(&dir, &password).spawn();
        let mut child = spawned.inspect_err(|_| drop(fs::remove_dir_all(&dir)))?;
        let log = child.stderr.take().expect("the log is piped");
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let told = read_log(log, Arc::clone(&lines));
        let any: SocketAddr = ([0, 0, 0, 0], 0).into();
        let listening = Listening {
            https: any,
            xmpp: any,
            xmpps: any,
            domain: String::new(),
            fingerprint: String::new(),
        };
        let mut own = Self { child, dir, listening, password: Secret::new(password) };
        match timeout(WAIT, told).await {
            Ok(Ok(listening)) => {
                own.listening = listening;
                Ok(own)
            }
            Ok(Err(_)) | Err(_) => {
                let lines = lines.lock().make_contiguous().join("\n");
                Err(ServerError::Silent(lines))
            }
        }
    }

    /// Its CPU clock.
    pub fn clock(&self) -> CpuClock {
        CpuClock { process: self.child.id(), threads: BTreeMap::new() }
    }

    /// Stops it in order, and waits for its end.
    pub async fn stop(mut self) {
        let asked = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let ended = async {
            while matches!(self.child.try_wait(), Ok(None)) {
                sleep(LOOK_EVERY).await;
            }
        };
        if asked.is_ok() {
            // One that does not end is killed with this value.
            let _ = timeout(WAIT, ended).await;
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The command line. Nothing of our own environment configures it.
fn command(dir: &std::path::Path, password: &str) -> Command {
    let program = std::env::current_exe().unwrap_or_else(|_| "aplomb".into());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("APLOMB_") {
            command.env_remove(name);
        }
    }
    command
        .args(["serve", "--lab", "--domain", "localhost", "--log", "json"])
        .args(["--https", "127.0.0.1:0", "--xmpp", "127.0.0.1:0", "--xmpps", "127.0.0.1:0"])
        // Readers come and go; that is no reason to sign the agent out.
        .args(["--forced-logout-after", "0s", "--data-dir"])
        .arg(dir)
        .env("APLOMB_LAB_PASSWORD", password)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C is for the comparison, which stops its server in order.
        .process_group(0);
    command
}

/// Reads the log as long as there is one, since a full pipe would stop the server.
fn read_log(log: ChildStderr, kept: Arc<Mutex<VecDeque<String>>>) -> oneshot::Receiver<Listening> {
    let (tell, told) = oneshot::channel();
    let mut tell = Some(tell);
    std::thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if line.contains("\"listening\"")
                && let Ok(listening) = serde_json::from_str(&line)
                && let Some(tell) = tell.take()
            {
                // Whoever waited may have given up.
                let _ = tell.send(listening);
            }
            let mut kept = kept.lock();
            kept.push_back(line);
            if kept.len() > COMPARE_LOG_LINES {
                kept.pop_front();
            }
        }
    });
    told
}

/// The CPU time of a process, user and system, as the scheduler counts it.
#[derive(Debug)]
pub struct CpuClock {
    process: u32,
    /// Nanoseconds of each thread; those of threads that ended stay.
    threads: BTreeMap<u32, u64>,
}

impl CpuClock {
    /// The time so far; none where the system does not tell.
    pub fn read(&mut self) -> Option<Duration> {
        for thread in fs::read_dir(format!("/proc/{}/task", self.process)).ok()? {
            let path = thread.ok()?.path();
            // A thread may end while we look.
            let Ok(line) = fs::read_to_string(path.join("schedstat")) else { continue };
            let nanos = line.split(' ').next()?.parse().ok()?;
            let id = path.file_name()?.to_str()?.parse().ok()?;
            self.threads.insert(id, nanos);
        }
        (!self.threads.is_empty()).then(|| Duration::from_nanos(self.threads.values().sum()))
    }
}

const WAIT: Duration = Duration::from_secs(COMPARE_SERVER_SECS_MAX);
const LOOK_EVERY: Duration = Duration::from_millis(20);
