//! Rosters as rows: contacts, and the version of each roster.

use std::sync::Arc;

use aplomb_core::roster::{self, Consent, Contact};
use rusqlite::{Row, Transaction, params};

use super::{address, list, parse_list, run, text, text_of, value_of};
use crate::store::{Change, StoreError};

pub(super) fn write_roster(
    tx: &Transaction<'_>,
    change: &roster::Change,
) -> Result<(), StoreError> {
    match change {
        roster::Change::Set { owner, contact } => {
            let groups: Vec<_> = contact.groups.iter().map(String::as_str).collect();
            run(
                tx,
                "INSERT OR REPLACE INTO contact VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    owner.as_str(),
                    contact.jid.as_str(),
                    contact.name,
                    list(&groups),
                    contact.is_listed,
                    text_of(&CONSENTS, contact.to),
                    text_of(&CONSENTS, contact.from),
                    contact.is_approved,
                    contact.wish.as_deref(),
                ],
            )
        }
        roster::Change::Removed { owner, contact } => run(
            tx,
            "DELETE FROM contact WHERE owner = ?1 AND jid = ?2",
            params![owner.as_str(), contact.as_str()],
        ),
        roster::Change::Versioned { owner, version } => run(
            tx,
            "INSERT OR REPLACE INTO roster VALUES (?1, ?2)",
            params![owner.as_str(), version.cast_signed()],
        ),
        roster::Change::Forgotten { owner } => {
            run(tx, "DELETE FROM contact WHERE owner = ?1", params![owner.as_str()])?;
            run(tx, "DELETE FROM roster WHERE owner = ?1", params![owner.as_str()])
        }
    }
}

pub(super) fn contact(row: &Row<'_>) -> Result<Change, StoreError> {
    let wish: Option<Arc<str>> = row.get("wish")?;
    let contact = Contact {
        jid: address(&text(row, "jid")?)?,
        name: row.get("name")?,
        groups: parse_list(&text(row, "groups")?)?.into_iter().collect(),
        is_listed: row.get("listed")?,
        to: value_of(&CONSENTS, &text(row, "seen")?)?,
        from: value_of(&CONSENTS, &text(row, "shown")?)?,
        is_approved: row.get("approved")?,
        wish,
    };
    let (owner, contact) = (address(&text(row, "owner")?)?, Arc::new(contact));
    Ok(Change::Roster(roster::Change::Set { owner, contact }))
}

pub(super) fn version(row: &Row<'_>) -> Result<Change, StoreError> {
    let owner = address(&text(row, "owner")?)?;
    let version = row.get::<_, i64>("version")?.cast_unsigned();
    Ok(Change::Roster(roster::Change::Versioned { owner, version }))
}

const CONSENTS: [(Consent, &str); 3] =
    [(Consent::None, "none"), (Consent::Pending, "pending"), (Consent::Given, "given")];
