//! The pubsub service as rows: nodes, subscriptions, rights, items.

use std::collections::HashMap;
use std::sync::Arc;

use aplomb_core::jid::Jid;
use aplomb_core::pubsub::{
    self, AccessModel, Affiliation, Item, NodeConfig, NotificationType, Options, Origin,
    PublishModel, SendLast, Shows, SubscriptionState, Terms,
};
use aplomb_core::time::WallTime;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{address, list, parse_list, run, text, text_of, value_of};
use crate::store::{Change, StoreError};

/// The row numbers of nodes that were touched lately.
pub(in crate::store) type NodeIds = HashMap<Arc<str>, i64>;

pub(super) fn write_pubsub(
    tx: &Transaction<'_>,
    nodes: &mut NodeIds,
    change: &pubsub::Change,
) -> Result<(), StoreError> {
    match change {
        pubsub::Change::NodeSet { node, config } => {
            write_config(tx, node_id(tx, nodes, node)?, config)
        }
        pubsub::Change::NodeMade { node, origin } => run(
            tx,
            "UPDATE node SET creator = ?2, created = ?3 WHERE id = ?1",
            params![node_id(tx, nodes, node)?, origin.creator.as_str(), origin.at.0],
        ),
        pubsub::Change::NodeRemoved { node } => remove_node(tx, nodes, node),
        pubsub::Change::Subscribed { node, jid, terms } => {
            write_terms(tx, node_id(tx, nodes, node)?, jid, terms)
        }
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
            trim(tx, node_id(tx, nodes, node)?, number(*through))
        }
    }
}

fn write_config(tx: &Transaction<'_>, node: i64, config: &NodeConfig) -> Result<(), StoreError> {
    run(
        tx,
        "UPDATE node SET title = ?2, deliver_payloads = ?3, persist_items = ?4, max_items = ?5,
         notify_retract = ?6, notify_delete = ?7, notify_config = ?8, description = ?9,
         language = ?10, kind = ?11, deliver_notifications = ?12, item_expire = ?13,
         max_payload_size = ?14, send_last = ?15, notification_type = ?16, notify_sub = ?17,
         access_model = ?18, roster_groups = ?19, publish_model = ?20 WHERE id = ?1",
        params![
            node,
            config.title,
            config.deliver_payloads,
            config.persist_items,
            number(config.max_items as u64),
            config.notify_retract,
            config.notify_delete,
            config.notify_config,
            config.description,
            config.language,
            config.kind,
            config.deliver_notifications,
            config.item_expire.map(number),
            number(config.max_payload_size as u64),
            text_of(&SEND_LAST, config.send_last_published_item),
            text_of(&NOTIFICATION_TYPES, config.notification_type),
            config.notify_sub,
            text_of(&ACCESS_MODELS, config.access_model),
            list(&config.roster_groups_allowed),
            text_of(&PUBLISH_MODELS, config.publish_model)
        ],
    )
}

fn trim(tx: &Transaction<'_>, node: i64, through: i64) -> Result<(), StoreError> {
    run(tx, "DELETE FROM item WHERE node = ?1 AND seq <= ?2", params![node, through])?;
    let sql = "UPDATE node SET trimmed = max(trimmed, ?2) WHERE id = ?1";
    run(tx, sql, params![node, through])
}

fn write_terms(
    tx: &Transaction<'_>,
    node: i64,
    jid: &Jid,
    terms: &Terms,
) -> Result<(), StoreError> {
    let Options { deliver, shows, lease } = terms.options;
    run(
        tx,
        "INSERT OR REPLACE INTO subscription (node, jid, state, until, deliver, shows, lease)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            node,
            jid.as_str(),
            text_of(&SUBSCRIPTION_STATES, terms.state),
            terms.until.map(|until| until.0),
            deliver,
            shows.words().collect::<Vec<_>>().join(" "),
            lease.map(|lease| lease.0)
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

pub(super) fn node(row: &Row<'_>) -> Result<Change, StoreError> {
    let count = |column: &str| {
        row.get::<_, i64>(column).map(|count| usize::try_from(count).unwrap_or_default())
    };
    let config = NodeConfig {
        title: text(row, "title")?,
        description: text(row, "description")?,
        language: text(row, "language")?,
        kind: text(row, "kind")?,
        deliver_payloads: row.get("deliver_payloads")?,
        deliver_notifications: row.get("deliver_notifications")?,
        persist_items: row.get("persist_items")?,
        max_items: count("max_items")?,
        item_expire: row.get::<_, Option<i64>>("item_expire")?.map(i64::cast_unsigned),
        max_payload_size: count("max_payload_size")?,
        send_last_published_item: value_of(&SEND_LAST, &text(row, "send_last")?)?,
        notification_type: value_of(&NOTIFICATION_TYPES, &text(row, "notification_type")?)?,
        notify_retract: row.get("notify_retract")?,
        notify_delete: row.get("notify_delete")?,
        notify_config: row.get("notify_config")?,
        notify_sub: row.get("notify_sub")?,
        access_model: value_of(&ACCESS_MODELS, &text(row, "access_model")?)?,
        roster_groups_allowed: parse_list(&text(row, "roster_groups")?)?,
        publish_model: value_of(&PUBLISH_MODELS, &text(row, "publish_model")?)?,
    };
    Ok(Change::PubSub(pubsub::Change::NodeSet { node: name(row)?, config }))
}

pub(super) fn made(row: &Row<'_>) -> Result<Change, StoreError> {
    let creator = address(&text(row, "creator")?)?;
    let origin = Origin { creator, at: WallTime(row.get("created")?) };
    Ok(Change::PubSub(pubsub::Change::NodeMade { node: name(row)?, origin }))
}

pub(super) fn retired(row: &Row<'_>) -> Result<Change, StoreError> {
    let through = row.get::<_, i64>("value")?.cast_unsigned();
    Ok(Change::PubSub(pubsub::Change::Retired { through }))
}

pub(super) fn counted(row: &Row<'_>) -> Result<Change, StoreError> {
    let seq = row.get::<_, i64>("seq")?.cast_unsigned();
    Ok(Change::PubSub(pubsub::Change::Counted { node: name(row)?, seq }))
}

pub(super) fn trimmed(row: &Row<'_>) -> Result<Change, StoreError> {
    let through: i64 = row.get("trimmed")?;
    Ok(Change::PubSub(pubsub::Change::Trimmed {
        node: name(row)?,
        through: through.cast_unsigned(),
    }))
}

pub(super) fn subscription(row: &Row<'_>) -> Result<Change, StoreError> {
    let jid = address(&text(row, "jid")?)?;
    let state = value_of(&SUBSCRIPTION_STATES, &text(row, "state")?)?;
    let shows = text(row, "shows")?;
    let shows = Shows::of(shows.split_whitespace());
    let shows = shows.ok_or_else(|| StoreError::Corrupt("a state that there is not".into()))?;
    let time = |column| Ok::<_, StoreError>(row.get::<_, Option<i64>>(column)?.map(WallTime));
    let options = Options { deliver: row.get("deliver")?, shows, lease: time("lease")? };
    let terms = Terms { state, until: time("until")?, options };
    Ok(Change::PubSub(pubsub::Change::Subscribed { node: name(row)?, jid, terms }))
}

pub(super) fn right(row: &Row<'_>) -> Result<Change, StoreError> {
    let jid = address(&text(row, "jid")?)?;
    let affiliation = value_of(&AFFILIATIONS, &text(row, "affiliation")?)?;
    Ok(Change::PubSub(pubsub::Change::Affiliated { node: name(row)?, jid, affiliation }))
}

pub(super) fn item(row: &Row<'_>) -> Result<Change, StoreError> {
    let seq = row.get::<_, i64>("seq")?.cast_unsigned();
    let (node, id) = (name(row)?, text(row, "id")?);
    let payload: Option<Arc<str>> = row.get("payload")?;
    let item = Arc::new(Item { seq, id, payload, at: WallTime(row.get("at")?) });
    Ok(Change::PubSub(pubsub::Change::Published { node, item }))
}

fn name(row: &Row<'_>) -> rusqlite::Result<Arc<str>> {
    row.get("name")
}

/// SQLite's integers are signed; our numbers count from one and never come near the end.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

const AFFILIATIONS: [(Affiliation, &str); 6] = [
    (Affiliation::Owner, "owner"),
    (Affiliation::Publisher, "publisher"),
    (Affiliation::PublishOnly, "publish-only"),
    (Affiliation::Member, "member"),
    (Affiliation::None, "none"),
    (Affiliation::Outcast, "outcast"),
];

const SUBSCRIPTION_STATES: [(SubscriptionState, &str); 2] =
    [(SubscriptionState::Subscribed, "subscribed"), (SubscriptionState::Pending, "pending")];

const ACCESS_MODELS: [(AccessModel, &str); 5] = [
    (AccessModel::Open, "open"),
    (AccessModel::Presence, "presence"),
    (AccessModel::Roster, "roster"),
    (AccessModel::Authorize, "authorize"),
    (AccessModel::Whitelist, "whitelist"),
];

const PUBLISH_MODELS: [(PublishModel, &str); 3] = [
    (PublishModel::Publishers, "publishers"),
    (PublishModel::Subscribers, "subscribers"),
    (PublishModel::Open, "open"),
];

const SEND_LAST: [(SendLast, &str); 3] = [
    (SendLast::Never, "never"),
    (SendLast::OnSubscribe, "on_sub"),
    (SendLast::OnSubscribeAndPresence, "on_sub_and_presence"),
];

const NOTIFICATION_TYPES: [(NotificationType, &str); 2] =
    [(NotificationType::Normal, "normal"), (NotificationType::Headline, "headline")];
