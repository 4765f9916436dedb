//! The reasons that a new contact centre starts with.
//!
//! Source: Finesse administration guide, predefined system reason codes.

use super::{Category, Flavour, Reason, ReasonId};

use Category::{Logout, NotReady};

/// The reasons of a new contact centre: a few that people give, with the low ids, and those of
/// the system from [`SYSTEM_ID_MIN`] on.
pub fn default_reasons(flavour: Flavour) -> Vec<Reason> {
    let of_flavour = match flavour {
        Flavour::Ucce => &SUPERVISOR_UCCE,
        Flavour::Uccx => &SUPERVISOR_UCCX,
    };
    let given = (1..).zip(&GIVEN).map(|(id, row)| reason(id, row, false));
    let system = (SYSTEM_ID_MIN..).zip(SYSTEM.iter().chain(of_flavour));
    given.chain(system.map(|(id, row)| reason(id, row, true))).collect()
}

/// The code that the system gives when a supervisor changes somebody's state.
pub(super) const fn supervisor_code(flavour: Flavour) -> u32 {
    match flavour {
        Flavour::Ucce => SUPERVISOR_UCCE[0].1,
        Flavour::Uccx => SUPERVISOR_UCCX[0].1,
    }
}

/// The code of a logout because the desktop was lost.
pub(super) const CONNECTION_FAILURE: u32 = 255;

/// Whether a code belongs to the system, so that nobody may configure it anew.
pub(super) fn is_reserved(code: u32) -> bool {
    RESERVED.contains(&code)
}

/// A category, a code and a label.
type Row = (Category, u32, &'static str);

fn reason(id: ReasonId, &(category, code, label): &Row, system: bool) -> Reason {
    Reason { id, category, code, label: label.to_owned(), for_all: true, system }
}

const SYSTEM_ID_MIN: ReasonId = 101;

const GIVEN: [Row; 7] = [
    (NotReady, 1, "Break"),
    (NotReady, 2, "Lunch"),
    (NotReady, 3, "Meeting"),
    (NotReady, 4, "Training"),
    (NotReady, 5, "Paperwork"),
    (Logout, 1, "End of Shift"),
    (Logout, 2, "Change of Desk"),
];

const SYSTEM: [Row; 23] = [
    (NotReady, 32767, "Call Not Answered"),
    (NotReady, 32762, "Offhook"),
    (Logout, 50001, "System Disconnect"),
    (Logout, 50002, "System Failure"),
    (NotReady, 50002, "Connection Failure"),
    (Logout, 50003, "Device Error"),
    (Logout, 50004, "Inactivity Timeout"),
    (NotReady, 50005, "Non ACD Busy"),
    (NotReady, 50006, "Offhook"),
    (NotReady, 50010, "Call Overlap"),
    (Logout, 50020, "Queue Change"),
    (Logout, 50030, "Device Conflict"),
    (Logout, 50040, "Mobile Agent Call Fail"),
    (NotReady, 50041, "Mobile Call Not Answered"),
    (Logout, 50042, "Mobile Agent Disconnect"),
    (NotReady, 50045, "Desktop Reconnect"),
    (NotReady, 65535, "System Reinitialized"),
    (NotReady, 65534, "System Reset"),
    (NotReady, 65533, "Extension Modified"),
    (NotReady, 20001, "Starting Force Logout"),
    (Logout, 20002, "Force Logout"),
    (NotReady, 20003, "Agent Logout Request"),
    (Logout, CONNECTION_FAILURE, "Connection Failure"),
];

const SUPERVISOR_UCCE: [Row; 2] =
    [(NotReady, 999, "Supervisor Initiated"), (Logout, 999, "Supervisor Initiated")];

const SUPERVISOR_UCCX: [Row; 2] =
    [(NotReady, 33, "Supervisor Initiated"), (Logout, 33, "Supervisor Initiated")];

const RESERVED: [u32; 7] = [999, CONNECTION_FAILURE, 20001, 20002, 20003, 50041, 50045];
