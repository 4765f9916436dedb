//! HTTP over one connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use http::{Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use tower::ServiceExt;
use tracing::debug;

use super::{Permit, Site, bosh};
use crate::limits::{
    HTTP_ANSWER_SECS_MAX, HTTP_BUFFER_BYTES_MAX, HTTP_HEADER_BYTES_MAX, HTTP_HEADER_SECS_MAX,
    HTTP2_PING_SECS, HTTP2_STREAMS_MAX,
};
use crate::link::Peer;

/// Serves HTTP/1.0 and HTTP/1.1, until the end or an upgrade.
pub(super) async fn serve_http1<S>(stream: S, peer: Peer, permit: Arc<Permit>, site: &Arc<Site>)
where
    S: Read + Write + Unpin + Send + 'static,
{
    let service = service_fn(|request| answer(request, peer, &permit, site));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HTTP_HEADER_SECS_MAX))
        .max_header_size(HTTP_HEADER_BYTES_MAX)
        .max_buf_size(HTTP_BUFFER_BYTES_MAX)
        .serve_connection(stream, service)
        .with_upgrades();
    let mut connection = Box::pin(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = site.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    note(peer, ended);
}

/// Serves HTTP/2.
pub(super) async fn serve_http2<S>(stream: S, peer: Peer, permit: Arc<Permit>, site: &Arc<Site>)
where
    S: Read + Write + Unpin + Send + 'static,
{
    let held = Arc::clone(site);
    let service = service_fn(move |request| {
        let (permit, site) = (Arc::clone(&permit), Arc::clone(&held));
        async move { answer(request, peer, &permit, &site).await }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_header_list_size(u32::try_from(HTTP_HEADER_BYTES_MAX).expect("a small number"))
        .keep_alive_interval(Duration::from_secs(HTTP2_PING_SECS))
        .keep_alive_timeout(Duration::from_secs(HTTP2_PING_SECS))
        .serve_connection(stream, service);
    let mut connection = Box::pin(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = site.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    note(peer, ended);
}

/// Tells a client that speaks clear text to a port of TLS what to do instead.
pub(super) async fn ask_for_tls<S>(stream: S, peer: Peer)
where
    S: Read + Write + Unpin + Send + 'static,
{
    let service = service_fn(|_: Request<Incoming>| async {
        let words = "This port speaks TLS: use https:// or wss://.\n";
        Ok::<_, Infallible>((StatusCode::BAD_REQUEST, words).into_response())
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HTTP_HEADER_SECS_MAX))
        .max_header_size(HTTP_HEADER_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(stream, service);
    note(peer, connection.await);
}

/// Answers one request. Whoever answers knows the peer as [`ConnectInfo`] and as [`Peer`].
async fn answer(
    mut request: Request<Incoming>,
    peer: Peer,
    permit: &Arc<Permit>,
    site: &Arc<Site>,
) -> Result<Response<Body>, Infallible> {
    let is_held = bosh::PATHS.contains(&request.uri().path());
    let _counted = (!is_held).then(|| site.requests.token());
    if !has_one_host(&request) {
        site.metrics.request(StatusCode::BAD_REQUEST.as_u16());
        let words = "Host must be there once (RFC 9112 §3.2).\n";
        let close = [(header::CONNECTION, "close")];
        return Ok((StatusCode::BAD_REQUEST, close, words).into_response());
    }
    let extensions = request.extensions_mut();
    extensions.insert(ConnectInfo(peer.address));
    extensions.insert(peer);
    extensions.insert(Arc::clone(permit));
    let answer = site.router.clone().oneshot(request);
    let wait = Duration::from_secs(HTTP_ANSWER_SECS_MAX);
    let response = match timeout(wait, answer).await {
        Ok(Ok(response)) => response,
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the answer took too long\n").into_response(),
    };
    site.metrics.request(response.status().as_u16());
    Ok(response)
}

/// Whether nobody can take the request for another host than we do. HTTP/1.0 and HTTP/2 need not
/// have the header, but may not have two (RFC 9112 §3.2, RFC 9113 §8.3.1).
fn has_one_host(request: &Request<Incoming>) -> bool {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() != Version::HTTP_11)
}

fn note(peer: Peer, ended: hyper::Result<()>) {
    if let Err(error) = ended {
        debug!(peer = %peer.address, %error, "HTTP connection broke");
    }
}
