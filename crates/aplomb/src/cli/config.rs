//! `aplomb config`: the effective values, where each came from, and what each means.

use std::process::ExitCode;

use super::serve::Flags;
use super::{USAGE, fail, print};
use crate::config;

/// Prints the effective configuration: every value, where it came from, and what it means.
#[derive(Debug, clap::Args)]
#[command(after_help = "What is printed can be used as a file again:\n  \
                        aplomb config --lab > aplomb.toml\n  \
                        aplomb serve --config aplomb.toml")]
pub(super) struct Config {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print the manual page of all settings.
    #[arg(long, hide = true)]
    markdown: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Config {
    pub(super) fn run(&self) -> ExitCode {
        if self.markdown {
            return print(&config::as_markdown());
        }
        match self.flags.load() {
            Ok(loaded) if self.json => print(&config::as_json(&loaded.effective)),
            Ok(loaded) => print(&config::as_toml(&loaded.effective)),
            Err(error) => fail(&error, USAGE),
        }
    }
}
