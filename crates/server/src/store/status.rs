//! `GET /v1/store/status`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::health::ask_store;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::store::{JournalStatus, StoreCounts, StorePhase, StoreStatus};
use mainstay_core::outage::{Held, Outage, Phase};
use std::sync::Arc;

/// Tells how the store stands, what this node has asked of it, and what waits for it.
#[utoipa::path(get, path = "/v1/store/status", operation_id = "store_status", tag = "store",
    responses((status = 200, description = "How it stands", body = StoreStatus))
)]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Authenticated(_): Authenticated,
) -> Result<Json<StoreStatus>, Failure> {
    Ok(Json(told(&app).await?))
}

/// How the store stands.
pub(crate) async fn told(app: &App) -> Result<StoreStatus, Failure> {
    let latency_ms = ask_store(app).await;
    let services = &app.services;
    let activity = services.probe.activity();
    let held = services.outage.held().await?;
    let phase = services.outage.stood().map(|stood| stood.phase);
    let (state, reason) = match &phase {
        Some(Phase::Connected) | None if latency_ms.is_some() => (StorePhase::Connected, None),
        Some(Phase::Connected | Phase::Away { .. }) | None => (StorePhase::Away, None),
        Some(Phase::Replaying { .. }) => (StorePhase::Replaying, None),
        Some(Phase::Halted { reason, .. }) => (StorePhase::Halted, Some(reason.clone())),
    };
    Ok(StoreStatus {
        kind: services.info.kind.to_owned(),
        location: services.info.location.clone(),
        reachable: latency_ms.is_some(),
        latency_ms,
        state,
        since: phase.as_ref().and_then(Phase::since),
        reason,
        counts: StoreCounts {
            commands: activity.commands,
            failed_commands: activity.failed,
            reconnects: activity.reconnects,
            first_connected_at: activity.first_connected_at,
            connected_at: activity.connected_at,
            failed_at: activity.failed_at,
            failure: activity.failure,
        },
        journal: services.outage.outage().zip(held).map(|(outage, held)| journal(outage, &held)),
    })
}

fn journal(outage: &Outage, held: &Held) -> JournalStatus {
    let stood = outage.standing.stood();
    JournalStatus {
        waiting: held.waiting,
        refused: held.refused,
        bytes: held.bytes,
        oldest_at: held.oldest_at,
        max_entries: outage.bounds.max_entries,
        max_bytes: outage.bounds.max_bytes,
        replayed: stood.replayed,
        outages: stood.outages,
    }
}
