//! Publish-subscribe through the real program: rights, subscriptions, order, presence, items.
//!
//! A script's line is one step. `~` stands for `/finesse/api/`, and `…` in what is expected for
//! anything.
//!
//! - `user/desk binds`, `user/desk is here`, `user/desk is here at -1`: logs in; with presence.
//! - `user/desk subscribes NODE → …`, `… as JID → …`, and `unsubscribes`.
//! - `user/desk publishes NODE ID → …`, `user/desk gives NODE to USER as RIGHT → …`.
//! - `user/desk gets XML → …`, `user/desk sets XML → …`: any pubsub request and its answer; a `:`
//!   at the start of the XML means the namespace of owners.
//! - `user sets state STATE`: over REST, which answers 202.
//! - `user moves to TEAM`: as an administrator does it on the running server.
//! - `user polls NODE → STATUS`: over HTTP, without XMPP.
//! - `user/desk makes NODE with FIELD=VALUE… → …`, `… changes NODE to …`: creates, configures.
//! - `user/desk lets in JID on NODE`, `… turns away JID on NODE`: an owner's answer by form.
//! - `user/desk puts JID on NODE as STATE → …`: an owner sets the subscription of another.
//! - `user/desk sees USER`, `… sees USER no more`: presence subscribed to, and allowed; and ended.
//! - `user/desk files USER under GROUP`: in his roster.
//! - `user/desk asks pending → …`, `… asks pending of NODE → …`: the command.
//! - `user/desk hears …`: the messages that came since, each as `to node: text`, or `nothing`.
//! - `restart`: the server is killed and starts on what it kept; everybody is gone.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod access;
mod desk;
mod options;
mod order;
mod paging;
mod server;

use std::collections::HashMap;
use std::time::Duration;

use desk::Desk;
use server::Server;

const DOMAIN: &str = "cc.test";
const PASSWORD: &str = "of-the-laboratory";
/// Whatever takes longer has failed.
const WAIT: Duration = Duration::from_secs(30);

/// Plays a script against a server of its own.
fn play(script: &str) {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(home.path());
    let mut desks: HashMap<String, Desk> = HashMap::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (asks, expected) = line.split_once(" → ").unwrap_or((line, ""));
        let words: Vec<_> = asks.splitn(3, ' ').collect();
        match words[..] {
            ["restart"] => {
                desks.clear();
                drop(server);
                server = Server::start(home.path());
            }
            [who, "binds"] => {
                desks.insert(who.to_owned(), Desk::open(&server.address, who));
            }
            [user, "moves", team] => server.move_to(user, team.strip_prefix("to ").expect(line)),
            [who, "is", here] => {
                let mut desk = Desk::open(&server.address, who);
                desk.come(here.strip_prefix("here at ").unwrap_or("0"));
                desks.insert(who.to_owned(), desk);
            }
            [user, "sets", state] if state.starts_with("state ") => {
                assert_eq!(server.set_state(user, &state[6..]), 202, "{line}");
            }
            [who, "hears", expected] => {
                let heard = desks.get_mut(who).expect(line).hears(expected);
                assert!(matches(&heard, expected), "{line}\n  came {heard}");
            }
            [user, "polls", node] => {
                assert_eq!(server.poll(user, node).to_string(), expected, "{line}");
            }
            [who, verb, what] => {
                let came = answer(&mut desks, who, verb, what);
                assert!(matches(&came, expected), "{line}\n  came {came}");
            }
            _ => panic!("no such line: {line}"),
        }
    }
}

/// Does what somebody does and gives the answer in words, empty where there is none.
fn answer(desks: &mut HashMap<String, Desk>, who: &str, verb: &str, what: &str) -> String {
    let desk = desks.get_mut(who).expect(who);
    match (verb, &what.split(' ').collect::<Vec<_>>()[..]) {
        ("lets", ["in", jid, "on", node]) => desk.decide(node, jid, "1"),
        ("turns", ["away", jid, "on", node]) => desk.decide(node, jid, "0"),
        ("sees", [whom]) => {
            desk.presence("subscribe", whom);
            let shown = desks.iter_mut().find(|(desk, _)| desk.starts_with(whom)).expect(whom).1;
            shown.presence("subscribed", who.split('/').next().unwrap());
        }
        ("sees", [whom, "no", "more"]) => desk.presence("unsubscribe", whom),
        ("files", [whom, "under", group]) => desk.file(whom, group),
        ("asks", ["pending"]) => return desk.pending(None),
        ("asks", ["pending", "of", node]) => return desk.pending(Some(node)),
        _ => {
            let (kind, xml) = request(who, verb, what);
            return desk.pubsub(kind, &xml);
        }
    }
    String::new()
}

/// The kind and the payload of a request in words.
fn request(who: &str, verb: &str, what: &str) -> (&'static str, String) {
    let what = what.replace('~', "/finesse/api/");
    let words: Vec<_> = what.split(' ').collect();
    let own = format!("{}@{DOMAIN}/{}", who.split('/').next().unwrap(), after_slash(who));
    let xml = match (verb, &words[..]) {
        ("gets", _) => return ("get", what),
        ("sets", _) => what,
        ("subscribes", [node]) => format!("<subscribe node='{node}' jid='{own}'/>"),
        ("subscribes", [node, "as", jid]) => format!("<subscribe node='{node}' jid='{jid}'/>"),
        ("unsubscribes", [node]) => format!("<unsubscribe node='{node}' jid='{own}'/>"),
        ("unsubscribes", [node, "as", jid]) => format!("<unsubscribe node='{node}' jid='{jid}'/>"),
        ("makes", [node, "with", fields @ ..]) => {
            format!("<create node='{node}'/><configure>{}</configure>", form_of(fields))
        }
        ("changes", [node, "to", fields @ ..]) => {
            format!(":<configure node='{node}'>{}</configure>", form_of(fields))
        }
        ("publishes", [node, id, "if", fields @ ..]) => {
            let options = form_of(fields).replace("#node_config", "#publish-options");
            format!(
                "<publish node='{node}'><item id='{id}'><x xmlns='y'/></item></publish>\
                 <publish-options>{options}</publish-options>"
            )
        }
        ("publishes", [node, id]) => {
            format!("<publish node='{node}'><item id='{id}'><x xmlns='y'/></item></publish>")
        }
        ("gives", [node, "to", user, "as", right]) => format!(
            ":<affiliations node='{node}'><affiliation jid='{user}@{DOMAIN}' \
             affiliation='{right}'/></affiliations>"
        ),
        ("puts", [jid, "on", node, "as", state]) => format!(
            ":<subscriptions node='{node}'><subscription jid='{jid}' subscription='{state}'/>\
             </subscriptions>"
        ),
        _ => panic!("no such request: {who} {verb} {what}"),
    };
    ("set", xml)
}

/// A form of `field=value` for each.
fn form_of(fields: &[&str]) -> String {
    let field = |field: &&str| {
        let (name, value) = field.split_once('=').unwrap();
        format!("<field var='pubsub#{name}'><value>{value}</value></field>")
    };
    let fields: String = fields.iter().map(field).collect();
    format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
         <value>http://jabber.org/protocol/pubsub#node_config</value></field>{fields}</x>"
    )
}

fn after_slash(who: &str) -> &str {
    who.split_once('/').expect("a desk has a resource").1
}

/// Whether a text is what was expected, where `…` stands for anything.
fn matches(came: &str, expected: &str) -> bool {
    let pieces: Vec<_> = expected.split('…').collect();
    let [first, rest @ ..] = &pieces[..] else { return false };
    let Some(mut left) = came.strip_prefix(first) else { return false };
    for piece in rest {
        let Some(at) = left.find(piece) else { return false };
        left = &left[at + piece.len()..];
    }
    left.is_empty() || (!rest.is_empty() && pieces.last() == Some(&""))
}

#[test]
fn everybody_reads_what_is_his_and_learns_nothing_of_the_rest() {
    play(
        "
        1001/a is here
        sup1/a is here
        admin/a is here
        1001/a subscribes ~User/1001 → subscribed …
        1001/a subscribes ~User/1001/Dialogs as 1001@cc.test → subscribed …
        1001/a subscribes ~SystemInfo → subscribed …
        1001/a subscribes ~User/1003 → item-not-found
        1001/a subscribes ~User/9999 → item-not-found
        1001/a subscribes ~Team/1/Users → item-not-found
        1001/a subscribes ~User/1001 as 1003@cc.test/a → bad-request invalid-jid
        1001/a gets <items node='~User/1003'/> → item-not-found
        1001/a publishes ~User/1001 x → forbidden
        1001/a publishes ~User/1003 x → item-not-found
        1001/a sets :<delete node='~User/1001'/> → forbidden
        1001/a sets <create node='mine'/> → forbidden
        sup1/a subscribes ~Team/1/Users → subscribed …
        sup1/a subscribes ~User/1003 → subscribed …
        sup1/a subscribes ~Team/2/Users → item-not-found
        sup1/a subscribes ~User/1002 → item-not-found
        admin/a subscribes ~Team/2/Users → subscribed …
        admin/a subscribes ~Team/9/Users → item-not-found
        1002 sets state LOGIN
        1003 sets state LOGIN
        sup1/a hears sup1@cc.test/a ~User/1003: …NOT_READY… ~Team/1/Users: …NOT_READY…
        admin/a hears admin@cc.test/a ~Team/2/Users: …NOT_READY…
        1001/a hears nothing
        ",
    );
}

#[test]
fn a_publisher_makes_a_node_and_gives_it_to_whom_he_likes() {
    play(
        "
        publisher/cti is here
        1001/a is here
        publisher/cti sets <create node='news'/> → create news
        publisher/cti sets <create node='news'/> → conflict
        publisher/cti sets <create node='~User/1001'/> → conflict
        1001/a subscribes news → item-not-found
        publisher/cti gives news to 1001 as member → done
        1001/a hears 1001@cc.test news: member
        1001/a subscribes news → subscribed news 1001@cc.test/a
        publisher/cti publishes news 1 → publish news
        1001/a hears 1001@cc.test/a news: item 1
        publisher/cti publishes ~User/1001 2 → publish …
        1001/a hears 1001@cc.test ~User/1001: item 2
        publisher/cti sets <retract node='news'><item id='1'/></retract> → done
        publisher/cti sets :<purge node='news'/> → done
        1001/a hears 1001@cc.test/a news: retract 1 1001@cc.test/a news: purge
        publisher/cti gives news to 1001 as none → done
        1001/a hears 1001@cc.test news: none
        publisher/cti publishes news 3 → publish news
        1001/a hears nothing
        1001/a gets <subscriptions/> → …news 1001@cc.test/a…
        1001/a unsubscribes news → done
        1001/a unsubscribes news → item-not-found
        publisher/cti sets :<delete node='~User/1001'/> → not-allowed
        publisher/cti subscribes news → subscribed …
        publisher/cti sets :<delete node='news'/> → done
        publisher/cti hears publisher@cc.test/cti news: delete
        ",
    );
}

#[test]
fn subscriptions_and_items_survive_a_restart() {
    play(
        "
        sup1/a is here
        sup1/a subscribes ~Team/1/Users → subscribed …
        1001 sets state LOGIN
        sup1/a hears sup1@cc.test/a ~Team/1/Users: …NOT_READY…
        restart
        sup1/a is here
        sup1/a gets <subscriptions node='~Team/1/Users'/> → …~Team/1/Users sup1@cc.test/a
        sup1/a gets <items node='~Team/1/Users'/> → …NOT_READY…
        1001 sets state READY
        sup1/a hears sup1@cc.test/a ~Team/1/Users: …READY…
        sup1/a unsubscribes ~Team/1/Users → done
        restart
        sup1/a is here
        1001 sets state NOT_READY
        sup1/a hears nothing
        ",
    );
}

#[test]
fn a_supervisor_hears_of_an_agent_only_while_he_is_in_the_team() {
    play(
        "
        sup1/a is here
        sup2/a is here
        sup1/a subscribes ~User/1001 → subscribed …
        sup2/a subscribes ~User/1001 → item-not-found
        1001 sets state LOGIN
        sup1/a hears sup1@cc.test/a ~User/1001: …NOT_READY…
        1001 moves to 2
        1001 sets state READY
        sup1/a hears nothing
        sup1/a gets <items node='~User/1001'/> → item-not-found
        sup2/a subscribes ~User/1001 → subscribed …
        1001 sets state NOT_READY
        sup2/a hears sup2@cc.test/a ~User/1001: …NOT_READY…
        sup1/a hears nothing
        1001 moves to 1
        1001 sets state READY
        sup1/a hears sup1@cc.test/a ~User/1001: …READY…
        sup2/a hears nothing
        ",
    );
}

#[test]
fn nothing_comes_before_presence_and_nothing_bare_to_who_would_rather_not() {
    play(
        "
        1001/early binds
        1001/shy is here at -1
        1001/desk is here
        1001/early subscribes ~User/1001 → subscribed …
        1001 sets state LOGIN
        1001/early hears nothing
        1001/shy hears nothing
        1001/desk hears 1001@cc.test ~User/1001: …NOT_READY…
        1001/shy subscribes ~User/1001 → subscribed …
        1001/desk subscribes ~User/1001 → subscribed …
        1001 sets state READY
        1001/early hears nothing
        1001/shy hears 1001@cc.test/shy ~User/1001: …READY…
        1001/desk hears 1001@cc.test/desk ~User/1001: …READY…
        1001/desk unsubscribes ~User/1001 → done
        1001/desk unsubscribes ~User/1001 as 1001@cc.test → not-allowed
        1001 sets state NOT_READY
        1001/desk hears 1001@cc.test ~User/1001: …NOT_READY…
        ",
    );
}

#[test]
fn the_second_at_one_desk_ends_the_first() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let mut first = Desk::open(&server.address, "1001/desktop");
    first.come("0");
    let mut second = Desk::open(&server.address, "1001/desktop");
    second.come("0");
    let end = first.until_the_end();
    assert!(end.contains("<conflict ") && end.contains("<close "), "{end}");
    assert_eq!(server.set_state("1001", "LOGIN"), 202);
    let heard = second.hears("…NOT_READY…");
    assert!(heard.contains("NOT_READY"), "{heard}");
}

#[test]
fn items_come_by_number_and_by_id() {
    play(
        "
        publisher/cti is here
        publisher/cti sets <create node='n'/> → create n
        publisher/cti publishes n a → publish n
        publisher/cti publishes n b → publish n
        publisher/cti publishes n c → publish n
        publisher/cti publishes n a → publish n
        publisher/cti gets <items node='n'/> → items n: b c a
        publisher/cti gets <items node='n' max_items='2'/> → items n: c a
        publisher/cti gets <items node='n' max_items='0'/> → items n:
        publisher/cti gets <items node='n'><item id='z'/><item id='a'/><item id='b'/></items> → …b a
        publisher/cti gets <items node='n' max_items='x'/> → bad-request
        publisher/cti gets <items node='m'/> → item-not-found
        ",
    );
}
