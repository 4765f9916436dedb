//! What is bounded, and how a feed ends with its server.

use aplomb::limits::{FEED_NODES_MAX, FEED_WAIT_SECS_MAX, FEEDS_OF_ONE_MAX};

use crate::reader::{NODE, Socket, Sse, clear, get, poll, server, soon};

#[tokio::test]
async fn one_account_has_so_many_feeds_and_another_has_its_own() {
    let server = server(&[]).await;
    let at = clear(&server);
    let path = format!("/feeds/sse?node={NODE}");
    let mut open = Vec::new();
    for _ in 0..FEEDS_OF_ONE_MAX {
        open.push(Sse::open(at, "1001", &path, "").await.greeted().await);
    }
    let answer = get(at, "1001", &path).await;
    assert!(answer.status == 429 && answer.has("retry-after: 1"), "{answer:?}");
    assert_eq!(answer.json()["code"], "too-many-feeds");
    let metrics = get(at, "admin", "/metrics").await.body;
    let counted = format!("aplomb_feed_readers{{feed=\"/feeds/sse\"}} {FEEDS_OF_ONE_MAX}\n");
    assert!(metrics.contains(&counted), "{metrics}");
    assert_eq!(get(at, "sup1", &path.replace("/sse", "/poll")).await.status, 200);
    // Whoever leaves makes room, as soon as the server sees that he left.
    drop(open);
    soon("room", async {
        while get(at, "1001", &path.replace("/sse", "/poll")).await.status != 200 {}
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_the_reason() {
    let server = server(&[]).await;
    let at = clear(&server);
    let many: String = (0..=FEED_NODES_MAX).map(|n| format!("node={n}&")).collect();
    let wait = FEED_WAIT_SECS_MAX + 1;
    for (query, reason) in [
        ("", "name 1 to 64 nodes"),
        (&*many, "name 1 to 64 nodes"),
        (&*format!("node={NODE}&wait={wait}"), "wait must be 0 to 50 seconds"),
        (&*format!("node={NODE}&format=yaml"), "format must be json or xml"),
    ] {
        for feed in ["poll", "longpoll", "sse"] {
            let answer = get(at, "1001", &format!("/feeds/{feed}?{query}")).await;
            assert_eq!((answer.status, &answer.json()["code"]), (400, &"bad-request".into()));
            assert!(answer.json()["detail"].as_str().unwrap().starts_with(reason), "{answer:?}");
        }
    }
    let plain = get(at, "1001", &format!("/feeds/ws?node={NODE}")).await;
    assert!(plain.status == 426 && plain.has("upgrade: websocket"), "{plain:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_stop_is_told_to_every_reader_and_waits_for_none() {
    let server = server(&[]).await;
    let at = clear(&server);
    let mut sse =
        Sse::open(at, "1001", &format!("/feeds/sse?node={NODE}"), "").await.greeted().await;
    let mut socket = Socket::open(at, &format!("/feeds/ws?node={NODE}")).await;
    socket.next().await.unwrap();
    let path = format!("/feeds/longpoll?node={NODE}&wait=50");
    let waiting = tokio::spawn(async move { poll(at, &path).await });
    // Nobody else of the account gets in once the long poll waits as well.
    let mut others = Vec::new();
    for _ in 3..FEEDS_OF_ONE_MAX {
        let path = format!("/feeds/sse?node={NODE}");
        others.push(Sse::open(at, "1001", &path, "").await.greeted().await);
    }
    let path = format!("/feeds/poll?node={NODE}");
    soon("long poll", async { while get(at, "1001", &path).await.status == 200 {} }).await;
    let end = tokio::spawn(async move { (sse.next().await.unwrap(), sse.next().await) });
    let closed = tokio::spawn(async move { (socket.next().await.unwrap(), socket.next().await) });
    soon("stop", server.stop()).await;
    let (last, after) = end.await.unwrap();
    assert_eq!(
        (last.kind.as_str(), &last.data["reason"], after),
        ("end", &"shutdown".into(), None)
    );
    let (last, after) = closed.await.unwrap();
    assert_eq!((&last["events"][0]["reason"], after), (&"shutdown".into(), None));
    assert_eq!(waiting.await.unwrap()["events"].as_array().unwrap().len(), 0);
}
