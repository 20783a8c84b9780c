//! `DELETE /v1/users/{id}/sessions`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::UserId;
use mainstay_core::api::identity::SessionsEnded;
use std::sync::Arc;

/// Ends every session of a user.
#[utoipa::path(delete, path = "/v1/users/{id}/sessions", operation_id = "end_sessions_of_user", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    responses((status = 200, description = "How many ended", body = SessionsEnded))
)]
pub(crate) async fn end_sessions(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<UserId>,
) -> Result<Json<SessionsEnded>, Failure> {
    Ok(Json(app.services.identity.end_sessions_of(&caller, &id).await?))
}
