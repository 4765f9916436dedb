//! Events: the `<Update>` that each touched node gets.
//!
//! COMPAT: Cisco's JavaScript library compares `event` with upper-case `POST`, `PUT` and `DELETE`;
//! errors carry a lower-case `put`, and their children stand in another order (captured, 12.5).
//! It takes a `source` equal to the collection's path for members that come and go, and any other
//! for a member that changed.

use std::sync::Arc;

use super::errors;
use super::nodes::Node;
use super::pretty::Pretty;
use super::resources::{user_uri, write_summary, write_user};
use crate::domain::{Change, Domain, Fault, Profile, TeamId, User, UserId};
use crate::ns;
use crate::xml::escape_text;

/// One event, rendered once for all its readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The node it goes to.
    pub node: String,
    /// The item's payload, as it goes on the wire: `<notification xmlns="…pubsub">&lt;Update…`.
    pub payload: Arc<str>,
}

/// The events of a change. `before` is the domain as it was, `request_id` the caller's or empty.
///
/// A user's own node gets the whole user, the node of his team a summary. Who changes team leaves
/// the one and joins the other. Teams and reasons have no node of their own, so their changes are
/// seen with the next event of a user.
pub fn of_change(before: &Domain, change: &Change, request_id: &str) -> Vec<Event> {
    match change {
        Change::UserSet(user) => of_user(before, user, request_id),
        Change::UserRemoved(id) => {
            let Some(old) = before.user(id.as_str()) else { return Vec::new() };
            let source = user_uri(old);
            let own = update(Node::User(id.clone()), "DELETE", request_id, &source, |_| {});
            let left = team_of(old)
                .map(|team| membership(team, "DELETE", request_id, &before.profile(old)));
            std::iter::once(own).chain(left).collect()
        }
        Change::TeamSet(_)
        | Change::TeamRemoved(_)
        | Change::ReasonSet(_)
        | Change::ReasonRemoved(_) => Vec::new(),
    }
}

/// The event of a failure after 202, on the user's node.
pub fn of_fault(user: &UserId, fault: &Fault, request_id: &str) -> Event {
    let node = Node::User(user.clone());
    let source = node.name();
    let text = Pretty::document("Update", |out| {
        out.element("data", |out| errors::write_fault(out, fault));
        out.leaf("requestId", request_id);
        out.leaf("source", &source);
        out.leaf("event", "put");
    });
    Event { payload: notification(&text), node: source }
}

fn of_user(before: &Domain, user: &Arc<User>, request_id: &str) -> Vec<Event> {
    let old = before.user(user.id.as_str());
    let profile = before.profile(user);
    let source = user_uri(user);
    let event = if old.is_some() { "PUT" } else { "POST" };
    let own = update(Node::User(user.id.clone()), event, request_id, &source, |out| {
        out.element("data", |out| out.element("user", |out| write_user(out, &profile)));
    });
    let mut events = vec![own];
    match (old.and_then(|old| team_of(old)), team_of(user)) {
        (Some(left), Some(joined)) if left == joined => {
            let node = Node::TeamUsers(joined.clone());
            events.push(update(node, "PUT", request_id, &source, |out| {
                out.element("data", |out| out.element("user", |out| write_summary(out, &profile)));
            }));
        }
        (left, joined) => {
            events.extend(left.map(|team| membership(team, "DELETE", request_id, &profile)));
            events.extend(joined.map(|team| membership(team, "POST", request_id, &profile)));
        }
    }
    events
}

/// The team that sees the user: services and administrators are nobody's colleagues.
fn team_of(user: &User) -> Option<&TeamId> {
    user.team.as_ref().filter(|_| user.has_desk())
}

/// Somebody joined or left a team.
fn membership(team: &TeamId, event: &str, request_id: &str, profile: &Profile) -> Event {
    let node = Node::TeamUsers(team.clone());
    let source = node.name();
    update(node, event, request_id, &source, |out| {
        out.element("data", |out| {
            out.element("users", |out| out.element("User", |out| write_summary(out, profile)));
        });
    })
}

fn update(
    node: Node,
    event: &str,
    request_id: &str,
    source: &str,
    data: impl FnOnce(&mut Pretty),
) -> Event {
    let text = Pretty::document("Update", |out| {
        data(out);
        out.leaf("event", event);
        out.leaf("requestId", request_id);
        out.leaf("source", source);
    });
    Event { node: node.name(), payload: notification(&text) }
}

/// The update as text: its own markup is escaped once more.
fn notification(update: &str) -> Arc<str> {
    let text = escape_text(update);
    format!("<notification xmlns=\"{}\">{text}</notification>", ns::PUBSUB).into()
}
