//! What a reader was told: events in the answers of feeds, and the mark by which each is known.
//!
//! Every change carries a `requestId` that its event echoes, on Finesse as on aplomb: a word of
//! this run and a number.

use serde_json::Value;

/// The word of one run, by which its events are known among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    word: String,
}

/// Which change an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// One that only shows whether a reader is there.
    Trial,
    /// One that counts.
    Number(usize),
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which change it tells of.
    pub mark: Mark,
    /// The number that the server gave it within its node, if it numbers.
    pub seq: Option<u64>,
}

/// What one answer of a feed, or one message, says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Where to go on.
    pub cursor: Option<String>,
    /// Whether there is more already.
    pub more: bool,
    /// Events of this run.
    pub told: Vec<Told>,
    /// Whether there are no events at all, of this run or not.
    pub is_empty: bool,
    /// What the server says that it could not tell, or why it ends.
    pub complaints: Vec<String>,
}

impl Marks {
    /// The marks of a run with this word, of letters and digits.
    pub fn new(word: &str) -> Self {
        Self { word: format!("aplomb-compare-{word}-") }
    }

    /// The `requestId` of a change.
    pub fn id(&self, mark: Mark) -> String {
        match mark {
            Mark::Trial => format!("{}trial", self.word),
            Mark::Number(number) => format!("{}{number}", self.word),
        }
    }

    /// The mark in the text of an event, if it is of this run.
    pub fn find(&self, text: &str) -> Option<Mark> {
        let rest = &text[text.find(&self.word)? + self.word.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        match &rest[..end] {
            "trial" => Some(Mark::Trial),
            number => number.parse().ok().map(Mark::Number),
        }
    }

    /// Reads an answer of a poll or a message of the plain WebSocket; none if it is neither.
    pub fn read_answer(&self, json: &str) -> Option<Answer> {
        let value: Value = serde_json::from_str(json).ok()?;
        let events = value["events"].as_array()?;
        let mut answer = Answer {
            cursor: value["cursor"].as_str().map(str::to_owned),
            more: value["more"] == true,
            is_empty: events.is_empty(),
            ..Answer::default()
        };
        events.iter().for_each(|event| self.take(event, &mut answer));
        Some(answer)
    }

    /// Reads the data of a server-sent event.
    pub fn read_event(&self, json: &str) -> Option<Answer> {
        let mut answer = Answer::default();
        self.take(&serde_json::from_str(json).ok()?, &mut answer);
        Some(answer)
    }

    fn take(&self, event: &Value, answer: &mut Answer) {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        match text("kind") {
            "notice" => {
                if let Some(mark) = self.find(text("payload")) {
                    answer.told.push(Told { mark, seq: event["seq"].as_u64() });
                }
            }
            kind @ ("gap" | "gone" | "end") => {
                let what = format!("{kind} {}", text("reason"));
                answer.complaints.push(what.trim_end().to_owned());
            }
            _ => {}
        }
    }
}

/// Takes server-sent events out of a stream (the HTML standard, 9.2.6).
#[derive(Debug, Default)]
pub struct EventStream {
    text: String,
}

impl EventStream {
    /// Adds what came, and takes the data of each event that is whole, empty for a comment or an
    /// id alone.
    pub fn take(&mut self, came: &str) -> Vec<String> {
        // A CR is at the end of a line only; JSON has none.
        self.text.extend(came.chars().filter(|c| *c != '\r'));
        let mut all = Vec::new();
        while let Some(end) = self.text.find("\n\n") {
            let block: String = self.text.drain(..end + 2).collect();
            let lines = block.lines().filter_map(|line| line.strip_prefix("data:"));
            let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
            all.push(lines.collect::<Vec<_>>().join("\n"));
        }
        all
    }

    /// Bytes that wait for the end of their event.
    pub fn waiting_bytes(&self) -> usize {
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_in_the_text_of_its_own_run_only() {
        let marks = Marks::new("abc");
        let text = |mark| format!("&lt;requestId&gt;{}&lt;/requestId&gt;", marks.id(mark));
        for mark in [Mark::Trial, Mark::Number(0), Mark::Number(4711)] {
            assert_eq!(marks.find(&text(mark)), Some(mark));
            assert_eq!(Marks::new("abd").find(&text(mark)), None);
        }
        assert_eq!(marks.find("aplomb-compare-abc-x"), None);
        assert_eq!(marks.find("aplomb-compare-abc-"), None);
    }

    #[test]
    fn an_answer_is_read_with_its_gaps() {
        let marks = Marks::new("abc");
        let answer = marks.read_answer(
            r#"{"cursor":"c1","more":true,"events":[
                {"kind":"notice","node":"n","seq":7,"payload":"<a>aplomb-compare-abc-3</a>",
                 "update":{"requestId":"aplomb-compare-abc-3"}},
                {"kind":"notice","node":"n","seq":8,"payload":"somebody else"},
                {"kind":"gap","node":"n","seq":9,"reason":"history-too-short"},
                {"kind":"end","reason":"shutdown"}]}"#,
        );
        assert_eq!(
            answer.unwrap(),
            Answer {
                cursor: Some("c1".to_owned()),
                more: true,
                told: vec![Told { mark: Mark::Number(3), seq: Some(7) }],
                is_empty: false,
                complaints: vec!["gap history-too-short".to_owned(), "end shutdown".to_owned()],
            }
        );
        let empty = marks.read_answer(r#"{"cursor":"c","more":false,"events":[]}"#).unwrap();
        assert!(empty.is_empty && empty.told.is_empty());
        assert_eq!(marks.read_answer("<html>"), None);
        assert_eq!(marks.read_answer("{}"), None);
    }

    #[test]
    fn server_sent_events_are_taken_out_however_they_are_cut() {
        let stream =
            "retry: 2000\nid: c\n\n:\n\nid: d\r\nevent: notice\ndata: {\"a\":\ndata: 1}\n\n";
        for size in 1..stream.len() {
            let mut events = EventStream::default();
            let pieces = stream.as_bytes().chunks(size);
            let all: Vec<String> =
                pieces.flat_map(|piece| events.take(std::str::from_utf8(piece).unwrap())).collect();
            assert_eq!(all, ["", "", "{\"a\":\n1}"]);
            assert_eq!(events.waiting_bytes(), 0);
        }
    }
}
