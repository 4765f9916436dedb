//! Where a command finds the server or its data: the same settings as the server's.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{USAGE, fail, print};
use crate::config::{self, Config, ConfigError, Sources};
use crate::control;
use crate::office::{Complaint, Made, Reply, Request};

/// Which server.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The data directory of the server, running or not. [env: APLOMB_DATA_DIR]
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    /// The server's file of settings. [env: APLOMB_CONFIG]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl Place {
    fn load(&self) -> Result<Config, ConfigError> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        let file =
            self.config.clone().or_else(|| std::env::var_os("APLOMB_CONFIG").map(Into::into));
        let dir = self.data_dir.iter().map(|dir| dir.to_string_lossy().into_owned());
        let flags = dir.map(|dir| ("data-dir".to_owned(), dir)).collect();
        Ok(config::load(&Sources { file, variables: variables.collect(), flags })?.config)
    }

    /// Makes a request; `show` prints an answer that is not a refusal, and `complain` words one.
    pub(super) fn ask(
        &self,
        request: &Request,
        complain: impl FnOnce(&Complaint) -> String,
        show: impl FnOnce(&Reply) -> String,
    ) -> ExitCode {
        let config = match self.load() {
            Ok(config) => config,
            Err(error) => return fail(&error, USAGE),
        };
        match control::ask(&config, request) {
            Err(error) => fail(&error, 1),
            Ok(Reply::Refused(complaint)) => fail(&Refused(complain(&complaint)), 1),
            Ok(reply) if self.json => print(&as_json(&reply)),
            Ok(reply) => print(&show(&reply)),
        }
    }
}

/// A refusal in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) String);

/// The plain wording of a complaint.
pub(super) fn words(complaint: &Complaint) -> String {
    complaint.words.clone()
}

/// A line that says what was done, then the passwords that were made.
pub(super) fn done(line: &str, reply: &Reply) -> String {
    let made: &[Made] = match reply {
        Reply::Done(made) => made,
        Reply::Users(_) | Reply::Teams(_) | Reply::Refused(_) => &[],
    };
    let mut text = format!("{line}\n");
    if !made.is_empty() {
        text += "Passwords, shown only this once:\n";
    }
    for Made { user, password } in made {
        text += &format!("  {user}  {}\n", password.0.expose());
    }
    text
}

/// Lays rows out in columns as wide as their widest cell.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heading.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    let rows = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    std::iter::once(line(heading)).chain(rows).collect()
}

fn as_json(reply: &Reply) -> String {
    let json = match reply {
        Reply::Users(users) => serde_json::to_string_pretty(users),
        Reply::Teams(teams) => serde_json::to_string_pretty(teams),
        Reply::Done(made) => serde_json::to_string_pretty(&serde_json::json!({ "made": made })),
        Reply::Refused(complaint) => serde_json::to_string_pretty(complaint),
    };
    json.expect("a reply is JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_end_without_spaces() {
        let rows = [["1001".to_owned(), "Ada Ł".to_owned()], ["2".to_owned(), String::new()]];
        assert_eq!(table(["id", "name"], &rows), "id    name\n1001  Ada Ł\n2\n");
    }
}
