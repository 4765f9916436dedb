//! Tokens as rows (XEP-0484).

use aplomb_core::sasl::fast::{Agent, FastChange, FastMechanism, FastToken};
use aplomb_core::time::WallTime;
use rusqlite::{Row, Transaction, params};

use super::{run, text};
use crate::store::{Change, StoreError};

pub(super) fn write(tx: &Transaction<'_>, change: &FastChange) -> Result<(), StoreError> {
    match change {
        FastChange::Set { account, token } => run(
            tx,
            "INSERT INTO fast_token (seed, user, agent, mechanism, expires, used, count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (seed) DO UPDATE SET used = excluded.used, count = excluded.count",
            params![
                token.seed,
                account,
                token.agent.to_string(),
                token.mechanism.name(),
                token.expires.0,
                token.is_used,
                token.count,
            ],
        ),
        FastChange::Dropped { seed, .. } => {
            run(tx, "DELETE FROM fast_token WHERE seed = ?1", params![seed])
        }
    }
}

pub(super) fn token(row: &Row<'_>) -> Result<Change, StoreError> {
    let account = text(row, "user")?;
    let corrupt = || StoreError::Corrupt(format!("a bad token of {account}"));
    let token = FastToken {
        agent: Agent::parse(&text(row, "agent")?).ok_or_else(corrupt)?,
        mechanism: FastMechanism::named(&text(row, "mechanism")?).ok_or_else(corrupt)?,
        seed: row.get("seed")?,
        expires: WallTime(row.get("expires")?),
        is_used: row.get("used")?,
        count: row.get("count")?,
    };
    Ok(Change::Token(FastChange::Set { account, token }))
}
