mod access;
mod options;
mod paging;
mod people;
mod publishing;

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::limits::RECALL_ITEMS_MAX;
use crate::time::WallTime;

const BOUNDS: Bounds = Bounds {
    items_max: 3,
    age_max: Duration::from_secs(60),
    bytes_max: 400,
    payload_bytes_max: 100,
    nodes_max: 3,
    subscriptions_max: 4,
};

/// A service, its people and what they were told.
struct Stage {
    service: PubSub,
    served: Vec<String>,
    standings: HashMap<String, Standing>,
    automatic: Vec<String>,
    now: WallTime,
}

impl Stage {
    fn new() -> Self {
        let service = PubSub::new("epoch-", BOUNDS);
        let (served, standings, automatic) = Default::default();
        Self { service, served, standings, automatic, now: WallTime(0) }
    }

    fn asker(&self, who: &str, node: Option<&str>) -> Asker {
        let standing = self.standings.get(who).copied().unwrap_or(Standing::UNKNOWN);
        Asker {
            jid: format!("{who}@cc.test/desk").parse().unwrap(),
            standing,
            is_served: node.is_some_and(|node| self.served.iter().any(|s| s == node)),
            automatic: self.automatic.clone(),
        }
    }

    fn ask(&mut self, who: &str, request: &Request) -> Result<Outcome, Refusal> {
        let asker = self.asker(who, request.node());
        let outcome = self.service.plan(&asker, request, self.now)?;
        outcome.changes.iter().for_each(|change| self.service.adopt(change));
        Ok(outcome)
    }
}

/// Plays a script: `given …` sets the stage, every other line is `who asks … = what comes`; one
/// that begins with `|` goes on with the one before.
fn check(script: &str) {
    let mut stage = Stage::new();
    let script = script.lines().map(str::trim).fold(String::new(), |script, line| {
        match line.strip_prefix("| ") {
            Some(rest) => script + " " + rest,
            None => script + "\n" + line,
        }
    });
    for line in script.lines().filter(|line| !line.is_empty()) {
        let (asks, expected) = line.split_once(" = ").unwrap_or((line, "anything"));
        let words: Vec<_> = asks.split_whitespace().collect();
        match words[..] {
            ["given", who, "is", standing] => {
                stage.standings.insert(who.into(), standing_of(standing));
            }
            ["given", "node", node, "is", "served"] => stage.served.push(node.into()),
            ["given", "node", node, "is", "automatic"] => stage.automatic.push(node.into()),
            ["given", secs, "seconds", "pass"] => {
                stage.now.0 += 1000 * secs.parse::<i64>().unwrap();
            }
            ["audience", node] => {
                let standings = stage.standings.clone();
                let of = |who: &BareJid| {
                    let known = standings.get(who.node().unwrap().as_str());
                    known.copied().unwrap_or(Standing::UNKNOWN)
                };
                let audience = stage.service.audience(node, of);
                let audience: Vec<_> = audience.iter().map(|reader| reader.jid.as_str()).collect();
                assert_eq!(or_nothing(audience.join(" ")), expected, "{line}");
            }
            [who, "may", "read", node] => {
                let standing = stage.standings.get(who).copied().unwrap_or(Standing::UNKNOWN);
                let person = format!("{who}@cc.test").parse().unwrap();
                let may = stage.service.may_read(node, &person, standing);
                assert_eq!(if may { "yes" } else { "no" }, expected, "{line}");
            }
            ["restart"] => restart(&mut stage),
            ["next", "lapse"] => {
                let next = stage.service.next_lapse();
                let next = next.map_or("never".to_owned(), |at| (at.0 / 1000).to_string());
                assert_eq!(next, expected, "{line}");
            }
            ["lapse"] => assert_eq!(lapse(&mut stage), expected, "{line}"),
            [who, "comes"] => {
                let asker = stage.asker(who, None);
                let standing = |_: &str| asker.standing;
                let outcome = stage.service.greet(&asker, stage.now, standing);
                let came: Vec<_> = outcome.late.iter().map(late_in_words).collect();
                assert_eq!(or_nothing(came.join(" ")), expected, "{line}");
            }
            [who, ref asked @ ..] => {
                let answer = stage.ask(who, &request(asked));
                let came = written(&answer);
                let is_good = expected == "anything" && answer.is_ok();
                assert!(is_good || came == expected, "{line}\n  came {came}");
            }
            [] => unreachable!("blank lines are left out"),
        }
    }
}

/// Ends what is over, in words.
fn lapse(stage: &mut Stage) -> String {
    let outcome = stage.service.lapse(stage.now);
    outcome.changes.iter().for_each(|change| stage.service.adopt(change));
    let word = |change: &Change| match change {
        Change::Unsubscribed { node, jid } => format!("{node}-{jid}"),
        Change::Trimmed { node, through } => format!("{node}<={through}"),
        other => panic!("{other:?}"),
    };
    let words =
        outcome.changes.iter().map(word).chain(outcome.tidings.iter().map(tidings_in_words));
    or_nothing(words.collect::<Vec<_>>().join(" "))
}

/// Builds the service anew from what a store would have kept of it.
fn restart(stage: &mut Stage) {
    let mut again = PubSub::new("epoch-", BOUNDS);
    again.adopt(&Change::Retired { through: stage.service.graves.through() });
    for (name, row) in &stage.service.nodes {
        let node = || Arc::clone(name);
        let config = row.config.iter().cloned();
        let mut kept: Vec<Change> =
            config.map(|config| Change::NodeSet { node: node(), config }).collect();
        let origin = row.origin.iter().cloned();
        kept.extend(origin.map(|origin| Change::NodeMade { node: node(), origin }));
        kept.push(Change::Counted { node: node(), seq: row.seq });
        kept.push(Change::Trimmed { node: node(), through: row.trimmed });
        kept.extend(row.subscribers.iter().map(|(jid, terms)| Change::Subscribed {
            node: node(),
            jid: jid.clone(),
            terms: terms.clone(),
        }));
        kept.extend(row.affiliations.iter().map(|(jid, affiliation)| Change::Affiliated {
            node: node(),
            jid: jid.clone(),
            affiliation: *affiliation,
        }));
        // In any order: a store may have its own.
        kept.extend(
            row.items.iter().rev().map(|i| Change::Published { node: node(), item: i.clone() }),
        );
        kept.iter().for_each(|change| again.adopt(change));
    }
    stage.service = again;
}

fn standing_of(word: &str) -> Standing {
    match word {
        "owner" => Standing::Owner,
        "reader" => Standing::Reader,
        "stranger" => Standing::Stranger,
        "friend" => {
            Standing::ByNode(Acquaintance { sees_presence: true, ..Acquaintance::default() })
        }
        "grouped" => {
            Standing::ByNode(Acquaintance { is_in_group: true, ..Acquaintance::default() })
        }
        _ => Standing::UNKNOWN,
    }
}

fn request(words: &[&str]) -> Request {
    let jid = |text: &str| text.parse().unwrap();
    let node = words.get(1).map_or_else(String::new, |node| (*node).to_owned());
    match words {
        ["subscribe", _, who] => Request::Subscribe { node, jid: jid(who), options: None },
        ["subscribe", _, who, wish @ ..] => {
            Request::Subscribe { node, jid: jid(who), options: Some(options_of(wish)) }
        }
        ["options", _, who] => Request::Options { node, jid: jid(who), wish: None },
        ["options", _, who, wish @ ..] => {
            Request::Options { node, jid: jid(who), wish: Some(options_of(wish)) }
        }
        ["defaults", _] => Request::DefaultOptions { node: Some(node) },
        ["unsubscribe", _, who] => Request::Unsubscribe { node, jid: jid(who) },
        ["subscriptions"] => Request::Subscriptions { node: None },
        ["subscriptions", _] => Request::Subscriptions { node: Some(node) },
        ["affiliations"] => Request::Affiliations { node: None },
        ["items", _, which @ ..] => Request::Items { node, wish: wish_of(which) },
        ["since", _, point @ ..] => Request::Since { node, point: point_of(point) },
        ["publish", _] => published(node, None, None),
        ["publish", _, payload] => published(node, None, Some(payload)),
        ["publish", _, payload, "as", id] => published(node, Some(id), Some(payload)),
        ["retract", _, id] => Request::Retract { node, id: (*id).into(), notify: false },
        ["info", _] => Request::NodeInfo { node },
        ["nodes"] => Request::Nodes,
        _ => owner_request(words),
    }
}

/// What owners ask.
fn owner_request(words: &[&str]) -> Request {
    let jid = |text: &str| text.parse().unwrap();
    let node = words.get(1).map_or_else(String::new, |node| (*node).to_owned());
    match words {
        ["create"] => Request::Create { node: None, config: ConfigWish::default() },
        ["create", _] => Request::Create { node: Some(node), config: ConfigWish::default() },
        ["create", _, "keeping", n] => Request::Create { node: Some(node), config: keeping(n) },
        ["configure", _] => Request::Configure { node, config: None },
        ["configure", _, "keeping", n] => Request::Configure { node, config: Some(keeping(n)) },
        ["configure", _, "silent"] => {
            let (notify_retract, notify_delete) = (Some(false), Some(false));
            let notify_config = Some(false);
            let config = ConfigWish {
                notify_retract,
                notify_delete,
                notify_config,
                ..ConfigWish::default()
            };
            Request::Configure { node, config: Some(config) }
        }
        ["configure", _, "transient"] => Request::Configure { node, config: Some(keeps(false)) },
        ["configure", _, "lasting"] => Request::Configure { node, config: Some(keeps(true)) },
        ["create", _, "with", fields @ ..] => {
            Request::Create { node: Some(node), config: fields_of(fields) }
        }
        ["configure", _, what @ ("expiring" | "greeting"), how] => {
            Request::Configure { node, config: Some(configured(what, how)) }
        }
        ["configure", _, "with", fields @ ..] => {
            Request::Configure { node, config: Some(fields_of(fields)) }
        }
        ["signal", _] => Request::Publish { node, item: None, preconditions: None },
        ["publish", _, payload, "if", fields @ ..] => {
            let Request::Publish { node, item, .. } = published(node, None, Some(payload)) else {
                unreachable!("it makes nothing else");
            };
            Request::Publish { node, item, preconditions: Some(fields_of(fields)) }
        }
        ["set", _, who, state] => {
            Request::NodeSubscriptions { node, set: vec![(jid(who), state_of(state))] }
        }
        ["set", _, who, state, other, its] => {
            let set = vec![(jid(who), state_of(state)), (jid(other), state_of(its))];
            Request::NodeSubscriptions { node, set }
        }
        ["let", "in", node, who] => {
            Request::Decide { node: (*node).to_owned(), jid: jid(who), is_let_in: true }
        }
        ["turn", "away", node, who] => {
            Request::Decide { node: (*node).to_owned(), jid: jid(who), is_let_in: false }
        }
        ["pending"] => Request::Pending { node: None },
        ["pending", _] => Request::Pending { node: Some(node) },
        ["delete", _, "for", uri] => Request::Delete { node, redirect: Some((*uri).to_owned()) },
        ["delete", _] => Request::Delete { node, redirect: None },
        ["purge", _] => Request::Purge { node },
        _ => request_about_people(words),
    }
}

/// What owners ask about rights and subscriptions.
fn request_about_people(words: &[&str]) -> Request {
    let jid = |text: &str| -> Jid { text.parse().unwrap() };
    let node = words.get(1).map_or_else(String::new, |node| (*node).to_owned());
    match words {
        ["readers", _] => Request::NodeSubscriptions { node, set: vec![] },
        ["rights", _] => Request::NodeAffiliations { node, set: vec![] },
        ["give", _, who, right] => {
            let set = vec![(jid(who).to_bare(), affiliation_of(right))];
            Request::NodeAffiliations { node, set }
        }
        ["give", _, who, right, other, its] => {
            let set = [(who, right), (other, its)]
                .map(|(who, right)| (jid(who).to_bare(), affiliation_of(right)));
            Request::NodeAffiliations { node, set: set.to_vec() }
        }
        other => panic!("no request: {other:?}"),
    }
}

fn published(node: String, id: Option<&str>, payload: Option<&str>) -> Request {
    let namespace = String::new();
    let (id, payload) = (id.map(str::to_owned), payload.map(Into::into));
    let item = Some(Publication { id, payload, namespace });
    Request::Publish { node, item, preconditions: None }
}

fn state_of(word: &str) -> Option<SubscriptionState> {
    match word {
        "subscribed" => Some(SubscriptionState::Subscribed),
        "pending" => Some(SubscriptionState::Pending),
        _ => None,
    }
}

/// `field=value` for each.
fn fields_of(fields: &[&str]) -> ConfigWish {
    let mut wish = ConfigWish::default();
    for field in fields {
        let (name, value) = field.split_once('=').unwrap();
        let is_set = Some(value == "1");
        match name {
            "access" => {
                wish.access_model = Some(match value {
                    "open" => AccessModel::Open,
                    "presence" => AccessModel::Presence,
                    "roster" => AccessModel::Roster,
                    "authorize" => AccessModel::Authorize,
                    _ => AccessModel::Whitelist,
                });
            }
            "publish" => {
                wish.publish_model = Some(match value {
                    "open" => PublishModel::Open,
                    "subscribers" => PublishModel::Subscribers,
                    _ => PublishModel::Publishers,
                });
            }
            "notify_sub" => wish.notify_sub = is_set,
            "deliver_payloads" => wish.deliver_payloads = is_set,
            "deliver_notifications" => wish.deliver_notifications = is_set,
            "persist_items" => wish.persist_items = is_set,
            "max_items" => wish.max_items = Some(value.parse().unwrap()),
            "max_payload_size" => wish.max_payload_size = Some(value.parse().unwrap()),
            "type" => wish.kind = Some(value.to_owned()),
            "groups" => {
                wish.roster_groups_allowed = Some(value.split(',').map(str::to_owned).collect());
            }
            "title" => wish.title = Some(value.to_owned()),
            other => panic!("no field: {other}"),
        }
    }
    wish
}

/// `epoch seq`, or any one word for none.
fn point_of(words: &[&str]) -> Option<Point> {
    let [epoch, seq] = words else { return None };
    Some(Point { epoch: (*epoch).into(), seq: seq.parse().unwrap() })
}

fn wish_of(words: &[&str]) -> ItemsWish {
    let mut wish = ItemsWish::default();
    match words {
        ["newest", max] => wish.max_items = max.parse().ok(),
        ["page", max, start @ ..] => {
            wish.page = Some(Page { start: start_of(start), max: max.parse().ok() });
        }
        ids => wish.ids = ids.iter().map(|id| (*id).to_owned()).collect(),
    }
    wish
}

fn start_of(words: &[&str]) -> Start {
    match words {
        [] => Start::First,
        ["last"] => Start::Last,
        ["after", key] => Start::After((*key).into()),
        ["before", key] => Start::Before((*key).into()),
        ["at", index] => Start::Index(index.parse().unwrap()),
        other => panic!("no start: {other:?}"),
    }
}

fn configured(what: &str, how: &str) -> ConfigWish {
    let send_last = match how {
        "subscribers" => SendLast::OnSubscribe,
        "all" => SendLast::OnSubscribeAndPresence,
        _ => SendLast::Never,
    };
    match what {
        "expiring" => ConfigWish { item_expire: Some(how.parse().ok()), ..ConfigWish::default() },
        _ => ConfigWish { send_last_published_item: Some(send_last), ..ConfigWish::default() },
    }
}

/// `silent`, `loud`, `in STATE…`, `until SECONDS`, `for-ever`.
fn options_of(words: &[&str]) -> OptionsWish {
    let mut wish = OptionsWish::default();
    match words {
        ["silent"] => wish.deliver = Some(false),
        ["loud"] => wish.deliver = Some(true),
        ["in", shows @ ..] => wish.shows = Shows::of(shows.iter().copied()),
        ["until", secs] => wish.lease = Some(Some(WallTime(secs.parse::<i64>().unwrap() * 1000))),
        ["for-ever"] => wish.lease = Some(None),
        other => panic!("no options: {other:?}"),
    }
    wish
}

fn options_in_words(options: &Options) -> String {
    let shows: Vec<_> = options.shows.words().collect();
    let lease = options.lease.map_or("for-ever".to_owned(), |at| format!("until {}", at.0 / 1000));
    format!("{} {} {lease}", if options.deliver { "loud" } else { "silent" }, shows.join(","))
}

fn keeps(is_set: bool) -> ConfigWish {
    ConfigWish { persist_items: Some(is_set), ..ConfigWish::default() }
}

fn keeping(items: &str) -> ConfigWish {
    let max_items = if items == "max" { usize::MAX } else { items.parse().unwrap() };
    ConfigWish { max_items: Some(max_items), ..ConfigWish::default() }
}

fn affiliation_of(word: &str) -> Affiliation {
    match word {
        "owner" => Affiliation::Owner,
        "publisher" => Affiliation::Publisher,
        "publish-only" => Affiliation::PublishOnly,
        "member" => Affiliation::Member,
        "outcast" => Affiliation::Outcast,
        _ => Affiliation::None,
    }
}

/// An answer in a few words, with the notices in their wire form.
fn written(answer: &Result<Outcome, Refusal>) -> String {
    let outcome = match answer {
        Err(refusal) => return format!("{refusal:?}"),
        Ok(outcome) => outcome,
    };
    let subscription = |s: &Subscription| match s.terms.state {
        SubscriptionState::Subscribed => format!("{}:{}", s.node, s.jid),
        SubscriptionState::Pending => format!("pending {}:{}", s.node, s.jid),
    };
    let mut words = match &outcome.reply {
        Reply::Done => vec!["done".to_owned()],
        Reply::Subscribed(s) if s.terms.is_subscribed() => {
            vec![format!("subscribed {}", subscription(s))]
        }
        Reply::Subscribed(s) => vec![subscription(s)],
        Reply::Options(s) => vec![options_in_words(&s.terms.options)],
        Reply::DefaultOptions(_, usual) => vec![options_in_words(usual)],
        Reply::Subscriptions(all) => all.iter().map(subscription).collect(),
        Reply::Affiliations(all) => all.iter().map(|(n, a)| format!("{n}:{a:?}")).collect(),
        Reply::NodeAffiliations(_, all) => all.iter().map(|(j, a)| format!("{j}:{a:?}")).collect(),
        Reply::Items { items, section, .. } => {
            let part = section.as_ref().map(|section| match &section.ends {
                None => format!("none of {}", section.count),
                Some(ends) => {
                    format!("at {} of {}: {} {}", ends.index, section.count, ends.first, ends.last)
                }
            });
            items.iter().map(|item| item.id.clone()).chain(part).collect()
        }
        Reply::Recall(Recall { found: Err(lost), seq, .. }) => vec![format!("{lost:?} at {seq}")],
        Reply::Recall(Recall { found: Ok(items), seq, is_more, .. }) => {
            let ids = items.iter().map(|item| item.id.clone());
            let place = if *is_more { format!("more at {seq}") } else { format!("at {seq}") };
            ids.chain([place]).collect()
        }
        Reply::Published(_, id) => id.iter().cloned().collect(),
        Reply::Pending { nodes, .. } => nodes.iter().map(ToString::to_string).collect(),
        Reply::Created(node) => vec![format!("created {node}")],
        Reply::Config(_, config) => vec![format!("keeps {}", config.max_items)],
        Reply::NodeInfo(node, _) => vec![format!("there is {node}")],
        Reply::Nodes(nodes) => nodes.iter().map(ToString::to_string).collect(),
    };
    words.extend(outcome.notices.iter().map(event));
    words.extend(outcome.tidings.iter().map(tidings_in_words));
    words.extend(outcome.late.iter().map(late_in_words));
    or_nothing(words.join(" "))
}

fn event(notice: &Arc<Notice>) -> String {
    let head = r#"<event xmlns="http://jabber.org/protocol/pubsub#event">"#;
    let body = notice.body.strip_prefix(head).unwrap();
    format!("{}{}", notice.seq, body.replacen("</event>", "", 1))
}

fn tidings_in_words(tidings: &Tidings) -> String {
    match &tidings.tiding {
        Tiding::Subscription(jid, state) => {
            let state = state.map_or_else(|| "gone".to_owned(), |state| format!("{state:?}"));
            format!("@{}: {jid} {state}", tidings.to)
        }
        Tiding::Affiliation(affiliation) => format!("@{}: {affiliation:?}", tidings.to),
        Tiding::MaySubscribe(jid) => format!("@{}: may {jid}?", tidings.to),
    }
}

fn late_in_words((reader, notice): &(Reader, Arc<Notice>)) -> String {
    format!("late to {}: {}", reader.jid, event(notice))
}

fn or_nothing(words: String) -> String {
    if words.is_empty() { "nothing".to_owned() } else { words }
}

#[test]
fn a_served_node_needs_no_creation() {
    check(
        r#"
        given pub is owner
        given ada is reader
        given node n is served
        ada subscribe n ada@cc.test/desk = subscribed n:ada@cc.test/desk
        pub publish n <p/> = epoch-1 1<items node="n"><item id="epoch-1"><p/></item></items>
        pub publish n <q/> = epoch-2 2<items node="n"><item id="epoch-2"><q/></item></items>
        ada items n = epoch-1 epoch-2
        ada items n newest 1 = epoch-2
        ada items n epoch-1 epoch-9 = epoch-1
        pub publish other <p/> = NodeUnknown
        "#,
    );
}

#[test]
fn only_the_owners_of_everything_create_and_the_rest_learn_nothing() {
    check(
        r#"
        given pub is owner
        ada create n = MayNotCreate
        pub create n = created n
        ada create n = MayNotCreate
        pub create n = NodeExists
        pub create = created epoch--1
        pub create much keeping 9 = BadConfig("pubsub#max_items must be 1 to 3")
        pub create none keeping 0 = BadConfig("pubsub#max_items must be 1 to 3")
        pub create third keeping max = created third
        pub configure third = keeps 3
        pub create fourth = TooMany("nodes")
        pub affiliations = epoch--1:Owner n:Owner third:Owner
        pub nodes = epoch--1 n third
        ada nodes = nothing
        "#,
    );
}

#[test]
fn an_affiliation_opens_a_created_node_step_by_step() {
    check(
        r#"
        given pub is owner
        pub create n = created n
        ada info n = NodeUnknown
        pub give n ada@cc.test member = ada@cc.test:Member pub@cc.test:Owner @ada@cc.test: Member
        ada info n = there is n
        ada publish n <p/> = Forbidden
        pub give n ada@cc.test publisher
        ada publish n <p/> as a = a 1<items node="n"><item id="a"><p/></item></items>
        ada purge n = Forbidden
        ada affiliations = n:Publisher
        ada nodes = n
        pub give n ada@cc.test outcast
        ada info n = NodeUnknown
        pub give n ada@cc.test none = pub@cc.test:Owner @ada@cc.test: None
        ada publish n <p/> = NodeUnknown
        "#,
    );
}

#[test]
fn subscriptions_are_ones_own_idempotent_and_counted() {
    check(
        r#"
        given ada is reader
        given node n is served
        given node m is served
        ada subscribe n bob@cc.test = InvalidJid
        ada subscribe n ada@cc.tester = InvalidJid
        ada unsubscribe n ada@cc.test = NotSubscribed
        ada subscribe n ada@cc.test/desk = subscribed n:ada@cc.test/desk
        ada subscribe n ada@cc.test/desk = subscribed n:ada@cc.test/desk
        ada subscribe n ada@cc.test = subscribed n:ada@cc.test
        ada subscribe m ada@cc.test/phone = subscribed m:ada@cc.test/phone
        ada subscriptions = m:ada@cc.test/phone n:ada@cc.test n:ada@cc.test/desk
        ada subscriptions n = n:ada@cc.test n:ada@cc.test/desk
        ada subscriptions unheard-of = NodeUnknown
        ada subscribe m ada@cc.test/x = subscribed m:ada@cc.test/x
        ada subscribe m ada@cc.test/y = TooManySubscriptions
        ada unsubscribe m ada@cc.test/phone = done
        ada unsubscribe m ada@cc.test/phone = NotSubscribed
        ada subscribe m ada@cc.test/y = subscribed m:ada@cc.test/y
        "#,
    );
}

#[test]
fn subscriptions_of_absent_resources_can_make_room() {
    let mut stage = Stage::new();
    stage.standings.insert("ada".into(), Standing::Reader);
    stage.served.push("n".into());
    for who in ["ada@cc.test", "ada@cc.test/here", "ada@cc.test/gone"] {
        stage.ask("ada", &request(&["subscribe", "n", who])).unwrap();
    }
    let ada: BareJid = "ada@cc.test".parse().unwrap();
    let absent = stage.service.absent(&ada, |jid| jid.as_str().ends_with("/here"));
    let gone = Change::Unsubscribed { node: "n".into(), jid: "ada@cc.test/gone".parse().unwrap() };
    assert_eq!(absent, [gone]);
}

#[test]
fn an_automatic_subscription_is_listed_and_cannot_be_ended() {
    check(
        r"
        given ada is reader
        given node n is served
        given node n is automatic
        ada subscriptions = n:ada@cc.test
        ada unsubscribe n ada@cc.test = Automatic
        ada subscribe n ada@cc.test = subscribed n:ada@cc.test
        audience n = nothing
        ada subscribe n ada@cc.test/desk = subscribed n:ada@cc.test/desk
        audience n = ada@cc.test/desk
        ada unsubscribe n ada@cc.test/desk = done
        ada unsubscribe n ada@cc.test/desk = NotSubscribed
        ",
    );
}

#[test]
fn a_right_that_was_taken_ends_deliveries_but_not_the_way_out() {
    check(
        r"
        given ada is reader
        given bob is reader
        given node n is served
        ada subscribe n ada@cc.test/a = subscribed n:ada@cc.test/a
        ada subscribe n ada@cc.test/b = subscribed n:ada@cc.test/b
        bob subscribe n bob@cc.test = subscribed n:bob@cc.test
        audience n = ada@cc.test/a ada@cc.test/b bob@cc.test
        given ada is stranger
        audience n = bob@cc.test
        ada subscribe n ada@cc.test/c = NodeUnknown
        ada unsubscribe n ada@cc.test/a = done
        ada unsubscribe n ada@cc.test/a = NodeUnknown
        ",
    );
}

#[test]
fn retract_purge_delete_and_configure_are_told_and_counted() {
    check(
        r#"
        given pub is owner
        pub create n = created n
        pub publish n <p/> as a = a 1<items node="n"><item id="a"><p/></item></items>
        pub publish n <p/> as b = b 2<items node="n"><item id="b"><p/></item></items>
        pub retract n a = done 3<items node="n"><retract id="a"/></items>
        pub retract n a = ItemUnknown
        pub configure n keeping 2 = done 4<configuration node="n"/>
        pub configure n = keeps 2
        pub purge n = done 5<purge node="n"/>
        pub items n = nothing
        pub delete n = done 6<delete node="n"/>
        pub delete n = NodeUnknown
        "#,
    );
}

#[test]
fn a_node_that_goes_with_its_subject_is_purged_and_not_deleted() {
    check(
        r#"
        given pub is owner
        given node n is served
        pub publish n <p/> as a = a 1<items node="n"><item id="a"><p/></item></items>
        pub delete n = Served
        pub purge n = done 2<purge node="n"/>
        "#,
    );
}

#[test]
fn what_is_not_told_takes_no_number() {
    check(
        r#"
        given pub is owner
        pub create n = created n
        pub configure n silent = done
        pub publish n <p/> as a = a 1<items node="n"><item id="a"><p/></item></items>
        pub retract n a = done
        pub purge n = done
        pub publish n <p/> as a = a 2<items node="n"><item id="a"><p/></item></items>
        pub delete n = done
        "#,
    );
}

#[test]
fn a_name_that_is_used_again_never_gives_a_number_twice() {
    check(
        r#"
        given pub is owner
        given node m is served
        pub create n = created n
        pub publish n <p/> = epoch-1 1<items node="n"><item id="epoch-1"><p/></item></items>
        pub delete n = done 2<delete node="n"/>
        restart
        pub create n = created n
        pub publish n <p/> = epoch-3 3<items node="n"><item id="epoch-3"><p/></item></items>
        pub publish m <p/> = epoch-3 3<items node="m"><item id="epoch-3"><p/></item></items>
        pub publish m <p/> = epoch-4 4<items node="m"><item id="epoch-4"><p/></item></items>
        "#,
    );
}

#[test]
fn numbers_items_and_subscriptions_survive_a_restart() {
    check(
        r#"
        given pub is owner
        given node n is served
        pub subscribe n pub@cc.test = subscribed n:pub@cc.test
        pub publish n <p/> as a = a 1<items node="n"><item id="a"><p/></item></items>
        pub publish n <p/> as b = b 2<items node="n"><item id="b"><p/></item></items>
        pub retract n b = done 3<items node="n"><retract id="b"/></items>
        restart
        pub items n = a
        pub subscriptions = n:pub@cc.test
        pub publish n <p/> = epoch-4 4<items node="n"><item id="epoch-4"><p/></item></items>
        "#,
    );
}

#[test]
fn a_chosen_id_replaces_and_the_oldest_fall_out() {
    check(
        r#"
        given pub is owner
        given node n is served
        pub publish n <p/> as a = a 1<items node="n"><item id="a"><p/></item></items>
        pub publish n <p/> as b = b 2<items node="n"><item id="b"><p/></item></items>
        pub publish n <q/> as a = a 3<items node="n"><item id="a"><q/></item></items>
        pub items n = b a
        pub publish n <p/> as c = c 4<items node="n"><item id="c"><p/></item></items>
        pub publish n <p/> as d = d 5<items node="n"><item id="d"><p/></item></items>
        pub items n = a c d
        given 61 seconds pass
        pub items n = nothing
        pub publish n <p/> as e = e 6<items node="n"><item id="e"><p/></item></items>
        pub items n = e
        "#,
    );
}

#[test]
fn a_node_without_memory_still_counts() {
    check(
        r#"
        given pub is owner
        pub create n = created n
        pub configure n transient = done 1<configuration node="n"/>
        pub publish n <p/> as a = a 2<items node="n"><item id="a"><p/></item></items>
        pub publish n <p/> as a = a 3<items node="n"><item id="a"><p/></item></items>
        pub items n = nothing
        "#,
    );
}

#[test]
fn a_person_who_departs_leaves_neither_subscription_nor_right() {
    let mut stage = Stage::new();
    stage.standings.insert("pub".into(), Standing::Owner);
    for words in [
        &["create", "n"][..],
        &["give", "n", "ada@cc.test", "member"],
        &["subscribe", "n", "pub@cc.test"],
    ] {
        stage.ask("pub", &request(words)).unwrap();
    }
    stage.ask("ada", &request(&["subscribe", "n", "ada@cc.test/desk"])).unwrap();
    let departure = stage.service.departure(&"ada@cc.test".parse().unwrap());
    assert_eq!(departure.len(), 2);
    departure.iter().for_each(|change| stage.service.adopt(change));
    assert_eq!(written(&stage.ask("ada", &request(&["info", "n"]))), "NodeUnknown");
    assert_eq!(stage.service.subscribers("n").count(), 1);
}

#[test]
fn payloads_are_needed_and_bounded() {
    let long = "x".repeat(101);
    check(&format!(
        r"
        given pub is owner
        given node n is served
        pub publish n = PayloadRequired
        pub publish n {long} = PayloadTooBig(100)
        "
    ));
}

#[test]
fn who_comes_back_gets_all_he_missed_or_the_reason_why_not() {
    check(
        r#"
        given pub is owner
        given ada is reader
        given eve is stranger
        given node n is served
        ada since n now = at 0
        ada since n epoch- 0 = at 0
        eve since n now = NodeUnknown
        pub publish n <a/> = epoch-1 1<items node="n"><item id="epoch-1"><a/></item></items>
        pub publish n <b/> = epoch-2 2<items node="n"><item id="epoch-2"><b/></item></items>
        ada since n now = at 2
        ada since n epoch- 0 = epoch-1 epoch-2 at 2
        ada since n epoch- 1 = epoch-2 at 2
        ada since n epoch- 2 = at 2
        ada since n epoch- 3 = HistoryReset at 2
        ada since n other- 1 = EpochChanged at 2
        eve since n epoch- 1 = NodeUnknown
        pub publish n <c/> = epoch-3 3<items node="n"><item id="epoch-3"><c/></item></items>
        pub publish n <d/> = epoch-4 4<items node="n"><item id="epoch-4"><d/></item></items>
        ada since n epoch- 0 = HistoryTooShort at 4
        ada since n epoch- 1 = epoch-2 epoch-3 epoch-4 at 4
        restart
        ada since n epoch- 1 = epoch-2 epoch-3 epoch-4 at 4
        pub retract n epoch-3 = done 5<items node="n"><retract id="epoch-3"/></items>
        ada since n epoch- 1 = NotKept at 5
        ada since n epoch- 4 = NotKept at 5
        ada since n epoch- 5 = at 5
        pub publish n <e/> = epoch-6 6<items node="n"><item id="epoch-6"><e/></item></items>
        ada since n epoch- 5 = epoch-6 at 6
        ada since n epoch- 4 = NotKept at 6
        given 61 seconds pass
        ada since n epoch- 5 = HistoryTooShort at 6
        ada since n epoch- 6 = at 6
        "#,
    );
}

#[test]
fn a_node_that_is_deleted_is_no_loss_to_readers_of_another() {
    check(
        r#"
        given pub is owner
        given ada is reader
        given node n is served
        ada since n now = at 0
        pub create d
        pub publish d <p/> = epoch-1 1<items node="d"><item id="epoch-1"><p/></item></items>
        pub delete d = done 2<delete node="d"/>
        ada since n epoch- 0 = at 2
        ada since n now = at 2
        pub create d
        pub publish d <p/> = epoch-3 3<items node="d"><item id="epoch-3"><p/></item></items>
        pub configure d silent
        pub delete d = done
        ada since n epoch- 2 = at 3
        pub publish n <a/> = epoch-4 4<items node="n"><item id="epoch-4"><a/></item></items>
        ada since n epoch- 0 = epoch-4 at 4
        ada since n epoch- 2 = epoch-4 at 4
        ada since n epoch- 3 = epoch-4 at 4
        pub create d
        pub since d epoch- 1 = HistoryReset at 3
        pub since d epoch- 3 = at 3
        pub publish d <p/> = epoch-4 4<items node="d"><item id="epoch-4"><p/></item></items>
        pub since d epoch- 2 = HistoryTooShort at 4
        pub since d epoch- 3 = epoch-4 at 4
        restart
        ada since n epoch- 3 = epoch-4 at 4
        ada since n epoch- 2 = HistoryTooShort at 4
        "#,
    );
}

#[test]
fn long_absences_are_told_in_parts_that_join() {
    let bounds = Bounds { items_max: 2_000, bytes_max: 1 << 30, ..BOUNDS };
    let mut service = PubSub::new("e", bounds);
    for _ in 0..RECALL_ITEMS_MAX + 7 {
        let outcome = service.publish("n", &"<p/>".into(), WallTime(0)).unwrap();
        outcome.changes.iter().for_each(|change| service.adopt(change));
    }
    let (mut at, mut parts) = (3, Vec::new());
    while parts.last().is_none_or(|(_, is_more)| *is_more) {
        let point = Point { epoch: "e".into(), seq: at };
        let request = Request::Since { node: "n".into(), point: Some(point) };
        let asker = Asker {
            jid: "ada@cc.test/desk".parse().unwrap(),
            standing: Standing::Reader,
            is_served: true,
            automatic: vec![],
        };
        let reply = service.plan(&asker, &request, WallTime(0)).unwrap().reply;
        let Reply::Recall(recall) = reply else { panic!("{reply:?}") };
        let items = recall.found.unwrap();
        assert!(items.iter().map(|item| item.seq).eq(at + 1..=recall.seq));
        at = recall.seq;
        parts.push((items.len(), recall.is_more));
    }
    assert_eq!(parts, [(RECALL_ITEMS_MAX, true), (4, false)]);
}

#[test]
fn names_are_escaped_in_notices() {
    check(
        r#"
        given pub is owner
        pub create "<& = created "<&
        pub publish "<& p as " = " 1<items node="&quot;&lt;&amp;"><item id="&quot;">p</item></items>
        "#,
    );
}

#[test]
fn a_message_id_is_eight_letters_and_the_same_again() {
    let id = |node: &str, seq| {
        let item = Item { seq, id: "i".into(), payload: None, at: WallTime(0) };
        let told = Told::Item(Arc::new(item));
        Notice::render("epoch", &node.into(), seq, NotificationType::Normal, told).id.clone()
    };
    assert_eq!(id("n", 1), id("n", 1));
    let mut ids: Vec<_> = (0..5000).flat_map(|seq| [id("n", seq), id("m", seq)]).collect();
    assert!(ids.iter().all(|id| id.len() == 8 && id.bytes().all(|b| b.is_ascii_alphanumeric())));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10_000);
}

/// Every request there is, on one node.
fn all_requests(node: &str) -> Vec<Request> {
    let words: [&[&str]; 26] = [
        &["subscribe", node, "ada@cc.test/desk"],
        &["subscribe", node, "ada@cc.test/desk", "until", "100"],
        &["options", node, "ada@cc.test/desk"],
        &["options", node, "ada@cc.test/desk", "until", "200"],
        &["defaults", node],
        &["configure", node, "expiring", "20"],
        &["unsubscribe", node, "ada@cc.test/desk"],
        &["subscriptions", node],
        &["items", node],
        &["items", node, "a"],
        &["since", node, "now"],
        &["since", node, "epoch-", "1"],
        &["publish", node],
        &["publish", node, "<p/>"],
        &["publish", node, "<p/>", "as", "a"],
        &["retract", node, "a"],
        &["create", node],
        &["create", node, "keeping", "0"],
        &["configure", node],
        &["configure", node, "keeping", "0"],
        &["delete", node],
        &["purge", node],
        &["readers", node],
        &["rights", node],
        &["give", node, "ada@cc.test", "owner"],
        &["info", node],
    ];
    let affiliations = Request::Affiliations { node: Some(node.to_owned()) };
    words.iter().map(|words| request(words)).chain([affiliations]).collect()
}

#[test]
fn a_stranger_is_told_the_same_whether_or_not_the_node_exists() {
    for standing in [Standing::Stranger, Standing::UNKNOWN] {
        let mut stage = Stage::new();
        stage.standings.insert("pub".into(), Standing::Owner);
        stage.standings.insert("ada".into(), standing);
        stage.served.push("served".into());
        stage.ask("pub", &request(&["create", "created"])).unwrap();
        stage.ask("pub", &request(&["publish", "created", "<p/>", "as", "a"])).unwrap();
        let refusals = |stage: &mut Stage, node| -> Vec<_> {
            all_requests(node)
                .iter()
                .map(|request| stage.ask("ada", request).unwrap_err())
                .collect()
        };
        let of_none = refusals(&mut stage, "there-is-none");
        assert_eq!(refusals(&mut stage, "created"), of_none);
        if standing == Standing::Stranger {
            assert_eq!(refusals(&mut stage, "served"), of_none);
        }
    }
}

fn any_request() -> impl Strategy<Value = (String, Request, i64)> {
    let node = prop::sample::select(vec!["served", "a", "b", "c", "d", "e"]);
    let who = prop::sample::select(vec!["pub", "ada", "eve"]);
    let id = prop::option::of(prop::sample::select(vec!["x", "y", "epoch-3"]));
    let size = 0..120_usize;
    (who, node, id, size, 0..36_usize, 0..20_i64).prop_map(|(who, node, id, size, which, secs)| {
        let payload = Some("p".repeat(size).into());
        let item = Publication { id: id.map(str::to_owned), payload, namespace: String::new() };
        let (node_of, preconditions) = (node.to_owned(), None);
        let publish = Request::Publish { node: node_of, item: Some(item), preconditions };
        let request = all_requests(node).into_iter().nth(which).unwrap_or(publish);
        (who.to_owned(), request, secs)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_thousand_random_requests_keep_numbers_gapless_and_history_bounded(
        requests in prop::collection::vec(any_request(), 1000)
    ) {
        let mut stage = Stage::new();
        stage.standings.insert("pub".into(), Standing::Owner);
        stage.standings.insert("eve".into(), Standing::Stranger);
        stage.served.push("served".into());
        let mut last: HashMap<Arc<str>, u64> = HashMap::new();
        let mut told: HashMap<(Arc<str>, u64), Told> = HashMap::new();
        for (at, (who, request, secs)) in requests.iter().enumerate() {
            stage.now.0 += secs * 100;
            lapse(&mut stage);
            let outcome = stage.ask(who, request);
            if who == "eve" {
                prop_assert!(outcome.is_err());
            }
            for notice in outcome.iter().flat_map(|outcome| &outcome.notices) {
                let before = last.insert(Arc::clone(&notice.node), notice.seq);
                let is_next = before.is_some_and(|before| before + 1 == notice.seq);
                // A node that came back starts above all numbers of nodes that went.
                let is_first = before.is_none_or(|before| {
                    stage.service.graves.through() >= before && notice.seq > before
                });
                prop_assert!(is_next || is_first, "{before:?} then {}", notice.seq);
                told.insert((Arc::clone(&notice.node), notice.seq), notice.told.clone());
            }
            if at % 100 == 0 {
                restart(&mut stage);
            }
            assert_within_bounds(&stage.service);
            for (node, seq) in &last {
                assert_told_again(&mut stage, node, seq.saturating_sub(at as u64 % 4), &told);
            }
        }
    }
}

/// Who comes back gets what was told after his point, each notice of it, or a reason.
fn assert_told_again(
    stage: &mut Stage,
    node: &Arc<str>,
    seq: u64,
    told: &HashMap<(Arc<str>, u64), Told>,
) {
    let point = Some(Point { epoch: "epoch-".into(), seq });
    let request = Request::Since { node: node.to_string(), point };
    let Ok(Outcome { reply: Reply::Recall(recall), .. }) = stage.ask("pub", &request) else {
        return;
    };
    let Ok(items) = recall.found else { return };
    // Numbers that were another node's are none of this one's.
    let own = (seq + 1..=recall.seq).filter(|seq| told.contains_key(&(Arc::clone(node), *seq)));
    assert!(items.iter().map(|item| item.seq).eq(own), "{node} after {seq}");
    for item in items {
        let Told::Item(first) = &told[&(Arc::clone(node), item.seq)] else { panic!("{item:?}") };
        assert_eq!(first.id, item.id);
    }
}

/// The sums that are kept are the sums that are, and none is above its bound.
fn assert_within_bounds(service: &PubSub) {
    let items = || service.nodes.values().flat_map(|row| &row.items);
    let bytes: usize = items().map(|item| history::bytes_of(item)).sum();
    assert_eq!(service.kept(), (items().count(), bytes));
    assert!(bytes <= BOUNDS.bytes_max);
    let created = service.nodes.iter().filter(|(_, row)| row.config.is_some());
    let created: BTreeSet<_> = created.map(|(name, _)| Arc::clone(name)).collect();
    assert_eq!(service.created, created);
    assert!(created.len() <= BOUNDS.nodes_max);
    let rights = |name: &Arc<str>| service.rights.values().filter(|all| all.contains(name)).count();
    assert!(service.nodes.iter().all(|(name, row)| rights(name) == row.affiliations.len()));
    for row in service.nodes.values() {
        let numbers: Vec<_> = row.items.iter().map(|item| item.seq).collect();
        assert!(numbers.len() <= BOUNDS.items_max && numbers.is_sorted_by(|a, b| a < b));
        assert!(numbers.last().is_none_or(|last| *last <= row.seq));
    }
    let timed = service.nodes.values().flat_map(|row| row.subscribers.values());
    let timed = timed.filter(|terms| terms.until.is_some()).count();
    let expiring = service.nodes.values().filter(|row| row.expires.is_some()).count();
    assert_eq!(service.deadlines.len(), timed + expiring);
    let rows = service.nodes.values().map(|row| row.subscribers.len()).sum::<usize>();
    let indexed = service.subscriptions.values().map(BTreeSet::len).sum::<usize>();
    assert_eq!(rows, indexed);
    assert!(service.subscriptions.values().all(|all| all.len() <= BOUNDS.subscriptions_max));
}
