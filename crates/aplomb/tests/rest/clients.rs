//! COMPAT: what clients that other people wrote send, and what they count on.

use aplomb_core::domain::Flavour;
use aplomb_core::xml::{Element, Prologue, read_element};
use axum::body::Body;
use axum::http::Request;

use crate::centre::{Answer, Centre, basic};

/// Sends a request as a client writes it: head, blank line, body.
async fn send(centre: &Centre, text: &str) -> Answer {
    let mut lines = text.trim().lines().map(str::trim);
    let start: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let mut request = Request::builder().method(start[0]).uri(start[1]);
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let body: String = lines.collect();
    centre.send(request.body(Body::from(body)).unwrap()).await
}

async fn signed_in(flavour: Flavour) -> Centre {
    let centre = Centre::new(flavour).await;
    centre.play("1001 PUT /User/1001 state=LOGIN extension=1001 → 202").await;
    centre
}

fn value(parent: &Element, path: &str) -> Option<String> {
    let mut at = parent;
    for name in path.split('/') {
        at = at.children().find(|child| child.name() == name)?;
    }
    Some(at.text())
}

/// NonGadgetSampleWithStropheAndWebsocket (Cisco, 12.5.1): signs in over REST after the stream is
/// up, and takes only 202 for success.
#[tokio::test]
async fn cisco_non_gadget_sample_signs_in_with_202() {
    let centre = Centre::new(Flavour::Uccx).await;
    let authorization = basic("1001");
    let answer = send(
        &centre,
        &format!(
            "PUT /finesse/api/User/1001 HTTP/1.1
            Authorization: {authorization}
            Content-Type: application/xml

            <User><state>LOGIN</state><extension>1001</extension></User>"
        ),
    )
    .await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (202, ""));
}

/// Go client (pokornyIt/finesse-api, on 12.5): sends `RequestId`, and reads states from events.
#[tokio::test]
async fn the_go_client_gets_its_request_id_back() {
    let centre = signed_in(Flavour::Ucce).await;
    let authorization = basic("1001");
    let answer = send(
        &centre,
        &format!(
            "PUT /finesse/api/User/1001 HTTP/1.1
            Authorization: {authorization}
            RequestId: 1d2c
            Content-Type: application/xml

            <User><state>READY</state></User>"
        ),
    )
    .await;
    assert_eq!((answer.status.as_u16(), answer.header("RequestId")), (202, "1d2c"));
    let event = centre.newest_event("/finesse/api/User/1001").await;
    assert!(event.contains("<requestId>1d2c</requestId>"));
}

/// Several third parties write `Application/XML`; C# clients begin the body with a byte order
/// mark, and all of them with an XML declaration.
#[tokio::test]
async fn odd_spellings_of_an_xml_body_are_taken() {
    let authorization = basic("1001");
    for (kind, start) in [
        ("Application/XML", ""),
        ("APPLICATION/XML;CHARSET=UTF-8", ""),
        ("text/xml", "<?xml version=\"1.0\" encoding=\"utf-8\"?>"),
        ("application/xml", "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>"),
    ] {
        let centre = Centre::new(Flavour::Uccx).await;
        let answer = send(
            &centre,
            &format!(
                "PUT /finesse/api/User/1001 HTTP/1.1
                Authorization: {authorization}
                Content-Type: {kind}

                {start}<User><extension>1001</extension><state>LOGIN</state></User>"
            ),
        )
        .await;
        assert_eq!(answer.status.as_u16(), 202, "{kind} {start}");
    }
}

/// Finesse JavaScript library (finesse.js 10.5.1): `?nocache=`, `locale`, and the rules of its
/// `Update`: upper-case events, the id as the last part of `uri`, source by path.
#[tokio::test]
async fn the_javascript_library_understands_answers_and_events() {
    let centre = signed_in(Flavour::Uccx).await;
    let authorization = basic("1001");
    let answer = send(
        &centre,
        &format!(
            "GET /finesse/api/User/1001?nocache=1700000000000 HTTP/1.1
            Authorization: {authorization}
            locale: en_US
            Cache-Control: no-cache

            "
        ),
    )
    .await;
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(answer.header("Content-Type"), "application/xml;charset=UTF-8");
    let user = read_element(&answer.body, Prologue::Allowed).unwrap();
    assert_eq!(user.name(), "User");
    assert_eq!(value(&user, "uri").unwrap().rsplit('/').next(), Some("1001"));
    let event = centre.newest_event("/finesse/api/User/1001").await;
    let update = read_element(&event, Prologue::Forbidden).unwrap();
    assert_eq!(value(&update, "event").as_deref(), Some("PUT"));
    assert_eq!(value(&update, "source"), value(&user, "uri"));
    assert_eq!(value(&update, "data/user/state").as_deref(), Some("NOT_READY"));
}

/// Finesse JavaScript library: the members of a team are read with `GET /Team/{id}`, and kept
/// with the team's node, whose source names the member and never the collection.
#[tokio::test]
async fn the_javascript_library_finds_a_team_and_its_changes() {
    let centre = signed_in(Flavour::Uccx).await;
    centre
        .play(
            "
            sup1 GET /Team/1          → 200 <uri>/finesse/api/User/1001</uri>
            sup1 GET /Team/1/Users    → 404
            node /Team/1/Users        → <data><user><dialogs>
            node /Team/1/Users        → <source>/finesse/api/User/1001</source>
            ",
        )
        .await;
}

/// Finesse JavaScript library: a `requestId` with `apiErrors` fires the error handler of the
/// request that was answered 202 before.
#[tokio::test]
async fn the_javascript_library_pairs_an_error_with_its_request() {
    let centre = Centre::new(Flavour::Uccx).await;
    let authorization = basic("1001");
    let answer = send(
        &centre,
        &format!(
            "PUT /finesse/api/User/1001 HTTP/1.1
            Authorization: {authorization}
            Content-Type: application/xml
            requestId: r-7

            <User><state>READY</state></User>"
        ),
    )
    .await;
    assert_eq!(answer.status.as_u16(), 202);
    let event = centre.newest_event("/finesse/api/User/1001").await;
    let update = read_element(&event, Prologue::Forbidden).unwrap();
    assert_eq!(value(&update, "requestId").as_deref(), Some("r-7"));
    assert_eq!(value(&update, "data/apiErrors/apiError/errorData").as_deref(), Some("22"));
}

/// .NET watcher (ekav555/CiscoCUIC_XMPP): shows a team's states and alarms on reason labels, so
/// the summary carries the reason with all its children.
#[tokio::test]
async fn the_dotnet_watcher_reads_reasons_of_its_team() {
    let centre = signed_in(Flavour::Uccx).await;
    centre.play("1001 PUT /User/1001 state=NOT_READY reasonCodeId=2 → 202").await;
    let event = centre.newest_event("/finesse/api/Team/1/Users").await;
    let update = read_element(&event, Prologue::Forbidden).unwrap();
    for name in ["dialogs", "extension", "firstName", "lastName", "loginId", "mediaType"] {
        assert!(value(&update, &format!("data/user/{name}")).is_some(), "{name}");
    }
    for name in ["pendingState", "state", "stateChangeTime", "uri"] {
        assert!(value(&update, &format!("data/user/{name}")).is_some(), "{name}");
    }
    for name in ["category", "code", "forAll", "id", "label", "systemCode", "uri"] {
        let path = format!("data/user/reasonCode/{name}");
        assert!(value(&update, &path).is_some(), "{name}");
    }
}

/// Forum posts: people try to subscribe by POST, and must see which methods there are.
#[tokio::test]
async fn who_subscribes_by_post_is_told_what_the_path_takes() {
    let centre = Centre::new(Flavour::Uccx).await;
    let answer = send(&centre, "POST /finesse/api/User/8945 HTTP/1.1").await;
    assert_eq!((answer.status.as_u16(), answer.header("Allow")), (405, "GET,OPTIONS,HEAD,PUT"));
    let answer = send(&centre, "POST /finesse/api/Team/1/Users HTTP/1.1").await;
    assert_eq!(answer.status.as_u16(), 404);
}

/// Dashboards: poll `/Users` with the administrator's password, every few seconds.
#[tokio::test]
async fn a_dashboard_reads_all_states_as_the_administrator() {
    let centre = signed_in(Flavour::Ucce).await;
    let authorization = basic("admin");
    let request =
        format!("GET /finesse/api/Users HTTP/1.1\nAuthorization: {authorization}\nAccept: */*");
    let users = read_element(&send(&centre, &request).await.body, Prologue::Allowed).unwrap();
    let states: Vec<_> = users.children().map(|user| value(user, "state").unwrap()).collect();
    assert_eq!(states.len(), 4 + 2, "agents and supervisors");
    assert_eq!(states.iter().filter(|state| *state == "NOT_READY").count(), 1);
}
