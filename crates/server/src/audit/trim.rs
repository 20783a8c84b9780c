//! `POST /v1/audit/trims`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::audit::{MAX_ENTRIES, TrimReport};
use std::sync::Arc;

/// Removes entries that are older than the retention, a bounded number of each chain.
///
/// Only what a checkpoint vouches for is removed; the rest stays verifiable. Repeat the call while it says `more`.
#[utoipa::path(post, path = "/v1/audit/trims", operation_id = "trim_audit", tag = "audit",
    responses((status = 200, description = "What was removed", body = TrimReport))
)]
pub(crate) async fn trim(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<TrimReport>, Failure> {
    Ok(Json(app.services.audit.trim(&caller, MAX_ENTRIES).await?))
}
