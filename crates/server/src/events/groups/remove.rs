//! `DELETE /v1/events/{stream}/groups/{group}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{GroupName, GroupRemoved, StreamName};
use mainstay_core::events::WorkPlace;
use std::sync::Arc;

/// Removes a consumer group, with what its consumers hold and with its dead events.
///
/// Problems: `events.stream_unknown`.
#[utoipa::path(delete, path = "/v1/events/{stream}/groups/{group}", operation_id = "remove_group",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("group" = GroupName, Path, description = "The group")
    ),
    responses((status = 200, description = "Whether there was one", body = GroupRemoved))
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, group)): Path<(StreamName, GroupName)>,
) -> Result<Json<GroupRemoved>, Failure> {
    let place = WorkPlace { stream: &stream, group: &group };
    Ok(Json(app.services.workers.remove(&caller, place).await?))
}
