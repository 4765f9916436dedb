//! The command line, one file per command.

mod compare;
mod config;
mod credentials;
mod place;
mod serve;
mod team;
mod user;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// A Cisco-Finesse-compatible real-time notification server and connection inspector.
#[derive(Debug, Parser)]
#[command(name = "aplomb", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = EXAMPLES)]
struct Root {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Watch(watch::Watch),
    Compare(compare::Compare),
    Config(config::Config),
    User(user::User),
    Team(team::Team),
    Completions(Completions),
}

/// Prints the completion script of a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  aplomb completions bash > ~/.local/share/bash-completion/\
                        completions/aplomb")]
struct Completions {
    /// Which shell.
    shell: clap_complete::Shell,
}

const EXAMPLES: &str = "\
Examples:
  aplomb serve --lab                 a small contact centre in memory, its password printed
  aplomb watch wss://localhost:8445/ws/ --user 1001 --insecure
                                     log in as an agent and print events as they come
  aplomb compare                     every way to follow an agent, measured side by side
  aplomb config --lab                what `serve --lab` would run with, and why
  aplomb team add 1                  a team, and
  aplomb user add 1001 --team 1      a new agent in it

`aplomb COMMAND --help` says more about each.";

/// Runs the program; returns 0 when it did what was asked, 1 when it failed, 2 when the command
/// line or the configuration is wrong.
pub fn run() -> ExitCode {
    match Root::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Watch(watch) => watch.run(),
        Command::Compare(compare) => compare.run(),
        Command::Config(config) => config.run(),
        Command::User(user) => user.run(),
        Command::Team(team) => team.run(),
        Command::Completions(Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Root::command(), "aplomb", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

/// Writes to standard output; a reader that has gone away is no failure of ours.
fn print(text: &str) -> ExitCode {
    use std::io::Write;
    let written = std::io::stdout().write_all(text.as_bytes());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Says what is wrong on standard error.
fn fail(error: &dyn std::error::Error, code: u8) -> ExitCode {
    let words = error.to_string();
    // A report with an excerpt brings its own heading.
    let heading = if words.starts_with("error: ") { "" } else { "error: " };
    anstream::eprintln!("{heading}{words}");
    ExitCode::from(code)
}

/// The exit code for a wrong command line or configuration.
const USAGE: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Root::command().debug_assert();
    }

    #[test]
    fn the_flags_that_scripts_rely_on_are_there() {
        let line = "aplomb serve --domain cc.test --data-dir d --https 127.0.0.1:0 --insecure-http \
                    127.0.0.1:0 --config f --log json --lab --lab-agents 5 --lab-teams 2 \
                    --lab-password p";
        assert!(Root::try_parse_from(line.split(' ')).is_ok());
        assert!(Root::try_parse_from(["aplomb", "serve", "--domian", "x"]).is_err());
    }
}
