//! The list of feeds, their description and their page are one.

use std::path::Path;

use aplomb::feed::FEEDS;

use crate::reader::{ask, clear, server};

#[tokio::test]
async fn every_feed_is_described() {
    let server = server(&[]).await;
    let api = ask(clear(&server), "GET", "/openapi.json", &[], "").await.json();
    let paths = api["paths"].as_object().unwrap();
    let described: Vec<_> = paths.keys().filter(|path| path.starts_with("/feeds/")).collect();
    assert_eq!(described.len(), FEEDS.len(), "{described:?}");
    for feed in FEEDS {
        let operation = &api["paths"][feed.path][feed.method.to_lowercase()];
        assert_eq!(operation["summary"].as_str(), Some(feed.what), "{}", feed.path);
        assert!(
            operation["security"].as_array().unwrap().contains(&serde_json::json!({"basic": []}))
        );
    }
    for scheme in ["basic", "token", "tokenInUrl"] {
        assert!(api["components"]["securitySchemes"][scheme].is_object(), "{scheme}");
    }
    server.stop().await;
}

#[test]
fn every_feed_has_its_row_on_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/feeds.md");
    let page = std::fs::read_to_string(page).unwrap();
    for feed in FEEDS {
        let row = format!("| `{} {}` | {} |", feed.method, feed.path, feed.what);
        assert!(page.contains(&row), "docs/feeds.md lacks the row\n{row}");
    }
}
