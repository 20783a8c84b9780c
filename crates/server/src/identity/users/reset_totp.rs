//! `DELETE /v1/users/{id}/totp`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::UserId;
use mainstay_core::api::identity::User;
use std::sync::Arc;

/// Takes the second factor of a user away, for one who has lost it; its sessions end in the same step.
///
/// Problems: `identity.not_found`.
#[utoipa::path(delete, path = "/v1/users/{id}/totp", operation_id = "reset_totp", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    responses((status = 200, description = "The user as it stands", body = User))
)]
pub(crate) async fn reset_totp(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<UserId>,
) -> Result<Json<User>, Failure> {
    Ok(Json(app.services.identity.reset_second_factor(&caller, &id).await?))
}
