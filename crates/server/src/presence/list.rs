//! `GET /v1/presence`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::presence::Presence;
use std::sync::Arc;

/// Lists the instances of the namespace, by name.
#[utoipa::path(get, path = "/v1/presence", operation_id = "list_instances", tag = "presence", responses(
    (status = 200, description = "Every instance that is not gone", body = Presence)
))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<Presence>, Failure> {
    Ok(Json(app.services.presence.list(&caller).await?))
}
