//! Reads the bodies that clients send.
