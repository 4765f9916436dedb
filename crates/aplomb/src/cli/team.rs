//! `aplomb team`.

use std::process::ExitCode;

/// Manages teams.
#[derive(Debug, clap::Args)]
pub(super) struct Team {}

impl Team {
    pub(super) fn run(&self) -> ExitCode {
        todo!()
    }
}
