//! What holds for every request: paths, methods, bodies, origins, credentials, a broken store.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use aplomb::limits::{REQUEST_ID_BYTES_MAX, REST_BODY_BYTES_MAX};
use aplomb::link::Peer;
use aplomb::store::Memory;
use aplomb_core::domain::Flavour;
use axum::body::{Body, HttpBody};
use axum::http::{Request, request};
use bytes::Bytes;
use hyper::body::Frame;

use crate::centre::{Answer, Centre, Fragile, TLS, basic};

const LOGIN: &str = "<User><state>LOGIN</state><extension>1001</extension></User>";

fn put() -> request::Builder {
    Request::put("/finesse/api/User/1001").header("Authorization", basic("1001"))
}

fn get(path: &str) -> request::Builder {
    Request::get(path).header("Authorization", basic("1001"))
}

async fn ask(request: request::Builder, body: impl Into<Body>) -> Answer {
    Centre::new(Flavour::Uccx).await.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn every_error_has_a_body_in_the_form_of_the_guide() {
    let centre = Centre::new(Flavour::Uccx).await;
    for (method, path, status, kind) in [
        ("GET", "/finesse/api/User/1002", 401, "Invalid Authorization User Specified"),
        ("GET", "/finesse/api/Users", 403, "Forbidden"),
        ("GET", "/finesse/api/Team/1/Users", 404, "Not Found"),
        ("POST", "/finesse/api/Team/1/Users", 404, "Not Found"),
        ("GET", "/finesse/api/team/1", 404, "Not Found"),
        ("GET", "/finesse/api", 404, "Not Found"),
        ("GET", "/finesse/api//User/1001", 404, "Not Found"),
        ("GET", "/elsewhere", 404, "Not Found"),
        ("POST", "/finesse/api/User/1001", 405, "Method Not Allowed"),
        ("DELETE", "/finesse/api/User/1001", 405, "Method Not Allowed"),
        ("PUT", "/finesse/api/Users", 405, "Method Not Allowed"),
        ("PUT", "/finesse/api/User/1001", 415, "Unsupported Media Type"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("Authorization", basic("1001")).body(Body::empty());
        let answer = centre.send(request.unwrap()).await;
        let compact = answer.compact();
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        assert_eq!(answer.header("Content-Type"), "application/xml;charset=UTF-8");
        let form = format!("<ApiErrors><ApiError><ErrorType>{kind}</ErrorType><ErrorMessage>");
        assert!(compact.starts_with(&form), "{method} {path}: {compact}");
        assert!(compact.ends_with("</ErrorData></ApiError></ApiErrors>"), "{compact}");
    }
}

#[tokio::test]
async fn methods_that_a_path_takes_are_told() {
    let centre = Centre::new(Flavour::Uccx).await;
    for (method, path, status, allow) in [
        ("POST", "/finesse/api/User/1001", 405, "GET,OPTIONS,HEAD,PUT"),
        ("OPTIONS", "/finesse/api/User/1001", 200, "GET,OPTIONS,HEAD,PUT"),
        ("PATCH", "/finesse/api/User/1001/Dialogs", 405, "GET,OPTIONS,HEAD"),
        ("OPTIONS", "/finesse/api/SystemInfo", 200, "GET,OPTIONS,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = centre.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("Allow")), (status, allow), "{path}");
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let answer = ask(get("/finesse/api/User/1001").method("HEAD"), "").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    assert!(answer.header("Content-Length").parse::<u32>().unwrap() > 500);
}

#[tokio::test]
async fn a_path_that_cannot_be_read_is_refused() {
    for path in ["/User/%", "/User/%4", "/User/%zz", "/User/%ff", "/User/%00", "/User/%u002e"] {
        let answer = ask(get(&format!("/finesse/api{path}")), "").await;
        assert_eq!(answer.status.as_u16(), 400, "{path}");
    }
    // Decoded once: "%31" is "1", "%2531" is "%31"; an encoded slash separates nothing.
    for (path, status) in [
        ("/User/%31001", 200),
        ("/User/%2531001", 401),
        ("/User/1001%2FDialogs", 401),
        ("/User/1001;x=1", 401),
        ("/User/%2e%2e", 401),
        ("/%55ser/1001", 404),
    ] {
        let answer = ask(get(&format!("/finesse/api{path}")), "").await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn a_body_must_be_xml_in_utf_8_and_small() {
    let longest = format!("{LOGIN}{}", " ".repeat(REST_BODY_BYTES_MAX - LOGIN.len()));
    let longer = format!("{longest} ");
    let doctype = "<!DOCTYPE a [<!ENTITY b 'c'>]><User><state>&b;</state></User>";
    for (kind, body, status) in [
        ("application/xml", LOGIN.as_bytes(), 202),
        ("application/xml; charset=\"UTF-8\"", LOGIN.as_bytes(), 202),
        ("application/xml", longest.as_bytes(), 202),
        ("application/xml", longer.as_bytes(), 413),
        ("application/json", LOGIN.as_bytes(), 415),
        ("application/x-www-form-urlencoded", LOGIN.as_bytes(), 415),
        ("text/plain", LOGIN.as_bytes(), 415),
        ("application/xml; charset=utf-16", LOGIN.as_bytes(), 415),
        ("application/xml", b"<User><state>\xff</state></User>", 400),
        ("application/xml", b"", 400),
        ("application/xml", doctype.as_bytes(), 400),
        ("application/xml", b"<User>", 400),
    ] {
        let answer = ask(put().header("Content-Type", kind), body.to_vec()).await;
        assert_eq!(answer.status.as_u16(), status, "{kind} and {} bytes", body.len());
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let answer = ask(put().header("Content-Type", "application/xml"), Body::new(Endless)).await;
    assert_eq!(answer.status.as_u16(), 413);
}

/// A body that never ends, of unknown length.
struct Endless;

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"<User>")))))
    }
}

#[tokio::test]
async fn credentials_are_asked_for_on_every_request() {
    let centre = Centre::new(Flavour::Uccx).await;
    for value in [
        "",
        "Basic",
        "Basic !!!",
        "Basic MTAwMQ==",
        "Bearer MTAwMTpzZWNyZXQ=",
        &basic("1001:wrong"),
        &basic("nobody:secret"),
        &basic(":secret"),
        &basic("1001:"),
    ] {
        let request = Request::get("/finesse/api/User/1001").header("Authorization", value);
        let answer = centre.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), 401, "{value}");
        assert_eq!(answer.header("WWW-Authenticate"), "Basic realm=\"Cisco Finesse\"");
        assert!(answer.body.contains("<ErrorMessage>UNAUTHORIZED</ErrorMessage>"));
    }
    for value in [basic("1001"), basic("1001").replace("Basic", "basic"), unpadded("1001")] {
        let request = Request::get("/finesse/api/User/1001").header("Authorization", &value);
        let answer = centre.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), 200, "{value}");
    }
}

fn unpadded(who: &str) -> String {
    basic(who).trim_end_matches('=').to_owned()
}

#[tokio::test]
async fn a_password_is_not_taken_in_the_clear() {
    let clear = Peer { is_tls: false, ..TLS };
    let centre = Centre::new(Flavour::Uccx).await;
    let request = |path: &str| get(path).extension(clear).body(Body::empty()).unwrap();
    assert_eq!(centre.send(request("/finesse/api/User/1001")).await.status.as_u16(), 403);
    assert_eq!(centre.send(request("/finesse/api/SystemInfo")).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_request_id_is_echoed_and_told_with_the_event() {
    let centre = Centre::new(Flavour::Uccx).await;
    let longest = "i".repeat(REQUEST_ID_BYTES_MAX);
    let longer = format!("{longest}i");
    for (sent, echoed) in [
        ("7f0c1a9e-2f0a", "7f0c1a9e-2f0a"),
        ("<b>&amp;", "<b>&amp;"),
        (&longest, &longest),
        (&longer, ""),
    ] {
        let request = put().header("Content-Type", "application/xml").header("requestId", sent);
        let answer = centre.send(request.body(LOGIN.into()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header("requestId")), (202, echoed));
        assert_eq!((answer.body.as_str(), answer.header("Content-Length")), ("", "0"));
        let told = echoed.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let event = centre.newest_event("/finesse/api/User/1001").await;
        assert!(event.contains(&format!("<requestId>{told}</requestId>")), "{event}");
    }
}

#[tokio::test]
async fn pages_of_allowed_origins_may_read_answers() {
    let centre = Centre::new(Flavour::Uccx).await;
    for (origin, host, is_allowed) in [
        ("https://crm.example", "cc.test:8445", true),
        ("https://cc.test:8445", "cc.test:8445", true),
        ("https://evil.example", "cc.test:8445", false),
        ("https://crm.example.evil", "cc.test:8445", false),
        ("null", "cc.test:8445", false),
    ] {
        let request = |method: &str| {
            let request = Request::builder().method(method).uri("/finesse/api/SystemInfo");
            request.header("Host", host).header("Origin", origin)
        };
        let expected = if is_allowed { origin } else { "" };
        let answer = centre.send(request("GET").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("Access-Control-Allow-Origin"), expected);
        assert_eq!((answer.status.as_u16(), answer.header("Vary")), (200, "Origin"));
        let before = request("OPTIONS").header("Access-Control-Request-Method", "PUT");
        let answer = centre.send(before.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("Access-Control-Allow-Origin"), expected);
        let allowed = answer.header("Access-Control-Allow-Headers");
        assert_eq!(allowed.contains("Authorization, "), is_allowed, "{origin}");
        assert_eq!(allowed.contains("requestId, Range"), is_allowed, "{origin}");
        let methods = answer.header("Access-Control-Allow-Methods");
        assert_eq!(methods == "GET,OPTIONS,HEAD,PUT", is_allowed, "{origin}: {methods}");
    }
}

#[tokio::test]
async fn the_headers_that_a_page_may_send_are_those_of_the_document() {
    let request = Request::builder().method("OPTIONS").uri("/finesse/api/User/1001");
    let request = request.header("Host", "cc.test").header("Origin", "https://crm.example");
    let answer = ask(request.header("Access-Control-Request-Method", "PUT"), "").await;
    let document = include_str!("../../../../docs/rest.md").replace('\n', " ");
    let headers = answer.header("Access-Control-Allow-Headers").split(", ");
    let expected = headers.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    assert!(document.contains(&format!("headers {expected}.")), "{expected}");
}

#[tokio::test]
async fn a_store_that_fails_is_answered_503_and_nothing_changes() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let store = Fragile { inside: Memory::new().unwrap(), is_broken: is_broken.clone() };
    let centre = Centre::on(Box::new(store), Flavour::Uccx).await;
    is_broken.store(true, Ordering::SeqCst);
    centre
        .play(
            "
            1001 PUT /User/1001 state=LOGIN extension=1001   → 503 SERVER_OUT_OF_SERVICE
            1001 PUT /User/1001 state=LOGIN extension=1001   → 503 <ErrorType>Service Unavailable
            ",
        )
        .await;
    is_broken.store(false, Ordering::SeqCst);
    let state = |domain: &aplomb_core::domain::Domain| domain.user("1001").unwrap().desk.state;
    assert_eq!(centre.writer.read(state).name(), "LOGOUT");
    assert_eq!(centre.events("/finesse/api/User/1001").await, Vec::<String>::new());
}
