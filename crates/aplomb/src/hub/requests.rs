//! Requests from one person's session to another's, and their answers (RFC 6121 §8.5.3.1).

use std::sync::Arc;

use aplomb_core::jid::Jid;
use aplomb_core::realm::Reach;
use aplomb_core::stanza::{Condition, StanzaError};
use aplomb_core::xml::Element;

use super::mail::is_full;
use super::{Hub, Seat};
use crate::clock;
use crate::limits::REQUESTS_OPEN_MAX;

impl Hub {
    /// Passes a request on; returns what the asker is told if it did not go.
    pub(super) fn pass_request(
        &self,
        asker: &Seat,
        (to, id): (&Jid, &str),
        stanza: &Arc<Element>,
        otherwise: Element,
    ) -> Option<Element> {
        if !self.are_acquainted(&asker.jid.to_bare(), &to.to_bare()) {
            return Some(otherwise);
        }
        let requests = &asker.mailbox.room().requests;
        if !requests.open(to.as_str(), id, clock::moment()) {
            let text = format!("{REQUESTS_OPEN_MAX} requests wait for answers; try again later");
            let full = StanzaError::new(Condition::ResourceConstraint).with_text(text);
            return full.refuse(stanza);
        }
        let presence = self.presence.read();
        let reached = self.hand_out(&presence, &asker.jid, to, Reach::Session, stanza);
        if reached.count() > 0 {
            return None;
        }
        requests.close(to.as_str(), id);
        if reached.is_full { is_full(stanza) } else { Some(otherwise) }
    }

    /// Passes an answer back to who asked for it. What nobody asked for is dropped.
    pub(super) fn pass_answer(&self, asked: &Seat, (to, id): (&Jid, &str), stanza: &Arc<Element>) {
        let presence = self.presence.read();
        let mut is_awaited = false;
        presence.directory.reached(to, Reach::Session, |session| {
            let mailbox = presence.seats.get(session);
            is_awaited = mailbox
                .is_some_and(|mailbox| mailbox.room().requests.close(asked.jid.as_str(), id));
        });
        if is_awaited {
            self.hand_out(&presence, &asked.jid, to, Reach::Session, stanza);
        }
    }
}
