//! `PUT /v1/events/{stream}/groups/{group}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{JsonOrDefault, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{CreateGroup, GroupCreated, GroupName, StreamName};
use mainstay_core::events::WorkPlace;
use std::sync::Arc;

/// Makes a consumer group: each event of the stream then goes to one consumer of it.
///
/// A group that is there is unchanged. Problems: `events.stream_unknown`, `events.too_many_groups`.
#[utoipa::path(put, path = "/v1/events/{stream}/groups/{group}", operation_id = "create_group",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("group" = GroupName, Path, description = "The group")
    ),
    request_body = Option<CreateGroup>,
    responses((status = 200, description = "Whether it was made", body = GroupCreated))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, group)): Path<(StreamName, GroupName)>,
    JsonOrDefault(create): JsonOrDefault<CreateGroup>,
) -> Result<Json<GroupCreated>, Failure> {
    let place = WorkPlace { stream: &stream, group: &group };
    Ok(Json(app.services.workers.create(&caller, place, create).await?))
}
