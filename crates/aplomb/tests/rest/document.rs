//! `/openapi.json` and the router are one.

use std::collections::BTreeSet;

use aplomb::link::Peer;
use aplomb_core::domain::Flavour;
use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::centre::{Centre, TLS, basic};

/// Paths with their methods, as the description has them.
async fn described(centre: &Centre) -> Vec<(String, String)> {
    let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
    let answer = centre.send(request).await;
    assert_eq!(answer.header("Content-Type"), "application/json");
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    assert_eq!(document["components"]["securitySchemes"]["basic"]["scheme"], "basic");
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| (path.clone(), method.to_uppercase()))
    });
    operations.collect()
}

#[tokio::test]
async fn every_path_and_method_of_the_description_answers() {
    let centre = Centre::new(Flavour::Uccx).await;
    let described = described(&centre).await;
    assert_eq!(described.len(), 12, "{described:?}");
    for (path, method) in described {
        let id = if path.contains("ReasonCode") && !path.contains("User") { "1" } else { "1001" };
        let id = if path.contains("Team") { "1" } else { id };
        let filled = path.replace("{id}", id).replace("{reason}", "1");
        let request = Request::builder().method(&*method).uri(format!("{filled}?category=LOGOUT"));
        let who = if method == "PUT" { "1001" } else { "admin" };
        let request = request.header("Authorization", basic(who));
        let request = request.header("Content-Type", "application/xml");
        let body = "<User><state>LOGIN</state><extension>1001</extension></User>";
        let answer = centre.send(request.body(Body::from(body)).unwrap()).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
    }
}

/// The paths of issue 2, and that none of them is missing from the description.
#[tokio::test]
async fn every_path_that_is_served_is_described() {
    let centre = Centre::new(Flavour::Uccx).await;
    let described = described(&centre).await;
    for (path, methods) in [
        ("/finesse/api/SystemInfo", &["GET"][..]),
        ("/finesse/api/User/{id}", &["GET", "PUT"]),
        ("/finesse/api/User/{id}/Dialogs", &["GET"]),
        ("/finesse/api/User/{id}/ReasonCodes", &["GET"]),
        ("/finesse/api/User/{id}/ReasonCode/{reason}", &["GET"]),
        ("/finesse/api/Users", &["GET"]),
        ("/finesse/api/Team/{id}", &["GET"]),
        ("/finesse/api/Teams", &["GET"]),
        ("/finesse/api/ReasonCode/{id}", &["GET"]),
        ("/finesse/api/ReasonCodes", &["GET"]),
        ("/openapi.json", &["GET"]),
    ] {
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            let is_described = described.contains(&(path.to_owned(), method.to_owned()));
            assert_eq!(is_described, methods.contains(&method), "{method} {path}");
            let filled = path.replace("{id}", "1").replace("{reason}", "1");
            let request = Request::builder().method(method).uri(filled).body(Body::empty());
            let status = centre.send(request.unwrap()).await.status.as_u16();
            assert_eq!(status != 405, is_described, "{method} {path} answers {status}");
        }
    }
}

/// Requests that go wrong in every way that needs no second client; what comes must be described.
#[tokio::test]
async fn every_status_that_an_operation_answers_is_described() {
    let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
    let centre = Centre::new(Flavour::Uccx).await;
    let document: Value = serde_json::from_str(&centre.send(request).await.body).unwrap();
    let long = " ".repeat(aplomb::limits::REST_BODY_BYTES_MAX + 1);
    let clear = Peer { is_tls: false, ..TLS };
    let mut came = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let described = operation["responses"].as_object().unwrap();
            if operation["security"].is_null() {
                assert!(described.contains_key("429"), "{method} {path}");
            }
            for id in ["1001", "1", "9999", "%zz"] {
                for (who, kind, body) in [
                    ("admin", "application/xml", ""),
                    ("1001", "application/xml", "<User><state>LOGIN</state></User>"),
                    ("1002", "text/plain", ""),
                    ("1001", "application/xml", &long),
                    ("nobody:wrong", "application/xml", ""),
                    ("over clear text", "application/xml", ""),
                ] {
                    let filled = path.replace("{id}", id).replace("{reason}", id);
                    let mut request = Request::builder()
                        .method(&*method.to_uppercase())
                        .uri(filled)
                        .header("Authorization", basic(who))
                        .header("Content-Type", kind)
                        .body(Body::from(body.to_owned()))
                        .unwrap();
                    request.extensions_mut().insert(if who.contains(' ') { clear } else { TLS });
                    let status = centre.send(request).await.status.as_u16().to_string();
                    assert!(described.contains_key(&status), "{who} {method} {path}: {status}");
                    came.insert(status);
                }
            }
        }
    }
    // So many wrong passwords may come too fast.
    came.remove("429");
    let expected = ["200", "400", "401", "403", "404", "413", "415"];
    assert_eq!(came.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
