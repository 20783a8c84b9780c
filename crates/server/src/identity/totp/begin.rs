//! `POST /v1/auth/totp`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::identity::Secret;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::identity::{Enrolment, Proof};
use std::sync::Arc;

/// Begins to enrol an authenticator, which counts once it is confirmed.
///
/// Problems: `auth.login_failed`, `auth.locked`, `identity.second_factor_exists`.
#[utoipa::path(post, path = "/v1/auth/totp", operation_id = "enrol_totp", tag = "identity",
    request_body = Proof,
    responses((status = 200, description = "The shared secret, shown this once", body = Enrolment))
)]
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(proof): Json<Proof>,
) -> Result<Secret<Enrolment>, Failure> {
    Ok(Secret(app.services.identity.enrol(&caller, proof).await?))
}
