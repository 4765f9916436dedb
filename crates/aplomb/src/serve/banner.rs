//! What a person sees when the server has started: where it is, how to get in, what to try.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Running;

/// Writes it.
pub(super) fn text(running: &Running, is_lab: bool) -> String {
    let mut out = String::new();
    let at = reachable(running.https);
    let mut line = |name: &str, value: &str| {
        writeln!(out, "  {name:<12} {value}").expect("a string takes everything");
    };
    line("REST", &format!("https://{at}/finesse/api/"));
    line("XMPP", &format!("wss://{at}/ws/"));
    match (running.xmpp, running.xmpps) {
        (None, None) => line("", "over TCP it is off; --xmpps 0.0.0.0:5223 turns it on"),
        (xmpp, xmpps) => {
            for (scheme, at) in [("xmpp", xmpp), ("xmpps", xmpps)] {
                if let Some(at) = at {
                    line("", &format!("{scheme}://{}", reachable(at)));
                }
            }
        }
    }
    if let Some(clear) = running.insecure_http {
        let at = reachable(clear);
        line("clear text", &format!("http://{at}/finesse/api/ and ws://{at}/ws/, for a lab only"));
    }
    line("domain", &running.domain);
    let trust = if running.is_self_signed { " (self-signed)" } else { "" };
    line("certificate", &format!("SHA-256 {}{trust}", running.fingerprint));
    if let Some(made) = &running.made {
        let password = made.password.0.expose();
        line("password", &format!("{password} for {}; it is not shown again", made.user));
    }
    let user = if is_lab { "1001" } else { "admin" };
    let (insecure, pinned) = match running.is_self_signed {
        true => ("-k ", format!(" --fingerprint {}", running.fingerprint)),
        false => ("", String::new()),
    };
    line("try", &format!("curl {insecure}https://{at}/finesse/api/SystemInfo"));
    line("", &format!("aplomb watch wss://{at}/ws/ --user {user}{pinned}"));
    format!("aplomb {} is ready.\n{out}Stop it with Ctrl-C.\n", env!("CARGO_PKG_VERSION"))
}

/// An address that can be typed: where every interface is meant, this machine stands for it.
fn reachable(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() || ip == IpAddr::V4(Ipv4Addr::LOCALHOST) => {
            format!("localhost:{}", address.port())
        }
        _ => address.to_string(),
    }
}
