//! `POST /v1/events/{stream}/groups/{group}/keep`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::events::{GroupName, KeepWork, KeptWork, StreamName};
use mainstay_core::events::WorkPlace;
use std::sync::Arc;

/// Says that a consumer still works on events, so that no other takes them.
///
/// Repeat it at least three times within `idle_ms`. What is missing in the answer is not the consumer's any more. Problems:
/// `events.stream_unknown`.
#[utoipa::path(post, path = "/v1/events/{stream}/groups/{group}/keep", operation_id = "keep_events",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("group" = GroupName, Path, description = "The group")
    ),
    request_body = KeepWork,
    responses((status = 200, description = "Those that are still the consumer's", body = KeptWork))
)]
pub(crate) async fn keep(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, group)): Path<(StreamName, GroupName)>,
    Json(keep): Json<KeepWork>,
) -> Result<axum::Json<KeptWork>, Failure> {
    let place = WorkPlace { stream: &stream, group: &group };
    Ok(axum::Json(app.services.workers.keep(&caller, place, keep).await?))
}
