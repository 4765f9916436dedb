//! What streams offer besides login and bind.

use aplomb_core::limits::{LOGIN_SECS_MAX, STANZA_BYTES_BEFORE_LOGIN_MAX, STANZA_BYTES_MAX};
use aplomb_core::ns;
use aplomb_core::realm::{Realm, StreamFacts};
use aplomb_core::stream::client_state;
use aplomb_core::xml::Element;

use crate::config::Config;

/// The two sets of features of a stream.
pub(super) struct Features {
    pub(super) before_login: Vec<Element>,
    pub(super) after_login: Vec<Element>,
    /// What a client may want while it binds (XEP-0386 §4).
    pub(super) inline: Vec<&'static str>,
}

impl Features {
    pub(super) fn of(realm: &Realm, config: &Config) -> Self {
        let offer = |element_bytes_max, idle_secs| {
            realm.stream_features(StreamFacts { element_bytes_max, idle_secs })
        };
        let mut after_login = offer(STANZA_BYTES_MAX, config.ping_after.as_secs());
        after_login.push(client_state::offer());
        let before_login = offer(STANZA_BYTES_BEFORE_LOGIN_MAX, LOGIN_SECS_MAX);
        Self { before_login, after_login, inline: vec![ns::CARBONS, ns::CLIENT_STATE] }
    }
}
