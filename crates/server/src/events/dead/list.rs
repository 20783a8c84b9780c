//! `GET /v1/events/{stream}/groups/{group}/dead`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{DeadWork, GroupName, ListDead, StreamName};
use mainstay_core::api::page::Page;
use mainstay_core::events::WorkPlace;
use std::sync::Arc;

/// Lists the events that a group gave up on, partition by partition, oldest first.
///
/// Problems: `events.stream_unknown`, `events.group_not_found`.
#[utoipa::path(get, path = "/v1/events/{stream}/groups/{group}/dead", operation_id = "list_dead_events", tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("group" = GroupName, Path, description = "The group"),
        ListDead
    ),
    responses((status = 200, description = "A page of them", body = Page<DeadWork>))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, group)): Path<(StreamName, GroupName)>,
    Query(list): Query<ListDead>,
) -> Result<Json<Page<DeadWork>>, Failure> {
    let place = WorkPlace { stream: &stream, group: &group };
    Ok(Json(app.services.workers.dead(&caller, place, list).await?))
}
