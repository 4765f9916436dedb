//! Writes frames to the end of a buffer, so that many frames become one write.

use super::{CloseCode, Opcode, apply_mask};
use crate::limits::WS_CONTROL_BYTES_MAX;

/// Writes the header of an unfragmented frame whose payload of `payload_bytes` the caller appends.
///
/// With a `mask` the payload must be appended masked, which [`push_frame`] does.
///
/// - Shape: 2, 4 or 10 bytes, and 4 more with a mask; the shortest form of the length, as the
///   standard demands.
/// - Source: RFC 6455 §5.2.
pub fn push_header(out: &mut Vec<u8>, opcode: Opcode, payload_bytes: usize, mask: Option<[u8; 4]>) {
    let mask_bit = if mask.is_some() { 0x80 } else { 0 };
    out.push(0x80 | opcode.number());
    match payload_bytes {
        0..=125 => out.push(mask_bit | u8::try_from(payload_bytes).expect("at most 125")),
        126..=0xFFFF => {
            out.push(mask_bit | 126);
            let short = u16::try_from(payload_bytes).expect("at most 65,535");
            out.extend_from_slice(&short.to_be_bytes());
        }
        long => {
            out.push(mask_bit | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(mask.as_ref().map_or(&[], |mask| mask.as_slice()));
}

/// Writes a whole frame. A client must pass a fresh random `mask`, a server none (RFC 6455 §5.3).
pub fn push_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) {
    out.reserve(payload.len() + HEADER_BYTES_MAX);
    push_header(out, opcode, payload.len(), mask);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(mask) = mask {
        apply_mask(&mut out[start..], mask, 0);
    }
}

/// Writes a close frame. A reason beyond 123 bytes is cut at a character (RFC 6455 §5.5.1).
pub fn push_close(out: &mut Vec<u8>, code: CloseCode, reason: &str, mask: Option<[u8; 4]>) {
    let mut payload = Vec::with_capacity(WS_CONTROL_BYTES_MAX);
    payload.extend_from_slice(&code.number().to_be_bytes());
    let room = reason.floor_char_boundary(WS_CONTROL_BYTES_MAX - payload.len());
    payload.extend_from_slice(&reason.as_bytes()[..room]);
    push_frame(out, Opcode::Close, &payload, mask);
}

/// Bytes of the longest header: two, eight of length, four of mask (RFC 6455 §5.2).
const HEADER_BYTES_MAX: usize = 14;
