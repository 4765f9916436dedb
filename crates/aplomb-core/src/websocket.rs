//! WebSocket frames: a codec without I/O (RFC 6455 §5).
