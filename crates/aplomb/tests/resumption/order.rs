//! A thousand publish at once, and all who listen hear the same, on every carrier and every feed.

use std::net::SocketAddr;
use std::sync::Arc;

use aplomb_core::ns;
use aplomb_core::websocket::{Decoder, Input, Role};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, mpsc};
use tokio::task::JoinSet;

use crate::client::{Carrier, Client, soon};
use crate::{DOMAIN, PASSWORD, at, server};

/// As many accounts as it takes, each with as many sessions as it may have.
const ACCOUNTS: usize = 20;
const SESSIONS_EACH: usize = 50;
const PUBLISHERS: usize = ACCOUNTS * SESSIONS_EACH;
const ITEMS_EACH: usize = 2;
const ITEMS: usize = PUBLISHERS * ITEMS_EACH;

/// The numbers that a listener heard, in its order.
type Heard = Vec<u64>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reader_hears_one_order_and_every_number_once_from_a_thousand_publishers() {
    let accounts = ACCOUNTS.to_string();
    let room = ITEMS.to_string();
    let more = [("mailbox-letters", &*room), ("history-items", &room)];
    let server = server(&[&[("lab-agents", &*accounts)], &more[..]].concat()).await;
    let http = at(&server, Carrier::WebSocket);
    let mut owner = Client::log_in(Carrier::WebSocket, http, "publisher").await.unwrap();
    owner.bind("owner").await.unwrap();
    let field =
        |name: &str, value| format!("<field var='pubsub#{name}'><value>{value}</value></field>");
    let fields = field("access_model", "open") + &field("publish_model", "open");
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>");
    pubsub(&mut owner, "c", &format!("<create node='n'/><configure>{form}</configure>")).await;

    let mut listeners = JoinSet::new();
    let (ready, mut are_ready) = mpsc::channel(8);
    for carrier in Carrier::ALL {
        listeners.spawn(subscriber(carrier, at(&server, carrier), ready.clone()));
    }
    listeners.spawn(event_source(http, ready.clone()));
    listeners.spawn(long_poller(http, ready.clone()));
    listeners.spawn(socket(http, ready));
    for _ in 0..listeners.len() {
        are_ready.recv().await.unwrap();
    }

    let start = Arc::new(Barrier::new(PUBLISHERS));
    let mut publishers = JoinSet::new();
    for number in 0..PUBLISHERS {
        publishers.spawn(publisher(number, http, Arc::clone(&start)));
    }
    let answered = publishers.join_all().await.into_iter().flatten();
    let heard = soon("end", listeners.join_all()).await;
    let all: Heard = (1..=ITEMS as u64).collect();
    for (who, numbers) in heard {
        assert_eq!(numbers.len(), ITEMS, "{who}");
        assert!(numbers == all, "{who}: in order, each once: {numbers:?}");
    }
    let mut answered: Heard = answered.collect();
    answered.sort_unstable();
    assert_eq!(answered, all, "what was answered is what was heard");
}

/// Has the service do something.
async fn pubsub(client: &mut Client, id: &str, verb: &str) -> String {
    client
        .say(&format!(
            "<iq xmlns='jabber:client' type='set' id='{id}' to='pubsub.{DOMAIN}'>\
             <pubsub xmlns='{}'>{verb}</pubsub></iq>",
            ns::PUBSUB
        ))
        .await;
    let answer = client.until(&format!("id=\"{id}\"")).await.unwrap();
    assert!(answer.contains("type=\"result\""), "{answer}");
    answer
}

/// One of very many: logs in, waits for all the others, publishes; gives the numbers it got.
async fn publisher(number: usize, at: SocketAddr, start: Arc<Barrier>) -> Heard {
    let user = (1001 + number % ACCOUNTS).to_string();
    let mut client = Client::log_in(Carrier::WebSocket, at, &user).await.unwrap();
    client.bind(&format!("p{number}")).await.unwrap();
    start.wait().await;
    let mut numbers = Vec::new();
    for item in 0..ITEMS_EACH {
        let publish = "<publish node='n'><item><x xmlns='y'/></item></publish>";
        let answer = pubsub(&mut client, &format!("i{item}"), publish).await;
        numbers.extend(number_in(&answer));
    }
    numbers
}

/// The number in the id of an item.
fn number_in(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("<item id=\"")?;
    rest.split('"').next()?.get(36..)?.parse().ok()
}

async fn subscriber(
    carrier: Carrier,
    at: SocketAddr,
    ready: mpsc::Sender<()>,
) -> (&'static str, Heard) {
    let (name, resource) = match carrier {
        Carrier::WebSocket => ("XMPP over WebSocket", "ws"),
        Carrier::Tcp => ("XMPP over TCP", "tcp"),
        Carrier::Bosh => ("XMPP over HTTP", "bosh"),
    };
    let mut client = Client::log_in(carrier, at, "admin").await.unwrap();
    client.bind(resource).await.unwrap();
    let subscribe = format!("<subscribe node='n' jid='admin@{DOMAIN}/{resource}'/>");
    pubsub(&mut client, "s", &subscribe).await;
    ready.send(()).await.unwrap();
    let mut heard = Vec::new();
    while heard.len() < ITEMS {
        heard.extend(number_in(&client.hear().await.unwrap()));
    }
    (name, heard)
}

/// Asks over HTTP; the answer is still to be read.
async fn request(at: SocketAddr, version: &str, path: &str, more: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let credentials = STANDARD.encode(format!("admin:{PASSWORD}"));
    let request = format!(
        "GET {path} HTTP/{version}\r\nHost: {DOMAIN}\r\nAuthorization: Basic {credentials}\r\n\
         {more}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The number of an event of a feed.
fn number_of(event: &Value) -> u64 {
    assert_eq!(event["kind"], "notice", "{event}");
    event["seq"].as_u64().unwrap()
}

async fn event_source(at: SocketAddr, ready: mpsc::Sender<()>) -> (&'static str, Heard) {
    let mut stream = request(at, "1.0", "/feeds/sse?node=n", "").await;
    let (mut heard, mut unread, mut buffer) = (Vec::new(), String::new(), vec![0; 64 * 1024]);
    let mut ready = Some(ready);
    while heard.len() < ITEMS {
        let read = soon("event", stream.read(&mut buffer)).await.unwrap();
        assert!(read > 0, "the feed ended: {unread}");
        unread.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        while let Some((line, rest)) = unread.split_once('\n') {
            if let Some(ready) = line.strip_prefix("id:").and_then(|_| ready.take()) {
                // The first id is the place from which it follows.
                ready.send(()).await.unwrap();
            }
            if let Some(data) = line.strip_prefix("data:") {
                heard.push(number_of(&serde_json::from_str(data).unwrap()));
            }
            unread = rest.to_owned();
        }
    }
    ("server-sent events", heard)
}

async fn long_poller(at: SocketAddr, ready: mpsc::Sender<()>) -> (&'static str, Heard) {
    let mut answer = poll(at, "/feeds/poll?node=n").await;
    ready.send(()).await.unwrap();
    let mut heard = Vec::new();
    while heard.len() < ITEMS {
        let cursor = answer["cursor"].as_str().unwrap();
        answer = poll(at, &format!("/feeds/longpoll?node=n&wait=10&cursor={cursor}")).await;
        heard.extend(answer["events"].as_array().unwrap().iter().map(number_of));
    }
    ("long poll", heard)
}

async fn poll(at: SocketAddr, path: &str) -> Value {
    let mut stream = request(at, "1.0", path, "").await;
    let mut answer = String::new();
    soon("answer", stream.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{answer}");
    serde_json::from_str(body).unwrap()
}

async fn socket(at: SocketAddr, ready: mpsc::Sender<()>) -> (&'static str, Heard) {
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut stream = request(at, "1.1", "/feeds/ws?node=n", upgrade).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon("head", stream.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    let mut decoder = Decoder::new(Role::Client, 16 << 20);
    let (mut heard, mut unread, mut buffer) = (Vec::new(), Vec::new(), vec![0; 64 * 1024]);
    let mut ready = Some(ready);
    while heard.len() < ITEMS {
        let read = soon("message", stream.read(&mut buffer)).await.unwrap();
        assert!(read > 0, "the feed ended");
        unread.extend_from_slice(&buffer[..read]);
        let mut bytes = unread.as_slice();
        while let Some(input) = decoder.take(&mut bytes).unwrap() {
            let Input::Text(text) = input else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            heard.extend(message["events"].as_array().into_iter().flatten().map(number_of));
            if let Some(ready) = ready.take() {
                ready.send(()).await.unwrap();
            }
        }
        unread = bytes.to_vec();
    }
    ("feed over WebSocket", heard)
}
