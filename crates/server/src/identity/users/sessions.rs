//! `GET /v1/users/{id}/sessions`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::UserId;
use mainstay_core::api::identity::Sessions;
use std::sync::Arc;

/// Lists the sessions of a user, the newest first.
#[utoipa::path(get, path = "/v1/users/{id}/sessions", operation_id = "list_sessions_of_user", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    responses((status = 200, description = "The sessions that have not ended", body = Sessions))
)]
pub(crate) async fn sessions(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<UserId>,
) -> Result<Json<Sessions>, Failure> {
    Ok(Json(app.services.identity.sessions_of(&caller, &id).await?))
}
