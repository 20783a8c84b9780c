//! `POST /v1/auth/password`.

use super::Secret;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Json;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::identity::{ChangePassword, NewSession};
use std::sync::Arc;

/// Changes one's own password: with a code, where there is a second factor. Every other session ends, and this one gets a
/// new token.
///
/// Problems: `auth.login_failed`, `auth.locked`, `auth.second_factor_required`.
#[utoipa::path(post, path = "/v1/auth/password", operation_id = "change_password", tag = "identity",
    request_body = ChangePassword,
    responses((status = 200, description = "The session under its new token", body = NewSession))
)]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Json(change): Json<ChangePassword>,
) -> Result<Secret<NewSession>, Failure> {
    Ok(Secret(app.services.identity.change_password(&caller, change).await?))
}
