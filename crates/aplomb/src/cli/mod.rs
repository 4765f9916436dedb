//! The command line, one file per command.

use std::process::ExitCode;

/// Runs the program.
pub fn run() -> ExitCode {
    todo!()
}
