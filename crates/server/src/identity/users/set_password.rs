//! `PUT /v1/users/{id}/password`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::problem::Failure;
use axum::Json as Answer;
use axum::extract::State;
use mainstay_core::api::UserId;
use mainstay_core::api::identity::{SetPassword, User};
use std::sync::Arc;

/// Gives a user a new password; its sessions end in the same step.
///
/// Problems: `identity.not_found`.
#[utoipa::path(put, path = "/v1/users/{id}/password", operation_id = "set_password", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    request_body = SetPassword,
    responses((status = 200, description = "The user as it stands", body = User))
)]
pub(crate) async fn set_password(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<UserId>,
    Json(set): Json<SetPassword>,
) -> Result<Answer<User>, Failure> {
    Ok(Answer(app.services.identity.reset_password(&caller, &id, set).await?))
}
