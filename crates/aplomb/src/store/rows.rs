//! Changes as rows: one function writes each kind, one reads each table back.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use aplomb_core::domain::{
    self, AgentState, Category, Desk, Reason, ReasonShown, Role, Team, TeamId, User, UserId,
};
use aplomb_core::pubsub::{self, Affiliation, Item, NodeConfig};
use aplomb_core::sasl::ScramKeys;
use aplomb_core::secret::Secret;
use aplomb_core::time::WallTime;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction, params};

use super::{Change, StoreError};

/// The row numbers of nodes that were touched lately.
pub(super) type NodeIds = HashMap<Arc<str>, i64>;

/// Writes one change.
pub(super) fn write(
    transaction: &Transaction<'_>,
    nodes: &mut NodeIds,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::Domain(change) => write_domain(transaction, change),
        Change::PubSub(change) => write_pubsub(transaction, nodes, change),
        Change::Keys { user, keys } => write_keys(transaction, user, keys.as_ref()),
    }
}

/// Reads every table, in an order in which the changes can be adopted.
pub(super) fn read_all(connection: &Connection) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    let mut read = |sql: &str, from_row: fn(&Row<'_>) -> Result<Change, StoreError>| {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            changes.push(from_row(row)?);
        }
        Ok::<_, StoreError>(())
    };
    read("SELECT * FROM team ORDER BY id", team)?;
    read("SELECT * FROM reason ORDER BY id", reason)?;
    read("SELECT * FROM user ORDER BY id", user)?;
    read("SELECT * FROM scram_keys ORDER BY user", keys)?;
    read("SELECT * FROM node WHERE title IS NOT NULL ORDER BY id", node)?;
    read("SELECT value FROM meta WHERE name = 'retired'", retired)?;
    read("SELECT name, seq FROM node WHERE seq > 0 ORDER BY id", counted)?;
    read("SELECT name, trimmed FROM node WHERE trimmed > 0 ORDER BY id", trimmed)?;
    read("SELECT name, jid FROM subscription s JOIN node n ON n.id = s.node", subscription)?;
    read("SELECT name, jid, affiliation FROM affiliation a JOIN node n ON n.id = a.node", right)?;
    read(
        "SELECT name, i.seq, i.id, payload, at
         FROM item i JOIN node n ON n.id = i.node ORDER BY row",
        item,
    )?;
    Ok(changes)
}

fn write_domain(tx: &Transaction<'_>, change: &domain::Change) -> Result<(), StoreError> {
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

fn write_keys(
    tx: &Transaction<'_>,
    user: &str,
    keys: Option<&ScramKeys>,
) -> Result<(), StoreError> {
    let Some(keys) = keys else {
        return run(tx, "DELETE FROM scram_keys WHERE user = ?1", params![user]);
    };
    run(
        tx,
        "INSERT OR REPLACE INTO scram_keys VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            user,
            keys.salt,
            keys.iterations.get(),
            keys.stored_key.expose().as_slice(),
            keys.server_key.expose().as_slice()
        ],
    )
}

fn write_pubsub(
    tx: &Transaction<'_>,
    nodes: &mut NodeIds,
    change: &pubsub::Change,
) -> Result<(), StoreError> {
    match change {
        pubsub::Change::NodeSet { node, config } => {
            write_config(tx, node_id(tx, nodes, node)?, config)
        }
        pubsub::Change::NodeRemoved { node } => remove_node(tx, nodes, node),
        pubsub::Change::Subscribed { node, jid } => run(
            tx,
            "INSERT OR IGNORE INTO subscription VALUES (?1, ?2)",
            params![node_id(tx, nodes, node)?, jid.as_str()],
        ),
        pubsub::Change::Unsubscribed { node, jid } => run(
            tx,
            "DELETE FROM subscription WHERE node = ?1 AND jid = ?2",
            params![node_id(tx, nodes, node)?, jid.as_str()],
        ),
        pubsub::Change::Affiliated { node, jid, affiliation: Affiliation::None } => run(
            tx,
            "DELETE FROM affiliation WHERE node = ?1 AND jid = ?2",
            params![node_id(tx, nodes, node)?, jid.as_str()],
        ),
        pubsub::Change::Affiliated { node, jid, affiliation } => run(
            tx,
            "INSERT OR REPLACE INTO affiliation VALUES (?1, ?2, ?3)",
            params![node_id(tx, nodes, node)?, jid.as_str(), text_of(&AFFILIATIONS, *affiliation)],
        ),
        pubsub::Change::Published { node, item } => {
            let node = node_id(tx, nodes, node)?;
            forget_item(tx, node, &item.id)?;
            insert_item(tx, node, item)
        }
        pubsub::Change::Retracted { node, id, seq } => {
            let node = node_id(tx, nodes, node)?;
            forget_item(tx, node, id)?;
            count(tx, node, *seq)
        }
        pubsub::Change::Counted { node, seq } => count(tx, node_id(tx, nodes, node)?, *seq),
        pubsub::Change::Retired { through } => {
            run(tx, "INSERT OR REPLACE INTO meta VALUES ('retired', ?1)", params![number(*through)])
        }
        pubsub::Change::Trimmed { node, through } => {
            let node = node_id(tx, nodes, node)?;
            let through = number(*through);
            run(tx, "DELETE FROM item WHERE node = ?1 AND seq <= ?2", params![node, through])?;
            run(tx, "UPDATE node SET trimmed = ?2 WHERE id = ?1", params![node, through])
        }
    }
}

fn write_config(tx: &Transaction<'_>, node: i64, config: &NodeConfig) -> Result<(), StoreError> {
    run(
        tx,
        "UPDATE node SET title = ?2, deliver_payloads = ?3, persist_items = ?4, max_items = ?5,
         notify_retract = ?6, notify_delete = ?7, notify_config = ?8 WHERE id = ?1",
        params![
            node,
            config.title,
            config.deliver_payloads,
            config.persist_items,
            number(config.max_items as u64),
            config.notify_retract,
            config.notify_delete,
            config.notify_config
        ],
    )
}

/// Keeps the number of a notice that left no item.
fn count(tx: &Transaction<'_>, node: i64, seq: u64) -> Result<(), StoreError> {
    run(tx, "UPDATE node SET seq = max(seq, ?2) WHERE id = ?1", params![node, number(seq)])
}

/// Takes the earlier item of this id away: publishing replaces it, retracting removes it.
fn forget_item(tx: &Transaction<'_>, node: i64, id: &str) -> Result<(), StoreError> {
    run(tx, "DELETE FROM item WHERE node = ?1 AND id = ?2", params![node, id])
}

fn insert_item(tx: &Transaction<'_>, node: i64, item: &Item) -> Result<(), StoreError> {
    run(
        tx,
        "INSERT INTO item (node, seq, id, payload, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![node, number(item.seq), item.id, item.payload.as_deref(), item.at.0],
    )
}

fn remove_node(
    tx: &Transaction<'_>,
    nodes: &mut NodeIds,
    name: &Arc<str>,
) -> Result<(), StoreError> {
    let node = node_id(tx, nodes, name)?;
    run(tx, "DELETE FROM item WHERE node = ?1", params![node])?;
    run(tx, "DELETE FROM subscription WHERE node = ?1", params![node])?;
    run(tx, "DELETE FROM affiliation WHERE node = ?1", params![node])?;
    run(tx, "DELETE FROM node WHERE id = ?1", params![node])?;
    nodes.remove(name);
    Ok(())
}

/// The row of a node, which is made when it is not there.
fn node_id(tx: &Transaction<'_>, nodes: &mut NodeIds, name: &Arc<str>) -> Result<i64, StoreError> {
    if let Some(id) = nodes.get(name) {
        return Ok(*id);
    }
    let found = tx
        .prepare_cached("SELECT id FROM node WHERE name = ?1")?
        .query_row([&**name], |row| row.get(0))
        .optional()?;
    let id = match found {
        Some(id) => id,
        None => {
            run(tx, "INSERT INTO node (name) VALUES (?1)", params![&**name])?;
            tx.last_insert_rowid()
        }
    };
    nodes.insert(name.clone(), id);
    Ok(id)
}

fn run(tx: &Transaction<'_>, sql: &str, values: &[&dyn ToSql]) -> Result<(), StoreError> {
    tx.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn team(row: &Row<'_>) -> Result<Change, StoreError> {
    let team = Team { id: TeamId(text(row, "id")?.into()), name: text(row, "name")? };
    Ok(Change::Domain(domain::Change::TeamSet(Arc::new(team))))
}

fn reason(row: &Row<'_>) -> Result<Change, StoreError> {
    Ok(Change::Domain(domain::Change::ReasonSet(Arc::new(Reason {
        id: row.get("id")?,
        category: value_of(&CATEGORIES, &text(row, "category")?)?,
        code: row.get("code")?,
        label: text(row, "label")?,
        for_all: row.get("for_all")?,
        system: row.get("system")?,
    }))))
}

fn user(row: &Row<'_>) -> Result<Change, StoreError> {
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

fn keys(row: &Row<'_>) -> Result<Change, StoreError> {
    let user = text(row, "user")?;
    let corrupt = || StoreError::Corrupt(format!("bad keys of {user}"));
    let key = |column| -> Result<Secret<[u8; 32]>, StoreError> {
        let bytes: Vec<u8> = row.get(column)?;
        Ok(Secret::new(bytes.try_into().map_err(|_| corrupt())?))
    };
    let keys = ScramKeys {
        salt: row.get("salt")?,
        iterations: NonZeroU32::new(row.get("iterations")?).ok_or_else(corrupt)?,
        stored_key: key("stored_key")?,
        server_key: key("server_key")?,
    };
    Ok(Change::Keys { user, keys: Some(keys) })
}

fn node(row: &Row<'_>) -> Result<Change, StoreError> {
    let max_items: i64 = row.get("max_items")?;
    let config = NodeConfig {
        title: text(row, "title")?,
        deliver_payloads: row.get("deliver_payloads")?,
        persist_items: row.get("persist_items")?,
        max_items: usize::try_from(max_items).unwrap_or_default(),
        notify_retract: row.get("notify_retract")?,
        notify_delete: row.get("notify_delete")?,
        notify_config: row.get("notify_config")?,
    };
    Ok(Change::PubSub(pubsub::Change::NodeSet { node: name(row)?, config }))
}

fn retired(row: &Row<'_>) -> Result<Change, StoreError> {
    let through = row.get::<_, i64>("value")?.cast_unsigned();
    Ok(Change::PubSub(pubsub::Change::Retired { through }))
}

fn counted(row: &Row<'_>) -> Result<Change, StoreError> {
    let seq = row.get::<_, i64>("seq")?.cast_unsigned();
    Ok(Change::PubSub(pubsub::Change::Counted { node: name(row)?, seq }))
}

fn trimmed(row: &Row<'_>) -> Result<Change, StoreError> {
    let through: i64 = row.get("trimmed")?;
    Ok(Change::PubSub(pubsub::Change::Trimmed {
        node: name(row)?,
        through: through.cast_unsigned(),
    }))
}

fn subscription(row: &Row<'_>) -> Result<Change, StoreError> {
    let jid = address(&text(row, "jid")?)?;
    Ok(Change::PubSub(pubsub::Change::Subscribed { node: name(row)?, jid }))
}

fn right(row: &Row<'_>) -> Result<Change, StoreError> {
    let jid = address(&text(row, "jid")?)?;
    let affiliation = value_of(&AFFILIATIONS, &text(row, "affiliation")?)?;
    Ok(Change::PubSub(pubsub::Change::Affiliated { node: name(row)?, jid, affiliation }))
}

fn item(row: &Row<'_>) -> Result<Change, StoreError> {
    let seq = row.get::<_, i64>("seq")?.cast_unsigned();
    let (node, id) = (name(row)?, text(row, "id")?);
    let payload: Option<Arc<str>> = row.get("payload")?;
    let item = Arc::new(Item { seq, id, payload, at: WallTime(row.get("at")?) });
    Ok(Change::PubSub(pubsub::Change::Published { node, item }))
}

fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<String> {
    row.get(column)
}

fn name(row: &Row<'_>) -> rusqlite::Result<Arc<str>> {
    row.get("name")
}

fn address<J: std::str::FromStr>(jid: &str) -> Result<J, StoreError> {
    jid.parse().map_err(|_| StoreError::Corrupt(format!("the address {jid:?}")))
}

/// SQLite's integers are signed; our numbers count from one and never come near the end.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn list(texts: &[&str]) -> String {
    serde_json::to_string(texts).expect("texts are JSON")
}

fn parse_list(json: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Corrupt(format!("the list {json:?}")))
}

fn text_of<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    let found = names.iter().find(|(known, _)| *known == value);
    found.expect("every value has a name").1
}

fn value_of<T: Copy>(names: &[(T, &str)], name: &str) -> Result<T, StoreError> {
    let found = names.iter().find(|(_, known)| *known == name);
    found.map(|(value, _)| *value).ok_or_else(|| StoreError::Corrupt(format!("the word {name:?}")))
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

const AFFILIATIONS: [(Affiliation, &str); 5] = [
    (Affiliation::Owner, "owner"),
    (Affiliation::Publisher, "publisher"),
    (Affiliation::Member, "member"),
    (Affiliation::None, "none"),
    (Affiliation::Outcast, "outcast"),
];
