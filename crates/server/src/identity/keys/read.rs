//! `GET /v1/keys/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::KeyId;
use mainstay_core::api::identity::ApiKey;
use std::sync::Arc;

/// Reads an API key; its secret is not kept.
///
/// Problems: `identity.not_found`.
#[utoipa::path(get, path = "/v1/keys/{id}", operation_id = "read_key", tag = "identity",
    params(("id" = String, Path, description = "The id")),
    responses((status = 200, description = "The key", body = ApiKey))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<KeyId>,
) -> Result<Json<ApiKey>, Failure> {
    Ok(Json(app.services.identity.read_key(&caller, &id).await?))
}
