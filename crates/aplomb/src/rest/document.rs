//! The OpenAPI description. It is made from the routes themselves, so it knows all of them.

use axum::Extension;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::Response as Answer;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Rest, reasons, system, teams, users};

/// The description, written out once.
#[derive(Debug, Clone)]
pub(super) struct Document(std::sync::Arc<str>);

impl Document {
    pub(super) fn of(api: &utoipa::openapi::OpenApi) -> Self {
        Self(api.to_json().expect("the description is plain data").into())
    }
}

/// Every route there is.
pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(system::get_system_info))
        .routes(routes!(users::get_user, users::put_user))
        .routes(routes!(users::get_users))
        .routes(routes!(users::get_dialogs))
        .routes(routes!(reasons::get_reasons_of_user))
        .routes(routes!(reasons::get_reason_of_user))
        .routes(routes!(reasons::get_reason))
        .routes(routes!(reasons::get_reasons))
        .routes(routes!(teams::get_team))
        .routes(routes!(teams::get_teams))
        .routes(routes!(get_document))
}

/// Adds to every operation what all of its kind can answer.
pub(super) fn add_common_answers(api: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut api.paths.paths {
        for operation in item.get.iter_mut().chain(&mut item.put) {
            let mut common = Vec::new();
            // Where nothing else is said, the credentials of the whole description are needed.
            if operation.security.is_none() {
                common.extend(LOGIN_ANSWERS);
            }
            if path.contains('{') {
                common.push(("400", "The path is wrongly encoded"));
            }
            if operation.request_body.is_some() {
                common.extend(BODY_ANSWERS);
            }
            for (status, words) in common {
                let answers = &mut operation.responses.responses;
                answers.entry(status.to_owned()).or_insert_with(|| Answer::new(words).into());
            }
        }
    }
}

const LOGIN_ANSWERS: [(&str, &str); 4] = [
    ("401", "No password, or a wrong one"),
    ("403", "A password on a connection without TLS"),
    ("429", "Too many logins from one address; with Retry-After"),
    ("503", "The store fails; with Retry-After"),
];

const BODY_ANSWERS: [(&str, &str); 3] = [
    ("408", "The body took too long"),
    ("413", "The body is too large"),
    ("415", "The body is not XML in UTF-8"),
];

/// This description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    security(()),
    responses(
        (status = 200, description = "OpenAPI", body = String, content_type = "application/json"),
    )
)]
async fn get_document(Extension(Document(json)): Extension<Document>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], json.to_string()).into_response()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "aplomb",
        description = "The REST paths of Cisco Finesse that aplomb serves. Errors have a body in \
                       the ApiErrors form. A PUT is answered 202 with an empty body; what became \
                       of it arrives as an event with the same requestId.",
    ),
    security(("basic" = [])),
    modifiers(&Basic)
)]
struct Api;

struct Basic;

impl Modify for Basic {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let basic = SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
        api.components.get_or_insert_default().add_security_scheme("basic", basic);
    }
}
