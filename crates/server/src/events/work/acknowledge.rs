//! `POST /v1/events/{stream}/groups/{group}/acknowledge`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::events::{AcknowledgeWork, AcknowledgedWork, GroupName, StreamName};
use mainstay_core::events::WorkPlace;
use std::sync::Arc;

/// Acknowledges events: their work is done, and they are not delivered to this group again.
///
/// Doing it twice is doing it once. Whoever has done the work may say so, also where another consumer has the event by
/// now. Problems: `events.stream_unknown`.
#[utoipa::path(post, path = "/v1/events/{stream}/groups/{group}/acknowledge", operation_id = "acknowledge_events",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("group" = GroupName, Path, description = "The group")
    ),
    request_body = AcknowledgeWork,
    responses((status = 200, description = "How many were waiting for it", body = AcknowledgedWork))
)]
pub(crate) async fn acknowledge(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, group)): Path<(StreamName, GroupName)>,
    Json(done): Json<AcknowledgeWork>,
) -> Result<axum::Json<AcknowledgedWork>, Failure> {
    let place = WorkPlace { stream: &stream, group: &group };
    Ok(axum::Json(app.services.workers.acknowledge(&caller, place, &done).await?))
}
