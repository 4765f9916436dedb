//! `aplomb watch`.

use std::process::ExitCode;

/// Logs in as a client and prints every step and every event.
#[derive(Debug, clap::Args)]
pub(super) struct Watch {}

impl Watch {
    pub(super) fn run(&self) -> ExitCode {
        todo!()
    }
}
