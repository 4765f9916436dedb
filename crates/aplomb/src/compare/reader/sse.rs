//! A reader of server-sent events.

use http_body_util::BodyExt;

use super::{Desk, refusal, without_body};
use crate::compare::told::EventStream;
use crate::limits::COMPARE_ANSWER_BYTES_MAX;
use crate::link::dial::Count;

/// Reads one answer that never ends.
///
/// - Errors: in words, why it ended.
pub(super) async fn read(desk: Desk, path: &'static str) -> Result<Count, String> {
    let web = desk.ground.web(&desk.meter).map_err(|error| error.to_string())?;
    let mut line = web.open().await.map_err(|error| error.to_string())?;
    let request = desk.ask(path, &[]).header("Accept", "text/event-stream");
    let response = line.ask(without_body(request)?).await?;
    if response.status() != 200 {
        return Err(refusal(path, response.status().as_u16(), ""));
    }
    let mut body = response.into_body();
    let (mut events, mut bytes) = (EventStream::default(), Vec::new());
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = desk.stop.cancelled() => return Ok(desk.meter.count()),
        };
        let frame = frame.ok_or("the server ended the stream")?.map_err(|e| e.to_string())?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        if bytes.len() + events.waiting_bytes() > COMPARE_ANSWER_BYTES_MAX {
            return Err("an event without an end".to_owned());
        }
        let whole = whole_characters(&bytes);
        let text: Vec<u8> = bytes.drain(..whole).collect();
        for data in events.take(&String::from_utf8_lossy(&text)) {
            if let Some(answer) = desk.ground.marks.read_event(&data) {
                desk.take(&answer);
            }
            desk.board.ready();
        }
    }
}

/// How many of the bytes end with a whole character.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Ok(_) | Err(_) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_cut_waits_for_its_rest() {
        let text = "aé".as_bytes();
        assert_eq!(whole_characters(text), 3);
        assert_eq!(whole_characters(&text[..2]), 1);
        assert_eq!(whole_characters(b"a\xff"), 2);
        assert_eq!(whole_characters(b""), 0);
    }
}
