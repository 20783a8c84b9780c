//! `GET /v1/users/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::UserId;
use mainstay_core::api::identity::User;
use std::sync::Arc;

/// Reads a user.
///
/// Problems: `identity.not_found`.
#[utoipa::path(get, path = "/v1/users/{id}", operation_id = "read_user", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    responses((status = 200, description = "The user", body = User))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<UserId>,
) -> Result<Json<User>, Failure> {
    Ok(Json(app.services.identity.read_user(&caller, &id).await?))
}
