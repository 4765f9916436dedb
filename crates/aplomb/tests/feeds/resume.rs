//! Who comes back gets what he missed, in order, once, or is told that he cannot.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::reader::{
    NODE, Socket, Sse, changes, clear, cursor, events, get, names, numbered, poll, server,
};

#[tokio::test]
async fn a_poll_answers_at_once_and_says_when_nothing_came() {
    let server = server(&[]).await;
    let at = clear(&server);
    let first = poll(at, &format!("/feeds/poll?node={NODE}")).await;
    assert_eq!((events(&first).len(), &first["more"]), (0, &Value::Bool(false)));
    let next = |cursor: &str| format!("/feeds/poll?node={NODE}&cursor={cursor}");
    let second = poll(at, &next(cursor(&first))).await;
    assert_eq!((events(&second).len(), cursor(&second)), (0, cursor(&first)));
    changes(at, 0..3).await;
    let third = poll(at, &next(cursor(&second))).await;
    assert_eq!(names(events(&third)), numbered(0..3));
    let event = &events(&third)[2];
    assert_eq!(
        (&event["kind"], &event["node"], &event["seq"]),
        (&"notice".into(), &NODE.into(), &3.into())
    );
    assert_eq!(event["update"]["data"]["user"]["state"], "NOT_READY");
    assert!(event["payload"].as_str().unwrap().starts_with("<notification xmlns="));
    let fourth = poll(at, &next(cursor(&third))).await;
    assert_eq!((events(&fourth).len(), cursor(&fourth)), (0, cursor(&third)));
    // The same cursor gives the same again: an answer that was lost on the way is lost for nobody.
    assert_eq!(poll(at, &next(cursor(&first))).await, third);
    server.stop().await;
}

#[tokio::test]
async fn xml_holds_the_payload_as_it_was_published() {
    let server = server(&[]).await;
    let at = clear(&server);
    let start = poll(at, &format!("/feeds/poll?node={NODE}")).await;
    changes(at, 0..1).await;
    let path = format!("/feeds/poll?node={NODE}&cursor={}&format=xml", cursor(&start));
    let answer = get(at, "1001", &path).await;
    assert!(answer.has("content-type: application/xml"), "{}", answer.head);
    let json = poll(at, &path.replace("&format=xml", "")).await;
    let payload = events(&json)[0]["payload"].as_str().unwrap();
    assert!(answer.body.contains(&format!(">{payload}</notice></events>")), "{}", answer.body);
    assert!(
        answer.body.starts_with(&format!("<events cursor=\"{}\" more=\"false\">", cursor(&json)))
    );
    server.stop().await;
}

#[tokio::test]
async fn a_long_poll_answers_when_something_comes() {
    let server = server(&[]).await;
    let at = clear(&server);
    let path = |from: &str, wait| format!("/feeds/longpoll?node={NODE}&cursor={from}&wait={wait}");
    let empty = poll(at, &path("", 0)).await;
    assert_eq!(events(&empty).len(), 0);
    let waiting = tokio::spawn({
        let path = path(cursor(&empty), 50);
        async move { poll(at, &path).await }
    });
    changes(at, 0..1).await;
    let answer = waiting.await.unwrap();
    assert_eq!(names(events(&answer)), ["0"]);
    // What came in between is there at once.
    changes(at, 1..3).await;
    let answer = poll(at, &path(cursor(&answer), 50)).await;
    assert_eq!(names(events(&answer)), ["1", "2"]);
    server.stop().await;
}

#[tokio::test]
async fn several_nodes_are_one_feed_and_one_cursor() {
    let server = server(&[]).await;
    let at = clear(&server);
    let (own, team) = (NODE, "/finesse/api/Team/1/Users");
    let path = format!("/feeds/poll?node={own}&node={team}&node={own}");
    let start = get(at, "sup1", &path).await.json();
    changes(at, 0..3).await;
    let path = format!("{path}&cursor={}", cursor(&start));
    let answer = get(at, "sup1", &path).await.json();
    let of = |node: &str| -> Vec<Value> {
        events(&answer).iter().filter(|event| event["node"] == node).cloned().collect()
    };
    assert_eq!((names(&of(own)), names(&of(team))), (numbered(0..3), numbered(0..3)));
    assert_eq!(events(&answer).len(), 6);
    // A node that joins a cursor begins now, and the others go on.
    let one = get(at, "sup1", &format!("/feeds/poll?node={own}")).await.json();
    changes(at, 3..4).await;
    let both = format!("/feeds/poll?node={team}&node={own}&cursor={}", cursor(&one));
    let answer = get(at, "sup1", &both).await.json();
    assert_eq!(names(events(&answer)), ["3"]);
    server.stop().await;
}

#[tokio::test]
async fn a_changed_epoch_a_short_history_and_a_strange_cursor_are_named() {
    let first = server(&[]).await;
    let old = poll(clear(&first), &format!("/feeds/poll?node={NODE}")).await;
    first.stop().await;

    let server = server(&[("history-items", "3")]).await;
    let at = clear(&server);
    let start = poll(at, &format!("/feeds/poll?node={NODE}")).await;
    changes(at, 0..4).await;
    for (from, reason) in [
        (cursor(&old), "epoch-changed"),
        (cursor(&start), "history-too-short"),
        ("nonsense", "cursor-unreadable"),
    ] {
        let path = format!("node={NODE}&cursor={from}");
        let answer = poll(at, &format!("/feeds/poll?{path}")).await;
        assert_eq!(names(events(&answer)), [reason]);
        assert_eq!(
            (&events(&answer)[0]["kind"], &events(&answer)[0]["seq"]),
            (&"gap".into(), &4.into())
        );
        let mut socket = Socket::open(at, &format!("/feeds/ws?{path}")).await;
        assert_eq!(socket.next().await.unwrap(), answer, "the WebSocket says the same");
        let mut sse = Sse::open(at, "1001", &format!("/feeds/sse?node={NODE}"), from).await;
        sse = sse.greeted().await;
        let sent = sse.next().await.unwrap();
        assert_eq!((sent.kind.as_str(), &sent.data), ("gap", &events(&answer)[0]));
        assert_eq!(sent.id, cursor(&answer), "it goes on from there");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_silent_reader_is_told_where_he_is_and_shown_life() {
    let server = server(&[("ping-after", "1s")]).await;
    let at = clear(&server);
    let mut sse = Sse::open(at, "1001", &format!("/feeds/sse?node={NODE}"), "").await;
    sse = sse.greeted().await;
    let start = poll(at, &format!("/feeds/poll?node={NODE}")).await;
    sse.until_comment().await;
    assert_eq!(sse.last_id, cursor(&start));
    changes(at, 0..1).await;
    assert_eq!(sse.next().await.unwrap().data["update"]["requestId"], "0");
    server.stop().await;
}

/// Events beyond what the system takes in for a reader who does not read: about 8 MB.
const MANY: u32 = 2_500;

#[tokio::test]
async fn a_slow_reader_is_told_so_and_comes_back_for_the_rest() {
    let server = server(&[
        ("mailbox-letters", "8"),
        ("history-items", "5000"),
        ("ping-after", "3600s"),
        ("dead-after", "7200s"),
    ])
    .await;
    let at = clear(&server);
    let path = format!("/feeds/sse?node={NODE}");
    let mut sse = Sse::open(at, "1001", &path, "").await.greeted().await;
    changes(at, 0..MANY).await;
    let (mut told, mut end) = (Vec::new(), None);
    while let Some(sent) = sse.next().await {
        match sent.kind.as_str() {
            "notice" => told.push(sent.data),
            _ => end = Some(sent),
        }
    }
    let end = end.expect("the end says why");
    assert_eq!((end.kind.as_str(), &end.data["reason"]), ("end", &"slow-reader".into()));
    assert!(told.len() < MANY as usize, "nobody kept all of that for him");
    let mut sse = Sse::open(at, "1001", &path, &sse.last_id).await.greeted().await;
    while told.len() < MANY as usize {
        told.push(sse.next().await.unwrap().data);
    }
    assert_eq!(names(&told), numbered(0..MANY));
    server.stop().await;
}

/// The rounds that a reader's connection is cut in.
const CUTS: u32 = 1_000;

/// Bytes that no event of a state change falls below.
const EVENT_BYTES_MIN: usize = 1_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_cuts_at_random_bytes_leave_the_published_sequence() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let server = server(&[]).await;
    let at = clear(&server);
    let start = poll(at, &format!("/feeds/poll?node={NODE}")).await;
    let mut random = Random(seed | 1);
    let (mut told, mut from) = (Vec::new(), cursor(&start).to_owned());
    let mut published = 0;
    for _ in 0..CUTS {
        // Some come while nobody reads, some while somebody does.
        let missed = random.below(2);
        changes(at, published..published + missed).await;
        published += missed;
        let live = random.below(2);
        let publisher = tokio::spawn(changes(at, published..published + live));
        published += live;
        // So many are sure to come, and more than that would wait for what may never.
        let due = (published as usize - told.len()) * EVENT_BYTES_MIN;
        let bytes = |random: &mut Random, first: usize| random.below((first + due) as u32) as usize;
        let path = |feed: &str| format!("/feeds/{feed}?node={NODE}&cursor={from}&wait=0");
        match random.below(3) {
            0 => {
                let bytes = bytes(&mut random, 200);
                let sse = Sse::open(at, "1001", &path("sse"), "").await;
                let (sent, last) = sse.cut_after(bytes).await;
                told.extend(sent.into_iter().map(|sent| sent.data));
                if !last.is_empty() {
                    from = last;
                }
            }
            1 => {
                let bytes = bytes(&mut random, 60);
                let socket = Socket::open(at, &path("ws")).await;
                for message in socket.cut_after(bytes).await {
                    told.extend(events(&message).iter().cloned());
                    from = cursor(&message).to_owned();
                }
            }
            _ => {
                let answer = poll(at, &path("longpoll")).await;
                // Every other answer is lost on its way.
                if random.below(2) == 0 {
                    told.extend(events(&answer).iter().cloned());
                    from = cursor(&answer).to_owned();
                }
            }
        }
        publisher.await.unwrap();
    }
    let rest = poll(at, &format!("/feeds/poll?node={NODE}&cursor={from}")).await;
    told.extend(events(&rest).iter().cloned());
    assert_eq!(names(&told), numbered(0..published), "seed {seed}");
    let seqs: Vec<_> = told.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted_by(|a, b| a + 1 == *b), "seed {seed}");
    server.stop().await;
}

/// Marsaglia's xorshift: enough chance for a test.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 33) % u64::from(bound)).unwrap()
    }
}
