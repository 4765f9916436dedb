//! The driver of one session: one task, one stream, one link, one mailbox.
