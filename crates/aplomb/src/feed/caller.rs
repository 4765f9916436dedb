//! Who asks: a password as over REST (RFC 7617), or a token in its place (RFC 6750).

use std::sync::Arc;

use aplomb_core::jid::BareJid;
use aplomb_core::secret::Secret;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

use super::{Feeds, Problem};
use crate::link::Peer;
use crate::web;

/// Somebody who proved who he is.
pub(super) struct Caller(pub(super) BareJid);

impl FromRequestParts<Arc<Feeds>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, feeds: &Arc<Feeds>) -> Result<Self, Problem> {
        let peer = peer(parts, feeds)?;
        let login = match (token(parts), web::basic(&parts.headers)) {
            (Some(token), _) => feeds.accounts.redeem(&token).ok_or_else(Problem::bad_token)?,
            (None, Some((name, password))) => {
                let login = feeds.accounts.verify(&name, &password, peer.address.ip()).await;
                login.map_err(Problem::of_login)?
            }
            (None, None) => return Err(Problem::unauthorized()),
        };
        let person = feeds.hub.address_of(login.name()).ok_or_else(Problem::unauthorized)?;
        Ok(Self(person))
    }
}

/// Where the request is from.
///
/// - Errors: a connection on which no secret is taken.
pub(super) fn peer(parts: &Parts, feeds: &Feeds) -> Result<Peer, Problem> {
    let peer = *parts.extensions.get::<Peer>().expect("the listener names the peer");
    match web::takes_passwords(peer, feeds.setup.plain_without_tls) {
        true => Ok(peer),
        false => Err(Problem::needs_tls()),
    }
}

/// The token in the header, or in the URL for those who cannot set headers: `EventSource` and
/// `WebSocket`.
fn token(parts: &Parts) -> Option<Secret<String>> {
    let header = web::authorization(&parts.headers, "bearer").map(str::to_owned);
    let in_url = || {
        let Query(all) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).ok()?;
        all.into_iter().find_map(|(name, value)| (name == "token").then_some(value))
    };
    header.or_else(in_url).map(Secret::new)
}

/// Adds the ways to log in to the description.
pub(super) fn describe(api: &mut utoipa::openapi::OpenApi) {
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let in_url = SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("token")));
    let components = api.components.get_or_insert_default();
    components.add_security_scheme("token", bearer);
    components.add_security_scheme("tokenInUrl", in_url);
}
