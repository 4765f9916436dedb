//! The real program on free ports, with a laboratory.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{DOMAIN, PASSWORD, WAIT};

/// A server that is killed at the end.
pub(crate) struct Server {
    child: Child,
    dir: PathBuf,
    /// Where clear-text HTTP listens.
    pub(crate) address: String,
}

impl Server {
    /// Starts it on a data directory and waits until it listens.
    pub(crate) fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aplomb"))
            .args(["serve", "--lab", "--lab-agents", "4", "--lab-teams", "2"])
            .args(["--lab-password", PASSWORD, "--domain", DOMAIN])
            .args(["--https", "127.0.0.1:0", "--insecure-http", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "the server ended");
            if let Some((_, rest)) = line.split_once("ws://") {
                break rest.split('/').next().unwrap().to_owned();
            }
        };
        // Whoever reads no more must not stop the server from printing.
        std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
        Self { child, dir: dir.to_owned(), address }
    }

    /// Moves an agent to another team.
    pub(crate) fn move_to(&self, user: &str, team: &str) {
        let sheet = self.dir.join("people.csv");
        std::fs::write(&sheet, format!("id,team\n{user},{team}\n")).unwrap();
        let import = Command::new(env!("CARGO_BIN_EXE_aplomb"))
            .args(["user", "import"])
            .arg(&sheet)
            .arg("--data-dir")
            .arg(&self.dir)
            .output()
            .unwrap();
        assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
    }

    /// Puts a state and gives the status of the answer.
    pub(crate) fn set_state(&self, user: &str, state: &str) -> u16 {
        let phone =
            if state == "LOGIN" { format!("<extension>{user}</extension>") } else { String::new() };
        let body = format!("<User><state>{state}</state>{phone}</User>");
        let credentials = STANDARD.encode(format!("{user}:{PASSWORD}"));
        let mut socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        write!(
            socket,
            "PUT /finesse/api/User/{user} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Basic {credentials}\r\nContent-Type: application/xml\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

impl Server {
    /// Reads a node by the short poll and gives the status of the answer.
    pub(crate) fn poll(&self, user: &str, node: &str) -> u16 {
        let credentials = STANDARD.encode(format!("{user}:{PASSWORD}"));
        let mut socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        write!(
            socket,
            "GET /feeds/poll?node={node} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Basic {credentials}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
