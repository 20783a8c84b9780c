//! `POST /v1/auth/totp/confirm`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::identity::Secret;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::identity::{ConfirmEnrolment, RecoveryCodes};
use std::sync::Arc;

/// Confirms an authenticator with a code, which is used up by it. Every other session ends, and this one gets a new token.
///
/// Problems: `auth.login_failed`, `auth.locked`, `identity.second_factor_exists`.
#[utoipa::path(post, path = "/v1/auth/totp/confirm", operation_id = "confirm_totp", tag = "identity",
    request_body = ConfirmEnrolment,
    responses((status = 200, description = "The recovery codes, shown this once", body = RecoveryCodes))
)]
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(confirm): Json<ConfirmEnrolment>,
) -> Result<Secret<RecoveryCodes>, Failure> {
    Ok(Secret(app.services.identity.confirm(&caller, confirm).await?))
}
