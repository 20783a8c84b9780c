//! `GET /internal/stats`.

use crate::app::App;
use crate::caller::Authenticated;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::bridge::BridgeStats;
use mainstay_hub::live::LiveHeld;
use std::sync::Arc;

/// Says how this node stands.
///
/// What it counts is its own: others have theirs. The credential is the key of the bridge in the header
/// `X-Internal-Api-Key`.
#[utoipa::path(get, path = "/internal/stats", operation_id = "bridge_stats", tag = "bridge",
    responses((status = 200, description = "What the node holds now", body = BridgeStats))
)]
pub(crate) async fn stats(State(app): State<Arc<App>>, Authenticated(_): Authenticated) -> Json<BridgeStats> {
    let live = &app.services.live;
    let LiveHeld { rooms, ids } = live.held();
    let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Json(BridgeStats {
        connections: u64::try_from(live.counts().connections).unwrap_or(0),
        users: wide(app.seats.principals()),
        rooms: wide(rooms),
        idempotency_entries: wide(ids),
    })
}
