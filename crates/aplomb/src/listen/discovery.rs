//! `/.well-known/host-meta` and `host-meta.json`: where the other ways to connect are (XEP-0156).
//!
//! Only over HTTPS: an answer in clear text could send a client, and its password, anywhere.

use aplomb_core::handshake::Origin;
use aplomb_core::handshake::host_meta::Form;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use crate::link::Peer;

/// The routes, of a server that has this name where a request does not tell another.
pub fn routes(domain: &str) -> Router {
    let document = |form| {
        let domain = domain.to_owned();
        get(move |request| async move { tell(&request, &domain, form) })
    };
    Router::new()
        .route("/.well-known/host-meta", document(Form::Xml))
        .route("/.well-known/host-meta.json", document(Form::Json))
}

fn tell(request: &Request, domain: &str, form: Form) -> Response {
    if !request.extensions().get::<Peer>().is_some_and(|peer| peer.is_tls) {
        return (StatusCode::NOT_FOUND, "ask over https\n").into_response();
    }
    let host = authority(request).unwrap_or_else(|| domain.to_owned());
    let headers = [
        (header::CONTENT_TYPE, form.content_type()),
        // Web clients of other sites must be able to find the way; there is nothing secret in it.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::VARY, "Host"),
    ];
    (headers, form.document(&host)).into_response()
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
