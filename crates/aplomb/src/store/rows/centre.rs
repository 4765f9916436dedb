//! The contact centre as rows: users, teams, reasons, keys.

use std::num::NonZeroU32;
use std::sync::Arc;

use aplomb_core::domain::{
    self, AgentState, Category, Desk, Reason, ReasonShown, Role, Team, TeamId, User, UserId,
};
use aplomb_core::sasl::{Hash, KeyRing, MoreKeys, ScramKeys};
use aplomb_core::secret::Secret;
use aplomb_core::time::WallTime;
use rusqlite::{Row, Transaction, params};

use super::{list, parse_list, run, text, text_of, value_of};
use crate::store::{Change, StoreError};

pub(super) fn write_domain(
    tx: &Transaction<'_>,
    change: &domain::Change,
) -> Result<(), StoreError> {
    match change {
        domain::Change::UserSet(user) => write_user(tx, user),
        domain::Change::UserRemoved(id) => {
            run(tx, "DELETE FROM user WHERE id = ?1", params![id.as_str()])
        }
        domain::Change::TeamSet(team) => run(
            tx,
            "INSERT OR REPLACE INTO team VALUES (?1, ?2)",
            params![team.id.as_str(), team.name],
        ),
        domain::Change::TeamRemoved(id) => {
            run(tx, "DELETE FROM team WHERE id = ?1", params![id.as_str()])
        }
        domain::Change::ReasonSet(reason) => run(
            tx,
            "INSERT OR REPLACE INTO reason VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                reason.id,
                text_of(&CATEGORIES, reason.category),
                reason.code,
                reason.label,
                reason.for_all,
                reason.system
            ],
        ),
        domain::Change::ReasonRemoved(id) => {
            run(tx, "DELETE FROM reason WHERE id = ?1", params![id])
        }
    }
}

fn write_user(tx: &Transaction<'_>, user: &User) -> Result<(), StoreError> {
    let roles: Vec<_> = user.roles.iter().map(|role| text_of(&ROLES, *role)).collect();
    let supervises: Vec<_> = user.supervises.iter().map(TeamId::as_str).collect();
    let reason = match user.desk.reason {
        ReasonShown::Absent => None,
        ReasonShown::NotGiven => Some(-1),
        ReasonShown::Given(id) => Some(i64::from(id)),
    };
    run(
        tx,
        "INSERT OR REPLACE INTO user
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            user.id.as_str(),
            user.login_name,
            user.first_name,
            user.last_name,
            list(&roles),
            user.team.as_ref().map(TeamId::as_str),
            list(&supervises),
            user.phone,
            text_of(&STATES, user.desk.state),
            user.desk.pending.map(|state| text_of(&STATES, state)),
            reason,
            user.desk.extension,
            user.desk.since.map(|at| at.0),
        ],
    )
}

pub(super) fn write_keys(
    tx: &Transaction<'_>,
    user: &str,
    keys: Option<&KeyRing>,
) -> Result<(), StoreError> {
    run(tx, "DELETE FROM scram_keys WHERE user = ?1", params![user])?;
    keys.iter().flat_map(|ring| ring.iter()).try_for_each(|keys| write_scram_keys(tx, user, keys))
}

pub(super) fn write_more_keys(tx: &Transaction<'_>, more: &MoreKeys) -> Result<(), StoreError> {
    let MoreKeys { user, beside, keys } = more;
    let sql = "SELECT 1 FROM scram_keys WHERE user = ?1 AND hash = ?2 AND stored_key = ?3";
    let then = params![user, beside.hash.name(), beside.stored_key.expose()];
    if !tx.prepare_cached(sql)?.exists(then)? {
        return Ok(());
    }
    keys.iter().try_for_each(|keys| write_scram_keys(tx, user, keys))
}

fn write_scram_keys(tx: &Transaction<'_>, user: &str, keys: &ScramKeys) -> Result<(), StoreError> {
    run(
        tx,
        "INSERT OR IGNORE INTO scram_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            user,
            keys.hash.name(),
            keys.salt,
            keys.iterations.get(),
            keys.stored_key.expose().as_slice(),
            keys.server_key.expose().as_slice()
        ],
    )
}

pub(super) fn team(row: &Row<'_>) -> Result<Change, StoreError> {
    let team = Team { id: TeamId(text(row, "id")?.into()), name: text(row, "name")? };
    Ok(Change::Domain(domain::Change::TeamSet(Arc::new(team))))
}

pub(super) fn reason(row: &Row<'_>) -> Result<Change, StoreError> {
    Ok(Change::Domain(domain::Change::ReasonSet(Arc::new(Reason {
        id: row.get("id")?,
        category: value_of(&CATEGORIES, &text(row, "category")?)?,
        code: row.get("code")?,
        label: text(row, "label")?,
        for_all: row.get("for_all")?,
        system: row.get("system")?,
    }))))
}

pub(super) fn user(row: &Row<'_>) -> Result<Change, StoreError> {
    let roles = parse_list(&text(row, "roles")?)?;
    let supervises = parse_list(&text(row, "supervises")?)?;
    let team: Option<String> = row.get("team")?;
    let user = User {
        id: UserId(text(row, "id")?.into()),
        login_name: text(row, "login_name")?,
        first_name: text(row, "first_name")?,
        last_name: text(row, "last_name")?,
        roles: roles.iter().map(|role| value_of(&ROLES, role)).collect::<Result<_, _>>()?,
        team: team.map(|id| TeamId(id.into())),
        supervises: supervises.into_iter().map(|id| TeamId(id.into())).collect(),
        phone: row.get("phone")?,
        desk: desk(row)?,
    };
    Ok(Change::Domain(domain::Change::UserSet(Arc::new(user))))
}

fn desk(row: &Row<'_>) -> Result<Desk, StoreError> {
    let pending: Option<String> = row.get("pending")?;
    let reason = match row.get::<_, Option<i64>>("reason")? {
        None => ReasonShown::Absent,
        Some(-1) => ReasonShown::NotGiven,
        Some(id) => ReasonShown::Given(
            id.try_into().map_err(|_| StoreError::Corrupt(format!("the reason {id}")))?,
        ),
    };
    Ok(Desk {
        state: value_of(&STATES, &text(row, "state")?)?,
        pending: pending.map(|state| value_of(&STATES, &state)).transpose()?,
        reason,
        extension: row.get("extension")?,
        since: row.get::<_, Option<i64>>("since")?.map(WallTime),
    })
}

/// Reads the keys of one user for one hash.
pub(super) fn scram_keys(row: &Row<'_>) -> Result<(String, ScramKeys), StoreError> {
    let user = text(row, "user")?;
    let corrupt = || StoreError::Corrupt(format!("bad keys of {user}"));
    let hash = Hash::named(&text(row, "hash")?).ok_or_else(corrupt)?;
    let key = |column| -> Result<Secret<Vec<u8>>, StoreError> {
        let bytes: Vec<u8> = row.get(column)?;
        if bytes.len() == hash.bytes() { Ok(Secret::new(bytes)) } else { Err(corrupt()) }
    };
    let keys = ScramKeys {
        hash,
        salt: row.get("salt")?,
        iterations: NonZeroU32::new(row.get("iterations")?).ok_or_else(corrupt)?,
        stored_key: key("stored_key")?,
        server_key: key("server_key")?,
    };
    Ok((user, keys))
}

const ROLES: [(Role, &str); 4] = [
    (Role::Agent, "agent"),
    (Role::Supervisor, "supervisor"),
    (Role::Administrator, "administrator"),
    (Role::Publisher, "publisher"),
];

const STATES: [(AgentState, &str); 11] = [
    (AgentState::Logout, "logout"),
    (AgentState::NotReady, "not_ready"),
    (AgentState::Ready, "ready"),
    (AgentState::Reserved, "reserved"),
    (AgentState::ReservedOutbound, "reserved_outbound"),
    (AgentState::ReservedOutboundPreview, "reserved_outbound_preview"),
    (AgentState::Talking, "talking"),
    (AgentState::Hold, "hold"),
    (AgentState::Work, "work"),
    (AgentState::WorkReady, "work_ready"),
    (AgentState::Unknown, "unknown"),
];

const CATEGORIES: [(Category, &str); 2] =
    [(Category::NotReady, "not_ready"), (Category::Logout, "logout")];
