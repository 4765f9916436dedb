//! One reader of each kind, until it is stopped.

mod messages;
mod polls;
mod sse;
mod xmpp;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::board::Board;
use super::ground::Ground;
use super::told::Answer;
use super::ways::{How, Way};
use crate::clock;
use crate::link::dial::{Count, Meter};

/// A reader that follows the agent.
#[derive(Debug)]
pub(super) struct Reader {
    /// What it has seen.
    pub(super) board: Board,
    /// What it costs.
    pub(super) meter: Meter,
    stop: CancellationToken,
    task: AbortOnDropHandle<Result<Count, String>>,
}

/// What every kind of reader needs.
#[derive(Debug, Clone)]
struct Desk {
    ground: Arc<Ground>,
    board: Board,
    meter: Meter,
    stop: CancellationToken,
}

impl Reader {
    /// Begins to follow.
    pub(super) fn start(way: &Way, ground: &Arc<Ground>, board: Board) -> Self {
        let (meter, stop) = (Meter::default(), CancellationToken::new());
        let desk = Desk {
            ground: Arc::clone(ground),
            board: board.clone(),
            meter: meter.clone(),
            stop: stop.clone(),
        };
        let how = way.how;
        let task = tokio::spawn(async move {
            let ended = desk.clone().read(how).await;
            if let Err(why) = &ended {
                desk.board.complain(why.clone());
            }
            ended
        });
        Self { board, meter, stop, task: AbortOnDropHandle::new(task) }
    }

    /// Whether it ended by itself.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Stops it; tells what it has cost up to now, without its farewell.
    ///
    /// - Errors: in words, why it had ended before.
    pub(super) async fn stop(self) -> Result<Count, String> {
        self.stop.cancel();
        self.task.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

impl Desk {
    async fn read(self, how: How) -> Result<Count, String> {
        match how {
            How::Poll { path, every, keeps } => polls::short(self, path, every, keeps).await,
            How::LongPoll { path } => polls::long(self, path).await,
            How::Sse { path } => sse::read(self, path).await,
            How::Messages { path } => messages::read(self, path).await,
            How::Xmpp { over, is_tls } => xmpp::read(self, over, is_tls).await,
        }
    }

    /// A request to a feed.
    fn ask(&self, path: &str, query: &[(&str, &str)]) -> http::request::Builder {
        let more: String = query.iter().map(|(name, value)| format!("&{name}={value}")).collect();
        self.ground.request(Method::GET, &format!("{path}?node={}{more}", self.ground.node()))
    }

    fn take(&self, answer: &Answer) {
        let now = clock::moment();
        answer.told.iter().for_each(|told| self.board.tell(now, told));
        answer.complaints.iter().for_each(|words| self.board.complain(words.clone()));
    }
}

fn without_body(request: http::request::Builder) -> Result<Request<Full<Bytes>>, String> {
    request.body(Full::default()).map_err(|error| error.to_string())
}

/// Why a feed is not to be had, by the status of its answer.
fn refusal(path: &str, status: u16, body: &str) -> String {
    match status {
        404 => format!("GET {path} was answered 404: the server has no such feed"),
        status => {
            let words = serde_json::from_str::<serde_json::Value>(body).ok();
            let detail = words.as_ref().and_then(|words| words["detail"].as_str());
            format!("GET {path} was answered {status} {}", detail.unwrap_or_default())
                .trim_end()
                .to_owned()
        }
    }
}
