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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{NOW, act, centre, command, user};
    use crate::domain::{Command, Flavour, Role};
    use crate::finesse::nodes::ROOT;
    use crate::xml::{Prologue, read_element};

    /// The events of the last command of a script.
    fn events(script: &[Command]) -> Vec<Event> {
        let mut domain = centre(Flavour::Ucce);
        let (last, before) = script.split_last().unwrap();
        for command in before {
            act(&mut domain, command).unwrap();
        }
        let decision = domain.plan(last, NOW).unwrap();
        let Command::SetState { user, .. } = last else {
            return decision.changes.iter().flat_map(|c| of_change(&domain, c, "")).collect();
        };
        let faults = decision.fault.iter().map(|fault| of_fault(user, fault, "r1"));
        let changes = decision.changes.iter().flat_map(|c| of_change(&domain, c, "r1"));
        changes.chain(faults).collect()
    }

    /// Unwraps a payload as a client does: the notification's text is XML once more.
    fn text(event: &Event) -> String {
        let notification = read_element(&event.payload, Prologue::Forbidden).unwrap();
        assert!(notification.is(ns::PUBSUB, "notification"));
        read_element(&notification.text(), Prologue::Forbidden).unwrap();
        notification.text()
    }

    fn put(id: &str, roles: &[Role], team: &str) -> Command {
        Command::PutUser(Box::new(user(id, roles, team, "")))
    }

    #[test]
    fn a_sign_in_is_told_as_captured() {
        let events = events(&[command("1001 LOGIN ext=1002")]);
        assert_eq!(events[0].node, "/finesse/api/User/1001");
        assert_eq!(
            text(&events[0]),
            "\
<Update>
  <data>
    <user>
      <dialogs>/finesse/api/User/1001/Dialogs</dialogs>
      <extension>1002</extension>
      <firstName>Ada</firstName>
      <lastName>Test 1001</lastName>
      <loginId>1001</loginId>
      <loginName>1001.login</loginName>
      <mediaType>1</mediaType>
      <pendingState></pendingState>
      <reasonCodeId>-1</reasonCodeId>
      <roles>
        <role>Agent</role>
      </roles>
      <settings>
        <wrapUpOnIncoming>OPTIONAL</wrapUpOnIncoming>
        <wrapUpOnOutgoing>OPTIONAL</wrapUpOnOutgoing>
      </settings>
      <state>NOT_READY</state>
      <stateChangeTime>2026-11-20T08:00:00.000Z</stateChangeTime>
      <teamId>1</teamId>
      <teamName>Sales &amp; Service</teamName>
      <uri>/finesse/api/User/1001</uri>
      <wrapUpTimer>7200</wrapUpTimer>
    </user>
  </data>
  <event>PUT</event>
  <requestId>r1</requestId>
  <source>/finesse/api/User/1001</source>
</Update>"
        );
    }

    #[test]
    fn what_people_wrote_is_escaped_twice_and_markup_once() {
        let payload = &events(&[command("1001 LOGIN ext=1001")])[0].payload;
        assert!(payload.starts_with(
            "<notification xmlns=\"http://jabber.org/protocol/pubsub\">&lt;Update&gt;\n  &lt;data"
        ));
        assert!(payload.contains("&lt;teamName&gt;Sales &amp;amp; Service&lt;/teamName&gt;"));
    }

    #[test]
    fn the_team_gets_a_summary_from_the_same_source() {
        let events = events(&[command("1001 LOGIN ext=1001"), command("1001 NOT_READY reason=2")]);
        assert_eq!(events[1].node, "/finesse/api/Team/1/Users");
        assert_eq!(
            text(&events[1]),
            "\
<Update>
  <data>
    <user>
      <dialogs>/finesse/api/User/1001/Dialogs</dialogs>
      <extension>1001</extension>
      <firstName>Ada</firstName>
      <lastName>Test 1001</lastName>
      <loginId>1001</loginId>
      <mediaType>1</mediaType>
      <pendingState></pendingState>
      <reasonCode>
        <category>NOT_READY</category>
        <code>2</code>
        <forAll>true</forAll>
        <id>2</id>
        <label>Lunch</label>
        <systemCode>false</systemCode>
        <uri>/finesse/api/ReasonCode/2</uri>
      </reasonCode>
      <state>NOT_READY</state>
      <stateChangeTime>2026-11-20T08:00:00.000Z</stateChangeTime>
      <uri>/finesse/api/User/1001</uri>
    </user>
  </data>
  <event>PUT</event>
  <requestId>r1</requestId>
  <source>/finesse/api/User/1001</source>
</Update>"
        );
    }

    #[test]
    fn ready_shows_no_reason_and_logout_no_extension() {
        let ready = events(&[command("1001 LOGIN ext=1001"), command("1001 READY")]);
        assert!(!text(&ready[0]).contains("reasonCode"));
        let out = events(&[command("1001 LOGIN ext=1001"), command("1001 LOGOUT")]);
        assert!(text(&out[0]).contains("<extension></extension>"));
        assert!(text(&out[0]).contains("<reasonCodeId>-1</reasonCodeId>"));
    }

    #[test]
    fn a_supervisor_shows_his_teams() {
        let text = text(&events(&[command("sup1 LOGIN ext=sup1")])[0]);
        let teams = "<teams>\n        <Team>\n          <id>1</id>\n";
        assert!(text.contains(teams), "{text}");
    }

    #[test]
    fn a_failure_after_202_is_told_in_lower_case_on_the_users_node_alone() {
        for (asked, kind, constant, code) in [
            ("1001 READY", "Invalid State", "CF_INVALID_OBJECT_STATE", 22),
            ("1001 LOGIN ext=9", "Invalid Device", "CF_INVALID_LOGON_DEVICE_SPECIFIED", 260),
            ("1001 LOGIN ext=1002", "Device Busy", "CF_RESOURCE_BUSY", 33),
        ] {
            let events = events(&[command("1002 LOGIN ext=1002"), command(asked)]);
            assert_eq!((events.len(), &*events[0].node), (1, "/finesse/api/User/1001"));
            let expected = format!(
                "\
<Update>
  <data>
    <apiErrors>
      <apiError>
        <errorType>{kind}</errorType>
        <errorMessage>{constant}</errorMessage>
        <errorData>{code}</errorData>
      </apiError>
    </apiErrors>
  </data>
  <requestId>r1</requestId>
  <source>/finesse/api/User/1001</source>
  <event>put</event>
</Update>"
            );
            assert_eq!(text(&events[0]), expected);
        }
    }

    #[test]
    fn who_comes_goes_or_moves_is_told_to_each_team() {
        let told = |command: Command| {
            let each = |event: &Event| {
                let text = text(event);
                let update = read_element(&text, Prologue::Forbidden).unwrap();
                let value = |name| update.child("", name).map(|child| child.text());
                let is_own = value("source") == Some(event.node.clone());
                (event.node.clone(), value("event").unwrap(), is_own)
            };
            events(&[command]).iter().map(each).collect::<Vec<_>>()
        };
        let row = |node: &str, event: &str| (format!("{ROOT}{node}"), event.to_owned(), true);
        assert_eq!(
            told(put("2001", &[Role::Agent], "1")),
            [row("User/2001", "POST"), row("Team/1/Users", "POST")]
        );
        assert_eq!(
            told(put("1001", &[Role::Agent], "2")),
            [row("User/1001", "PUT"), row("Team/1/Users", "DELETE"), row("Team/2/Users", "POST")]
        );
        assert_eq!(
            told(Command::RemoveUser("1001".into())),
            [row("User/1001", "DELETE"), row("Team/1/Users", "DELETE")]
        );
        assert_eq!(told(put("admin", &[Role::Administrator], "1")), [row("User/admin", "PUT")]);
    }

    proptest::proptest! {
        #[test]
        fn any_name_comes_back_from_both_levels_of_escaping(name in "(?s).{0,40}") {
            let mut domain = centre(Flavour::Uccx);
            let ada = User { first_name: name.clone(), ..user("1001", &[Role::Agent], "1", "") };
            let change = Change::UserSet(ada.into());
            let events = of_change(&domain, &change, &name);
            domain.adopt(&change);
            for event in events {
                let update = read_element(&text(&event), Prologue::Forbidden).unwrap();
                let at = |path: &[&str]| {
                    let found = path.iter().try_fold(&update, |at, name| at.child("", name));
                    found.map(|child| child.text())
                };
                let is_outside = |c: char| {
                    matches!(c, '\u{fffe}' | '\u{ffff}') || (c < ' ' && !"\t\n\r".contains(c))
                };
                let shown = name.replace(is_outside, "\u{fffd}");
                proptest::prop_assert_eq!(at(&["data", "user", "firstName"]), Some(shown.clone()));
                proptest::prop_assert_eq!(at(&["requestId"]), Some(shown));
            }
        }
    }
}
