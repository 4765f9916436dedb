//! `aplomb user` and `aplomb team`, as an administrator types them: the real program, on a running
//! server and on the directory of one that has stopped.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[test]
fn people_are_managed_on_a_running_server_and_on_its_directory() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let missing = aplomb(&data, &["user", "list"]);
    assert_eq!(missing.code, 1);
    assert!(missing.told.contains("holds no data of aplomb"), "{}", missing.told);

    let mut server = Server::start(&data);
    let admin = server.password.clone();
    assert_eq!(server.get("admin", &admin), 200, "the password that was printed logs in");
    let second = aplomb(&data, &["serve", "--https", "127.0.0.1:0"]);
    assert_eq!(second.code, 1);
    assert!(second.told.contains("is in use by another aplomb"), "{}", second.told);

    assert_eq!(aplomb(&data, &["team", "add", "1", "Front office"]).told, "team 1 is there\n");
    let add = ["user", "add", "1001", "--team", "1", "--phone", "1001", "--generate-password"];
    let added: serde_json::Value = json(&aplomb(&data, &[&add[..], &["--json"]].concat()));
    let password = added["made"][0]["password"].as_str().unwrap().to_owned();
    assert_eq!(server.get("1001", &password), 200);
    let again = aplomb(&data, &add);
    assert_eq!((again.code, again.told.as_str()), (1, "error: there is a user 1001 already\n"));

    let secret = home.path().join("secret");
    std::fs::write(&secret, "fresh start\n").unwrap();
    let file = secret.to_str().unwrap();
    let changed = aplomb(&data, &["user", "passwd", "1001", "--password-file", file]);
    assert_eq!(changed.told, "password of 1001 changed\n");
    assert_eq!((server.get("1001", &password), server.get("1001", "fresh start")), (401, 200));

    server.stop();
    let listed = json(&aplomb(&data, &["user", "list", "--json"]));
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|person| &person["id"]).collect();
    assert_eq!(ids, ["1001", "admin"]);
    assert_eq!(aplomb(&data, &["user", "remove", "1001"]).told, "user 1001 removed\n");
    let unknown = aplomb(&data, &["team", "remove", "7"]);
    assert_eq!((unknown.code, unknown.told.as_str()), (1, "error: there is no team 7\n"));
    let teams = aplomb(&data, &["team", "list"]).told;
    assert_eq!(teams, "ID  NAME          MEMBERS\n1   Front office  0\n");

    let server = Server::start(&data);
    assert_eq!(server.password, "", "only the first start makes an administrator");
    assert_eq!((server.get("admin", &admin), server.get("1001", "fresh start")), (200, 401));
}

#[test]
fn an_import_with_a_mistake_names_its_place_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    Server::start(&data).stop();
    let sheet = home.path().join("people.csv");
    let import = |text: &str| {
        std::fs::write(&sheet, text).unwrap();
        aplomb(&data, &["user", "import", sheet.to_str().unwrap()])
    };
    assert_eq!(aplomb(&data, &["team", "add", "1"]).code, 0);
    let wrong = import("id,team,password\n1001,1,one\n1002,7,two\n");
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.told.contains("people.csv: line 3, column 2 (team): there is no team 7"),
        "{}",
        wrong.told
    );
    assert!(!aplomb(&data, &["user", "list"]).told.contains("1001"));
    let right = import("id,team,password\n1001,1,one\n1002,1,\n");
    assert!(
        right.told.starts_with("2 people imported\nPasswords, shown only this once:\n  1002  ")
    );
    let server = Server::start(&data);
    assert_eq!(server.get("1001", "one"), 200);
}

#[test]
fn a_directory_keeps_its_domain() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    Server::start(&data).stop();
    let told = aplomb(&data, &["serve", "--https", "127.0.0.1:0", "--domain", "other.test"]);
    assert_eq!(told.code, 1, "{}", told.told);
    for words in ["of cc.test, not of other.test", "--domain cc.test", "--data-dir"] {
        assert!(told.told.contains(words), "{words} is not in {}", told.told);
    }
    let mut server = Server::start_with(&data, &[]);
    assert_eq!(server.domain, "cc.test", "without --domain it is the kept one");
    server.stop();
}

#[test]
fn a_password_is_not_guessed_where_nobody_can_be_asked() {
    let home = tempfile::tempdir().unwrap();
    let told = aplomb(home.path(), &["user", "passwd", "1001"]);
    assert_eq!(told.code, 2);
    assert!(told.told.contains("--password-file FILE or --generate-password"), "{}", told.told);
}

struct Told {
    code: i32,
    /// Standard output, or what was said on standard error when it failed.
    told: String,
}

fn aplomb(data: &Path, words: &[&str]) -> Told {
    let output = Command::new(env!("CARGO_BIN_EXE_aplomb"))
        .args(words)
        .arg("--data-dir")
        .arg(data)
        .env_remove("APLOMB_CONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = if output.status.success() { output.stdout } else { output.stderr };
    Told { code: output.status.code().unwrap(), told: String::from_utf8(told).unwrap() }
}

fn json(told: &Told) -> serde_json::Value {
    serde_json::from_str(&told.told).unwrap_or_else(|_| panic!("{}", told.told))
}

/// The real server, on free ports.
struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Where clear-text HTTP listens.
    address: String,
    /// The domain that it says it has.
    domain: String,
    /// The administrator's password, when this start made one.
    password: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        Self::start_with(data, &["--domain", "cc.test"])
    }

    fn start_with(data: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aplomb"))
            .args(["serve", "--plain-without-tls", "--data-dir"])
            .arg(data)
            .args(more)
            .args(["--https", "127.0.0.1:0", "--insecure-http", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self {
            child,
            out,
            address: String::new(),
            domain: String::new(),
            password: String::new(),
        };
        let mut line = String::new();
        while !line.starts_with("Stop it") {
            line.clear();
            assert_ne!(server.out.read_line(&mut line).unwrap(), 0, "the server ended");
            if let Some(rest) = line.trim().strip_prefix("password") {
                server.password = rest.trim().split(' ').next().unwrap().to_owned();
            }
            if let Some(rest) = line.trim().strip_prefix("domain") {
                server.domain = rest.trim().to_owned();
            }
            if let Some((_, rest)) = line.split_once("ws://") {
                server.address = rest.split('/').next().unwrap().to_owned();
            }
        }
        server
    }

    /// The status of getting one's own user.
    fn get(&self, user: &str, password: &str) -> u16 {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let credentials = STANDARD.encode(format!("{user}:{password}"));
        write!(
            socket,
            "GET /finesse/api/User/{user} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Basic {credentials}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Stops it as Ctrl-C does.
    fn stop(&mut self) {
        let told = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        assert!(told.unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whoever was stopped already does not mind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
