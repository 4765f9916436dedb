//! The state machine of a voice agent, for both flavours (Finesse REST guide, User state).
//!
//! One table says what a client may set. Calls move an agent through the busy states; what may be
//! asked for meanwhile is here as well.

use super::{AgentState, Fault, Flavour, Wanted};

/// Whose wish it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The user's own.
    Agent,
    /// His supervisor's.
    Supervisor,
}

/// What becomes of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// The state changes now.
    Go(AgentState),
    /// The state changes when the call ends; until then it is pending.
    Wait(AgentState),
    /// The state stays: whoever is signed in and signs in again is where he was.
    Keep,
}

/// Says what becomes of a wish.
///
/// `pending` is what waits already.
///
/// - Errors: [`Fault::InvalidState`], which arrives as an event.
/// - Source: Finesse REST guide, User: state transitions of UCCE and of UCCX.
pub(super) fn next(
    flavour: Flavour,
    caller: Caller,
    (from, pending): (AgentState, Option<AgentState>),
    wanted: &Wanted,
) -> Result<Move, Fault> {
    use AgentState as S;
    use AgentState::{
        Hold, Reserved, ReservedOutbound, ReservedOutboundPreview, Talking, Work, WorkReady,
    };
    use Caller::{Agent, Supervisor};
    use Flavour::{Ucce, Uccx};
    use Move::{Go, Keep, Wait};
    use Wanted as W;

    match (flavour, caller, from, wanted) {
        (_, Agent, S::Logout, W::Login { .. }) => Ok(Go(S::NotReady)),
        (_, Agent, _, W::Login { .. }) => Ok(Keep),

        (_, _, S::NotReady | Work, W::Ready) => Ok(Go(S::Ready)),
        (Ucce, Agent, WorkReady, W::Ready) => Ok(Go(S::Ready)),
        (
            Ucce,
            Agent,
            Reserved | ReservedOutbound | ReservedOutboundPreview | Talking | Hold,
            W::Ready,
        ) => Ok(Wait(S::Ready)),

        (_, _, S::Ready | Work, W::NotReady) => Ok(Go(S::NotReady)),
        (Ucce, _, WorkReady, W::NotReady) => Ok(Go(S::NotReady)),
        // With another reason. The guide's UCCX row omits it, but UCCX agents do it all day.
        (_, Agent, S::NotReady, W::NotReady) => Ok(Go(S::NotReady)),
        (
            Ucce,
            Agent,
            Reserved | ReservedOutbound | ReservedOutboundPreview | Talking | Hold,
            W::NotReady,
        ) => Ok(Wait(S::NotReady)),
        // UCCX lets NOT_READY wait once, and nothing else.
        (
            Uccx,
            Agent,
            Reserved | ReservedOutbound | ReservedOutboundPreview | Talking,
            W::NotReady,
        ) if pending.is_none() => Ok(Wait(S::NotReady)),

        (_, _, S::NotReady, W::Logout) => Ok(Go(S::Logout)),
        (Uccx, Agent, S::Ready, W::Logout) => Ok(Go(S::Logout)),
        (
            _,
            Supervisor,
            S::Ready | Reserved | ReservedOutbound | ReservedOutboundPreview | Talking | Work,
            W::Logout,
        ) => Ok(Go(S::Logout)),
        (Ucce, Supervisor, Hold | WorkReady, W::Logout) => Ok(Go(S::Logout)),

        (_, _, from, _) => Err(Fault::InvalidState { from }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Change, Command, Desk, Domain, ReasonShown, Role, Team, TeamId, User};
    use crate::time::WallTime;

    /// The guide's table, a cell per wish: `go` now, `wait` until the call ends, `keep`, or `-`
    /// refused. A supervisor never signs somebody in: `no`, refused before the machine is asked.
    const TABLE: &str = "
        UCCE agent                 LOGIN READY NOT_READY LOGOUT
        LOGOUT                     go    -     -         -
        NOT_READY                  keep  go    go        go
        READY                      keep  -     go        -
        RESERVED                   keep  wait  wait      -
        RESERVED_OUTBOUND          keep  wait  wait      -
        RESERVED_OUTBOUND_PREVIEW  keep  wait  wait      -
        TALKING                    keep  wait  wait      -
        HOLD                       keep  wait  wait      -
        WORK                       keep  go    go        -
        WORK_READY                 keep  go    go        -
        UNKNOWN                    keep  -     -         -

        UCCX agent                 LOGIN READY NOT_READY LOGOUT
        LOGOUT                     go    -     -         -
        NOT_READY                  keep  go    go        go
        READY                      keep  -     go        go
        RESERVED                   keep  -     wait      -
        RESERVED_OUTBOUND          keep  -     wait      -
        RESERVED_OUTBOUND_PREVIEW  keep  -     wait      -
        TALKING                    keep  -     wait      -
        HOLD                       keep  -     -         -
        WORK                       keep  go    go        -
        WORK_READY                 keep  -     -         -
        UNKNOWN                    keep  -     -         -

        UCCE supervisor            LOGIN READY NOT_READY LOGOUT
        LOGOUT                     no    -     -         -
        NOT_READY                  no    go    -         go
        READY                      no    -     go        go
        RESERVED                   no    -     -         go
        RESERVED_OUTBOUND          no    -     -         go
        RESERVED_OUTBOUND_PREVIEW  no    -     -         go
        TALKING                    no    -     -         go
        HOLD                       no    -     -         go
        WORK                       no    go    go        go
        WORK_READY                 no    -     go        go
        UNKNOWN                    no    -     -         -

        UCCX supervisor            LOGIN READY NOT_READY LOGOUT
        LOGOUT                     no    -     -         -
        NOT_READY                  no    go    -         go
        READY                      no    -     go        go
        RESERVED                   no    -     -         go
        RESERVED_OUTBOUND          no    -     -         go
        RESERVED_OUTBOUND_PREVIEW  no    -     -         go
        TALKING                    no    -     -         go
        HOLD                       no    -     -         -
        WORK                       no    go    go        go
        WORK_READY                 no    -     -         -
        UNKNOWN                    no    -     -         -
    ";

    #[test]
    fn every_move_of_both_flavours_is_as_the_guide_says() {
        let (mut flavour, mut by, mut cells) = (Flavour::Ucce, "", 0);
        for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["UCCE" | "UCCX", who, ..] = words[..] {
                flavour = if words[0] == "UCCE" { Flavour::Ucce } else { Flavour::Uccx };
                by = if who == "agent" { "1001" } else { "sup1" };
                continue;
            }
            let from = AgentState::named(words[0]).unwrap();
            for (wish, cell) in ["LOGIN", "READY", "NOT_READY", "LOGOUT"].iter().zip(&words[1..]) {
                cells += 1;
                let context = format!("{flavour:?} {by}: {from:?} → {wish}");
                assert_eq!(outcome(flavour, by, from, None, wish), *cell, "{context}");
            }
        }
        assert_eq!(cells, 2 * 2 * AgentState::ALL.len() * 4, "the table is whole");
    }

    #[test]
    fn uccx_lets_not_ready_wait_once_and_ucce_again() {
        let waiting = Some(AgentState::NotReady);
        let again = |flavour| outcome(flavour, "1001", AgentState::Talking, waiting, "NOT_READY");
        assert_eq!((again(Flavour::Uccx), again(Flavour::Ucce)), ("-", "wait"));
    }

    /// Asks the domain, and reads the answer as the table writes it.
    fn outcome(
        flavour: Flavour,
        by: &str,
        from: AgentState,
        pending: Option<AgentState>,
        wish: &str,
    ) -> &'static str {
        let domain = centre(flavour, from, pending);
        let (to, goal) = match wish {
            "LOGIN" => (Wanted::Login { extension: Some("1001".into()) }, AgentState::NotReady),
            "READY" => (Wanted::Ready, AgentState::Ready),
            "NOT_READY" => (Wanted::NotReady, AgentState::NotReady),
            _ => (Wanted::Logout, AgentState::Logout),
        };
        let command = Command::SetState { by: by.into(), user: "1001".into(), to, reason: None };
        let Ok(decision) = domain.plan(&command, WallTime(7)) else { return "no" };
        match (&decision.changes[..], &decision.fault) {
            ([], Some(Fault::InvalidState { from: told })) if *told == from => "-",
            ([Change::UserSet(user)], None) => match &user.desk {
                desk if desk.state == goal && desk.since == Some(WallTime(7)) => "go",
                desk if desk.state == from && desk.pending == Some(goal) => "wait",
                desk if desk.state == from && desk.since == Some(WallTime(1)) => "keep",
                desk => panic!("no known outcome: {desk:?}"),
            },
            other => panic!("no known outcome: {other:?}"),
        }
    }

    fn centre(flavour: Flavour, state: AgentState, pending: Option<AgentState>) -> Domain {
        let mut domain = Domain::new(flavour);
        let team = TeamId::from("1");
        domain.adopt(&Change::TeamSet(Arc::new(Team { id: team.clone(), name: "One".into() })));
        let extension = (state != AgentState::Logout).then(|| "1001".to_owned());
        let reason = ReasonShown::NotGiven;
        let desk = Desk { state, pending, reason, extension, since: Some(WallTime(1)) };
        for (id, desk) in [("1001", desk), ("sup1", Desk::signed_out())] {
            let is_supervisor = id == "sup1";
            let user = User {
                id: id.into(),
                login_name: id.to_owned(),
                first_name: String::new(),
                last_name: String::new(),
                roles: vec![if is_supervisor { Role::Supervisor } else { Role::Agent }],
                team: Some(team.clone()),
                supervises: if is_supervisor { vec![team.clone()] } else { Vec::new() },
                phone: Some(id.to_owned()),
                desk,
            };
            domain.adopt(&Change::UserSet(Arc::new(user)));
        }
        domain
    }
}
