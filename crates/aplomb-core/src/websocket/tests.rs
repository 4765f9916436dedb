//! The rows are bytes in hexadecimal and what must come of them; `check` touches the API.

use proptest::prelude::*;
use tungstenite::Message;
use tungstenite::protocol::{Role as TheirRole, WebSocket, WebSocketConfig};

use super::*;
use crate::limits::{STANZA_BYTES_BEFORE_LOGIN_MAX, STANZA_BYTES_MAX, WS_FRAGMENTS_MAX};

/// Decodes everything, `chunk` bytes at a time, and writes down what came in a line.
fn decode(role: Role, bytes: &[u8], chunk: usize, max: usize) -> String {
    let mut decoder = Decoder::new(role, max);
    let mut said = Vec::new();
    for mut chunk in bytes.chunks(chunk.max(1)) {
        loop {
            match decoder.take(&mut chunk) {
                Ok(Some(input)) => said.push(describe(&input)),
                Ok(None) => break,
                Err(violation) => said.push(violation.code.to_string()),
            }
        }
        assert!(chunk.is_empty());
    }
    said.join(" ")
}

fn describe(input: &Input) -> String {
    match input {
        Input::Text(text) => format!("text:{text}"),
        Input::Ping(payload) => format!("ping:{}", payload.len()),
        Input::Pong(payload) => format!("pong:{}", payload.len()),
        Input::Close(None) => "close".to_owned(),
        Input::Close(Some(close)) => format!("close:{}:{}", close.code, close.reason),
    }
}

/// Reads hexadecimal, in which `'text'` stands for itself.
fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, part) in text.split('\'').enumerate() {
        if at % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: String = part.split_whitespace().collect();
        for at in (0..digits.len()).step_by(2) {
            bytes.push(u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
        }
    }
    bytes
}

/// Frames as a server sends them, read by a client: the masks would only hide the rows.
fn check(rows: &[(&str, &str)]) {
    for (bytes, expected) in rows {
        let bytes = bytes_of(bytes);
        for chunk in [1, 3, bytes.len()] {
            assert_eq!(decode(Role::Client, &bytes, chunk, 64 * 1024), *expected, "{bytes:02x?}");
        }
    }
}

#[test]
fn messages_come_whole_or_in_pieces_with_control_frames_between() {
    check(&[
        ("8105'Hello'", "text:Hello"),
        ("8100", "text:"),
        ("0103'Hel' 8002'lo'", "text:Hello"),
        ("0103'Hel' 8903'abc' 0000 8A00 8002'lo'", "ping:3 pong:0 text:Hello"),
        ("8101'a' 8101'b'", "text:a text:b"),
        ("0101'a' 0101'b'", "1002"),
        ("8001'a'", "1002"),
        ("0001'a'", "1002"),
    ]);
}

#[test]
fn what_the_standard_forbids_in_a_header_is_a_protocol_error() {
    check(&[
        ("C105'Hello'", "1002"),
        ("A105'Hello'", "1002"),
        ("9105'Hello'", "1002"),
        ("8300", "1002"),
        ("8700", "1002"),
        ("8B00", "1002"),
        ("8F00", "1002"),
        ("0900", "1002"),
        ("897E007E", "1002"),
        ("887E", "1002"),
        ("8185 01020304", "1002"),
        ("817E0005'Hello'", "1002"),
        ("817F0000000000000005'Hello'", "1002"),
        ("817F8000000000000000", "1002"),
        ("8201'a'", "1003"),
    ]);
}

#[test]
fn a_client_must_mask_and_a_server_must_not() {
    let unmasked = bytes_of("8105'Hello'");
    // RFC 6455 §5.7.
    let masked = bytes_of("8185 37FA213D 7F9F4D5158");
    for chunk in 1..=masked.len() {
        assert_eq!(decode(Role::Server, &masked, chunk, 5), "text:Hello");
    }
    assert_eq!(decode(Role::Server, &unmasked, 1, 5), "1002");
    assert_eq!(decode(Role::Client, &masked, 1, 5), "1002");
}

#[test]
fn a_text_is_utf_8_and_is_refused_at_the_first_bad_byte() {
    check(&[
        ("8102 C3A4", "text:ä"),
        ("0101 C3 8001 A4", "text:ä"),
        ("8104 F09F9880", "text:😀"),
        ("8101 FF", "1007"),
        ("8101 C3", "1007"),
        ("8102 C080", "1007"),
        ("8103 EDA080", "1007"),
        ("8104 F4908080", "1007"),
        ("0102 C328", "1007"),
        // The rest of these 100 bytes never comes.
        ("8164 F490", "1007"),
    ]);
}

#[test]
fn a_close_carries_a_code_that_may_be_sent_or_none() {
    check(&[
        ("8800", "close"),
        ("8802 03E8", "close:1000:"),
        ("8805 03E9'bye'", "close:1001:bye"),
        ("8802 0BB8", "close:3000:"),
        ("8802 1387", "close:4999:"),
        ("8801 03", "1002"),
        ("8802 0000", "1002"),
        ("8802 03E7", "1002"),
        ("8802 03EC", "1002"),
        ("8802 03ED", "1002"),
        ("8802 03EE", "1002"),
        ("8802 03F7", "1002"),
        ("8802 07D0", "1002"),
        ("8802 1388", "1002"),
        ("8803 03E8 FF", "1007"),
        ("8800 8105'Hello'", "close"),
    ]);
}

#[test]
fn a_size_is_refused_by_the_header_before_anything_is_kept() {
    // 2^40 bytes are announced; not one of them was sent.
    let header = bytes_of("81FF 0000010000000000 01020304");
    let mut decoder = Decoder::new(Role::Server, 16 * 1024);
    let violation = decoder.take(&mut header.as_slice()).unwrap_err();
    assert_eq!(violation.code, CloseCode::TOO_BIG);
    assert_eq!(decoder.held_bytes(), 0);
    let limits = [STANZA_BYTES_BEFORE_LOGIN_MAX / 1024, STANZA_BYTES_MAX / 1024 / 1024];
    let [before, after] = limits;
    let words = format!("over the limit: {before} KiB before login, {after} MiB after it");
    assert!(violation.what.contains(&words), "{violation}");
    check(&[("817F 0000000000010001", "1009"), ("0102'ab' 007EFFFF", "1009")]);
    assert_eq!(decode(Role::Client, &bytes_of("8105'Hello'"), 9, 4), "1009");
}

#[test]
fn a_million_tiny_pieces_end_at_the_count() {
    let mut decoder = Decoder::new(Role::Client, 1024 * 1024);
    let mut pieces = 1_u32;
    decoder.take(&mut [0x01, 1, b'a'].as_slice()).unwrap();
    let violation = loop {
        match decoder.take(&mut [0x00, 1, b'a'].as_slice()) {
            Ok(input) => assert_eq!(input, None),
            Err(violation) => break violation,
        }
        pieces += 1;
        assert!(decoder.held_bytes() <= 4 * pieces as usize + 8);
    };
    assert_eq!((violation.code, pieces), (CloseCode::TOO_BIG, WS_FRAGMENTS_MAX));
}

#[test]
fn the_bound_may_grow_after_login_and_an_idle_decoder_holds_nothing() {
    let mut decoder = Decoder::new(Role::Client, 1);
    decoder.set_message_bytes_max(5);
    let taken = decoder.take(&mut bytes_of("8105'Hello' 8903'abc'").as_slice()).unwrap();
    assert_eq!(taken, Some(Input::Text("Hello".to_owned())));
    decoder.take(&mut bytes_of("8903'abc'").as_slice()).unwrap();
    assert_eq!(decoder.held_bytes(), 0);
    assert!(!decoder.is_midway());
    assert!(size_of::<Decoder>() <= 128, "{}", size_of::<Decoder>());
}

#[test]
fn a_header_is_written_in_its_shortest_form() {
    for (bytes, start) in [
        (0, "8100"),
        (125, "817D"),
        (126, "817E007E"),
        (0xFFFF, "817EFFFF"),
        (0x1_0000, "817F0000000000010000"),
    ] {
        let mut out = Vec::new();
        push_header(&mut out, Opcode::Text, bytes, None);
        assert_eq!(out, bytes_of(start));
    }
    let mut out = Vec::new();
    push_frame(&mut out, Opcode::Text, b"Hello", Some([0x37, 0xFA, 0x21, 0x3D]));
    assert_eq!(out, bytes_of("8185 37FA213D 7F9F4D5158"));
}

#[test]
fn a_long_reason_is_cut_at_a_character() {
    let mut out = Vec::new();
    push_close(&mut out, CloseCode::GOING_AWAY, &"ä".repeat(100), None);
    let expected = format!("close:1001:{}", "ä".repeat(61));
    assert_eq!(decode(Role::Client, &out, 7, 0), expected);
}

/// One frame, right or wrong, with bytes that tend to be near the edges.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => prop::sample::select(vec![0x01, 0x81, 0x00, 0x80, 0x89, 0x8A]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "\\PC{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => "[a-ä]{100,140}".prop_map(String::into_bytes),
    ];
    let mask = prop::option::weighted(0.95, any::<[u8; 4]>());
    (first, payload, mask).prop_map(|(first, payload, mask)| {
        let mut frame = Vec::new();
        push_frame(&mut frame, Opcode::Text, &payload, mask);
        frame[0] = first;
        frame
    })
}

/// What an independent codec makes of the same bytes, in the same words.
fn their_view(bytes: &[u8]) -> String {
    let config = WebSocketConfig::default().max_message_size(Some(1024));
    let wire = Wire { bytes, at: 0 };
    let mut peer = WebSocket::from_raw_socket(wire, TheirRole::Server, Some(config));
    let mut said = Vec::new();
    loop {
        said.push(match peer.read() {
            Ok(Message::Text(text)) => format!("text:{text}"),
            Ok(Message::Ping(payload)) => format!("ping:{}", payload.len()),
            Ok(Message::Pong(payload)) => format!("pong:{}", payload.len()),
            Ok(Message::Close(_) | Message::Binary(_)) => "close".to_owned(),
            Ok(Message::Frame(_)) => unreachable!("reading gives no raw frames"),
            Err(tungstenite::Error::Io(_)) => break,
            Err(_) => {
                said.push("refused".to_owned());
                break;
            }
        });
        if said.last().is_some_and(|last| last == "close") {
            break;
        }
    }
    said.join(" ")
}

/// Bytes to read and a hole to write into.
struct Wire<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl std::io::Read for Wire<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = &self.bytes[self.at..];
        if left.is_empty() {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        let n = left.len().min(into.len());
        into[..n].copy_from_slice(&left[..n]);
        self.at += n;
        Ok(n)
    }
}

impl std::io::Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

proptest! {
    #[test]
    fn chunks_make_no_difference(
        frames in prop::collection::vec(any_frame(), 0..8),
        chunk in 1_usize..20,
    ) {
        let bytes = frames.concat();
        let whole = decode(Role::Server, &bytes, bytes.len(), 1024);
        prop_assert_eq!(whole, decode(Role::Server, &bytes, chunk, 1024));
    }

    #[test]
    fn any_bytes_end_in_an_answer_and_never_in_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        chunk in 1_usize..20,
    ) {
        decode(Role::Server, &bytes, chunk, 1024);
        decode(Role::Client, &bytes, chunk, 1024);
    }

    #[test]
    fn what_one_end_writes_the_other_reads(
        texts in prop::collection::vec("\\PC{0,200}", 0..8),
        mask in any::<[u8; 4]>(),
        chunk in 1_usize..50,
    ) {
        let mut bytes = Vec::new();
        for text in &texts {
            push_frame(&mut bytes, Opcode::Text, text.as_bytes(), Some(mask));
        }
        let expected: Vec<String> = texts.iter().map(|text| format!("text:{text}")).collect();
        prop_assert_eq!(decode(Role::Server, &bytes, chunk, 4096), expected.join(" "));
    }

    #[test]
    fn an_independent_codec_agrees(frames in prop::collection::vec(any_frame(), 0..8)) {
        let bytes = frames.concat();
        let ours = decode(Role::Server, &bytes, bytes.len(), 1024);
        // The other codec gives no close code for a refusal, and takes binary messages.
        let ours = ours.replace("1002", "refused").replace("1007", "refused");
        prop_assume!(!ours.contains("1003") && !ours.contains("close"));
        let theirs = their_view(&bytes);
        // It takes close codes from 5000 on, which RFC 6455 §7.4 gives no meaning.
        prop_assume!(!theirs.ends_with("close"));
        prop_assert_eq!(ours, theirs);
    }
}
