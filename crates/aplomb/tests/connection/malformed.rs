//! Every standard of the one list, with requests that are wrong in all ways that can be made from
//! those that are right: each has one answer, and the server serves on.

mod variants;

use aplomb::serve::Running;
use aplomb_core::catalogue;
use aplomb_core::ns;
use aplomb_core::standard::{Hears, Standard};
use aplomb_core::stanza::{Condition, ErrorType};
use aplomb_core::xml::{Element, Prologue, read_element_in};

use crate::desk::{Desk, Heard, clear, server};
use variants::{Variant, Wanted};

#[tokio::test]
async fn each_standard_of_the_list_answers_its_samples_and_all_that_is_malformed() {
    let server = server(&[]).await;
    let mut neighbour = Desk::login(clear(&server), "1003", "neighbour").await;
    for standard in catalogue::standards() {
        let mut client = Client::login(&server).await;
        for sample in standard.samples {
            let heard = client.exchange(&with_id(sample.says)).await;
            heard.is_answer_to(&standard, sample.says, sample.hears);
        }
        for says in standard.samples.iter().map(|sample| sample.says) {
            for variant in variants::of(&with_id(says)) {
                let heard = client.exchange(&variant.says).await;
                heard.is_fit_for(&standard, &variant);
                if heard.is_over {
                    client = Client::login(&server).await;
                }
            }
        }
        let ping = "<iq xmlns='jabber:client' type='get' id='still' to='cc.test'>\
                    <ping xmlns='urn:xmpp:ping'/></iq>";
        neighbour.say(ping).await;
        neighbour.until("id=\"still\"").await;
        client.desk.close().await;
    }
    server.stop().await;
}

/// The stanza with an id; an element that is no stanza as it is.
fn with_id(says: &str) -> String {
    let element = read_element_in(says, Prologue::Forbidden, ns::CLIENT).unwrap();
    let is_stanza = element.ns() == ns::CLIENT;
    if is_stanza { element.with_attr("id", "asked").to_xml() } else { element.to_xml() }
}

struct Client {
    desk: Desk,
    pings: usize,
}

/// All that came of one exchange.
#[derive(Debug)]
struct Exchange {
    texts: Vec<String>,
    /// Whether the stream has ended.
    is_over: bool,
}

impl Client {
    async fn login(server: &Running) -> Self {
        Self { desk: Desk::login(clear(server), "1001", "desk").await, pings: 0 }
    }

    /// Says something and then pings; everything before the pong belongs to what was said.
    async fn exchange(&mut self, says: &str) -> Exchange {
        self.pings += 1;
        let id = format!("ping-{}", self.pings);
        let ping = format!(
            "<iq xmlns='jabber:client' type='get' id='{id}'><ping xmlns='{}'/></iq>",
            ns::PING
        );
        self.desk.say(says).await;
        // A stream that has ended takes nothing more, which is no fault.
        self.desk.try_say(&ping).await;
        let mut texts = Vec::new();
        loop {
            match self.desk.hear().await {
                Heard::Text(text) if text.contains(&id) => {
                    return Exchange { texts, is_over: false };
                }
                Heard::Text(text) if text.contains("<close ") => {
                    return Exchange { texts, is_over: true };
                }
                Heard::Text(text) => texts.push(text),
                Heard::Ping | Heard::Pong(_) => {}
                Heard::Close(_) | Heard::End => panic!("the server hung up on {says:.300}"),
            }
        }
    }
}

impl Exchange {
    fn is_answer_to(&self, standard: &Standard, says: &str, hears: Hears) {
        let answers = self.texts.iter().filter(|text| {
            text.contains("id=\"asked\"") || !text.contains("xmlns=\"jabber:client\"")
        });
        let answers: Vec<_> = answers.collect();
        let is_fit = match (hears, &answers[..]) {
            (Hears::Answer(part), [answer]) => answer.contains(part),
            (Hears::Nothing, []) => true,
            (Hears::Answer(_) | Hears::Nothing, _) => false,
        };
        assert!(is_fit && !self.is_over, "{}: {says} was answered by {self:?}", standard.source);
    }

    fn is_fit_for(&self, standard: &Standard, variant: &Variant) {
        let Variant { why, says, wanted } = variant;
        let answers: Vec<_> = self.texts.iter().filter_map(|text| answer(text)).collect();
        let conditions: Vec<_> = answers.iter().filter_map(condition).collect();
        let stream_error = self.texts.iter().find(|text| text.contains("<stream:error"));
        let is_fit = match wanted {
            Wanted::Refusal(any) => {
                let is_named = |condition: &&str| any.is_empty() || any.contains(condition);
                matches!(&conditions[..], [one] if is_named(one)) && answers.len() == 1
            }
            Wanted::Answer => answers.len() == 1,
            Wanted::Silence => answers.is_empty(),
            Wanted::Calm => answers.len() == conditions.len() && answers.len() <= 1,
            Wanted::Any => answers.is_empty(),
            Wanted::StreamError(name) => stream_error.is_some_and(|error| error.contains(name)),
        };
        let may_end = matches!(wanted, Wanted::Any | Wanted::StreamError(_));
        let is_named = self.is_over == stream_error.is_some();
        assert!(
            is_fit && is_named && (may_end || !self.is_over),
            "{}: {why}\n{says:.600}\nwanted {wanted:?}, heard {self:?}",
            standard.source
        );
    }
}

/// What was heard, if it answers something: an iq, or any stanza that refuses.
fn answer(text: &str) -> Option<Element> {
    let element = read_element_in(text, Prologue::Forbidden, ns::CLIENT).unwrap();
    let kind = element.attr("type").unwrap_or_default();
    (element.ns() == ns::CLIENT && matches!(kind, "result" | "error")).then_some(element)
}

/// The condition of a refusal, which has a type and one condition of RFC 6120 §8.3.3.
fn condition(stanza: &Element) -> Option<&'static str> {
    if stanza.attr("type") != Some("error") {
        return None;
    }
    let error = stanza.child(ns::CLIENT, "error").expect("a refusal says why");
    let conditions = error.children().filter(|c| c.ns() == ns::STANZA_ERRORS && c.name() != "text");
    let known: Vec<_> = conditions.map(|condition| Condition::named(condition.name())).collect();
    let kind = error.attr("type").and_then(ErrorType::named);
    match (kind, &known[..]) {
        (Some(_), [Some(condition)]) => Some(condition.name()),
        _ => panic!("no proper refusal: {}", stanza.to_xml()),
    }
}
