//! What the connection costs the server: logins, deliveries, memory, latency, beside the floor.
//!
//! `cargo bench --bench connection [-- walk|delivery|idle|latency|bosh|sse|longpoll…]`. It starts
//! the release build of aplomb and a bare program on the first core and loads them from the others,
//! in turn, so that the ratio of one run can be trusted where absolute times cannot.
#![allow(missing_docs, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
#![allow(clippy::cast_sign_loss, unreachable_pub)]

mod desk;
mod floor;
mod http;
mod server;
mod tls;
mod work;

use std::io;

use server::Server;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if let [first, work, carrier] = args.as_slice()
        && first == "floor"
    {
        return floor::run(work, carrier);
    }
    leave_the_first_core()?;
    let wanted = |work: &str| args.is_empty() || args.iter().any(|arg| arg == work);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for carrier in ["ws", "wss"] {
            if wanted("walk") {
                walk(carrier).await?;
            }
            if wanted("delivery") {
                delivery(carrier).await?;
            }
            if wanted("idle") {
                idle(carrier).await?;
            }
        }
        for carrier in ["bosh", "bosh-tls", "sse", "sse-tls", "longpoll", "longpoll-tls"] {
            if wanted("idle") || wanted(carrier) {
                idle_over_http(carrier).await?;
            }
        }
        if wanted("latency") {
            latency().await?;
        }
        Ok(())
    })
}

async fn walk(carrier: &str) -> io::Result<()> {
    const WALKS: usize = 4_000;
    const AGENTS: usize = 200;
    let floor = work::walk(&Server::floor("walk", carrier)?, carrier, WALKS, AGENTS).await?;
    let aplomb = Server::aplomb(AGENTS, None).await?;
    println!("{}", work::walk(&aplomb, carrier, WALKS, AGENTS).await?.beside(&floor));
    println!("{}", work::back(&aplomb, carrier, WALKS, AGENTS).await?.beside(&floor));
    Ok(())
}

async fn delivery(carrier: &str) -> io::Result<()> {
    const SOCKETS: usize = 1_000;
    const ROUNDS: usize = 300;
    for (depth, rounds) in [(1, ROUNDS), (8, ROUNDS / 8)] {
        let mut floor = Server::floor("hold", carrier)?;
        let bare = work::fan_out(&mut floor, carrier, SOCKETS, rounds, depth, true).await?;
        let mut aplomb = Server::aplomb(SOCKETS, None).await?;
        let row = work::fan_out(&mut aplomb, carrier, SOCKETS, rounds, depth, false).await?;
        println!("{}", row.beside(&bare));
    }
    Ok(())
}

async fn idle(carrier: &str) -> io::Result<()> {
    const SOCKETS: usize = 5_000;
    let floor = Server::floor("hold", carrier)?;
    println!("floor:  {}", work::memory(&floor, carrier, SOCKETS, true).await?);
    let aplomb = Server::aplomb(SOCKETS, None).await?;
    println!("aplomb: {}", work::memory(&aplomb, carrier, SOCKETS, false).await?);
    Ok(())
}

async fn idle_over_http(carrier: &str) -> io::Result<()> {
    const SOCKETS: usize = 5_000;
    let aplomb = Server::aplomb(SOCKETS, None).await?;
    println!("aplomb: {}", work::memory(&aplomb, carrier, SOCKETS, false).await?);
    Ok(())
}

async fn latency() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let aplomb = Server::aplomb(100, Some(dir.path())).await?;
    println!("{}", work::latency(&aplomb, 1, 2_000).await?);
    println!("{}", work::latency(&aplomb, 50, 200).await?);
    Ok(())
}

/// Moves this process to every core but the first, where the servers run.
fn leave_the_first_core() -> io::Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    if cores > 1 {
        let rest = format!("1-{}", cores - 1);
        let me = std::process::id().to_string();
        let moved = std::process::Command::new("taskset")
            .args(["-cp", &rest, &me])
            .stdout(std::process::Stdio::null())
            .status()?;
        desk::refuse_unless(moved.success(), "taskset failed")?;
    }
    Ok(())
}
