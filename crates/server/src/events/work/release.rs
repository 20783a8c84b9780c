//! `POST /v1/events/{stream}/groups/{group}/release`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::events::{GroupName, ReleaseWork, StreamName, WorkReleased};
use mainstay_core::events::WorkPlace;
use std::sync::Arc;

/// Gives an event back, to be delivered again at once or after a delay.
///
/// Problems: `events.stream_unknown`.
#[utoipa::path(post, path = "/v1/events/{stream}/groups/{group}/release", operation_id = "release_event",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("group" = GroupName, Path, description = "The group")
    ),
    request_body = ReleaseWork,
    responses((status = 200, description = "Whether it was the consumer's", body = WorkReleased))
)]
pub(crate) async fn release(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, group)): Path<(StreamName, GroupName)>,
    Json(release): Json<ReleaseWork>,
) -> Result<axum::Json<WorkReleased>, Failure> {
    let place = WorkPlace { stream: &stream, group: &group };
    Ok(axum::Json(app.services.workers.release(&caller, place, release).await?))
}
