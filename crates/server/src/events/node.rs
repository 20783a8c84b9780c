//! `GET /v1/events/node`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::LiveNode;
use std::sync::Arc;

/// Tells what the node that answers does for live clients, and how far it is behind the logs that it follows.
#[utoipa::path(get, path = "/v1/events/node", operation_id = "live_node", tag = "events",
    responses((status = 200, description = "The node", body = LiveNode))
)]
pub(crate) async fn node(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<LiveNode>, Failure> {
    let services = &app.services;
    let logs = services.observer.behind(&caller, services.live.heads()).await?;
    let counts = services.live.counts();
    let now = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok(Json(LiveNode {
        node: services.node.clone(),
        connections: now(counts.connections),
        subscriptions: now(counts.subscriptions),
        waiting_bytes: now(counts.queued_bytes),
        published: services.publisher.published(),
        delivered: counts.deliveries,
        conflated: counts.conflated,
        slow_closed: counts.slow,
        gaps: counts.gaps,
        logs,
    }))
}
