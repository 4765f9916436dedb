//! `/.well-known/host-meta` and `host-meta.json`: where the other ways to connect are (XEP-0156).
//!
//! Only over HTTPS: an answer in clear text could send a client, and its password, anywhere.

use aplomb_core::handshake::Origin;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use crate::link::Peer;

/// The routes, of a server that has this name where a request does not tell another.
pub fn routes(domain: &str) -> Router {
    let (xml, json) = (domain.to_owned(), domain.to_owned());
    Router::new()
        .route(
            "/.well-known/host-meta",
            get(move |request| async move { tell(&request, &xml, XML) }),
        )
        .route(
            "/.well-known/host-meta.json",
            get(move |request| async move { tell(&request, &json, JSON) }),
        )
}

/// How a document is written: its type, its frame, and one link.
struct Style {
    kind: &'static str,
    head: &'static str,
    link: fn(&str, &str) -> String,
    between: &'static str,
    foot: &'static str,
}

fn tell(request: &Request, domain: &str, style: Style) -> Response {
    if !request.extensions().get::<Peer>().is_some_and(|peer| peer.is_tls) {
        return (StatusCode::NOT_FOUND, "ask over https\n").into_response();
    }
    let host = authority(request).unwrap_or_else(|| domain.to_owned());
    let links = [
        ("urn:xmpp:alt-connections:websocket", format!("wss://{host}/ws/")),
        ("urn:xmpp:alt-connections:xbosh", format!("https://{host}/http-bind/")),
    ];
    let links = links.map(|(kind, place)| (style.link)(kind, &place)).join(style.between);
    let headers = [
        (header::CONTENT_TYPE, style.kind),
        // Web clients of other sites must be able to find the way; there is nothing secret in it.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::VARY, "Host"),
    ];
    (headers, [style.head, &links, style.foot].concat()).into_response()
}

/// The name and port that the client called, if they are well-formed.
fn authority(request: &Request) -> Option<String> {
    let named = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => request.headers().get(header::HOST)?.to_str().ok()?,
    };
    let origin: Origin = format!("https://{named}").parse().ok()?;
    origin.to_string().strip_prefix("https://").map(str::to_owned)
}

const XML: Style = Style {
    kind: "application/xrd+xml; charset=utf-8",
    head: "<?xml version='1.0' encoding='utf-8'?>\n\
           <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n",
    link: |kind, place| format!("  <Link rel=\"{kind}\" href=\"{place}\"/>\n"),
    between: "",
    foot: "</XRD>\n",
};

const JSON: Style = Style {
    kind: "application/json",
    head: "{\"links\":[",
    link: |kind, place| format!("{{\"rel\":\"{kind}\",\"href\":\"{place}\"}}"),
    between: ",",
    foot: "]}\n",
};
