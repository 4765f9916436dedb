//! What must be known of a server before anything is followed there.

use http::Request;
use http::header::HOST;
use http_body_util::Full;
use serde_json::Value;
use tokio::time::timeout;

use super::ground::{ANSWER_WAIT, Ground, exchange};
use super::server::Own;
use super::told::Marks;
use super::{Failure, LAB_AGENT, Settings};
use crate::client::system_info;
use crate::link::dial::{Fingerprint, Meter, Over, Target, Trust};
use crate::random;

/// Learns it, over the web.
///
/// - Errors: the server cannot be reached.
pub(super) async fn ground(settings: &Settings, own: Option<&Own>) -> Result<Ground, Failure> {
    let marks = Marks::new(&random::name(8));
    let wait = settings.wait;
    if let Some(own) = own {
        let fingerprint: Fingerprint =
            own.listening.fingerprint.parse().expect("our own server prints fingerprints");
        return Ok(Ground {
            web: web_at(&own.listening.https.ip().to_string(), own.listening.https.port()),
            trust: Trust::Pinned(fingerprint),
            domain: own.listening.domain.clone(),
            user: LAB_AGENT.to_owned(),
            password: own.password.clone(),
            ws: None,
            bosh: None,
            xmpp: own.listening.xmpp.port(),
            xmpps: own.listening.xmpps.port(),
            plain_without_tls: false,
            wait,
            marks,
            has_gapless_numbers: true,
        });
    }
    let given = settings.server.clone().expect("a server is given or our own");
    let domain = match given.domain {
        Some(domain) => domain,
        None => {
            let info = system_info::ask(&given.web, &given.trust, wait, &mut |_| {}).await?;
            info.map_or_else(|| given.web.host.clone(), |info| info.domain)
        }
    };
    let mut ground = Ground {
        web: given.web,
        trust: given.trust,
        domain,
        user: given.user,
        password: given.password,
        ws: None,
        bosh: None,
        xmpp: given.xmpp,
        xmpps: given.xmpps,
        plain_without_tls: given.plain_without_tls,
        wait,
        marks,
        has_gapless_numbers: false,
    };
    if let Some(links) = links(&ground).await {
        ground.ws = place(&links, "urn:xmpp:alt-connections:websocket", &ground.web);
        ground.bosh = place(&links, "urn:xmpp:alt-connections:xbosh", &ground.web);
    }
    Ok(ground)
}

/// What the server says of its ways to connect (XEP-0156); Finesse says nothing.
async fn links(ground: &Ground) -> Option<Value> {
    let web = ground.web(&Meter::default()).ok()?;
    let asking = async {
        let request = Request::get("/.well-known/host-meta.json")
            .header(HOST, ground.web.authority())
            .body(Full::default())
            .ok()?;
        exchange(&mut web.open().await.ok()?, request).await.ok()
    };
    let (status, body) = timeout(ANSWER_WAIT, asking).await.ok()??;
    (status == 200).then(|| serde_json::from_str(&body).ok())?
}

/// Where a kind of connection is; only with TLS if the web server has it.
fn place(links: &Value, kind: &str, web: &Target) -> Option<Target> {
    let mut links = links["links"].as_array()?.iter();
    let place = links.find(|link| link["rel"] == kind)?["href"].as_str()?;
    place.parse().ok().filter(|target: &Target| target.is_tls == web.is_tls)
}

fn web_at(host: &str, port: u16) -> Target {
    Target { over: Over::Bosh, is_tls: true, host: host.to_owned(), port, path: String::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_server_says_where_its_connections_are() {
        let web = web_at("cc.test", 8445);
        let links = json!({"links": [
            {"rel": "urn:xmpp:alt-connections:xbosh", "href": "https://cc.test:7443/http-bind/"},
            {"rel": "urn:xmpp:alt-connections:websocket", "href": "ws://cc.test/ws/"},
        ]});
        let at = |kind: &str| place(&links, &format!("urn:xmpp:alt-connections:{kind}"), &web);
        assert_eq!(at("xbosh").unwrap().to_string(), "https://cc.test:7443/http-bind/");
        assert_eq!(at("websocket"), None, "the password is not sent without TLS");
        assert_eq!(at("other"), None);
        assert_eq!(place(&json!("x"), "y", &web), None);
    }
}
