//! `PATCH /v1/gateway/keys/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{self, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::gateway::{ChangeGatewayKey, GatewayKey};
use mainstay_core::api::providers::GatewayKeyId;
use std::sync::Arc;

/// Changes a key of the gateway. What the body does not name stays; limits are replaced as a whole.
///
/// Problems: `gateway.key_not_found`, `gateway.key_version_conflict`.
#[utoipa::path(patch, path = "/v1/gateway/keys/{id}", operation_id = "change_gateway_key", tag = "gateway",
    params(("id" = String, Path, description = "The id")),
    request_body = ChangeGatewayKey,
    responses((status = 200, description = "The key as it is now", body = GatewayKey))
)]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<GatewayKeyId>,
    extract::Json(change): extract::Json<ChangeGatewayKey>,
) -> Result<Json<GatewayKey>, Failure> {
    Ok(Json(app.services.gateway_keys.change(&caller, &id, change).await?))
}
