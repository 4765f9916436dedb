//! Commands, and how they end.

use super::{AgentState, Change, Reason, ReasonId, Team, TeamId, User, UserId};

/// What somebody wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Change a user's state.
    SetState {
        /// Who asks.
        by: UserId,
        /// Whose state.
        user: UserId,
        /// Which state.
        to: Wanted,
        /// The reason's id, if one was given.
        reason: Option<ReasonId>,
    },
    /// A user's presence was lost and did not come back in time: sign the user out.
    SignOutAbsent(UserId),
    /// Add or replace a user; the desk of an existing user stays as it is.
    PutUser(Box<User>),
    /// Remove a user.
    RemoveUser(UserId),
    /// Add or replace a team.
    PutTeam(Team),
    /// Remove a team that nobody is in.
    RemoveTeam(TeamId),
    /// Add or replace a reason.
    PutReason(Reason),
}

/// The states that a client may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Sign in with this extension.
    Login {
        /// The phone to use.
        extension: Option<String>,
    },
    /// Wait for calls.
    Ready,
    /// Take no calls.
    NotReady,
    /// Sign out.
    Logout,
}

/// How an accepted command ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// What changes. Empty when nothing does, or when it failed later.
    pub changes: Vec<Change>,
    /// A failure that Finesse reports as an event after it answered 202.
    pub fault: Option<Fault>,
}

/// A failure that arrives as an event (`apiErrors`, lower case).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No move leads there from here. 22 `CF_INVALID_OBJECT_STATE`, `Invalid State`.
    InvalidState {
        /// The present state.
        from: AgentState,
    },
    /// No such phone. 260 `CF_INVALID_LOGON_DEVICE_SPECIFIED`, `Invalid Device`.
    InvalidDevice {
        /// The extension asked for.
        extension: String,
    },
    /// Somebody else uses the phone. 33 `CF_RESOURCE_BUSY`, `Device Busy`.
    DeviceBusy {
        /// The extension asked for.
        extension: String,
    },
}

/// Why a command was refused at once: nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No such user. REST answers 404 `User Not Found`.
    UnknownUser(String),
    /// No such team. REST answers 404.
    UnknownTeam(String),
    /// Not yours to change. REST answers 401 `Invalid Authorization User Specified`.
    NotYours(String),
    /// A supervisor asked for somebody of a team that is not his. REST answers 401
    /// `Invalid Supervisor`.
    NotYourTeam(String),
    /// The user has no role that signs in. REST answers 400 `Invalid State`.
    NotAnAgent(String),
    /// A needed parameter is absent. REST answers 400 `Parameter Missing`.
    Missing(&'static str),
    /// A parameter that cannot be. REST answers 400 `Invalid Input`.
    Invalid {
        /// The parameter.
        parameter: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The name is taken.
    NameTaken(String),
    /// The team still has members.
    TeamNotEmpty(String),
}
