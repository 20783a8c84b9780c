//! `POST /v1/audit/checkpoints`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::audit::CheckpointMade;
use std::sync::Arc;

/// Signs where the chains end, and keeps that outside of the store.
///
/// Problems: `audit.checkpoint_failed`, `audit.key_invalid`.
#[utoipa::path(post, path = "/v1/audit/checkpoints", operation_id = "make_audit_checkpoint", tag = "audit",
    responses((status = 200, description = "The last checkpoint", body = CheckpointMade))
)]
pub(crate) async fn checkpoint(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<CheckpointMade>, Failure> {
    Ok(Json(app.services.audit.checkpoint(&caller).await?))
}
