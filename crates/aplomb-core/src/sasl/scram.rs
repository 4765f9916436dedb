//! SCRAM-SHA-256, the server and the client side (RFC 5802, RFC 7677).
