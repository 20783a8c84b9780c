//! `GET /v1/events/{stream}/rooms/{room}/presence`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{RoomId, RoomPresence, StreamName};
use std::sync::Arc;

/// Tells who is in a room now, for whoever may subscribe to it.
///
/// Somebody whose node died is there until its time is over, a minute at most. Problems: `events.stream_unknown`,
/// `events.room_forbidden`.
#[utoipa::path(get, path = "/v1/events/{stream}/rooms/{room}/presence", operation_id = "room_presence", tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("room" = RoomId, Path, description = "The room, percent-encoded")
    ),
    responses((status = 200, description = "Who is there, by name", body = RoomPresence))
)]
pub(crate) async fn present(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, room)): Path<(StreamName, RoomId)>,
) -> Result<Json<RoomPresence>, Failure> {
    Ok(Json(app.services.rooms.presence(&caller, &stream, &room).await?))
}
