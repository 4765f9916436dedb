//! Changes as rows: one function writes each kind, one reads each table back.

mod centre;
mod nodes;
mod people;
mod tokens;

use std::collections::BTreeMap;

use aplomb_core::sasl::KeyRing;
use rusqlite::{Connection, Row, ToSql, Transaction};

pub(super) use nodes::NodeIds;

use super::{Change, StoreError};

/// Writes one change.
pub(super) fn write(
    transaction: &Transaction<'_>,
    nodes: &mut NodeIds,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::Domain(change) => centre::write_domain(transaction, change),
        Change::PubSub(change) => nodes::write_pubsub(transaction, nodes, change),
        Change::Roster(change) => people::write_roster(transaction, change),
        Change::Keys { user, keys } => centre::write_keys(transaction, user, keys.as_ref()),
        Change::MoreKeys(more) => centre::write_more_keys(transaction, more),
        Change::Token(change) => tokens::write(transaction, change),
    }
}

/// Reads every table, in an order in which the changes can be adopted.
pub(super) fn read_all(connection: &Connection) -> Result<Vec<Change>, StoreError> {
    let mut changes = read_keys(connection)?;
    let mut read = |sql: &str, from_row: fn(&Row<'_>) -> Result<Change, StoreError>| {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            changes.push(from_row(row)?);
        }
        Ok::<_, StoreError>(())
    };
    read("SELECT * FROM team ORDER BY id", centre::team)?;
    read("SELECT * FROM reason ORDER BY id", centre::reason)?;
    read("SELECT * FROM user ORDER BY id", centre::user)?;
    read("SELECT * FROM contact ORDER BY owner, jid", people::contact)?;
    read("SELECT * FROM roster ORDER BY owner", people::version)?;
    read("SELECT * FROM fast_token ORDER BY row", tokens::token)?;
    read("SELECT * FROM node WHERE title IS NOT NULL ORDER BY id", nodes::node)?;
    read("SELECT * FROM node WHERE creator IS NOT NULL ORDER BY id", nodes::made)?;
    read("SELECT value FROM meta WHERE name = 'retired'", nodes::retired)?;
    read("SELECT name, seq FROM node WHERE seq > 0 ORDER BY id", nodes::counted)?;
    read("SELECT name, trimmed FROM node WHERE trimmed > 0 ORDER BY id", nodes::trimmed)?;
    read(
        "SELECT name, jid, state, until, deliver, shows, lease
         FROM subscription s JOIN node n ON n.id = s.node
         ORDER BY s.node, jid",
        nodes::subscription,
    )?;
    read(
        "SELECT name, jid, affiliation FROM affiliation a JOIN node n ON n.id = a.node",
        nodes::right,
    )?;
    read(
        "SELECT name, i.seq, i.id, payload, at
         FROM item i JOIN node n ON n.id = i.node ORDER BY row",
        nodes::item,
    )?;
    Ok(changes)
}

/// Reads the keys, all of one user at once.
fn read_keys(connection: &Connection) -> Result<Vec<Change>, StoreError> {
    let mut rings = BTreeMap::<String, KeyRing>::new();
    let mut statement = connection.prepare("SELECT * FROM scram_keys")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (user, keys) = centre::scram_keys(row)?;
        rings.entry(user).or_default().put(keys);
    }
    let change = |(user, keys)| Change::Keys { user, keys: Some(keys) };
    Ok(rings.into_iter().map(change).collect())
}

fn run(tx: &Transaction<'_>, sql: &str, values: &[&dyn ToSql]) -> Result<(), StoreError> {
    tx.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// A list as it is kept: JSON.
fn list(texts: &[impl AsRef<str> + serde::Serialize]) -> String {
    serde_json::to_string(texts).expect("texts are JSON")
}

fn parse_list(json: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Corrupt(format!("the list {json:?}")))
}

fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<String> {
    row.get(column)
}

fn address<J: std::str::FromStr>(jid: &str) -> Result<J, StoreError> {
    jid.parse().map_err(|_| StoreError::Corrupt(format!("the address {jid:?}")))
}

fn text_of<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    let found = names.iter().find(|(known, _)| *known == value);
    found.expect("every value has a name").1
}

fn value_of<T: Copy>(names: &[(T, &str)], name: &str) -> Result<T, StoreError> {
    let found = names.iter().find(|(_, known)| *known == name);
    found.map(|(value, _)| *value).ok_or_else(|| StoreError::Corrupt(format!("the word {name:?}")))
}
