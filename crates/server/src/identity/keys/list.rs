//! `GET /v1/keys`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::identity::ApiKeys;
use std::sync::Arc;

/// Lists the API keys, the newest first.
#[utoipa::path(get, path = "/v1/keys", operation_id = "list_keys", tag = "identity",
    responses((status = 200, description = "Every key that has not ended", body = ApiKeys))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<ApiKeys>, Failure> {
    Ok(Json(app.services.identity.keys(&caller).await?))
}
