//! By what a server knows a client again, from one connection to the next (XEP-0388, XEP-0484).

use aplomb_core::sasl::fast::Agent;
use aplomb_core::stream::initiator::{Held, Sasl2Wish};

/// A client's own id, and the token that it was given last. It ends with the process.
pub(super) struct Memory {
    agent: Agent,
    token: Option<Held>,
}

impl Memory {
    /// A client that was never there.
    pub(super) fn new() -> Self {
        let agent = Agent::parse(&uuid::Uuid::new_v4().to_string());
        Self { agent: agent.expect("it is a random UUID"), token: None }
    }

    /// How to log in this time; that counts as one more use of the token.
    pub(super) fn wish(&mut self, tag: Option<String>) -> Sasl2Wish {
        if let Some(held) = &mut self.token {
            held.count += 1;
        }
        Sasl2Wish { agent: self.agent, tag, token: self.token.clone() }
    }

    /// Takes a new token, or gives up the one that is worth nothing any more.
    pub(super) fn keep(&mut self, token: Option<Held>) {
        self.token = token;
    }
}
