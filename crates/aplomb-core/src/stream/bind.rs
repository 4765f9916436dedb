//! Resource binding: a logged-in client gets its full address.
//!
//! Pure: no I/O, no clock, no randomness. Source: RFC 6120 §7.
