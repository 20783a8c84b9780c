//! `PUT /v1/events/{stream}/rooms/{room}/members/{member}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{JsonOrDefault, Path};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{AdmitMember, MemberId, RoomId, RoomMember, StreamName};
use std::sync::Arc;

/// Lets somebody into a room, in place of an earlier admission.
///
/// It counts in streams whose rooms are for their members alone. Problems: `events.stream_unknown`, `events.room_full`.
#[utoipa::path(put, path = "/v1/events/{stream}/rooms/{room}/members/{member}", operation_id = "admit_to_room",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("room" = RoomId, Path, description = "The room, percent-encoded"),
        ("member" = MemberId, Path, description = "The member, percent-encoded")
    ),
    request_body = Option<AdmitMember>,
    responses((status = 200, description = "The membership as it stands", body = RoomMember))
)]
pub(crate) async fn admit(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, room, member)): Path<(StreamName, RoomId, MemberId)>,
    JsonOrDefault(admit): JsonOrDefault<AdmitMember>,
) -> Result<Json<RoomMember>, Failure> {
    Ok(Json(app.services.rooms.admit(&caller, (&stream, &room), member, admit).await?))
}
