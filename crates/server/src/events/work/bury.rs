//! `POST /v1/events/{stream}/groups/{group}/bury`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::events::{BuryWork, GroupName, StreamName, WorkBuried};
use mainstay_core::events::WorkPlace;
use std::sync::Arc;

/// Puts an event among the dead: it is not delivered again, and kept until it is revived or forgotten.
///
/// A group keeps at most 10,000 of them on a partition; past that, the oldest go. Problems: `events.stream_unknown`.
#[utoipa::path(post, path = "/v1/events/{stream}/groups/{group}/bury", operation_id = "bury_event",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("group" = GroupName, Path, description = "The group")
    ),
    request_body = BuryWork,
    responses((status = 200, description = "Whether it was the consumer's, and still in the stream", body = WorkBuried))
)]
pub(crate) async fn bury(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, group)): Path<(StreamName, GroupName)>,
    Json(bury): Json<BuryWork>,
) -> Result<axum::Json<WorkBuried>, Failure> {
    let place = WorkPlace { stream: &stream, group: &group };
    Ok(axum::Json(app.services.workers.bury(&caller, place, bury).await?))
}
