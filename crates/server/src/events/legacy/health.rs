//! `GET /api/v1/events/health`.

use super::signed;
use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::Standing;
use mainstay_core::api::events::legacy::{LegacyHealth, LegacyStandings, UNKNOWN};
use std::sync::Arc;

/// Tells how the streams stand as a whole, as the founding system did.
///
/// A stream of which that cannot be said is unhealthy.
#[utoipa::path(get, path = "/api/v1/events/health", operation_id = "legacy_events_health", tag = "events",
    responses((status = 200, description = "How they stand", body = LegacyHealth))
)]
pub(crate) async fn health(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<LegacyHealth>, Failure> {
    let each = app.services.observer.each(&caller).await?;
    let mut standings = LegacyStandings::default();
    let (mut status, mut connected, mut total_lag) = (Standing::Healthy, true, 0_i64);
    let mut furthest = None;
    for (_, survey) in &each {
        let standing = survey.as_ref().map_or(Standing::Unhealthy, |survey| survey.health.status);
        status = status.max(standing);
        match standing {
            Standing::Healthy => standings.healthy += 1,
            Standing::Degraded => standings.degraded += 1,
            Standing::Unhealthy => standings.unhealthy += 1,
        }
        let Ok(survey) = survey else {
            connected = false;
            continue;
        };
        total_lag = total_lag.saturating_add(signed(survey.health.max_lag));
        furthest = furthest.max(survey.furthest().map(|group| (group.lag, group.group.clone())));
    }
    let is_known = each.iter().any(|(_, survey)| survey.is_ok());
    let max_lag = furthest.as_ref().map_or(if is_known { 0 } else { UNKNOWN }, |(lag, _)| signed(*lag));
    let kind = app.services.info.kind;
    Ok(Json(LegacyHealth {
        status,
        redis_connected: connected,
        transport_mode: if kind.starts_with("redis") { "redis_streams".into() } else { kind.into() },
        streams: standings,
        max_lag,
        total_lag,
        consumer_group: furthest.map(|(_, group)| group),
    }))
}
