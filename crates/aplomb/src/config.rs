//! The configuration: one list of settings, from which come the struct, the file's keys, the
//! environment's variables, the flags, what `aplomb config` prints and `docs/configuration.md`.
//!
//! Four sources in rising precedence: default, file, environment, flag. Each effective value
//! remembers which of them it is from.

mod error;
mod file;
mod layers;
mod print;
mod setting;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aplomb_core::domain::Flavour;
use aplomb_core::handshake;
use aplomb_core::jid::DomainPart;
use aplomb_core::sasl::Mechanism;
use aplomb_core::secret::Secret;
use aplomb_core::stream::{Management, Sasl2};

pub use error::ConfigError;
pub use layers::{Effective, Loaded, Origin, Sources, load};
pub use print::{as_json, as_markdown, as_toml};
pub use setting::{LogShape, Preset, Setting, nearest};

use setting::settings;

settings! {
    "Addresses" {
        "domain" domain: DomainPart
            = Preset::Made("the data directory's, else the host's name; `localhost` with `lab`",
                host_name);
            "The XMPP domain: what follows the @ in every address. Clients name it when they \
             connect, and a self-signed certificate is made out to it. A data directory keeps the \
             domain of its first start, and is not served under another.";
        "https" https: SocketAddr = Preset::Is("0.0.0.0:8445");
            "Where HTTPS listens, for REST and for XMPP over WebSocket. Port 0 picks a free one, \
             which the log tells.";
        "xmpp" xmpp: Option<SocketAddr> = Preset::Unset;
            "Where XMPP over TCP listens, with STARTTLS; `0.0.0.0:5222` is usual. Off, as in \
             Finesse since 12.5. Nobody logs in there before TLS unless `plain-without-tls` is on.";
        "xmpps" xmpps: Option<SocketAddr> = Preset::Unset;
            "Where XMPP over TCP listens, over TLS from the first byte; `0.0.0.0:5223` is usual. \
             In Finesse it is on, for Smack and other clients without a browser; here it is off \
             until an address is given.";
        "insecure-http" insecure_http: Option<SocketAddr> = Preset::Unset;
            "Where clear-text HTTP and `ws://` listen. For laboratories and benchmarks only: \
             passwords cross the network readable.";
        "data-dir" data_dir: Option<PathBuf>
            = Preset::Made("`aplomb-data`; with `lab`, none: state is lost at the end", data_dir);
            "The directory that keeps the database and the self-signed certificate.";
    }
    "Certificate" {
        "tls-certificate" tls_certificate: Option<PathBuf> = Preset::Unset;
            "The server's certificate followed by its chain, in PEM. Without it a self-signed one \
             is made at the first start, and its fingerprint is printed.";
        "tls-key" tls_key: Option<PathBuf> = Preset::Unset;
            "The private key of `tls-certificate`, in PEM.";
    }
    "Clients" {
        "flavour" flavour: Flavour = Preset::Is("uccx");
            "Which of Cisco's products the contact centre behaves like: `uccx` or `ucce`.";
        "allowed-origins" allowed_origins: Vec<handshake::Origin> = Preset::Unset;
            "Origins besides the server's own from which a page may connect, such as \
             `https://crm.example`. Every other page is refused before the upgrade.";
        "strict-host" strict_host: bool = Preset::Is("false");
            "Whether a stream to another domain than `domain` is refused. Finesse is lenient.";
        "plain-without-tls" plain_without_tls: bool
            = Preset::Made("`false`; `true` with `lab`", true_in_a_lab);
            "Whether a client may send its password over the clear-text listeners, `insecure-http` \
             and `xmpp`.";
        "sasl-mechanisms" sasl_mechanisms: Vec<Mechanism> = Preset::Made("all of them", |_| {
                Some(Mechanism::ALL.map(Mechanism::name).join(","))
            });
            "How clients may log in over XMPP, in the order in which it is announced. The `-PLUS` \
             forms are offered where TLS ends here, PLAIN where `plain-without-tls` and TLS allow \
             it. Cisco's clients know PLAIN only.";
        "sasl2" sasl2: Sasl2 = Preset::Made("`off`; `offered` with `lab`", offered_in_a_lab);
            "Whether a client may log in and get its address in one step, and by a token when it \
             comes back (XEP-0388, XEP-0386, XEP-0484): `off`, or `offered` over TLS and wherever \
             a password may be sent. Such a client does not choose its whole resource.";
    }
    "Passwords" {
        "logins-per-second-per-address" logins_per_second_per_address: u32
            = Preset::Is("100"), in 1..=1_000_000;
            "Logins a second from one address; ten times as many may come at once. A whole site \
             may sit behind one address, so this is far above one person's need.";
        "lockout-failures" lockout_failures: u32 = Preset::Is("5"), in 1..=1_000;
            "Wrong passwords in a row that lock an account.";
        "lockout" lockout: Duration = Preset::Is("5m"), in 1..=86_400;
            "How long a locked account stays locked.";
        "remember-password" remember_password: Duration = Preset::Is("12h"), in 0..=604_800;
            "How long a verified password is remembered, as a keyed hash in memory, so that a \
             reconnect of everybody costs no key derivations. 0s remembers none.";
        "token-life" token_life: Duration = Preset::Is("10m"), in 10..=86_400;
            "How long a token is good that a page shows instead of a password, to open a feed.";
        "fast-token-life" fast_token_life: Duration = Preset::Is("168h"), in 60..=31_536_000;
            "How long a client can come back by the token it was given, without its password. \
             From half of that time on it gets a new one whenever it comes.";
        "scram-iterations" scram_iterations: u32 = Preset::Is("10000"), in 4_096..=10_000_000;
            "Rounds of PBKDF2 in the keys of new passwords. RFC 7677 asks for 4096 at least.";
    }
    "Sessions" {
        "ping-after" ping_after: Duration = Preset::Is("20s"), in 1..=3_600;
            "Silence after which a peer is pinged.";
        "dead-after" dead_after: Duration = Preset::Is("45s"), in 2..=7_200;
            "Silence after which a peer is taken for dead. Longer than `ping-after`.";
        "forced-logout-after" forced_logout_after: Duration = Preset::Is("60s"), in 0..=86_400;
            "Absence after which an agent whose desktop was lost is signed out, with reason 255. \
             0s signs nobody out.";
        "stream-management" stream_management: Management = Preset::Is("on-request");
            "Whether a client that lost its connection may come back and go on where it was \
             (XEP-0198): `off`; `on-request`, for clients that ask although nothing says that they \
             may, as Finesse says nothing of it; or `offered`, so that every client that can does.";
        "resume-within" resume_within: Duration = Preset::Is("2m"), in 0..=3_600;
            "How long such a client may stay away. So long its agent is not taken for gone, and \
             what happens is kept for it, as far as `mailbox-letters` and `mailbox-bytes` allow. \
             0s keeps nothing.";
        "mailbox-letters" mailbox_letters: usize = Preset::Is("1000"), in 8..=1_000_000;
            "Letters that may wait for one slow session before it is closed.";
        "mailbox-bytes" mailbox_bytes: usize = Preset::Is("4MiB"), in 65_536..=1_073_741_824;
            "Bytes of events that may wait for one slow session before it is closed.";
        "connections-per-address" connections_per_address: usize
            = Preset::Is("10000"), in 1..=1_000_000;
            "Connections from one address.";
        "connections" connections: usize = Preset::Is("20000"), in 1..=1_000_000;
            "Connections altogether.";
        "drain" drain: Duration = Preset::Is("5s"), in 0..=600;
            "How long a stop may take: what is queued is sent, then every stream is closed.";
    }
    "History" {
        "history-items" history_items: usize = Preset::Is("1000"), in 1..=1_000_000;
            "Events kept for each node, for clients that come back.";
        "history-age" history_age: Duration = Preset::Is("10m"), in 1..=31_536_000;
            "How long events are kept.";
        "history-bytes" history_bytes: usize
            = Preset::Is("256MiB"), in 65_536..=1_099_511_627_776;
            "Bytes of events kept altogether.";
    }
    "Log" {
        "log" log: LogShape = Preset::Is("text");
            "The shape of log lines on standard error: `text` or `json`.";
        "log-level" log_level: String = Preset::Is("info");
            "What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as \
             `aplomb=debug`.";
    }
    "Laboratory" {
        "lab" lab: bool = Preset::Is("false");
            "Whether a small contact centre is made out of nothing: agents `1001` and up, \
             supervisors `sup1` and up, `admin` and `publisher`, all with one password.";
        "lab-agents" lab_agents: u32 = Preset::Is("12"), in 1..=100_000;
            "Agents in the laboratory.";
        "lab-teams" lab_teams: u32 = Preset::Is("3"), in 1..=10_000;
            "Teams in the laboratory; the agents are spread evenly.";
        "lab-password" lab_password: Option<Secret<String>>
            = Preset::Made("a random one, printed at the start", |_| None);
            "The password of everybody in the laboratory.";
    }
}

impl Config {
    /// Builds a configuration from the defaults and these settings, for programs and tests that
    /// embed the server: `Config::of(&[("lab", "true"), ("https", "127.0.0.1:0")])`.
    pub fn of(settings: &[(&str, &str)]) -> Result<Self, ConfigError> {
        let flags = settings.iter().map(|&(name, text)| (name.to_owned(), text.to_owned()));
        Ok(load(&Sources { flags: flags.collect(), ..Sources::default() })?.config)
    }

    /// Whether somebody set the setting of this name, in whichever source.
    pub fn is_set(&self, name: &str) -> bool {
        self.set.contains(&name)
    }

    /// The laboratory, if one is wanted.
    pub fn laboratory(&self) -> Option<Lab> {
        self.lab.then(|| Lab {
            agents: self.lab_agents,
            teams: self.lab_teams,
            password: self.lab_password.clone(),
        })
    }
}

/// A small contact centre out of nothing.
#[derive(Debug, Clone)]
pub struct Lab {
    /// Agents, `1001…`.
    pub agents: u32,
    /// Teams, `1…`.
    pub teams: u32,
    /// The password of all; none makes one.
    pub password: Option<Secret<String>>,
}

fn host_name(is_lab: bool) -> Option<String> {
    let is_plain = |name: &String| DomainPart::new(name).is_ok() && !is_lab;
    let from = |path: &str| std::fs::read_to_string(path).ok().map(|name| name.trim().to_owned());
    let kept = from("/proc/sys/kernel/hostname").filter(is_plain);
    let name = kept.or_else(|| from("/etc/hostname").filter(is_plain));
    Some(name.unwrap_or_else(|| "localhost".to_owned()))
}

fn data_dir(is_lab: bool) -> Option<String> {
    (!is_lab).then(|| "aplomb-data".to_owned())
}

fn offered_in_a_lab(is_lab: bool) -> Option<String> {
    Some(if is_lab { "offered" } else { "off" }.to_owned())
}

fn true_in_a_lab(is_lab: bool) -> Option<String> {
    Some(is_lab.to_string())
}
