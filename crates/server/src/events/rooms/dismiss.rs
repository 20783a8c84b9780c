//! `DELETE /v1/events/{stream}/rooms/{room}/members/{member}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{MemberDismissed, MemberId, RoomId, StreamName};
use std::sync::Arc;

/// Ends a membership, and with it the live subscriptions that stood on it.
///
/// Problems: `events.stream_unknown`.
#[utoipa::path(delete, path = "/v1/events/{stream}/rooms/{room}/members/{member}", operation_id = "dismiss_from_room",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("room" = RoomId, Path, description = "The room, percent-encoded"),
        ("member" = MemberId, Path, description = "The member, percent-encoded")
    ),
    responses((status = 200, description = "Whether there was one", body = MemberDismissed))
)]
pub(crate) async fn dismiss(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, room, member)): Path<(StreamName, RoomId, MemberId)>,
) -> Result<Json<MemberDismissed>, Failure> {
    Ok(Json(app.services.rooms.dismiss(&caller, (&stream, &room), &member).await?))
}
