//! The feeds, out of the parts and the configuration.

use std::sync::Arc;

use aplomb_core::handshake::Origin;
use axum::Router;
use tokio_util::task::TaskTracker;
use utoipa::openapi::OpenApi;

use super::Parts;
use crate::feed::{self, Feeds, Setup};

impl Parts<'_> {
    /// The routes of all feeds and their description; `tasks` are their WebSockets.
    pub(super) fn feeds(&self, allowed: &[Origin], tasks: &TaskTracker) -> (Router, OpenApi) {
        let config = self.config;
        let setup = Setup {
            allowed_origins: allowed.into(),
            plain_without_tls: config.plain_without_tls,
            ping_after: config.ping_after,
            dead_after: config.dead_after,
            mailbox_letters: config.mailbox_letters,
            mailbox_bytes: config.mailbox_bytes,
            stopping: self.stopping.clone(),
            tasks: tasks.clone(),
        };
        let (hub, accounts) = (Arc::clone(&self.hub), Arc::clone(&self.accounts));
        feed::router(Feeds::new(hub, accounts, self.metrics.clone(), setup))
    }
}
