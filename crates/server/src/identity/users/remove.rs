//! `DELETE /v1/users/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use http::StatusCode;
use mainstay_core::api::UserId;
use std::sync::Arc;

/// Removes a user with every session.
///
/// Problems: `identity.not_found`.
#[utoipa::path(delete, path = "/v1/users/{id}", operation_id = "remove_user", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    responses((status = 204, description = "The user is gone"))
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Failure> {
    app.services.identity.remove_user(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
