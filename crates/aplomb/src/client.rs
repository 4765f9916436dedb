//! The client: an initiator over a link, with reconnect.
