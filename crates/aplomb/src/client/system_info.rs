//! What a Finesse server says of itself before anybody logs in: its XMPP domain above all.

use std::time::Duration;

use aplomb_core::xml::{Element, Prologue, read_element};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use crate::limits::SYSTEM_INFO_BYTES_MAX;
use crate::link::dial::{self, ConnectError, Meter, Security, Target, Tell, Trust};

/// The part that a client needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemInfo {
    /// The domain of every address.
    pub domain: String,
    /// Whether the contact centre is `IN_SERVICE`.
    pub status: String,
}

const PATH: &str = "/finesse/api/SystemInfo";

/// Asks the target's host; none if it has no such page, with the reason told.
///
/// - Errors: the host cannot be reached at all.
pub async fn ask(
    target: &Target,
    trust: &Trust,
    wait: Duration,
    tell: Tell<'_>,
) -> Result<Option<SystemInfo>, ConnectError> {
    let (security, meter) = (Security::of_web(target, trust), Meter::default());
    let (bytes, _) = dial::open(target, security, wait, &meter, tell).await?;
    let answer = timeout(wait, get(bytes, target)).await;
    let answer = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
    Ok(match answer.and_then(|(status, body)| read(status, &body)) {
        Ok(info) => {
            tell(format!("GET {PATH}: {}; the XMPP domain is {}.", info.status, info.domain));
            Some(info)
        }
        Err(why) => {
            tell(format!("GET {PATH}: {why}; the host's name is taken for the XMPP domain."));
            None
        }
    })
}

async fn get(bytes: Box<dyn dial::Bytes>, target: &Target) -> Result<(u16, String), String> {
    let words = |error: &dyn ToString| error.to_string();
    let request = http::Request::get(PATH)
        .header("Host", target.authority())
        .header("Accept", "application/xml")
        .header("Connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| words(&error))?;
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(bytes)).await;
    let (mut sender, connection) = shaken.map_err(|error| words(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| words(&error))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), SYSTEM_INFO_BYTES_MAX).collect().await;
        let body = body.map_err(|error| words(&error))?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    tokio::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        end = connection => match end {
            // The answer may be whole although the connection is over.
            Ok(()) => exchange.await,
            Err(error) => Err(words(&error)),
        },
    }
}

fn read(status: u16, body: &str) -> Result<SystemInfo, String> {
    if status != 200 {
        return Err(format!("{status}"));
    }
    let root = read_element(body, Prologue::Allowed).map_err(|error| error.to_string())?;
    let field = |name: &str| {
        let child = root.children().find(|child| child.name() == name);
        child.map(Element::text).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let domain = field("xmppDomain").ok_or("it names no xmppDomain")?;
    Ok(SystemInfo { domain, status: field("status").unwrap_or_else(|| "no status".to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_read_from_finesses_answer() {
        let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SystemInfo>\n  \
                    <status>IN_SERVICE</status>\n  <xmppDomain>cc.test</xmppDomain>\n</SystemInfo>";
        let info = read(200, body).unwrap();
        assert_eq!((info.domain.as_str(), info.status.as_str()), ("cc.test", "IN_SERVICE"));
    }

    #[test]
    fn what_is_no_system_info_is_told_why() {
        for (status, body) in [(404, ""), (200, "<html>"), (200, "<SystemInfo/>"), (401, "")] {
            assert!(read(status, body).is_err(), "{status} {body}");
        }
    }
}
