//! Readers that ask again and again.

use std::time::Duration;

use http::Version;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Desk, refusal, without_body};
use crate::compare::ground::{ANSWER_WAIT, exchange};
use crate::compare::told::Answer;
use crate::limits::FEED_WAIT_SECS_USUAL;
use crate::link::dial::{Count, Line, Web};

/// Asks every so often, on one connection after another or on one that is kept.
///
/// - Errors: in words, why it ended.
pub(super) async fn short(
    desk: Desk,
    path: &'static str,
    every: Duration,
    keeps: bool,
) -> Result<Count, String> {
    let mut poller = Poller::new(desk, path, keeps)?;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = poller.desk.stop.clone();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => break,
        }
        // What is asked is heard to its end, so that each request has its answer in the count.
        while poller.ask(ANSWER_WAIT).await? {}
    }
    Ok(poller.desk.meter.count())
}

/// Asks again as soon as there is an answer.
///
/// - Errors: in words, why it ended.
pub(super) async fn long(desk: Desk, path: &'static str) -> Result<Count, String> {
    let mut poller = Poller::new(desk, path, true)?;
    let stop = poller.desk.stop.clone();
    poller.wait_secs = Some(0);
    poller.ask(ANSWER_WAIT).await?;
    poller.wait_secs = Some(FEED_WAIT_SECS_USUAL);
    let wait = ANSWER_WAIT + Duration::from_secs(FEED_WAIT_SECS_USUAL);
    loop {
        tokio::select! {
            asked = poller.ask(wait) => drop(asked?),
            () = stop.cancelled() => break,
        }
    }
    Ok(poller.desk.meter.count())
}

struct Poller {
    desk: Desk,
    web: Web,
    path: &'static str,
    line: Option<Line>,
    /// Whether the connection is used again.
    keeps: bool,
    wait_secs: Option<u64>,
    cursor: Option<String>,
}

impl Poller {
    fn new(desk: Desk, path: &'static str, keeps: bool) -> Result<Self, String> {
        let web = desk.ground.web(&desk.meter).map_err(|error| error.to_string())?;
        Ok(Self { desk, web, path, line: None, keeps, wait_secs: None, cursor: None })
    }

    /// Asks once; whether there is more already.
    async fn ask(&mut self, wait: Duration) -> Result<bool, String> {
        let asked = timeout(wait, self.exchange()).await;
        let (status, body) = asked.unwrap_or_else(|_| Err("no answer in time".to_owned()))?;
        if status != 200 {
            return Err(refusal(self.path, status, &body));
        }
        let answer = self.desk.ground.marks.read_answer(&body);
        let answer: Answer = answer.ok_or_else(|| format!("GET {}: no feed", self.path))?;
        if answer.is_empty {
            self.desk.meter.answered_nothing();
        }
        self.cursor.clone_from(&answer.cursor);
        self.desk.take(&answer);
        self.desk.board.ready();
        Ok(answer.more)
    }

    async fn exchange(&mut self) -> Result<(u16, String), String> {
        let kept = self.line.take().filter(Line::is_open);
        let mut line = match kept {
            Some(line) => line,
            None => self.web.open().await.map_err(|error| error.to_string())?,
        };
        let wait = self.wait_secs.map(|secs| secs.to_string());
        let query: Vec<(&str, &str)> = [("cursor", &self.cursor), ("wait", &wait)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .collect();
        let mut request = self.desk.ask(self.path, &query);
        if !self.keeps {
            request = request.version(Version::HTTP_10);
        }
        let answered = exchange(&mut line, without_body(request)?).await?;
        self.line = self.keeps.then_some(line);
        Ok(answered)
    }
}
