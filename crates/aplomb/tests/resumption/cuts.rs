//! A subscriber whose connection is cut at a random byte, again and again.
//!
//! Whatever is cut, each event comes once and in order, and each of the subscriber's own requests
//! is answered once; or the subscriber is told that its stream is not recovered. `APLOMB_CUTS` is
//! the number of cuts, `APLOMB_SEED` the chance.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use aplomb::serve::Running;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::client::{Carrier, Client, Gone, Outcome, Resumption, attribute};
use crate::events::{is_stanza, number};
use crate::{at, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_at_any_byte_end_with_every_event_once_or_with_not_recovered() {
    let setting = |name: &str, usual: u32| {
        std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
    };
    let (rounds, seed) = (setting("APLOMB_CUTS", 60), setting("APLOMB_SEED", 1));
    println!("APLOMB_CUTS={rounds} APLOMB_SEED={seed}");
    let server = server(&[]).await;
    let road = Arc::new(Road::default());
    let publishing = tokio::spawn(publish(at(&server, Carrier::WebSocket), Arc::clone(&road)));
    let mut chance = Chance(seed.into());
    let mut subscriber = Subscriber::new(Arc::clone(&road));
    let mut kept_open = Vec::new();
    for _ in 0..rounds {
        // The client says little, so one cut in four is aimed at what it says.
        let up_max = [2_000, 20_000, 20_000, 20_000][chance.up_to(4)];
        let cut = Cut { up_bytes: chance.up_to(up_max), down_bytes: chance.up_to(12_000) };
        let carrier = Carrier::ALL[chance.up_to(3)];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let through = listener.local_addr().unwrap();
        let relay = tokio::spawn(relay(listener, at(&server, carrier), cut));
        let Err(Gone) = subscriber.visit(carrier, through, chance.up_to(4), None).await else {
            unreachable!("it only ends with its connection");
        };
        let far = relay.await.unwrap();
        // Sometimes the server does not learn that the connection is lost.
        if chance.up_to(3) == 0 {
            kept_open.push(far);
        }
    }
    road.is_closed.store(true, Ordering::Relaxed);
    road.seen_more.notify_one();
    let last = publishing.await.unwrap();
    finish(&server, &mut subscriber, last).await;
    let Subscriber { resumed, lost, heard, answered, .. } = &subscriber;
    println!("{heard} events, {answered} answers, {resumed} resumed, {lost} not recovered");
    assert!(*resumed * 3 > rounds, "only {resumed} of {rounds} were resumed");
    assert!(*heard > rounds, "only {heard} events came");
    drop(kept_open);
    server.stop().await;
}

/// One more visit, which nobody cuts, up to the last event and the last answer.
async fn finish(server: &Running, subscriber: &mut Subscriber, last: u32) {
    let to = at(server, Carrier::WebSocket);
    subscriber.visit(Carrier::WebSocket, to, 1, Some(last)).await.unwrap();
}

/// What publisher and subscriber know of each other, so that neither runs away.
#[derive(Default)]
struct Road {
    published: AtomicU32,
    seen: AtomicU32,
    seen_more: Notify,
    is_closed: AtomicBool,
}

/// Publishes numbers until the road is closed; returns the last.
async fn publish(at: SocketAddr, road: Arc<Road>) -> u32 {
    let mut publisher = Client::log_in(Carrier::WebSocket, at, "publisher").await.unwrap();
    publisher.bind("bridge").await.unwrap();
    for n in 1.. {
        while n > road.seen.load(Ordering::Relaxed) + LEAD_MAX
            && !road.is_closed.load(Ordering::Relaxed)
        {
            road.seen_more.notified().await;
        }
        if road.is_closed.load(Ordering::Relaxed) {
            return n - 1;
        }
        publisher.publish(n).await;
        road.published.store(n, Ordering::Relaxed);
    }
    unreachable!("numbers do not end");
}

/// A client that keeps its own half of the promise.
struct Subscriber {
    road: Arc<Road>,
    /// What its stream is resumed by.
    id: Option<String>,
    /// Stanzas that it handled since the stream is managed.
    handled: u32,
    /// The last event, unless there may be a gap after it.
    last: Option<u32>,
    /// Requests that the server did not acknowledge.
    sent: VecDeque<u32>,
    acknowledged: u32,
    next_request: u32,
    next_answer: u32,
    resumed: u32,
    lost: u32,
    heard: u32,
    answered: u32,
}

impl Subscriber {
    const fn new(road: Arc<Road>) -> Self {
        Self {
            road,
            id: None,
            handled: 0,
            last: None,
            sent: VecDeque::new(),
            acknowledged: 0,
            next_request: 0,
            next_answer: 0,
            resumed: 0,
            lost: 0,
            heard: 0,
            answered: 0,
        }
    }

    /// Connects, goes on or begins anew, asks a few things, and listens up to `until`, or for ever.
    async fn visit(
        &mut self,
        carrier: Carrier,
        at: SocketAddr,
        requests: usize,
        until: Option<u32>,
    ) -> Outcome<()> {
        let mut client = Client::log_in(carrier, at, "1001").await?;
        self.begin(&mut client).await?;
        let more = if self.sent.len() < UNACKNOWLEDGED_MAX { requests } else { 0 };
        for _ in 0..more {
            self.sent.push_back(self.next_request);
            self.next_request += 1;
            client.say(&request(self.next_request - 1)).await;
        }
        client.say("<r xmlns='urn:xmpp:sm:3'/>").await;
        let is_done = |this: &Self| {
            until.is_some_and(|n| this.last == Some(n) && this.next_answer == this.next_request)
        };
        while !is_done(self) {
            let text = client.hear().await?;
            self.take(&mut client, &text).await?;
        }
        Ok(())
    }

    async fn begin(&mut self, client: &mut Client) -> Outcome<()> {
        if let Some(id) = &self.id {
            match client.resume(id, self.handled).await? {
                Resumption::Resumed(handled) => {
                    self.resumed += 1;
                    self.note(handled);
                    for n in self.sent.clone() {
                        client.say(&request(n)).await;
                    }
                    return Ok(());
                }
                Resumption::Failed(condition) => assert_eq!(condition, "item-not-found"),
                Resumption::Ended(words) => panic!("{words}"),
            }
        }
        self.lost += 1;
        self.id = None;
        client.bind("desktop").await?;
        // From here on events come, and before nothing counts.
        self.last = None;
        self.road.seen.store(self.road.published.load(Ordering::Relaxed), Ordering::Relaxed);
        self.road.seen_more.notify_one();
        client.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await;
        loop {
            let text = client.hear().await?;
            if text.starts_with("<enabled") {
                self.id = attribute(&text, "id");
                (self.handled, self.acknowledged) = (0, 0);
                self.sent.clear();
                self.next_answer = self.next_request;
                return Ok(());
            }
            self.take(client, &text).await?;
        }
    }

    /// Takes one element of the server, and holds it against what must come.
    async fn take(&mut self, client: &mut Client, text: &str) -> Outcome<()> {
        assert!(!text.starts_with("<stream:error"), "{text}");
        if is_stanza(text) {
            self.handled = self.handled.wrapping_add(1);
        }
        if let Some(n) = number(text) {
            if let Some(last) = self.last {
                assert_eq!(n, last + 1, "an event is lost, doubled, or out of order");
            }
            self.last = Some(n);
            self.heard += 1;
            self.road.seen.fetch_max(n, Ordering::Relaxed);
            self.road.seen_more.notify_one();
        } else if let Some(n) =
            attribute(text, "id").and_then(|id| id.strip_prefix('q')?.parse::<u32>().ok())
        {
            assert_eq!(self.next_answer, n, "an answer is lost, doubled, or out of order");
            self.next_answer += 1;
            self.answered += 1;
        } else if text.starts_with("<r ") {
            client.say(&format!("<a xmlns='urn:xmpp:sm:3' h='{}'/>", self.handled)).await;
        } else if text.starts_with("<a ") {
            self.note(attribute(text, "h").unwrap().parse().unwrap());
        }
        Ok(())
    }

    /// Forgets the requests that the server says that it handled.
    fn note(&mut self, handled: u32) {
        let new = handled.wrapping_sub(self.acknowledged) as usize;
        assert!(new <= self.sent.len(), "the server handled what was never sent");
        self.sent.drain(..new);
        self.acknowledged = handled;
    }
}

fn request(n: u32) -> String {
    format!("<iq xmlns='jabber:client' type='get' id='q{n}'><ping xmlns='urn:xmpp:ping'/></iq>")
}

/// How many bytes get through.
#[derive(Debug, Clone, Copy)]
struct Cut {
    up_bytes: usize,
    down_bytes: usize,
}

/// Carries one connection up to the cut; returns the server's end of it, still open.
async fn relay(listener: TcpListener, to: SocketAddr, cut: Cut) -> TcpStream {
    let (mut near, _) = listener.accept().await.unwrap();
    let mut far = TcpStream::connect(to).await.unwrap();
    {
        let ((near_read, near_write), (far_read, far_write)) = (near.split(), far.split());
        tokio::select! {
            () = carry(near_read, far_write, cut.up_bytes) => {}
            () = carry(far_read, near_write, cut.down_bytes) => {}
        }
    }
    far
}

async fn carry(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut left: usize) {
    let mut buffer = [0; 1024];
    while left > 0 {
        let most = left.min(buffer.len());
        match from.read(&mut buffer[..most]).await {
            Ok(n @ 1..) if to.write_all(&buffer[..n]).await.is_ok() => left -= n,
            _ => return,
        }
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    /// A number below `bound`.
    fn up_to(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// Requests that the server has not acknowledged, beyond which the subscriber asks no more.
const UNACKNOWLEDGED_MAX: usize = 10;

/// Events that may be published and not yet seen.
const LEAD_MAX: u32 = 100;
