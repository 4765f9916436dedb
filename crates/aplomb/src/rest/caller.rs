//! Who asks: Basic credentials on every request (RFC 7617).

use std::sync::Arc;

use aplomb_core::domain::User;
use aplomb_core::finesse::errors::ApiError;
use aplomb_core::sasl::Failure;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Rest;
use super::answer::Problem;
use crate::link::Peer;
use crate::web;

/// A user who gave the right password.
pub(super) struct Caller(pub(super) Arc<User>);

impl FromRequestParts<Rest> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> Result<Self, Problem> {
        if !rest.writer.is_in_service() {
            return Err(ApiError::out_of_service().into());
        }
        let peer = parts.extensions.get::<Peer>().expect("the listener tells the peer").to_owned();
        if !web::takes_passwords(peer, rest.plain_without_tls) {
            return Err(ApiError::new(403, "Forbidden", web::ONLY_OVER_TLS, "").into());
        }
        let (name, password) =
            web::basic(&parts.headers).ok_or_else(|| ApiError::unauthorized(""))?;
        let login = rest.accounts.verify(&name, &password, peer.address.ip()).await;
        let login = login.map_err(|failure| refuse(failure, &name))?;
        let user = rest.writer.read(|domain| domain.named(login.name()).cloned());
        user.map(Self).ok_or_else(|| ApiError::unauthorized(&name).into())
    }
}

fn refuse(failure: Failure, name: &str) -> ApiError {
    match failure {
        Failure::TemporaryAuthFailure => {
            let kind = "System Resource Limit Exceeded";
            ApiError::new(429, kind, "Too many logins just now; try again in a second", name)
        }
        Failure::Aborted
        | Failure::CredentialsExpired
        | Failure::EncryptionRequired
        | Failure::IncorrectEncoding
        | Failure::InvalidAuthzid
        | Failure::InvalidMechanism
        | Failure::MalformedRequest
        | Failure::NotAuthorized
        | Failure::Downgraded
        | Failure::UnknownBinding
        | Failure::WrongBinding => ApiError::unauthorized(name),
    }
}
