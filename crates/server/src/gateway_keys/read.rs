//! `GET /v1/gateway/keys/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::gateway::GatewayKey;
use mainstay_core::api::providers::GatewayKeyId;
use std::sync::Arc;

/// Reads a key of the gateway, with what it used; its secret is not kept.
///
/// Problems: `gateway.key_not_found`.
#[utoipa::path(get, path = "/v1/gateway/keys/{id}", operation_id = "read_gateway_key", tag = "gateway",
    params(("id" = String, Path, description = "The id")),
    responses((status = 200, description = "The key", body = GatewayKey))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<GatewayKeyId>,
) -> Result<Json<GatewayKey>, Failure> {
    Ok(Json(app.services.gateway_keys.read(&caller, &id).await?))
}
