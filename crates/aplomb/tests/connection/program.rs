//! The program itself: its ports, its log, its end.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::desk::{Desk, PASSWORD, read_all};

struct Program {
    child: Child,
    /// Reads the log as it comes, for a full pipe would stop the program.
    log: JoinHandle<String>,
    clear: SocketAddr,
}

impl Program {
    /// Starts `aplomb serve` on free ports and waits until it says that it is ready.
    fn start(more: &[&str]) -> Self {
        Self::start_with(more, |mut stderr| {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        })
    }

    fn start_with(
        more: &[&str],
        read: impl FnOnce(ChildStderr) -> String + Send + 'static,
    ) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aplomb"))
            .args(["serve", "--lab", "--lab-agents", "4", "--lab-password", PASSWORD])
            .args(["--domain", "cc.test", "--https", "127.0.0.1:0"])
            .args(["--insecure-http", "127.0.0.1:0", "--log", "json"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let log = spawn(move || read(stderr));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let url = "ws://localhost:";
        let line = lines.find(|line| line.contains(url)).expect("the address of clear text");
        let (_, rest) = line.rsplit_once(url).unwrap();
        let port: u16 = rest.split('/').next().unwrap().parse().unwrap();
        lines.find(|line| line.starts_with("Stop it")).expect("the end of the greeting");
        Self { child, log, clear: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Waits for the end; tells the exit code and the log.
    fn end(mut self) -> (Option<i32>, String) {
        (self.child.wait().unwrap().code(), self.log.join().unwrap())
    }

    fn resident_kib(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

#[tokio::test]
async fn sigterm_and_ctrl_c_close_every_stream_and_exit_with_0() {
    for name in ["-TERM", "-INT"] {
        let program = Program::start(&[]);
        let mut desk = Desk::login(program.clear, "1001", "desktop").await;
        program.signal(name);
        desk.until("<system-shutdown").await;
        desk.until_end().await;
        let (code, log) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
        assert_eq!(code, Some(0), "{log}");
        let ends: Vec<&str> = log.lines().filter(|line| line.contains("session ended")).collect();
        assert_eq!(ends.len(), 1, "{log}");
        for field in [
            "\"jid\":\"1001@cc.test/desktop\"",
            "\"peer\":\"127.0.0.1:",
            "\"by\":\"server\"",
            "\"layer\":\"policy\"",
            "\"code\":\"shutdown\"",
            "\"queue\":0",
            "\"age_secs\":",
            "\"last_in_secs\":",
            "\"remedy\":",
        ] {
            assert!(ends[0].contains(field), "{field} is not in {}", ends[0]);
        }
        let end: serde_json::Value = serde_json::from_str(ends[0]).unwrap();
        for field in ["age_secs", "last_in_secs", "last_out_secs"] {
            let decimals = end[field].to_string().split_once('.').map_or(0, |(_, d)| d.len());
            assert!(decimals <= 3, "{field} is not in whole milliseconds: {}", ends[0]);
        }
        assert!(!log.contains(PASSWORD), "{log}");
    }
}

#[tokio::test]
async fn the_log_says_who_ended_each_session_and_at_which_layer() {
    let program = Program::start(&[]);
    let mut broken = Desk::open(program.clear).await;
    broken.raw(b"\x81\x05Hello").await;
    broken.until_end().await;
    let mut left = Desk::login(program.clear, "1001", "desktop").await;
    left.close().await;
    left.until_end().await;
    let gone = Desk::login(program.clear, "1002", "desktop").await;
    drop(gone);
    let mut wrong = Desk::open(program.clear).await;
    wrong.open_stream().await;
    for _ in 0..aplomb_core::limits::LOGIN_ATTEMPTS_MAX {
        wrong
            .say(
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\
                 ADEwMDMAd3Jvbmc=</auth>",
            )
            .await;
    }
    wrong.until("<close").await;
    wrong.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").await;
    wrong.until_end().await;
    program.signal("-TERM");
    let (_, log) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    for (layer, code) in [
        ("websocket", "ws-protocol-error"),
        ("websocket", "ws-closed-1000"),
        ("tcp", "vanished"),
        ("auth", "not-authorized"),
    ] {
        let fields = format!("\"layer\":\"{layer}\",\"code\":\"{code}\"");
        assert_eq!(log.matches(&fields).count(), 1, "{fields} in {log}");
    }
    assert_eq!(log.matches("session ended").count(), 4, "{log}");
}

#[tokio::test]
async fn a_log_that_nobody_reads_does_not_stop_the_server() {
    let (unread, wait) = std::sync::mpsc::sync_channel::<()>(0);
    let program = Program::start_with(&[], move |_stderr| {
        // The pipe stays open and full until the test is over.
        wait.recv().expect_err("nothing is ever sent");
        String::new()
    });
    // Each end of a session is a line of some 400 bytes; a pipe holds 64 KiB.
    for _ in 0..400 {
        let mut desk = Desk::open(program.clear).await;
        desk.close().await;
        desk.until_end().await;
    }
    Desk::login(program.clear, "1001", "desktop").await;
    drop(unread);
    program.signal("-KILL");
    tokio::task::spawn_blocking(|| program.end()).await.unwrap();
}

#[tokio::test]
async fn connections_that_come_and_go_leave_no_memory_behind() {
    let program = Program::start(&[]);
    let header = b"\x81\xFF\0\0\x01\0\0\0\0\0\0\0\0\0";
    let round = async |times: usize| {
        for _ in 0..times {
            drop(TcpStream::connect(program.clear).await.unwrap());
            let mut half = TcpStream::connect(program.clear).await.unwrap();
            half.write_all(b"GET /ws/ HTTP/1.1\r\nHost:").await.unwrap();
            let mut desk = Desk::open(program.clear).await;
            desk.raw(header).await;
            desk.until_end().await;
        }
    };
    round(200).await;
    let before = program.resident_kib();
    round(800).await;
    let grown = program.resident_kib().saturating_sub(before);
    assert!(grown < 2048, "{grown} KiB more after 2,400 connections");
    program.signal("-TERM");
    tokio::task::spawn_blocking(|| program.end()).await.unwrap();
}

#[tokio::test]
async fn a_stream_of_many_stanzas_leaves_no_memory_behind() {
    let program = Program::start(&[]);
    let mut desk = Desk::login(program.clear, "1001", "desktop").await;
    let mut ask = async |times: usize| {
        for at in 0..times {
            desk.say(&format!(
                "<iq xmlns='jabber:client' type='get' id='s{at}' to='cc.test'>\
                 <query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
            ))
            .await;
            desk.until(&format!("id=\"s{at}\"")).await;
        }
    };
    ask(500).await;
    let before = program.resident_kib();
    ask(5000).await;
    let grown = program.resident_kib().saturating_sub(before);
    assert!(grown < 1024, "{grown} KiB more after 5,000 stanzas");
    program.signal("-TERM");
    tokio::task::spawn_blocking(|| program.end()).await.unwrap();
}

#[tokio::test]
async fn a_site_that_stops_still_answers_what_it_was_asked() {
    let program = Program::start(&["--drain", "5s"]);
    let mut idle = TcpStream::connect(program.clear).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    crate::desk::read_head(&mut idle).await;
    program.signal("-TERM");
    // An idle connection is closed at once, so the stop does not take all of its time.
    let stopped = tokio::time::timeout(Duration::from_secs(4), async {
        read_all(&mut idle).await;
        tokio::task::spawn_blocking(|| program.end()).await.unwrap()
    });
    assert_eq!(stopped.await.expect("it stops early").0, Some(0));
}

#[test]
fn a_server_whose_log_nobody_reads_any_more_stops_in_order() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_aplomb"))
        .args(["serve", "--lab", "--https", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("listening")).expect("the line about the port");
    drop(lines);
    let killed = Command::new("kill").arg(child.id().to_string()).status();
    assert!(killed.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
