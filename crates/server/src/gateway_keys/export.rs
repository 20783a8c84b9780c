//! `GET /v1/gateway/keys/export`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::identity::Secret;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::gateway::ExportedGatewayKeys;
use std::sync::Arc;

/// Writes imported keys as the file that they came from, with their secrets and what they used since.
///
/// Problems: `secrets.key_missing`, `secrets.unreadable`.
#[utoipa::path(get, path = "/v1/gateway/keys/export", operation_id = "export_gateway_keys", tag = "gateway",
    responses((status = 200, description = "The file", body = ExportedGatewayKeys))
)]
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Secret<ExportedGatewayKeys>, Failure> {
    Ok(Secret::of(app.services.gateway_keys.export(&caller).await?))
}
