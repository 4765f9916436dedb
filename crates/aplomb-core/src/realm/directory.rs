//! Who is online, and who of them gets a stanza (RFC 6121 §8.5).

use crate::jid::{BareJid, FullJid, Jid};

/// The shell's key of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Who is online.
#[derive(Debug, Default)]
pub struct Directory;

impl Directory {
    /// Seats a session; gives back the one that had the address before (RFC 6120 §7.7.2.2).
    pub fn join(&mut self, _jid: &FullJid, _session: SessionId) -> Option<SessionId> {
        todo!()
    }

    /// Takes a session away; nothing happens if the address has another one by now.
    pub fn leave(&mut self, _jid: &FullJid, _session: SessionId) {
        todo!()
    }

    /// Notes a presence; `None` is unavailable.
    pub fn set_priority(&mut self, _jid: &FullJid, _priority: Option<i8>) {
        todo!()
    }

    /// The sessions that an event for `jid` goes to: a full JID, that session if it is there; a
    /// bare JID, every session that sent presence with a priority of 0 or more.
    pub fn recipients(&self, _jid: &Jid, _each: &mut dyn FnMut(SessionId)) {
        todo!()
    }

    /// Everybody who is available with a priority of 0 or more.
    pub fn everyone(&self, _each: &mut dyn FnMut(&BareJid, SessionId)) {
        todo!()
    }
}
