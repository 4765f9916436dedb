//! `aplomb serve`: the settings become flags, the flags a configuration, and the server runs.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, FromArgMatches};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

use super::{USAGE, fail, print};
use crate::config::{self, ConfigError, Loaded, LogShape, SETTINGS, Sources};
use crate::limits::LOG_LINES_MAX;

/// Runs the server until it is told to stop.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: Flags,
}

const EXAMPLES: &str = "\
Every setting is also a key of the file and a variable of the environment (APLOMB_DATA_DIR).

Examples:
  aplomb serve --lab --lab-agents 50 --lab-password secret
  aplomb serve --config /etc/aplomb.toml --log json
  aplomb serve --lab --https 127.0.0.1:0 --insecure-http 127.0.0.1:8080";

impl Serve {
    pub(super) fn run(&self) -> ExitCode {
        let config = match self.flags.load() {
            Ok(loaded) => loaded.config,
            Err(error) => return fail(&error, USAGE),
        };
        // What is in the log's queue is written when this goes.
        let _log = match start_log(config.log, &config.log_level) {
            Ok(log) => log,
            Err(error) => return fail(&error, USAGE),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let served = match runtime {
            Ok(runtime) => runtime.block_on(crate::serve::run(config, greet)),
            Err(error) => return fail(&error, 1),
        };
        served.map_or_else(|error| fail(&error, 1), |()| ExitCode::SUCCESS)
    }
}

fn greet(words: &str) {
    // A server that nobody reads runs all the same.
    let _ = print(words);
}

/// Starts the log. Lines that nobody reads are dropped beyond a bound: a log that is not taken must
/// not stop the server.
fn start_log(shape: LogShape, level: &str) -> Result<WorkerGuard, ConfigError> {
    // COMPAT: Java's TLS says `user_canceled` before every close, which is nothing to warn of.
    let level = format!("rustls=error,{level}");
    let filter = tracing_subscriber::EnvFilter::try_new(level).map_err(|error| {
        ConfigError::InFlag { name: "log-level".to_owned(), problem: format!("is wrong: {error}") }
    })?;
    let (queue, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LOG_LINES_MAX)
        .finish(std::io::stderr());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Whoever read the log may have gone; a complaint about it could only panic.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(queue);
    match shape {
        LogShape::Text => log.with_target(false).init(),
        LogShape::Json => log.json().flatten_event(true).init(),
    }
    Ok(guard)
}

/// The settings as flags.
#[derive(Debug)]
pub(super) struct Flags {
    file: Option<PathBuf>,
    given: Vec<(String, String)>,
}

impl Flags {
    /// Merges the flags with the environment and the file.
    pub(super) fn load(&self) -> Result<Loaded, ConfigError> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        let file = self.file.clone().or_else(|| std::env::var_os("APLOMB_CONFIG").map(Into::into));
        let sources = Sources { file, variables: variables.collect(), flags: self.given.clone() };
        config::load(&sources)
    }
}

impl clap::Args for Flags {
    fn augment_args(mut command: clap::Command) -> clap::Command {
        let file = Arg::new(FILE)
            .long(FILE)
            .value_name("FILE")
            .help("A TOML file of settings. [env: APLOMB_CONFIG]")
            .value_parser(clap::value_parser!(PathBuf));
        command = command.arg(file);
        for setting in SETTINGS {
            let default = match setting.preset {
                config::Preset::Is(words) | config::Preset::Made(words, _) => {
                    format!(" [default: {}]", words.replace('`', ""))
                }
                config::Preset::Unset => String::new(),
            };
            let mut arg = Arg::new(setting.name)
                .long(setting.name)
                .value_name(setting.shape)
                .help_heading(setting.group)
                .help(format!("{}{default}", setting.meaning.replace('`', "")));
            if setting.is_switch() {
                arg = arg.num_args(0..=1).require_equals(true).default_missing_value("true");
            }
            command = command.arg(arg);
        }
        command
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = SETTINGS.iter().filter_map(|setting| {
            let text = matches.get_one::<String>(setting.name)?;
            Some((setting.name.to_owned(), text.clone()))
        });
        Ok(Self { file: matches.get_one::<PathBuf>(FILE).cloned(), given: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

const FILE: &str = "config";
