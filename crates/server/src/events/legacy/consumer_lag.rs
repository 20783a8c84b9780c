//! `GET /api/v1/events/consumer-lag`.

use super::signed;
use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::Result as Outcome;
use mainstay_core::api::events::legacy::{LegacyLag, LegacyStreamLag, UNKNOWN};
use mainstay_core::events::Survey;
use std::sync::Arc;

/// Tells how far consumers are behind, as the founding system did.
///
/// A stream of which that cannot be said has the lag -1, and the others are told all the same.
#[utoipa::path(get, path = "/api/v1/events/consumer-lag", operation_id = "legacy_consumer_lag", tag = "events",
    responses((status = 200, description = "Every stream, by its key", body = LegacyLag))
)]
pub(crate) async fn consumer_lag(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<LegacyLag>, Failure> {
    let each = app.services.observer.each(&caller).await?;
    let streams = each.into_iter().map(|(key, survey)| (key, lag_of(survey)));
    let streams: std::collections::BTreeMap<String, LegacyStreamLag> = streams.collect();
    let total_lag = streams.values().fold(0_i64, |sum, stream| sum.saturating_add(stream.lag.max(0)));
    Ok(Json(LegacyLag { total_lag, stream_count: streams.len(), streams }))
}

fn lag_of(survey: Outcome<Survey>) -> LegacyStreamLag {
    match survey {
        Ok(survey) => {
            let furthest = survey.furthest();
            let consumers = furthest.map(|group| group.consumers.clone()).unwrap_or_default();
            LegacyStreamLag { lag: furthest.map_or(0, |group| signed(group.lag)), consumers, error: None }
        }
        Err(error) => LegacyStreamLag { lag: UNKNOWN, consumers: Vec::new(), error: Some(error.problem.detail) },
    }
}
