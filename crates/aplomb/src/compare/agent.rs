//! The agent whose events are followed: his state is changed over REST, and given back at the end.
//!
//! A change is NOT_READY with one reason, then with another, which an agent may always do and which
//! causes one event each (Finesse REST guide, User).

use aplomb_core::xml::{Element, Prologue, read_element};
use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use tokio::time::timeout;

use super::board::Causes;
use super::ground::{ANSWER_WAIT, Ground, exchange};
use super::told::Mark;
use crate::clock;
use crate::link::dial::{ConnectError, Line, Meter, Web};

/// The agent, over REST.
#[derive(Debug)]
pub struct Agent<'a> {
    ground: &'a Ground,
    web: Web,
    line: Option<Line>,
    /// How he was found.
    before: State,
    /// The elements of reasons, used in turn.
    reasons: Vec<String>,
    changes: usize,
}

/// A state as far as it can be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    name: String,
    reason: Option<String>,
}

/// Why no events can be caused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The web server cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It was reached, and then not.
    #[error("the connection to the server broke: {0}")]
    Broken(String),
    /// 401.
    #[error(
        "the server does not take the password of {0}. Check --user and the password; five wrong \
         ones in a row lock an account for five minutes, on Finesse as on aplomb"
    )]
    Login(String),
    /// Another answer than the one that is needed.
    #[error("{what} was answered {status}: {words}")]
    Refused {
        /// The request.
        what: String,
        /// The answer's status.
        status: u16,
        /// The beginning of the answer.
        words: String,
    },
    /// The agent is not signed in.
    #[error(
        "{0} is signed out. Sign in first, or name the phone with --extension: then the agent is \
         signed in for the comparison, and out after it"
    )]
    SignedOut(String),
    /// The agent has something to do.
    #[error("{user} is {state}; the comparison needs an agent who is READY or NOT_READY")]
    Busy {
        /// The agent.
        user: String,
        /// The state.
        state: String,
    },
}

impl<'a> Agent<'a> {
    /// Looks how the agent is, signs in if an extension is given, and makes NOT_READY.
    ///
    /// - Errors: see [`AgentError`].
    pub async fn take(ground: &'a Ground, extension: Option<&str>) -> Result<Self, AgentError> {
        let web = ground.web(&Meter::default())?;
        let before = State { name: String::new(), reason: None };
        let mut agent = Self { ground, web, line: None, before, reasons: Vec::new(), changes: 0 };
        let user = agent.get(&ground.node()).await?;
        agent.before = State::of(&user);
        match (agent.before.name.as_str(), extension) {
            ("LOGOUT", None) => return Err(AgentError::SignedOut(ground.user.clone())),
            ("LOGOUT", Some(extension)) => {
                let extension = Element::new("", "extension").with_text(extension).to_xml();
                agent.put("LOGIN", &extension, Mark::Trial).await?;
            }
            ("NOT_READY" | "READY", _) => {}
            (state, _) => {
                let (user, state) = (ground.user.clone(), state.to_owned());
                return Err(AgentError::Busy { user, state });
            }
        }
        let path = format!("{}/ReasonCodes?category=NOT_READY", ground.node());
        agent.reasons = reasons_of(&agent.get(&path).await?);
        agent.change(Mark::Trial).await?;
        Ok(agent)
    }

    /// Causes an event that is known by `mark`.
    ///
    /// - Errors: see [`AgentError`].
    pub async fn change(&mut self, mark: Mark) -> Result<(), AgentError> {
        let reason = self.reasons[self.changes % self.reasons.len()].clone();
        self.changes += 1;
        self.put("NOT_READY", &reason, mark).await
    }

    /// Causes the next event of `causes`.
    ///
    /// - Errors: see [`AgentError`].
    pub(super) async fn cause(&mut self, causes: &Causes) -> Result<(), AgentError> {
        let number = causes.cause(clock::moment());
        self.change(Mark::Number(number)).await
    }

    /// Gives the agent back as found.
    ///
    /// - Errors: see [`AgentError`].
    pub async fn give_back(mut self) -> Result<(), AgentError> {
        let State { name, reason } = self.before.clone();
        self.put(&name, &reason.unwrap_or_default(), Mark::Trial).await
    }

    async fn get(&mut self, path: &str) -> Result<Element, AgentError> {
        let text = self.ask(Method::GET, path, Mark::Trial, String::new()).await?;
        read_element(&text, Prologue::Allowed).map_err(|error| AgentError::Refused {
            what: format!("GET {path}"),
            status: 200,
            words: format!("which is no XML of Finesse: {error}"),
        })
    }

    async fn put(&mut self, state: &str, more: &str, mark: Mark) -> Result<(), AgentError> {
        let body = format!("<User><state>{state}</state>{more}</User>");
        let path = self.ground.node();
        self.ask(Method::PUT, &path, mark, body).await.map(drop)
    }

    /// Asks over the line that is open, or over a new one.
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        mark: Mark,
        body: String,
    ) -> Result<String, AgentError> {
        let request = self.ground.request(method.clone(), path);
        let request = request
            .header(CONTENT_TYPE, "application/xml")
            .header("requestId", self.ground.marks.id(mark))
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| AgentError::Broken(error.to_string()))?;
        let mut line = match self.line.take().filter(Line::is_open) {
            Some(line) => line,
            None => self.web.open().await?,
        };
        let answered = timeout(ANSWER_WAIT, exchange(&mut line, request)).await;
        let answered = answered.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let (status, text) = answered.map_err(AgentError::Broken)?;
        self.line = Some(line);
        match status {
            200..=299 => Ok(text),
            401 => Err(AgentError::Login(self.ground.user.clone())),
            status => {
                let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
                let words = words.chars().take(WORDS_SHOWN).collect();
                Err(AgentError::Refused { what: format!("{method} {path}"), status, words })
            }
        }
    }
}

impl State {
    fn of(user: &Element) -> Self {
        let text = |name: &str| {
            let child = user.children().find(|child| child.name() == name);
            child.map(|child| child.text().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let reason = text("reasonCodeId").filter(|id| id.parse::<u32>().is_ok());
        Self { name: text("state").unwrap_or_default(), reason: reason.map(|id| reason_of(&id)) }
    }
}

/// The first two reasons; one that changes with none if there is no second.
fn reasons_of(codes: &Element) -> Vec<String> {
    let uris = codes.children().filter_map(|code| {
        let uri = code.children().find(|child| child.name() == "uri")?.text();
        let id = uri.trim().rsplit('/').next()?.to_owned();
        id.parse::<u32>().is_ok().then(|| reason_of(&id))
    });
    let mut reasons: Vec<String> = uris.take(2).collect();
    if reasons.len() < 2 {
        reasons.push(String::new());
    }
    reasons
}

fn reason_of(id: &str) -> String {
    format!("<reasonCodeId>{id}</reasonCodeId>")
}

/// Characters of an answer that an error shows.
const WORDS_SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn element(text: &str) -> Element {
        read_element(text, Prologue::Allowed).unwrap()
    }

    #[test]
    fn a_state_is_kept_with_its_reason() {
        let user = "<User><state>NOT_READY</state><reasonCodeId>7</reasonCodeId></User>";
        let reason = "<reasonCodeId>7</reasonCodeId>";
        let state = |name: &str, reason: Option<&str>| State {
            name: name.to_owned(),
            reason: reason.map(str::to_owned),
        };
        assert_eq!(State::of(&element(user)), state("NOT_READY", Some(reason)));
        let user = "<User><state>READY</state><reasonCodeId>-1</reasonCodeId></User>";
        assert_eq!(State::of(&element(user)), state("READY", None));
    }

    #[test]
    fn two_reasons_take_turns_and_one_takes_turns_with_none() {
        let code =
            |id: u32| format!("<ReasonCode><uri>/finesse/api/ReasonCode/{id}</uri></ReasonCode>");
        let codes = |ids: &[u32]| {
            let codes: String = ids.iter().map(|id| code(*id)).collect();
            reasons_of(&element(&format!("<ReasonCodes>{codes}</ReasonCodes>")))
        };
        let reason = |id: u32| format!("<reasonCodeId>{id}</reasonCodeId>");
        assert_eq!(codes(&[1, 2, 3]), [reason(1), reason(2)]);
        assert_eq!(codes(&[4]), [reason(4), String::new()]);
        assert_eq!(codes(&[]), [""]);
    }
}
