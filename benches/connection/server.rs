//! Servers under measurement: started as processes of their own, on a core of their own.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::desk::{DOMAIN, Desk, PASSWORD, Target};

/// A running server.
pub struct Server {
    process: Child,
    /// Without TLS.
    pub plain: Target,
    /// With TLS.
    pub tls: Target,
}

impl Server {
    /// Starts aplomb with a laboratory of so many agents; `data_dir` makes it durable.
    pub async fn aplomb(agents: usize, data_dir: Option<&Path>) -> io::Result<Self> {
        let (https, http) = (free_port()?, free_port()?);
        let mut command = pinned(env!("CARGO_BIN_EXE_aplomb"));
        command
            .args(["serve", "--lab", "--lab-password", PASSWORD, "--domain", DOMAIN])
            .args(["--lab-agents", &agents.to_string()])
            .args(["--https", &https.to_string(), "--insecure-http", &http.to_string()])
            .env("APLOMB_LOGINS_PER_SECOND_PER_ADDRESS", "100000")
            .env("APLOMB_CONNECTIONS_PER_ADDRESS", "20000")
            .env("APLOMB_LOG_LEVEL", "warn")
            .stdout(Stdio::null());
        if let Some(dir) = data_dir {
            command.arg("--data-dir").arg(dir);
        }
        let process = command.spawn()?;
        let server = Self { process, plain: Target::plain(http), tls: Target::tls(https) };
        server.wait_until_healthy().await?;
        Ok(server)
    }

    /// Starts the floor for one carrier; the other target is the same address.
    pub fn floor(work: &str, carrier: &str) -> io::Result<Self> {
        let mut process = pinned(&std::env::current_exe()?.to_string_lossy())
            .args(["floor", work, carrier])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        let output = process.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut port)?;
        let port: u16 = port.trim().parse().map_err(io::Error::other)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self { process, plain: Target::plain(address), tls: Target::tls(address) })
    }

    /// The target of a carrier.
    pub fn target(&self, carrier: &str) -> &Target {
        if carrier == "wss" || carrier.ends_with("-tls") { &self.tls } else { &self.plain }
    }

    /// Has the floor send one notice to all connections.
    pub fn fan_out(&mut self) -> io::Result<()> {
        let input = self.process.stdin.as_mut().expect("the floor's input is piped");
        input.write_all(b"go\n")?;
        input.flush()
    }

    /// CPU time of all threads so far, user and system.
    pub fn cpu(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let path = task?.path().join("schedstat");
            let Ok(line) = std::fs::read_to_string(path) else { continue };
            nanos += line.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        let kib = line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other("no VmRSS"))
    }

    async fn wait_until_healthy(&self) -> io::Result<()> {
        const TRIES_MAX: u32 = 300;
        for _ in 0..TRIES_MAX {
            if let Ok(mut desk) = Desk::connect(&self.plain).await {
                let asked = desk.http("GET /healthz HTTP/1.1\r\nHost: bench.test\r\n\r\n").await;
                if asked.is_ok_and(|status| status.contains(" 200 ")) {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(io::Error::other("the server did not become healthy"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command on the first core; the load runs on the others.
fn pinned(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0", program]);
    command
}

/// An address that was free a moment ago.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
