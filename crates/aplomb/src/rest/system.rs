//! `/finesse/api/SystemInfo`.

use aplomb_core::finesse::system_info::{Status, SystemInfo};
use axum::extract::State;

use super::Rest;
use super::answer::Xml;
use crate::clock;

/// Tells the XMPP domain and whether the server takes work. Needs no login.
#[utoipa::path(
    get,
    path = "/finesse/api/SystemInfo",
    security(()),
    responses(
        (status = 200, description = "SystemInfo", body = String, content_type = "application/xml"),
    )
)]
pub(super) async fn get_system_info(State(rest): State<Rest>) -> Xml {
    let is_in_service = rest.writer.is_in_service();
    let status = if is_in_service { Status::InService } else { Status::OutOfService };
    Xml(SystemInfo { status, ..SystemInfo::clone(&rest.system) }.to_xml(clock::wall()))
}
