//! `GET /api/storage/status`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use crate::store::told;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::store::StorePhase;
use mainstay_core::api::store::legacy::{LegacyRedis, LegacyStorageStatus};
use std::sync::Arc;

/// Tells which store is in use, as the founding system did.
#[utoipa::path(get, path = "/api/storage/status", operation_id = "legacy_storage_status", tag = "store",
    responses((status = 200, description = "Which it is", body = LegacyStorageStatus))
)]
pub(crate) async fn storage_status(
    State(app): State<Arc<App>>,
    Authenticated(_): Authenticated,
) -> Result<Json<LegacyStorageStatus>, Failure> {
    let status = told(&app).await?;
    let enabled = status.kind.starts_with("redis");
    Ok(Json(LegacyStorageStatus {
        initialized: true,
        r#type: if enabled { "redis" } else { "file" }.into(),
        redis: LegacyRedis { enabled, connected: enabled && status.reachable },
        degraded_mode: status.state != StorePhase::Connected,
    }))
}
