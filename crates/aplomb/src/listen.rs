//! Listeners: TCP, TLS, HTTP/1 and HTTP/2, limits per address.
