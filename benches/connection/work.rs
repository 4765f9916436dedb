//! The four works: walk, fan-out, idle memory, latency.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::desk::{DOMAIN, Desk, Kept, PASSWORD, Target, base64, refuse_unless};
use crate::http;
use crate::server::Server;

/// Desktops that walk at the same time.
const WALKING_AT_ONCE: usize = 32;

/// Logins: so many walks over one carrier; prints CPU per walk and walks per second.
pub async fn walk(server: &Server, carrier: &str, walks: usize, agents: usize) -> io::Result<Row> {
    walk_all(server.target(carrier), agents, agents).await?;
    let (cpu, start) = (server.cpu()?, Instant::now());
    walk_all(server.target(carrier), walks, agents).await?;
    let wall = start.elapsed();
    let cpu = server.cpu()?.saturating_sub(cpu);
    let per_second = walks as f64 / wall.as_secs_f64();
    let per_walk = cpu / u32::try_from(walks).expect("few walks");
    Ok(Row {
        work: "walk",
        carrier: carrier.to_owned(),
        per_unit: per_walk,
        note: format!("{per_second:.0} walks/s"),
    })
}

async fn walk_all(target: &Target, walks: usize, agents: usize) -> io::Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut desks = JoinSet::new();
    for _ in 0..WALKING_AT_ONCE {
        let (target, next) = (target.clone(), Arc::clone(&next));
        desks.spawn(async move {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= walks {
                    return io::Result::Ok(());
                }
                let user = (1001 + at % agents).to_string();
                Desk::walk(&target, &user, "desktop").await?.close().await?;
            }
        });
    }
    while let Some(done) = desks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    Ok(())
}

/// Desktops that lost their connections and come back by token, with their streams.
pub async fn back(server: &Server, carrier: &str, times: usize, agents: usize) -> io::Result<Row> {
    let target = server.target(carrier);
    let mut groups: Vec<Vec<Kept>> = Vec::new();
    groups.resize_with(WALKING_AT_ONCE, Vec::new);
    for at in 0..agents {
        let kept = Desk::first_time(target, &(1001 + at).to_string()).await?;
        groups[at % WALKING_AT_ONCE].push(kept);
    }
    let (cpu, start) = (server.cpu()?, Instant::now());
    let rounds = times / agents;
    let mut desks = JoinSet::new();
    for mut group in groups {
        let target = target.clone();
        desks.spawn(async move {
            for _ in 0..rounds {
                for kept in &mut group {
                    // Its connection is lost as soon as it is back.
                    drop(Desk::back(&target, kept).await?);
                }
            }
            io::Result::Ok(())
        });
    }
    while let Some(done) = desks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    let (wall, times) = (start.elapsed(), rounds * agents);
    let per_unit = server.cpu()?.saturating_sub(cpu) / u32::try_from(times).expect("few times");
    let note = format!("{:.0} back/s", times as f64 / wall.as_secs_f64());
    Ok(Row { work: "back by token", carrier: carrier.to_owned(), per_unit, note })
}

/// Counts deliveries, and wakes who waits for the last one.
#[derive(Default)]
struct Tally {
    heard: AtomicUsize,
    goal: AtomicUsize,
    reached: Notify,
}

impl Tally {
    fn count(&self) {
        let heard = self.heard.fetch_add(1, Ordering::AcqRel) + 1;
        if heard == self.goal.load(Ordering::Acquire) {
            self.reached.notify_one();
        }
    }
}

/// Fan-out of one notice to so many sockets, `depth` notices at a time.
pub async fn fan_out(
    server: &mut Server,
    carrier: &str,
    sockets: usize,
    rounds: usize,
    depth: usize,
    is_floor: bool,
) -> io::Result<Row> {
    let target = server.target(carrier).clone();
    let tally = Arc::new(Tally::default());
    let listeners = listen(&target, sockets, &tally, is_floor).await?;
    let mut publishers = Vec::new();
    for at in 0..if is_floor { 0 } else { depth } {
        publishers.push(Desk::walk(&target, "publisher", &format!("p{at}")).await?);
    }
    let mut cpu = Duration::ZERO;
    let mut wall = Duration::ZERO;
    for round in 0..=rounds {
        // The first round warms up.
        let (before, start) = (server.cpu()?, Instant::now());
        tally.goal.store((round + 1) * depth * sockets, Ordering::Release);
        if is_floor {
            (0..depth).try_for_each(|_| server.fan_out())?;
        } else {
            let node = "/finesse/api/SystemInfo";
            for desk in &mut publishers {
                desk.publish(&target, node, PAYLOAD).await?;
            }
            for desk in &mut publishers {
                desk.expect_published().await?;
            }
        }
        tally.reached.notified().await;
        if round > 0 {
            wall += start.elapsed();
            cpu += server.cpu()?.saturating_sub(before);
        }
    }
    drop(listeners);
    let deliveries = rounds * depth * sockets;
    let per_second = deliveries as f64 / wall.as_secs_f64();
    Ok(Row {
        work: if depth == 1 { "delivery" } else { "delivery, burst" },
        carrier: carrier.to_owned(),
        per_unit: cpu / u32::try_from(deliveries).expect("few deliveries"),
        note: format!("{per_second:.0} deliveries/s to {sockets} sockets, depth {depth}"),
    })
}

async fn listen(
    target: &Target,
    sockets: usize,
    tally: &Arc<Tally>,
    is_floor: bool,
) -> io::Result<JoinSet<io::Result<()>>> {
    let mut listeners = JoinSet::new();
    for mut desk in idle(target, "ws", sockets, is_floor).await? {
        let tally = Arc::clone(tally);
        listeners.spawn(async move {
            loop {
                if desk.hear().await?.starts_with("<message") {
                    tally.count();
                }
            }
        });
    }
    Ok(listeners)
}

/// Connects so many desktops, each as another agent.
async fn idle(
    target: &Target,
    carrier: &str,
    sockets: usize,
    is_floor: bool,
) -> io::Result<Vec<Desk>> {
    let mut desks = Vec::with_capacity(sockets);
    for first in (0..sockets).step_by(WALKING_AT_ONCE) {
        let mut group = JoinSet::new();
        for at in first..sockets.min(first + WALKING_AT_ONCE) {
            let (target, carrier) = (target.clone(), carrier.to_owned());
            group.spawn(async move {
                let user = (1001 + at).to_string();
                match carrier.as_str() {
                    "ws" | "wss" if is_floor => Desk::upgraded(&target).await,
                    "ws" | "wss" => Desk::walk(&target, &user, "desktop").await,
                    _ => http::wait(&target, &carrier, &user).await,
                }
            });
        }
        while let Some(desk) = group.join_next().await {
            desks.push(desk.map_err(io::Error::other)??);
        }
    }
    Ok(desks)
}

/// Resident memory of one idle, logged-in connection.
pub async fn memory(
    server: &Server,
    carrier: &str,
    sockets: usize,
    is_floor: bool,
) -> io::Result<String> {
    let target = server.target(carrier);
    drop(idle(target, carrier, 64, is_floor).await?);
    let before = server.resident()?;
    let desks = idle(target, carrier, sockets, is_floor).await?;
    let each = server.resident()?.saturating_sub(before) as f64 / desks.len() as f64;
    let cpu = server.cpu()?;
    tokio::time::sleep(QUIET).await;
    let cpu = (server.cpu()? - cpu).as_secs_f64() / QUIET.as_secs_f64();
    Ok(format!(
        "idle memory  {carrier:<12} {each:>9.0} B per session, {sockets} sessions; CPU {:.2} %",
        cpu * 100.0
    ))
}

/// How long it is watched what sessions cost that do nothing.
const QUIET: Duration = Duration::from_secs(5);

/// REST PUT to event received, `at_once` agents together, so many changes each.
pub async fn latency(server: &Server, at_once: usize, changes: usize) -> io::Result<String> {
    let mut agents = JoinSet::new();
    for at in 0..at_once {
        let target = server.tls.clone();
        agents.spawn(async move { latencies_of(&target, &(1001 + at).to_string(), changes).await });
    }
    let start = Instant::now();
    let mut all = Vec::new();
    while let Some(done) = agents.join_next().await {
        all.extend(done.map_err(io::Error::other)??);
    }
    let per_second = all.len() as f64 / start.elapsed().as_secs_f64();
    all.sort_unstable();
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    Ok(format!(
        "PUT to event wss  p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms; {at_once} agents at once, \
         {} changes, {per_second:.0}/s",
        at(0.5),
        at(0.99),
        at(1.0),
        all.len()
    ))
}

async fn latencies_of(target: &Target, user: &str, changes: usize) -> io::Result<Vec<Duration>> {
    let mut desk = Desk::walk(target, user, "desktop").await?;
    let mut rest = Desk::connect(target).await?;
    change(&mut rest, user, &format!("<state>LOGIN</state><extension>{user}</extension>")).await?;
    desk.hear_event().await?;
    let mut all = Vec::with_capacity(changes);
    for at in 0..changes {
        let state = if at % 2 == 0 { "READY" } else { "NOT_READY" };
        let start = Instant::now();
        let inside = format!("<state>{state}</state>");
        let (put, event) = tokio::join!(change(&mut rest, user, &inside), desk.hear_event());
        put?;
        refuse_unless(event?.contains(state), "another event")?;
        all.push(start.elapsed());
    }
    Ok(all)
}

async fn change(rest: &mut Desk, user: &str, inside: &str) -> io::Result<()> {
    let body = format!("<User>{inside}</User>");
    let status = rest
        .http(&format!(
            "PUT /finesse/api/User/{user} HTTP/1.1\r\nHost: {DOMAIN}\r\n\
             Authorization: Basic {}\r\nContent-Type: application/xml\r\n\
             Content-Length: {}\r\n\r\n{body}",
            base64(format!("{user}:{PASSWORD}").as_bytes()),
            body.len()
        ))
        .await?;
    refuse_unless(status.contains(" 202 "), &status)
}

/// One line of the result.
pub struct Row {
    work: &'static str,
    carrier: String,
    per_unit: Duration,
    note: String,
}

impl Row {
    /// The line, with the ratio to the floor.
    pub fn beside(&self, floor: &Self) -> String {
        let ratio = self.per_unit.as_secs_f64() / floor.per_unit.as_secs_f64();
        format!(
            "{:<16}{:<4} {:>9.1} µs   floor {:>9.1} µs   ratio {ratio:>5.2}   {}",
            self.work,
            self.carrier,
            self.per_unit.as_secs_f64() * 1e6,
            floor.per_unit.as_secs_f64() * 1e6,
            self.note
        )
    }
}

/// About 1.2 KB of escaped text, as Finesse's payloads are.
static PAYLOAD: &str = include_str!("payload.txt");
