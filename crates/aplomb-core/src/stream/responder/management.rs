//! Stream management at the server (XEP-0198 §3 to §5).

use super::{Answer, Event, Question, Responder};
use crate::framing::{Frame, StreamCondition, StreamError};
use crate::jid::FullJid;
use crate::stanza::Condition;
use crate::stream::management::{self, Management};
use crate::time::Moment;
use crate::xml::Element;

impl Responder {
    /// How many stanzas of the client were handled, modulo 2^32; none if nobody counts.
    pub const fn handled(&self) -> Option<u32> {
        self.handled
    }

    /// Asks the client of a managed stream how many stanzas it handled.
    pub fn request_acknowledgement(&mut self) {
        if self.is_bound() && self.handled.is_some() {
            self.transmit(Frame::Element(management::request()));
        }
    }

    /// Takes what a logged-in client says about management; `is_bound` is where it says it.
    pub(super) fn take_management(&mut self, now: Moment, element: &Element, is_bound: bool) {
        match (element.name(), self.policy.management, self.handled) {
            ("resume", Management::OnRequest | Management::Offered, _) if !is_bound => {
                self.ask_resume(element);
            }
            ("enable", Management::OnRequest | Management::Offered, None) if is_bound => {
                let keep_secs = management::keep_secs(element);
                self.event(Event::Ask(Question::Manage { keep_secs }));
            }
            ("r", _, Some(handled)) => {
                self.transmit(Frame::Element(management::answer(handled)));
            }
            ("a", _, Some(_)) => match management::handled(element) {
                Some(handled) => self.event(Event::Acknowledged(handled)),
                None => {
                    let error = StreamError::new(StreamCondition::BadFormat)
                        .with_text("an <a/> must say how many stanzas were handled");
                    self.close(now, Some(error));
                }
            },
            (_, Management::Off, _) => self.fail_management(Condition::FeatureNotImplemented),
            _ => self.fail_management(Condition::UnexpectedRequest),
        }
    }

    fn ask_resume(&mut self, resume: &Element) {
        let login = self.login.as_ref().expect("a resumption follows a login");
        match management::resumption(resume) {
            Some((id, handled)) => {
                let name = login.name().to_owned();
                self.event(Event::Ask(Question::Resume { name, id, handled }));
            }
            None => self.fail_management(Condition::BadRequest),
        }
    }

    /// Takes the answer to a question about management.
    pub(super) fn answer_management(&mut self, now: Moment, answer: Answer) {
        match answer {
            Answer::Managed(resumption) => {
                let resumption = resumption.as_ref().map(|(id, secs)| (id.as_str(), *secs));
                self.transmit(Frame::Element(management::enabled(resumption)));
                self.handled = Some(0);
            }
            Answer::Resumed { id, jid, handled } => self.go_on(&id, jid, handled),
            Answer::NotResumed => self.fail_management(Condition::ItemNotFound),
            Answer::Lied(lie) => self.close(now, Some(lie.into())),
            answer => unreachable!("management is not answered with {answer:?}"),
        }
    }

    fn go_on(&mut self, id: &str, jid: FullJid, handled: u32) {
        self.transmit(Frame::Element(management::resumed(id, handled)));
        self.handled = Some(handled);
        self.deadline = None;
        self.jid = Some(jid.clone());
        self.event(Event::Bound(jid));
    }

    fn fail_management(&mut self, condition: Condition) {
        self.transmit(Frame::Element(management::failed(condition)));
    }
}
