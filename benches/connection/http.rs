//! Those who wait over HTTP: a BOSH session with a request that is held, a reader of server-sent
//! events, a long poll.

use std::io;

use crate::desk::{Desk, Target, base64, refuse_unless};

/// Opens what `carrier` names for a user, up to where nothing happens until an event comes.
pub async fn wait(target: &Target, carrier: &str, user: &str) -> io::Result<Desk> {
    let mut desk = Desk::connect(target).await?;
    match carrier.trim_end_matches("-tls") {
        "bosh" => bosh(&mut desk, target, user).await?,
        "sse" => {
            desk.send(&feed(target, "sse", user)).await?;
            desk.until("\nid: ").await?;
        }
        _ => {
            // The login is made before, so that nothing is left to do but to wait.
            desk.exchange(&feed(target, "poll", user)).await?;
            desk.send(&feed(target, "longpoll", user)).await?;
        }
    }
    Ok(desk)
}

fn feed(target: &Target, name: &str, user: &str) -> String {
    let blob = base64(format!("{user}:{}", target.password).as_bytes());
    format!(
        "GET /feeds/{name}?wait=50&node=/finesse/api/User/{user} HTTP/1.1\r\nHost: {}\r\n\
         Authorization: Basic {blob}\r\n\r\n",
        target.address
    )
}

/// Logs in over requests of one connection; the last is held.
async fn bosh(desk: &mut Desk, target: &Target, user: &str) -> io::Result<()> {
    let domain = &target.domain;
    let blob = base64(format!("\0{user}\0{}", target.password).as_bytes());
    let mut sid = String::new();
    let restart = "xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'";
    for (rid, (attributes, content, word)) in [
        (format!("to='{domain}' wait='60' hold='1' ver='1.6'"), String::new(), "mechanisms"),
        (
            String::new(),
            format!(
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{blob}</auth>"
            ),
            "success",
        ),
        (format!("to='{domain}' {restart}"), String::new(), "xmpp-bind"),
        (
            String::new(),
            "<iq xmlns='jabber:client' type='set' id='b1'><bind \
             xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind></iq>"
                .to_owned(),
            "b1",
        ),
        (String::new(), "<presence xmlns='jabber:client'/>".to_owned(), "finesse@"),
    ]
    .into_iter()
    .enumerate()
    {
        let request = post(target, &sid, rid, &attributes, &content);
        let answer = desk.exchange(&request).await?;
        refuse_unless(answer.contains(word), &answer)?;
        if let Some((_, rest)) = answer.split_once(" sid=\"") {
            rest.split('"').next().unwrap_or_default().clone_into(&mut sid);
        }
    }
    desk.send(&post(target, &sid, 5, "", "")).await
}

fn post(target: &Target, sid: &str, rid: usize, attributes: &str, content: &str) -> String {
    let sid = if sid.is_empty() { String::new() } else { format!("sid='{sid}'") };
    let rid = 1_000 + rid;
    let body = format!(
        "<body xmlns='http://jabber.org/protocol/httpbind' rid='{rid}' {sid} {attributes}>\
         {content}</body>"
    );
    format!(
        "POST /http-bind/ HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}",
        target.address,
        body.len()
    )
}
