//! How far it is: a bar on a terminal, a line for each phase elsewhere.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use aplomb_core::time::Moment;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use tokio_util::task::AbortOnDropHandle;

use crate::clock;
use crate::compare::Progress;

/// What shows it.
pub(super) struct Shown {
    bar: Option<(ProgressBar, AbortOnDropHandle<()>)>,
    now: Arc<Mutex<(Moment, Option<Progress>)>>,
}

impl Shown {
    /// Begins to show.
    pub(super) fn begin() -> Self {
        let now = Arc::new(Mutex::new((clock::moment(), None)));
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:30} {percent:>3} % {elapsed:>3}  {msg}");
            let bar = ProgressBar::new(PARTS);
            bar.set_style(style.expect("the template is right"));
            let moving = tokio::spawn(run(bar.clone(), Arc::clone(&now)));
            (bar, AbortOnDropHandle::new(moving))
        });
        Self { bar, now }
    }

    /// Shows what is done now.
    pub(super) fn tell(&self, progress: &Progress) {
        match &self.bar {
            Some((bar, _)) => bar.set_message(progress.words.clone()),
            None => anstream::eprintln!("{:>3.0} %  {}", progress.done * 100.0, progress.words),
        }
        *self.now.lock() = (clock::moment(), Some(progress.clone()));
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some((bar, _)) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Moves the bar within a phase, for a phase takes seconds.
async fn run(bar: ProgressBar, now: Arc<Mutex<(Moment, Option<Progress>)>>) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        let (since, progress) = now.lock().clone();
        let Some(Progress { done, next, length, .. }) = progress else { continue };
        let spent = (clock::moment() - since).as_secs_f64();
        let part = if length.is_zero() { 0.0 } else { (spent / length.as_secs_f64()).min(1.0) };
        bar.set_position(((done + (next - done) * part) * PARTS as f64) as u64);
    }
}

const PARTS: u64 = 1_000;
const TICK: Duration = Duration::from_millis(100);
