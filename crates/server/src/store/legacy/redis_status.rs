//! `GET /api/redis/status`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use crate::store::told;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::store::StorePhase;
use mainstay_core::api::store::legacy::{
    LegacyDegraded, LegacyRedisStatus, LegacyStats, LegacyStoreHealth, LegacyTimestamps,
};
use std::sync::Arc;

/// Tells how the store stands, as the founding system did. The address never holds a password.
#[utoipa::path(get, path = "/api/redis/status", operation_id = "legacy_redis_status", tag = "store",
    responses((status = 200, description = "How it stands", body = LegacyRedisStatus))
)]
pub(crate) async fn redis_status(
    State(app): State<Arc<App>>,
    Authenticated(_): Authenticated,
) -> Result<Json<LegacyRedisStatus>, Failure> {
    let status = told(&app).await?;
    let now = app.services.clock.now();
    let enabled = status.kind.starts_with("redis");
    let queued_writes = status.journal.as_ref().map_or(0, |journal| journal.waiting);
    let degraded = status.state != StorePhase::Connected;
    let since = status.since.filter(|_| degraded);
    let health = match (enabled, status.reachable) {
        (false, _) => "disabled",
        (true, true) => "healthy",
        (true, false) => "disconnected",
    };
    Ok(Json(LegacyRedisStatus {
        enabled,
        connected: enabled && status.reachable,
        storage_type: if enabled { "redis" } else { "file" }.into(),
        url: enabled.then_some(status.location),
        key_prefix: app.services.probe.activity().key_prefix.unwrap_or_default(),
        stats: LegacyStats {
            reconnect_count: status.counts.reconnects,
            total_commands: status.counts.commands,
            failed_commands: status.counts.failed_commands,
            queued_writes,
        },
        timestamps: LegacyTimestamps {
            initial_connection_at: status.counts.first_connected_at,
            last_connected_at: status.counts.connected_at,
            last_error_at: status.counts.failed_at,
        },
        last_error: status.counts.failure,
        degraded_mode: degraded,
        degraded_mode_info: since.map(|since| LegacyDegraded {
            degraded: true,
            since: since.as_millis(),
            duration: now.as_millis().saturating_sub(since.as_millis()).max(0),
            queued_writes,
        }),
        health: LegacyStoreHealth { status: health.into(), latency_ms: status.latency_ms, checked_at: now },
    }))
}
