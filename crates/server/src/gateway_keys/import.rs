//! `POST /v1/gateway/keys/import`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::gateway::{ImportGatewayKeys, ImportedGatewayKeys};
use std::sync::Arc;

/// Imports keys from the file `api-potluck-keys.json`, with what they used. Secrets go on to work; a key that is there already
/// stays as it is.
///
/// Problems: `secrets.key_missing`.
#[utoipa::path(post, path = "/v1/gateway/keys/import", operation_id = "import_gateway_keys", tag = "gateway",
    request_body = ImportGatewayKeys,
    responses((status = 200, description = "What became of each", body = ImportedGatewayKeys))
)]
pub(crate) async fn import(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    extract::Json(import): extract::Json<ImportGatewayKeys>,
) -> Result<Json<ImportedGatewayKeys>, Failure> {
    Ok(Json(app.services.gateway_keys.import(&caller, import).await?))
}
