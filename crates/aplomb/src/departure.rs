//! Forced logout: an agent whose desktop is lost, and does not come back in time, is signed out.
//!
//! Finesse ties an agent to the presence of his desktop, or calls would ring where nobody sits. A
//! page that is loaded again comes back in time and changes nothing. Source: Finesse developer
//! guide, desktop presence and forced logout.

use std::sync::Arc;
use std::time::Duration;

use aplomb_core::domain::{AgentState, Command, Refusal};
use aplomb_core::jid::{self, BareJid};
use aplomb_core::time::Moment;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock;
use crate::hub::Hub;
use crate::limits::DEPARTURE_LOOK_SECS;
use crate::writer::{WriteError, Writer};

/// Signs absent agents out, `grace` after their last session went. Runs until it is dropped.
pub async fn watch(hub: Arc<Hub>, writer: Writer, grace: Duration) {
    let mut looks = interval(Duration::from_secs(DEPARTURE_LOOK_SECS).min(grace));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let since_start = clock::moment().since_start();
        let Some(before) = since_start.checked_sub(grace) else { continue };
        for account in hub.gone_before(Moment::new(before)) {
            sign_out(&writer, &account).await;
        }
    }
}

async fn sign_out(writer: &Writer, account: &BareJid) {
    let name = account.node().map(|node| jid::unescape(node.as_str())).unwrap_or_default();
    let user = writer.read(|domain| {
        let user = domain.named(&name).filter(|user| user.has_desk());
        user.filter(|user| user.desk.state != AgentState::Logout).map(|user| user.id.clone())
    });
    let Some(user) = user else { return };
    match writer.command(Command::SignOutAbsent(user), "").await {
        Ok(()) => tracing::info!(jid = %account, "the desktop did not come back: signed out"),
        // Removed meanwhile: nothing is left to do.
        Err(WriteError::Refused(Refusal::UnknownUser(_))) => {}
        Err(error) => tracing::error!(jid = %account, %error, "an absent agent stays signed in"),
    }
}
