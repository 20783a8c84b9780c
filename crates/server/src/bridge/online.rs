//! `GET /internal/users/{id}/online`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::MemberId;
use mainstay_core::api::events::bridge::UserOnline;
use std::sync::Arc;

/// Says whether a user is there.
///
/// A user is online who shows in a room of any stream, at whatever node. The credential is the key of the bridge in the
/// header `X-Internal-Api-Key`.
#[utoipa::path(get, path = "/internal/users/{id}/online", operation_id = "user_online", tag = "bridge",
    params(("id" = MemberId, Path, description = "The id of the user, as the application knows it")),
    responses((status = 200, description = "Whether the user is there", body = UserOnline))
)]
pub(crate) async fn online(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(user_id): Path<MemberId>,
) -> Result<Json<UserOnline>, Failure> {
    let connection_count = app.services.rooms.connections_in_all(&caller, &user_id).await?;
    Ok(Json(UserOnline { user_id, is_online: connection_count > 0, connection_count }))
}
