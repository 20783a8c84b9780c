//! `GET /api/v1/events/streams`.

use super::signed;
use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::legacy::{LegacyStream, LegacyStreams, UNKNOWN};
use std::sync::Arc;

/// Lists the streams, as the founding system did.
#[utoipa::path(get, path = "/api/v1/events/streams", operation_id = "legacy_streams", tag = "events",
    responses((status = 200, description = "Every stream", body = LegacyStreams))
)]
pub(crate) async fn streams(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<LegacyStreams>, Failure> {
    let each = app.services.observer.each(&caller).await?;
    let streams = each.into_iter().map(|(name, survey)| match survey {
        Ok(survey) => LegacyStream {
            name,
            length: signed(survey.health.length),
            groups: i64::try_from(survey.groups.len()).unwrap_or(i64::MAX),
            consumer_group: survey.furthest().map(|group| group.group.clone()),
        },
        Err(_) => LegacyStream { name, length: UNKNOWN, groups: UNKNOWN, consumer_group: None },
    });
    Ok(Json(LegacyStreams { streams: streams.collect() }))
}
