//! `DELETE /v1/gateway/keys/{id}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::extract::State;
use http::StatusCode;
use mainstay_core::api::providers::GatewayKeyId;
use std::sync::Arc;

/// Removes a key of the gateway at once. What it used stays in usage.
///
/// Problems: `gateway.key_not_found`.
#[utoipa::path(delete, path = "/v1/gateway/keys/{id}", operation_id = "remove_gateway_key", tag = "gateway",
    params(("id" = String, Path, description = "The id")),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<GatewayKeyId>,
) -> Result<StatusCode, Failure> {
    app.services.gateway_keys.remove(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
