//! `POST /v1/auth/recovery-codes`.

use super::Secret;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::identity::{Proof, RecoveryCodes};
use std::sync::Arc;

/// Replaces the recovery codes. Every other session ends, and this one gets a new token.
///
/// Problems: `auth.login_failed`, `auth.locked`.
#[utoipa::path(post, path = "/v1/auth/recovery-codes", operation_id = "renew_recovery_codes", tag = "identity",
    request_body = Proof,
    responses((status = 200, description = "The new codes, shown this once", body = RecoveryCodes))
)]
pub(crate) async fn renew(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(proof): Json<Proof>,
) -> Result<Secret<RecoveryCodes>, Failure> {
    Ok(Secret(app.services.identity.renew_codes(&caller, proof).await?))
}
