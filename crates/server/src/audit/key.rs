//! `GET /v1/audit/key`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::audit::AuditKey;
use std::sync::Arc;

/// Shows the public key that checks the signatures of this server's checkpoints.
///
/// Problems: `audit.key_invalid`.
#[utoipa::path(get, path = "/v1/audit/key", operation_id = "read_audit_key", tag = "audit",
    responses((status = 200, description = "The public key", body = AuditKey))
)]
pub(crate) async fn key(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<AuditKey>, Failure> {
    Ok(Json(app.services.audit.key(&caller).await?))
}
