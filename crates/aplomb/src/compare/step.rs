//! One step: readers follow, events are caused at a rate, and everybody is given time to see them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::agent::{Agent, AgentError};
use super::board::{Board, Causes, Seen};
use super::ground::Ground;
use super::reader::Reader;
use super::server::CpuClock;
use super::told::Mark;
use super::ways::Way;
use crate::clock;
use crate::limits::COMPARE_SETTLE_SECS_MAX;
use crate::link::dial::Count;

/// What is to be done.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) ground: &'a Arc<Ground>,
    pub(super) ways: &'a [Way],
    /// When events are caused, since the beginning.
    pub(super) moments: Vec<Duration>,
    /// How long readers follow at least.
    pub(super) length: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) events: u64,
    /// From the beginning to the last answer of the server to a change.
    pub(super) causing: Duration,
    /// In the order of the ways.
    pub(super) readers: Vec<Followed>,
    /// CPU time of the server, if it is known.
    pub(super) cpu: Option<Duration>,
}

/// What one reader saw and cost.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) seen: Seen,
    /// Until it was there.
    pub(super) setup: Count,
    /// From then on.
    pub(super) run: Count,
}

/// Why a step has no outcome.
#[derive(Debug)]
pub(super) enum Abandoned {
    /// Somebody stopped it.
    Stopped,
    /// No events can be caused.
    Agent(AgentError),
}

impl From<AgentError> for Abandoned {
    fn from(error: AgentError) -> Self {
        Self::Agent(error)
    }
}

impl Step<'_> {
    /// Does it. It may be stopped at any time.
    pub(super) async fn run(
        &self,
        agent: &mut Agent<'_>,
        mut clock: Option<&mut CpuClock>,
        stop: &CancellationToken,
    ) -> Result<Outcome, Abandoned> {
        let causes = Causes::default();
        let readers = tokio::select! {
            readers = assemble(self.ground, self.ways, agent, &causes) => readers?,
            () = stop.cancelled() => return Err(Abandoned::Stopped),
        };
        let setups: Vec<Count> = readers.iter().map(|reader| reader.meter.count()).collect();
        let before = clock.as_mut().and_then(|clock| clock.read());
        let causing = tokio::select! {
            causing = self.follow(agent, &causes, &readers) => causing?,
            () = stop.cancelled() => return Err(Abandoned::Stopped),
        };
        let after = clock.as_mut().and_then(|clock| clock.read());
        let mut followed = Vec::new();
        for (reader, setup) in readers.into_iter().zip(setups) {
            let (board, meter) = (reader.board.clone(), reader.meter.clone());
            let total = reader.stop().await.unwrap_or_else(|_| meter.count());
            followed.push(Followed { seen: board.seen(), setup, run: total - setup });
        }
        let cpu = before.zip(after).map(|(before, after)| after.saturating_sub(before));
        Ok(Outcome { events: causes.len() as u64, causing, readers: followed, cpu })
    }

    /// Causes the events, and waits until they are seen and the time is over; tells how long it
    /// took to cause them.
    async fn follow(
        &self,
        agent: &mut Agent<'_>,
        causes: &Causes,
        readers: &[Reader],
    ) -> Result<Duration, AgentError> {
        let begin = clock::moment();
        for moment in &self.moments {
            sleep_until(clock::instant_of(begin + *moment).into()).await;
            agent.cause(causes).await?;
        }
        let causing = clock::moment() - begin;
        let slowest = self.ways.iter().filter_map(Way::every).max().unwrap_or_default();
        let deadline = clock::moment() + SETTLE_WAIT + 2 * slowest;
        let all = causes.len() as u64;
        for reader in readers {
            let left = deadline - clock::moment();
            reader.board.until(left, |seen| seen.count() >= all || reader.is_over()).await;
        }
        sleep_until(clock::instant_of(begin + self.length).into()).await;
        Ok(causing)
    }
}

/// Which ways the server has: those whose reader gets there; and why the others do not.
pub(super) async fn find(
    ground: &Arc<Ground>,
    ways: Vec<Way>,
    agent: &mut Agent<'_>,
) -> Result<(Vec<Way>, Vec<(Way, String)>), AgentError> {
    let readers = assemble(ground, &ways, agent, &Causes::default()).await?;
    let (mut found, mut lacking) = (Vec::new(), Vec::new());
    for (way, reader) in ways.into_iter().zip(readers) {
        let seen = reader.board.seen();
        // What it says at its end is of no interest any more.
        let _ = reader.stop().await;
        match seen.is_ready {
            true => found.push(way),
            false => {
                let why = seen.complaints.into_iter().next();
                lacking.push((way, why.unwrap_or_else(|| "no event came in time".to_owned())));
            }
        }
    }
    Ok((found, lacking))
}

/// Starts readers and waits until each is there, or cannot be. In the order of the ways.
///
/// Those over XMPP come first, as they are there when they have seen an event: so the others see
/// none of those.
async fn assemble(
    ground: &Arc<Ground>,
    ways: &[Way],
    agent: &mut Agent<'_>,
    causes: &Causes,
) -> Result<Vec<Reader>, AgentError> {
    let start = |way: &Way| Reader::start(way, ground, Board::new(causes));
    let is_settled = |reader: &Reader| reader.board.seen().is_ready || reader.is_over();
    let mut readers: Vec<Option<Reader>> =
        ways.iter().map(|way| way.is_xmpp().then(|| start(way))).collect();
    let deadline = clock::moment() + SETTLE_WAIT;
    while !readers.iter().flatten().all(is_settled) && clock::moment() < deadline {
        agent.change(Mark::Trial).await?;
        for reader in readers.iter().flatten() {
            reader.board.until(TRIAL_WAIT, |seen| seen.is_ready || is_lost(seen)).await;
        }
    }
    let readers: Vec<Reader> = readers
        .iter_mut()
        .zip(ways)
        .map(|(reader, way)| reader.take().unwrap_or_else(|| start(way)))
        .collect();
    for reader in &readers {
        let left = deadline + SETTLE_WAIT - clock::moment();
        reader.board.until(left, |seen| seen.is_ready || is_lost(seen)).await;
    }
    Ok(readers)
}

fn is_lost(seen: &Seen) -> bool {
    !seen.complaints.is_empty()
}

const SETTLE_WAIT: Duration = Duration::from_secs(COMPARE_SETTLE_SECS_MAX);

/// How long an event is waited for that shows whether readers are there, before the next.
const TRIAL_WAIT: Duration = Duration::from_millis(100);
