//! The documents that tell where the other ways to connect are (XEP-0156 §3).

use crate::standard::Standard;

/// What is followed here.
pub const STANDARDS: &[Standard] = &[Standard {
    source: "XEP-0156",
    name: "Discovering Alternative XMPP Connection Methods",
    what: "`/.well-known/host-meta` and `host-meta.json` name WebSocket and BOSH, with the host \
           that the client called; over HTTPS only.",
    samples: &[],
}];

/// The two forms of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// XRD, in XML.
    Xml,
    /// JSON.
    Json,
}

impl Form {
    /// The type of the content.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Xml => "application/xrd+xml; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// Writes the document for a server at `host`, which may have a port.
    pub fn document(self, host: &str) -> String {
        let links = [
            ("urn:xmpp:alt-connections:websocket", format!("wss://{host}/ws/")),
            ("urn:xmpp:alt-connections:xbosh", format!("https://{host}/http-bind/")),
        ];
        match self {
            Self::Xml => {
                let link = |(kind, place)| format!("  <Link rel=\"{kind}\" href=\"{place}\"/>\n");
                [XRD_HEAD, &links.map(link).concat(), "</XRD>\n"].concat()
            }
            Self::Json => {
                let link = |(kind, at)| format!("{{\"rel\":\"{kind}\",\"href\":\"{at}\"}}");
                format!("{{\"links\":[{}]}}\n", links.map(link).join(","))
            }
        }
    }
}

const XRD_HEAD: &str = "<?xml version='1.0' encoding='utf-8'?>\n\
                        <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n";
