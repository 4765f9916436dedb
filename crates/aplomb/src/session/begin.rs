//! What a stream begins with, at the start of a connection and anew when TLS begins.

use std::sync::Arc;

use aplomb_core::ns;
use aplomb_core::sasl::binding::Bindings;
use aplomb_core::stream::Responder;
use aplomb_core::stream::responder::Fresh;
use aplomb_core::time::Moment;
use aplomb_core::xml::Element;

use super::end::End;
use super::{Session, Shared};
use crate::link::{Link, Peer, Wrap};
use crate::{clock, random};

/// The server's side of a stream of which nothing has come yet.
pub(super) fn responder(shared: &Shared, link: &Link, peer: Peer) -> Responder {
    let policy = match (peer.is_tls, link.wrap()) {
        (true, _) => &shared.policy_tls,
        (false, Wrap::Message | Wrap::Child) => &shared.policy_clear,
        (false, Wrap::Bare) => &shared.policy_starttls,
    };
    let fresh = Fresh {
        stream_id: random::name(STREAM_ID_CHARS),
        resource: random::name(RESOURCE_CHARS),
        nonce: random::name(NONCE_CHARS),
    };
    let server_end_point = shared.server_end_point.clone().filter(|_| peer.is_tls);
    let bindings = Bindings { exporter: link.exporter(), server_end_point };
    let mechanisms = shared.accounts.serve_all(&policy.mechanisms);
    Responder::new(clock::moment(), link.framing(), Arc::clone(policy), fresh)
        .offering(mechanisms, bindings)
}

impl Session {
    /// Goes on over TLS, with a stream that knows nothing of the one before (RFC 6120 §5.4.3.3).
    pub(super) async fn secure(&mut self) -> Result<(), End> {
        if let Err(problem) = self.link.secure(&self.shared.tls).await {
            self.shared.metrics.tls_failures.inc();
            return Err(End::NoTls(problem));
        }
        self.peer.is_tls = true;
        self.last_failure = None;
        self.keys_of = None;
        self.responder = responder(&self.shared, &self.link, self.peer);
        Ok(())
    }

    /// Asks the client for a sign of life: by the carrier's own means, else by XMPP's.
    ///
    /// COMPAT: Openfire asks idle TCP clients by XEP-0199 too. A space would be no question: what
    /// acknowledges it is a kernel or a proxy, not the client.
    pub(super) fn ping(&mut self, now: Moment) {
        self.is_pinged = true;
        if !self.link.queue_ping()
            && let Some(jid) = self.responder.jid()
        {
            let ping = Element::new(ns::CLIENT, "iq")
                .with_attr("type", "get")
                .with_attr("id", random::name(PING_ID_CHARS))
                .with_attr("from", self.shared.policy_tls.domain.clone())
                .with_attr("to", jid.as_str())
                .with_child(Element::new(ns::PING, "ping"));
            self.responder.send(now, &ping);
        }
    }
}

/// Characters of a stream's id: over 128 bits of chance, for it must not be guessed.
const STREAM_ID_CHARS: usize = 26;

/// Characters of a resource that the client leaves to us.
const RESOURCE_CHARS: usize = 10;

/// Characters of the server's half of a SCRAM nonce: over 128 bits.
const NONCE_CHARS: usize = 26;

/// Characters of a ping's id: enough to be no other's.
const PING_ID_CHARS: usize = 8;
