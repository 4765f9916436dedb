//! A reader over XMPP: the client of `aplomb watch`.

use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::client;
use crate::client::news::{Event, News, What};
use crate::client::position::ItemId;
use crate::clock;
use crate::compare::told::Told;
use crate::link::dial::{Count, Over};

/// Logs in and reads until it is stopped.
///
/// The agent's own node comes without a subscription, so the reader is there when the first event
/// is, which somebody must cause.
///
/// - Errors: in words, why it ended.
pub(super) async fn read(desk: Desk, over: Over, is_tls: bool) -> Result<Count, String> {
    let settings = desk.ground.client(over, is_tls, &desk.meter);
    let leave = CancellationToken::new();
    let (node, listener) = (desk.ground.node(), desk.clone());
    let mut tell = move |news: News| match news.what {
        What::Event(event) => take(&listener, &node, &event),
        What::Missed(missed) => missed.events.iter().for_each(|e| take(&listener, &node, e)),
        What::Lost { why, .. } => listener.board.complain(format!("connection lost: {why}")),
        What::Link(_) | What::Step(_) | What::Stanza(_) => {}
    };
    let reading = client::run(&settings, &leave, &mut tell);
    tokio::pin!(reading);
    tokio::select! {
        ended = &mut reading => {
            let words = ended.map_err(|failure| first_line(&failure.to_string()));
            return words.map(|()| desk.meter.count());
        }
        () = desk.stop.cancelled() => {}
    }
    let count = desk.meter.count();
    leave.cancel();
    // It was stopped: how it says farewell is nobody's concern.
    let _ = reading.await;
    Ok(count)
}

fn take(desk: &Desk, node: &str, event: &Event) {
    if event.node != node {
        return;
    }
    let payload = event.payload.as_deref().unwrap_or_default();
    if let Some(mark) = desk.ground.marks.find(payload) {
        let seq = event.id.as_deref().and_then(ItemId::parse).map(|id| id.seq());
        let seq = seq.filter(|_| desk.ground.has_gapless_numbers);
        desk.board.tell(clock::moment(), &Told { mark, seq });
    }
}

fn first_line(words: &str) -> String {
    words.lines().next().unwrap_or_default().to_owned()
}
