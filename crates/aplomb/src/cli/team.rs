//! `aplomb team`: teams, on a running server or on its data directory.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::place::{Place, done, table, words};
use crate::office::{Reply, Request, TeamLine};

/// Manages teams, on a running server or on its data directory.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Team {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Adds a team, or changes its name.
    Add {
        /// The id, as in /finesse/api/Team/{id}.
        id: String,
        /// The name people see; the id when it is not given.
        name: Option<String>,
    },
    /// Lists every team.
    List,
    /// Removes a team that nobody works in or supervises.
    Remove {
        /// The id.
        id: String,
    },
}

const EXAMPLES: &str = "\
Examples:
  aplomb team add 1 \"Front office\"
  aplomb team list --json
  aplomb team remove 1 --data-dir /var/lib/aplomb";

impl Team {
    pub(super) fn run(&self) -> ExitCode {
        match &self.action {
            Action::Add { id, name } => {
                let name = name.clone().unwrap_or_else(|| id.clone());
                let request = Request::PutTeam(TeamLine { id: id.clone(), name, members: 0 });
                let show = |reply: &Reply| done(&format!("team {id} is there"), reply);
                self.place.ask(&request, words, show)
            }
            Action::List => self.place.ask(&Request::ListTeams, words, listed),
            Action::Remove { id } => {
                let request = Request::RemoveTeam { team: id.clone() };
                let show = |reply: &Reply| done(&format!("team {id} removed"), reply);
                self.place.ask(&request, words, show)
            }
        }
    }
}

fn listed(reply: &Reply) -> String {
    let teams: &[TeamLine] = match reply {
        Reply::Teams(teams) => teams,
        Reply::Done(_) | Reply::Users(_) | Reply::Refused(_) => &[],
    };
    let row = |team: &TeamLine| [team.id.clone(), team.name.clone(), team.members.to_string()];
    let rows: Vec<_> = teams.iter().map(row).collect();
    table(["ID", "NAME", "MEMBERS"], &rows)
}
