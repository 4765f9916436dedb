//! What `GET /SystemInfo` tells.

use super::nodes::ROOT;
use super::pretty::Pretty;
use crate::domain::Flavour;
use crate::time::WallTime;

/// The facts of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemInfo {
    /// The XMPP domain.
    pub xmpp_domain: String,
    /// The host that clients use.
    pub host: String,
    /// The port of HTTPS and `wss`.
    pub https_port: u16,
    /// UCCX or UCCE.
    pub flavour: Flavour,
    /// Whether the server takes work.
    pub status: Status,
}

/// Whether the server takes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything works.
    InService,
    /// Nothing does.
    OutOfService,
}

impl SystemInfo {
    /// The body of `GET /SystemInfo` (Finesse REST guide, SystemInfo).
    ///
    /// There is no second node and no CTI server behind us. COMPAT: Finesse desktop:
    /// `lastCTIHeartbeatStatus` follows the status, as the desktop looks at both before it
    /// connects.
    pub fn to_xml(&self, now: WallTime) -> String {
        let is_in_service = self.status == Status::InService;
        Pretty::document("SystemInfo", |out| {
            out.leaf("currentTimestamp", &now.to_iso());
            out.leaf("deploymentType", self.deployment_type());
            out.leaf("lastCTIHeartbeatStatus", if is_in_service { "success" } else { "failure" });
            out.element("primaryNode", |out| {
                out.leaf("host", &self.host);
                out.number("httpsPort", self.https_port);
            });
            out.element("secondaryNode", |out| out.leaf("host", ""));
            out.leaf("status", if is_in_service { "IN_SERVICE" } else { "OUT_OF_SERVICE" });
            out.leaf("statusReason", "");
            out.leaf("systemAuthMode", "NON_SSO");
            out.number("timezoneOffset", 0);
            out.leaf("uri", &format!("{ROOT}SystemInfo"));
            out.leaf("xmppDomain", &self.xmpp_domain);
            out.leaf("xmppPubSubDomain", &format!("pubsub.{}", self.xmpp_domain));
        })
    }

    const fn deployment_type(&self) -> &'static str {
        match self.flavour {
            Flavour::Uccx => "UCCX",
            Flavour::Ucce => "UCCE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_finds_the_xmpp_domain_and_the_status() {
        let info = SystemInfo {
            xmpp_domain: "uccxpub.prabhat.com".to_owned(),
            host: "uccxpub.prabhat.com".to_owned(),
            https_port: 8445,
            flavour: Flavour::Uccx,
            status: Status::InService,
        };
        let body = info.to_xml(WallTime(1_506_620_020_875));
        for line in [
            "  <currentTimestamp>2017-09-28T17:33:40.875Z</currentTimestamp>",
            "  <deploymentType>UCCX</deploymentType>",
            "  <status>IN_SERVICE</status>",
            "  <systemAuthMode>NON_SSO</systemAuthMode>",
            "    <httpsPort>8445</httpsPort>",
            "  <xmppDomain>uccxpub.prabhat.com</xmppDomain>",
            "  <xmppPubSubDomain>pubsub.uccxpub.prabhat.com</xmppPubSubDomain>",
        ] {
            assert!(body.lines().any(|l| l == line), "{line} is not in {body}");
        }
        let down = SystemInfo { status: Status::OutOfService, ..info };
        assert!(down.to_xml(WallTime(0)).contains("<status>OUT_OF_SERVICE</status>"));
    }
}
