//! `aplomb user`.

use std::process::ExitCode;

/// Manages people.
#[derive(Debug, clap::Args)]
pub(super) struct User {}

impl User {
    pub(super) fn run(&self) -> ExitCode {
        todo!()
    }
}
