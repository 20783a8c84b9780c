//! `GET /v1/auth/sessions`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::identity::Sessions;
use std::sync::Arc;

/// Lists one's own sessions, the newest first.
#[utoipa::path(get, path = "/v1/auth/sessions", operation_id = "list_sessions", tag = "identity",
    responses((status = 200, description = "The sessions that have not ended", body = Sessions))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<Sessions>, Failure> {
    Ok(Json(app.services.identity.own_sessions(&caller).await?))
}
