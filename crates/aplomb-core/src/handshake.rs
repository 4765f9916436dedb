//! The HTTP upgrade as data: what a request and a response must say (RFC 6455 §4, RFC 7395 §3.1).
