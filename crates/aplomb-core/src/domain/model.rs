//! The nouns of the contact centre.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::time::WallTime;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub Arc<str>);

        impl $type {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A user's id as REST paths and node names spell it: `1001`, `administrator`.
    UserId
}
name! {
    /// A team's id: `5000`.
    TeamId
}

/// The id of a reason, which is not its code.
pub type ReasonId = u32;

/// Which of Cisco's two products the contact centre behaves like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// Unified Contact Center Express.
    Uccx,
    /// Unified Contact Center Enterprise.
    Ucce,
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Takes calls.
    Agent,
    /// Watches and steers teams.
    Supervisor,
    /// Sees and configures everything.
    Administrator,
    /// A service: creates, configures, publishes to and deletes any node, as a CTI bridge does.
    Publisher,
}

/// One person, or one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id, 1 to 12 characters in UCCE.
    pub id: UserId,
    /// Another name to log in by; unique among ids and login names.
    pub login_name: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What the user may do.
    pub roles: Vec<Role>,
    /// The team the user works in.
    pub team: Option<TeamId>,
    /// The teams the user supervises.
    pub supervises: Vec<TeamId>,
    /// The extension of the user's phone; a login must name a phone that exists.
    pub phone: Option<String>,
    /// What the user is doing.
    pub desk: Desk,
}

impl User {
    /// Whether the user has this role.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the user takes calls, and so may sign in.
    pub fn has_desk(&self) -> bool {
        self.has_role(Role::Agent) || self.has_role(Role::Supervisor)
    }
}

/// A user with everything that his description refers to.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The user.
    pub user: Arc<User>,
    /// The team he works in.
    pub team: Option<Arc<Team>>,
    /// The teams he supervises.
    pub supervised: Vec<Arc<Team>>,
    /// The reason he gave, if any.
    pub reason: Option<Arc<Reason>>,
}

/// What a user is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// The state.
    pub state: AgentState,
    /// A state chosen while busy, to be taken when the call ends.
    pub pending: Option<AgentState>,
    /// Why.
    pub reason: ReasonShown,
    /// The extension in use; none when logged out.
    pub extension: Option<String>,
    /// Since when; unknown before the first change.
    pub since: Option<WallTime>,
}

impl Desk {
    /// The desk of somebody who never signed in.
    pub const fn signed_out() -> Self {
        Self {
            state: AgentState::Logout,
            pending: None,
            reason: ReasonShown::NotGiven,
            extension: None,
            since: None,
        }
    }
}

/// What `reasonCodeId` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonShown {
    /// Absent, as in READY.
    Absent,
    /// −1: none configured, right after login and logout.
    NotGiven,
    /// The reason with this id.
    Given(ReasonId),
}

/// The states of a voice agent (Finesse REST guide, User).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentState {
    /// Not signed in.
    Logout,
    /// Signed in, takes no calls.
    NotReady,
    /// Waits for a call.
    Ready,
    /// A call is on its way.
    Reserved,
    /// A dialer's call is on its way.
    ReservedOutbound,
    /// A dialer's call is offered for preview.
    ReservedOutboundPreview,
    /// On a call.
    Talking,
    /// On hold (UCCE).
    Hold,
    /// Wraps up, not ready after.
    Work,
    /// Wraps up, ready after (UCCE).
    WorkReady,
    /// The peripheral lost it.
    Unknown,
}

impl AgentState {
    /// The state as REST and events spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logout => "LOGOUT",
            Self::NotReady => "NOT_READY",
            Self::Ready => "READY",
            Self::Reserved => "RESERVED",
            Self::ReservedOutbound => "RESERVED_OUTBOUND",
            Self::ReservedOutboundPreview => "RESERVED_OUTBOUND_PREVIEW",
            Self::Talking => "TALKING",
            Self::Hold => "HOLD",
            Self::Work => "WORK",
            Self::WorkReady => "WORK_READY",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether a call is on its way or going on, so that a change must wait for its end.
    pub const fn is_busy(self) -> bool {
        match self {
            Self::Reserved
            | Self::ReservedOutbound
            | Self::ReservedOutboundPreview
            | Self::Talking
            | Self::Hold => true,
            Self::Logout
            | Self::NotReady
            | Self::Ready
            | Self::Work
            | Self::WorkReady
            | Self::Unknown => false,
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Every state, in the order of the guide.
    pub const ALL: [Self; 11] = [
        Self::Logout,
        Self::NotReady,
        Self::Ready,
        Self::Reserved,
        Self::ReservedOutbound,
        Self::ReservedOutboundPreview,
        Self::Talking,
        Self::Hold,
        Self::Work,
        Self::WorkReady,
        Self::Unknown,
    ];
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// The id.
    pub id: TeamId,
    /// The name people see.
    pub name: String,
}

/// A reason for being not ready or logged out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The id that clients send.
    pub id: ReasonId,
    /// When it may be given.
    pub category: Category,
    /// The code that reports show.
    pub code: u32,
    /// The words that agents see, at most 40 characters.
    pub label: String,
    /// Whether every team has it.
    pub for_all: bool,
    /// Whether the system gives it, not a person.
    pub system: bool,
}

impl Reason {
    /// Whether a person may give it: it is for every team and not the system's.
    pub const fn may_be_given(&self) -> bool {
        self.for_all && !self.system
    }
}

/// When a reason may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// On NOT_READY.
    NotReady,
    /// On LOGOUT.
    Logout,
}

impl Category {
    /// The category as REST spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotReady => "NOT_READY",
            Self::Logout => "LOGOUT",
        }
    }

    /// The category of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::NotReady, Self::Logout].into_iter().find(|category| category.name() == name)
    }
}
