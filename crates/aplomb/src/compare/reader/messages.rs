//! A reader at the plain WebSocket.

use aplomb_core::handshake::{FEED_SUBPROTOCOL, VERSION, accept_of};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper_util::rt::TokioIo;

use super::{Desk, refusal, without_body};
use crate::link::dial::{Count, Socket, Upgraded};
use crate::random;

/// Reads messages until it is stopped.
///
/// - Errors: in words, why it ended.
/// - Source: RFC 6455 §4.1.
pub(super) async fn read(desk: Desk, path: &'static str) -> Result<Count, String> {
    let web = desk.ground.web(&desk.meter).map_err(|error| error.to_string())?;
    let mut line = web.open().await.map_err(|error| error.to_string())?;
    let key = STANDARD.encode(random::bytes::<16>());
    let request = desk
        .ask(path, &[])
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, VERSION)
        .header(SEC_WEBSOCKET_KEY, &key)
        .header(SEC_WEBSOCKET_PROTOCOL, FEED_SUBPROTOCOL);
    let response = line.ask(without_body(request)?).await?;
    if response.status() != 101 {
        return Err(refusal(path, response.status().as_u16(), ""));
    }
    let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accept.is_none_or(|accept| accept != accept_of(&key).as_str()) {
        return Err("the server does not answer the WebSocket's key".to_owned());
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| error.to_string())?;
    let bytes = Box::new(TokioIo::new(upgraded));
    let (early, request, answer) = (Vec::new(), String::new(), String::new());
    let mut socket = Socket::new(Upgraded { bytes, early, request, answer });
    loop {
        let message = tokio::select! {
            message = socket.next() => message?,
            () = desk.stop.cancelled() => break,
        };
        let text = String::from_utf8_lossy(&message);
        let answer = desk.ground.marks.read_answer(&text).ok_or("a message is none of a feed")?;
        desk.take(&answer);
        desk.board.ready();
    }
    let count = desk.meter.count();
    socket.hang_up().await;
    Ok(count)
}
