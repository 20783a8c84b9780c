//! `DELETE /v1/auth/totp`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::identity::Secret;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::identity::{NewSession, Proof};
use std::sync::Arc;

/// Takes the second factor away. Every other session ends, and this one gets a new token.
///
/// Problems: `auth.login_failed`, `auth.locked`.
#[utoipa::path(delete, path = "/v1/auth/totp", operation_id = "remove_totp", tag = "identity",
    request_body = Proof,
    responses((status = 200, description = "The session under its new token", body = NewSession))
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(proof): Json<Proof>,
) -> Result<Secret<NewSession>, Failure> {
    Ok(Secret(app.services.identity.remove_factor(&caller, proof).await?))
}
