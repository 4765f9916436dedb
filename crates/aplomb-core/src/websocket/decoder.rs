//! Reads frames and puts messages together, within bounds that hold before anything is kept.

use super::{Close, CloseCode, Opcode, Role, Violation, apply_mask};
use crate::limits::{WS_CONTROL_BYTES_MAX, WS_FRAGMENTS_MAX};

/// What the peer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A whole text message.
    Text(String),
    /// Must be answered with a pong of the same payload; only the last of many needs to be.
    Ping(Vec<u8>),
    /// A sign of life.
    Pong(Vec<u8>),
    /// The peer closes; nothing after it is read.
    Close(Option<Close>),
}

/// Bytes in, messages out. See the module for what it refuses.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    message_bytes_max: usize,
    state: State,
    /// The pieces of the message so far; unmasked.
    message: Vec<u8>,
    /// How much of `message` is known to be whole characters.
    checked_bytes: usize,
    /// Pieces so far; 0 means that no message is under way.
    fragments: u32,
    /// The payload of the control frame under way.
    control: Vec<u8>,
}

impl Decoder {
    /// A decoder at the end `role`, for messages of at most `message_bytes_max` bytes.
    pub const fn new(role: Role, message_bytes_max: usize) -> Self {
        Self {
            role,
            message_bytes_max,
            state: State::Header(Header::EMPTY),
            message: Vec::new(),
            checked_bytes: 0,
            fragments: 0,
            control: Vec::new(),
        }
    }

    /// Changes the bound; it holds from the next frame on. It is smaller before login.
    pub const fn set_message_bytes_max(&mut self, message_bytes_max: usize) {
        self.message_bytes_max = message_bytes_max;
    }

    /// Takes bytes off the front of `bytes` until something is complete or nothing is left.
    ///
    /// Call it until it gives `None`; then `bytes` is empty. After a close or a violation whatever
    /// comes is thrown away.
    ///
    /// - Errors: what to close the connection with.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<Input>, Violation> {
        let taken = self.advance(bytes);
        if matches!(taken, Err(_) | Ok(Some(Input::Close(_)))) {
            self.state = State::Ended;
            self.message = Vec::new();
            self.control = Vec::new();
            *bytes = &[];
        }
        taken
    }

    /// Whether a message or a frame is under way.
    pub const fn is_midway(&self) -> bool {
        match &self.state {
            State::Header(header) => header.len > 0 || self.fragments > 0,
            State::Payload(_) => true,
            State::Ended => false,
        }
    }

    /// The heap memory held now.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.message.capacity() + self.control.capacity()
    }

    fn advance(&mut self, bytes: &mut &[u8]) -> Result<Option<Input>, Violation> {
        loop {
            match &mut self.state {
                State::Ended => {
                    *bytes = &[];
                    return Ok(None);
                }
                State::Header(header) => {
                    let Some(frame) = header.read(bytes, self.role)? else { return Ok(None) };
                    self.admit(&frame)?;
                    self.state = State::Payload(frame);
                }
                State::Payload(frame) => {
                    let frame = *frame;
                    let left = self.keep(frame, bytes)?;
                    if left > 0 {
                        self.state = State::Payload(frame.after(frame.left_bytes - left));
                        return Ok(None);
                    }
                    self.state = State::Header(Header::EMPTY);
                    if let Some(input) = self.finish(frame)? {
                        return Ok(Some(input));
                    }
                }
            }
        }
    }

    /// Decides by the header alone whether the frame may come.
    fn admit(&mut self, frame: &Frame) -> Result<(), Violation> {
        match frame.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => return Ok(()),
            Opcode::Binary => return Err(UNSUPPORTED_BINARY),
            Opcode::Text if self.fragments > 0 => return Err(MESSAGE_IN_MESSAGE),
            Opcode::Continuation if self.fragments == 0 => return Err(CONTINUES_NOTHING),
            Opcode::Text | Opcode::Continuation => {}
        }
        self.fragments += 1;
        let room = self.message_bytes_max.saturating_sub(self.message.len()) as u64;
        if frame.left_bytes > room {
            return Err(MESSAGE_TOO_BIG);
        }
        if self.fragments > WS_FRAGMENTS_MAX {
            return Err(TOO_MANY_FRAGMENTS);
        }
        Ok(())
    }

    /// Keeps what has come of the payload; returns how many bytes of it are still to come.
    fn keep(&mut self, frame: Frame, bytes: &mut &[u8]) -> Result<u64, Violation> {
        let here = usize::try_from(frame.left_bytes).map_or(bytes.len(), |n| n.min(bytes.len()));
        let (payload, rest) = bytes.split_at(here);
        *bytes = rest;
        let kept = if frame.opcode.is_control() { &mut self.control } else { &mut self.message };
        let start = kept.len();
        kept.extend_from_slice(payload);
        if let Some(mask) = frame.mask {
            apply_mask(&mut kept[start..], mask, usize::from(frame.mask_at));
        }
        if !frame.opcode.is_control() {
            self.check_text()?;
        }
        Ok(frame.left_bytes - here as u64)
    }

    /// Checks the new part of the message, so that a bad text is refused before its end.
    fn check_text(&mut self) -> Result<(), Violation> {
        match std::str::from_utf8(&self.message[self.checked_bytes..]) {
            Ok(_) => self.checked_bytes = self.message.len(),
            Err(error) if error.error_len().is_some() => return Err(TEXT_NOT_UTF8),
            Err(error) => self.checked_bytes += error.valid_up_to(),
        }
        Ok(())
    }

    fn finish(&mut self, frame: Frame) -> Result<Option<Input>, Violation> {
        match frame.opcode {
            Opcode::Ping => Ok(Some(Input::Ping(std::mem::take(&mut self.control)))),
            Opcode::Pong => Ok(Some(Input::Pong(std::mem::take(&mut self.control)))),
            Opcode::Close => Ok(Some(Input::Close(Close::parse(&self.control)?))),
            Opcode::Text | Opcode::Continuation | Opcode::Binary if !frame.is_final => Ok(None),
            Opcode::Text | Opcode::Continuation | Opcode::Binary => {
                self.checked_bytes = 0;
                self.fragments = 0;
                let text = String::from_utf8(std::mem::take(&mut self.message));
                text.map(|text| Some(Input::Text(text))).map_err(|_| TEXT_NOT_UTF8)
            }
        }
    }
}

#[derive(Debug)]
enum State {
    Header(Header),
    Payload(Frame),
    Ended,
}

/// The bytes of a header that have come so far.
#[derive(Debug)]
struct Header {
    bytes: [u8; 14],
    len: u8,
}

/// A frame whose header was read; counts down as the payload comes.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    is_final: bool,
    mask: Option<[u8; 4]>,
    mask_at: u8,
    left_bytes: u64,
}

impl Frame {
    fn after(self, came_bytes: u64) -> Self {
        let mask_at = (u64::from(self.mask_at) + came_bytes) % 4;
        Self {
            left_bytes: self.left_bytes - came_bytes,
            mask_at: u8::try_from(mask_at).expect("less than 4"),
            ..self
        }
    }
}

impl Header {
    const EMPTY: Self = Self { bytes: [0; 14], len: 0 };

    /// Takes bytes until the header is whole. Each part is checked as soon as it is there.
    fn read(&mut self, bytes: &mut &[u8], role: Role) -> Result<Option<Frame>, Violation> {
        if !self.fill(bytes, 2) {
            return Ok(None);
        }
        let [first, second, ..] = self.bytes;
        let opcode = check_first_two(first, second, role)?;
        let is_masked = second & 0x80 != 0;
        let length_bytes = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if !self.fill(bytes, 2 + length_bytes) {
            return Ok(None);
        }
        let left_bytes = self.payload_bytes(length_bytes)?;
        let end = 2 + length_bytes + if is_masked { 4 } else { 0 };
        if !self.fill(bytes, end) {
            return Ok(None);
        }
        let mask = is_masked.then(|| {
            let mut mask = [0; 4];
            mask.copy_from_slice(&self.bytes[end - 4..end]);
            mask
        });
        Ok(Some(Frame { opcode, is_final: first & 0x80 != 0, mask, mask_at: 0, left_bytes }))
    }

    /// Takes bytes until `wanted` are there; says whether they are.
    fn fill(&mut self, bytes: &mut &[u8], wanted: usize) -> bool {
        let have = usize::from(self.len);
        let here = wanted.saturating_sub(have).min(bytes.len());
        let (taken, rest) = bytes.split_at(here);
        *bytes = rest;
        self.bytes[have..have + here].copy_from_slice(taken);
        self.len += u8::try_from(here).expect("at most 14");
        usize::from(self.len) >= wanted
    }

    fn payload_bytes(&self, length_bytes: usize) -> Result<u64, Violation> {
        let short = u64::from(self.bytes[1] & 0x7F);
        let mut wide = [0; 8];
        wide[8 - length_bytes..].copy_from_slice(&self.bytes[2..2 + length_bytes]);
        let long = u64::from_be_bytes(wide);
        match length_bytes {
            0 => Ok(short),
            2 if long <= 125 => Err(LENGTH_NOT_MINIMAL),
            8 if long <= 0xFFFF || long > i64::MAX as u64 => Err(LENGTH_NOT_MINIMAL),
            _ => Ok(long),
        }
    }
}

/// Checks all that the first two bytes tell (RFC 6455 §5.2, §5.5).
fn check_first_two(first: u8, second: u8, role: Role) -> Result<Opcode, Violation> {
    if first & 0x70 != 0 {
        return Err(RESERVED_BITS);
    }
    let opcode = Opcode::numbered(first & 0x0F).ok_or(RESERVED_OPCODE)?;
    match (role, second & 0x80 != 0) {
        (Role::Server, false) => return Err(CLIENT_DID_NOT_MASK),
        (Role::Client, true) => return Err(SERVER_MASKED),
        (Role::Server, true) | (Role::Client, false) => {}
    }
    if opcode.is_control() && first & 0x80 == 0 {
        return Err(CONTROL_IN_PIECES);
    }
    if opcode.is_control() && usize::from(second & 0x7F) > WS_CONTROL_BYTES_MAX {
        return Err(CONTROL_TOO_LONG);
    }
    Ok(opcode)
}

const fn protocol(what: &'static str) -> Violation {
    Violation::new(CloseCode::PROTOCOL_ERROR, what)
}

const RESERVED_BITS: Violation =
    protocol("a reserved bit is set, and no extension was agreed on (RFC 6455 §5.2)");
const RESERVED_OPCODE: Violation = protocol("a reserved opcode (RFC 6455 §5.2)");
const CLIENT_DID_NOT_MASK: Violation =
    protocol("the client did not mask its frame (RFC 6455 §5.1)");
const SERVER_MASKED: Violation = protocol("the server masked its frame (RFC 6455 §5.1)");
const CONTROL_IN_PIECES: Violation = protocol("a control frame in pieces (RFC 6455 §5.5)");
const CONTROL_TOO_LONG: Violation =
    protocol("a control frame of more than 125 bytes (RFC 6455 §5.5)");
const LENGTH_NOT_MINIMAL: Violation =
    protocol("a length not in its shortest form, or beyond 63 bits (RFC 6455 §5.2)");
const MESSAGE_IN_MESSAGE: Violation =
    protocol("a new message before the last piece of the one before (RFC 6455 §5.4)");
const CONTINUES_NOTHING: Violation =
    protocol("a continuation, but nothing to continue (RFC 6455 §5.4)");
const UNSUPPORTED_BINARY: Violation =
    Violation::new(CloseCode::UNSUPPORTED_DATA, "a binary message (RFC 7395 §3.2)");
const TEXT_NOT_UTF8: Violation =
    Violation::new(CloseCode::INVALID_DATA, "a text that is not UTF-8 (RFC 6455 §8.1)");
const MESSAGE_TOO_BIG: Violation = Violation::new(
    CloseCode::TOO_BIG,
    "a message over the limit: 16 KiB before login, 1 MiB after it",
);
const TOO_MANY_FRAGMENTS: Violation =
    Violation::new(CloseCode::TOO_BIG, "a message in too many pieces");
