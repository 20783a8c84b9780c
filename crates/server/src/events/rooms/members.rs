//! `GET /v1/events/{stream}/rooms/{room}/members`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{ListMembers, RoomId, RoomMember, StreamName};
use mainstay_core::api::page::Page;
use std::sync::Arc;

/// Lists who may be in a room, by name, for whoever may subscribe to it.
///
/// Problems: `events.stream_unknown`, `events.room_forbidden`.
#[utoipa::path(get, path = "/v1/events/{stream}/rooms/{room}/members", operation_id = "list_room_members",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("room" = RoomId, Path, description = "The room, percent-encoded"),
        ListMembers
    ),
    responses((status = 200, description = "A page of members", body = Page<RoomMember>))
)]
pub(crate) async fn members(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, room)): Path<(StreamName, RoomId)>,
    Query(list): Query<ListMembers>,
) -> Result<Json<Page<RoomMember>>, Failure> {
    Ok(Json(app.services.rooms.members(&caller, (&stream, &room), list).await?))
}
