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
