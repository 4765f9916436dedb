//! A bounded queue to one reader, with a named answer to "full".

use std::sync::Arc;

use aplomb_core::jid::{BareJid, FullJid};
use aplomb_core::pubsub::Notice;
use aplomb_core::xml::Element;

/// What a mailbox holds.
#[derive(Debug, Clone)]
pub enum Letter {
    /// An event. It is rendered already; the session adds the envelope.
    Notice {
        /// The shared event.
        notice: Arc<Notice>,
        /// Whether the subscription is of the full JID, so that `to` is full as well.
        to_full: bool,
    },
    /// Any other stanza.
    Stanza(Arc<Element>),
    /// The session must end.
    End(EndReason),
}

/// Why the server ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// Another session bound the same address.
    Conflict,
    /// The reader is too slow: its mailbox was full.
    SlowReader,
    /// The server stops.
    Shutdown,
    /// The account was removed or its password changed.
    AccountChanged,
}

/// The mailbox is full: the letter was not taken and the session must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// The queue. Many writers, one reader. It allocates nothing while it is empty.
#[derive(Debug)]
pub struct Mailbox;

impl Mailbox {
    /// An empty mailbox for at most `letters_max` letters and `bytes_max` bytes of notices.
    pub fn new(_letters_max: usize, _bytes_max: usize) -> Self {
        todo!()
    }

    /// Puts a letter in and wakes the reader. When it does not fit, the mailbox is emptied and
    /// holds only [`EndReason::SlowReader`] from then on.
    pub fn push(&self, _letter: Letter) -> Result<(), Full> {
        todo!()
    }

    /// Moves every letter to the end of `letters`; returns how many.
    pub fn drain(&self, _letters: &mut Vec<Letter>) -> usize {
        todo!()
    }

    /// Waits until there is a letter.
    pub async fn wait(&self) {
        todo!()
    }

    /// How many letters wait.
    pub fn depth(&self) -> usize {
        todo!()
    }
}

/// The two spellings of `to` in an envelope.
#[derive(Debug, Clone)]
pub struct Addressee {
    /// For automatic subscriptions.
    pub bare: BareJid,
    /// For explicit ones.
    pub full: FullJid,
}
