//! What streams offer besides login and bind.

use aplomb_core::limits::{LOGIN_SECS_MAX, STANZA_BYTES_BEFORE_LOGIN_MAX, STANZA_BYTES_MAX};
use aplomb_core::realm::{Realm, StreamFacts};
use aplomb_core::xml::Element;

use crate::config::Config;

/// The two sets of features of a stream.
pub(super) struct Features {
    pub(super) before_login: Vec<Element>,
    pub(super) after_login: Vec<Element>,
}

impl Features {
    pub(super) fn of(realm: &Realm, config: &Config) -> Self {
        let offer = |element_bytes_max, idle_secs| {
            realm.stream_features(StreamFacts { element_bytes_max, idle_secs })
        };
        Self {
            before_login: offer(STANZA_BYTES_BEFORE_LOGIN_MAX, LOGIN_SECS_MAX),
            after_login: offer(STANZA_BYTES_MAX, config.ping_after.as_secs()),
        }
    }
}
