//! Access models, publish models and what owners do to people, by XMPP and by a feed.

use crate::play;

/// Who, what comes of subscribing, and of reading by a feed.
type Person = (&'static str, &'static str, u16);

/// Each access model, by XMPP and by a feed, for somebody who has a right by name (1002), whom an
/// owner shows himself to and has in a group (1001), nobody in particular (1003), and an outcast
/// (1004).
const MODELS: &[(&str, [Person; 4])] = &[
    (
        "open",
        [
            ("1002", "subscribed …", 200),
            ("1001", "subscribed …", 200),
            ("1003", "subscribed …", 200),
            ("1004", "forbidden", 404),
        ],
    ),
    (
        "presence",
        [
            ("1002", "subscribed …", 200),
            ("1001", "subscribed …", 200),
            ("1003", "not-authorized presence-subscription-required", 404),
            ("1004", "forbidden", 404),
        ],
    ),
    (
        "roster",
        [
            ("1002", "subscribed …", 200),
            ("1001", "subscribed …", 200),
            ("1003", "not-authorized not-in-roster-group", 404),
            ("1004", "forbidden", 404),
        ],
    ),
    (
        "authorize",
        [
            ("1002", "subscribed …", 200),
            ("1001", "pending …", 404),
            ("1003", "pending …", 404),
            ("1004", "forbidden", 404),
        ],
    ),
    (
        "whitelist",
        [
            ("1002", "subscribed …", 200),
            ("1001", "item-not-found", 404),
            ("1003", "item-not-found", 404),
            ("1004", "item-not-found", 404),
        ],
    ),
];

#[test]
fn each_model_lets_in_whom_it_names_by_xmpp_and_by_a_feed() {
    let mut script = String::from(
        "
        publisher/cti is here
        sup1/a is here
        1001/a is here
        1002/a is here
        1003/a is here
        1004/a is here
        1001/a sees sup1
        sup1/a files 1001 under team
        ",
    );
    for (model, people) in MODELS {
        script += &format!(
            "
            publisher/cti makes {model} with access_model={model} roster_groups_allowed=team → …
            publisher/cti gives {model} to sup1 as owner → done
            publisher/cti gives {model} to 1002 as member → done
            publisher/cti gives {model} to 1004 as outcast → done
            1002/a hears 1002@cc.test {model}: member
            1004/a hears 1004@cc.test {model}: outcast
            1001/a hears nothing
            "
        );
        for (who, subscribing, status) in people {
            script += &format!("{who}/a subscribes {model} → {subscribing}\n");
            script += &format!("{who} polls {model} → {status}\n");
        }
        script += &format!("publisher/cti publishes {model} 1 → publish {model}\n");
        for (who, _, status) in people {
            let heard = match status {
                200 => format!("{who}@cc.test/a {model}: item 1"),
                _ => "nothing".to_owned(),
            };
            script += &format!("{who}/a hears {heard}\n");
        }
    }
    play(&script);
}

#[test]
fn an_open_node_is_for_everybody_but_an_outcast() {
    play(
        "
        publisher/cti is here
        1001/a is here
        1002/a is here
        publisher/cti makes news with access_model=open → create news
        publisher/cti gives news to 1002 as outcast → done
        1002/a hears 1002@cc.test news: outcast
        1001/a subscribes news → subscribed news 1001@cc.test/a
        1002/a subscribes news → forbidden
        1002/a gets <items node='news'/> → forbidden
        1001 polls news → 200
        1002 polls news → 404
        publisher/cti publishes news 1 → publish news
        1001/a hears 1001@cc.test/a news: item 1
        1001/a publishes news 2 → forbidden
        publisher/cti gives news to 1001 as outcast → done
        1001/a hears 1001@cc.test news: outcast 1001@cc.test/a news: 1001@cc.test/a none
        publisher/cti publishes news 3 → publish news
        1001/a hears nothing
        1001 polls news → 404
        publisher/cti changes news to access_model=acl → not-acceptable unsupported-access-model
        ",
    );
}

#[test]
fn a_node_by_presence_is_for_whom_an_owner_shows_himself_to() {
    play(
        "
        publisher/cti is here
        sup1/a is here
        1001/a is here
        1002/a is here
        publisher/cti makes mood with access_model=presence → create mood
        publisher/cti gives mood to sup1 as owner → done
        sup1/a hears sup1@cc.test mood: owner
        1001/a subscribes mood → not-authorized presence-subscription-required
        1001/a gets <items node='mood'/> → not-authorized presence-subscription-required
        1001 polls mood → 404
        1001/a sees sup1
        1001/a subscribes mood → subscribed mood 1001@cc.test/a
        1001 polls mood → 200
        1002 polls mood → 404
        publisher/cti publishes mood 1 → publish mood
        1001/a hears 1001@cc.test/a mood: item 1
        1001/a sees sup1 no more
        publisher/cti publishes mood 2 → publish mood
        1001/a hears nothing
        1001 polls mood → 404
        publisher/cti gives mood to 1002 as outcast → done
        1002/a hears 1002@cc.test mood: outcast
        1002/a sees sup1
        1002/a subscribes mood → forbidden
        ",
    );
}

#[test]
fn a_node_by_roster_is_for_a_group_of_an_owners() {
    play(
        "
        publisher/cti is here
        sup1/a is here
        1001/a is here
        publisher/cti makes talk with access_model=roster roster_groups_allowed=late → create talk
        publisher/cti gives talk to sup1 as owner → done
        1001/a subscribes talk → not-authorized not-in-roster-group
        1001 polls talk → 404
        sup1/a files 1001 under early
        1001/a subscribes talk → not-authorized not-in-roster-group
        sup1/a files 1001 under late
        1001/a subscribes talk → subscribed talk 1001@cc.test/a
        publisher/cti publishes talk 1 → publish talk
        1001/a hears 1001@cc.test/a talk: item 1
        1001 polls talk → 200
        restart
        publisher/cti is here
        sup1/a is here
        1001/a is here
        publisher/cti publishes talk 2 → publish talk
        1001/a hears 1001@cc.test/a talk: item 2
        sup1/a files 1001 under early
        publisher/cti publishes talk 3 → publish talk
        1001/a hears nothing
        1001/a gets <items node='talk'/> → not-authorized not-in-roster-group
        1001 polls talk → 404
        ",
    );
}

#[test]
fn who_subscribes_by_authorization_waits_for_an_owner() {
    play(
        "
        publisher/cti is here
        1001/a is here
        1002/a is here
        publisher/cti makes desk with access_model=authorize → create desk
        publisher/cti publishes desk 1 → publish desk
        1001/a gets <items node='desk'/> → not-authorized not-subscribed
        1001 polls desk → 404
        1001/a subscribes desk → pending desk 1001@cc.test/a
        publisher/cti hears publisher@cc.test may 1001@cc.test/a desk?
        1001/a subscribes desk → not-authorized pending-subscription
        publisher/cti publishes desk 2 → publish desk
        1001/a hears nothing
        publisher/cti gets :<subscriptions node='desk'/> → subscriptions 1001@cc.test/a pending
        1001/a asks pending → forbidden
        1001/a lets in 1001@cc.test/a on desk
        1001/a hears 1001@cc.test/a forbidden
        restart
        publisher/cti is here
        1001/a is here
        1002/a is here
        publisher/cti hears publisher@cc.test/cti may 1001@cc.test/a desk?
        publisher/cti asks pending → executing desk
        publisher/cti asks pending of desk → completed
        publisher/cti hears publisher@cc.test/cti may 1001@cc.test/a desk?
        publisher/cti lets in 1001@cc.test/a on desk
        1001/a hears 1001@cc.test/a desk: 1001@cc.test/a subscribed
        publisher/cti publishes desk 3 → publish desk
        1001/a hears 1001@cc.test/a desk: item 3
        1001/a gets <items node='desk'/> → items desk: 1 2 3
        1001 polls desk → 200
        1002/a subscribes desk → pending desk 1002@cc.test/a
        publisher/cti turns away 1002@cc.test/a on desk
        1002/a hears 1002@cc.test/a desk: 1002@cc.test/a none
        1002/a unsubscribes desk → unexpected-request not-subscribed
        publisher/cti asks pending → completed
        ",
    );
}

#[test]
fn who_is_let_in_hears_of_that_before_he_gets_the_newest_item() {
    play(
        "
        publisher/cti is here
        1001/a is here
        publisher/cti makes desk with access_model=authorize send_last_published_item=on_sub → …
        publisher/cti publishes desk 1 → publish desk
        1001/a subscribes desk → pending desk 1001@cc.test/a
        publisher/cti lets in 1001@cc.test/a on desk
        1001/a hears 1001@cc.test/a desk: 1001@cc.test/a subscribed…/a desk: item 1 delayed
        ",
    );
}

#[test]
fn of_a_whitelisted_node_a_feed_tells_strangers_as_little_as_xmpp_does() {
    play(
        "
        publisher/cti is here
        1001/a is here
        publisher/cti makes list with access_model=whitelist → create list
        1001/a subscribes list → item-not-found
        1001 polls list → 404
        publisher/cti gives list to 1001 as member → done
        1001/a hears 1001@cc.test list: member
        1001/a subscribes list → subscribed list 1001@cc.test/a
        1001 polls list → 200
        publisher/cti gives list to 1001 as publish-only → done
        1001/a hears 1001@cc.test list: publish-only
        1001/a gets <items node='list'/> → forbidden
        1001 polls list → 404
        1001/a publishes list 1 → publish list
        1001/a hears nothing
        1001/a sets <retract node='list'><item id='1'/></retract> → forbidden
        ",
    );
}

#[test]
fn an_owner_by_name_manages_a_node_that_another_made() {
    play(
        "
        publisher/cti is here
        sup1/a is here
        1001/a is here
        publisher/cti makes team with access_model=open notify_sub=1 → create team
        publisher/cti gives team to sup1 as owner → done
        sup1/a hears sup1@cc.test team: owner
        sup1/a gives team to publisher as none → done
        publisher/cti hears publisher@cc.test team: none
        sup1/a gives team to sup1 as member → not-acceptable
        1001/a subscribes team → subscribed team 1001@cc.test/a
        sup1/a hears sup1@cc.test team: 1001@cc.test/a subscribed
        sup1/a gets :<subscriptions node='team'/> → subscriptions 1001@cc.test/a
        sup1/a puts 1001@cc.test/a on team as none → done
        1001/a hears 1001@cc.test/a team: 1001@cc.test/a none
        1001/a puts 1001@cc.test/a on team as subscribed → forbidden
        sup1/a changes team to publish_model=open notification_type=headline → done
        1001/a publishes team 1 → publish team
        sup1/a sets <subscribe node='team' jid='sup1@cc.test/a'/> → subscribed …
        sup1/a hears sup1@cc.test team: sup1@cc.test/a subscribed
        sup1/a sets :<delete node='team'><redirect uri='xmpp:a@b'/></delete> → done
        sup1/a hears sup1@cc.test/a team: delete xmpp:a@b
        ",
    );
}

#[test]
fn publish_options_make_a_node_or_hold_it_to_its_word() {
    play(
        "
        publisher/cti is here
        1001/a is here
        1001/a publishes first 1 if access_model=open → item-not-found
        publisher/cti publishes first 1 if access_model=open max_items=2 → publish first
        1001/a gets <items node='first'/> → items first: 1
        publisher/cti publishes first 2 if access_model=open → publish first
        publisher/cti publishes first 3 if access_model=whitelist → conflict precondition-not-met
        publisher/cti publishes first 3 if unheard_of=1 → conflict precondition-not-met
        publisher/cti publishes first 3 → publish first
        1001/a gets <items node='first'/> → items first: 2 3
        publisher/cti sets <publish node='first'/> → bad-request item-required
        publisher/cti changes first to persist_items=0 deliver_payloads=0 → done
        publisher/cti publishes first 4 → bad-request item-forbidden
        publisher/cti sets <publish node='first'/> → publish first
        publisher/cti sets :<purge node='first'/> → feature-not-implemented unsupported
        publisher/cti changes first to purge_offline=1 → not-acceptable
        ",
    );
}
