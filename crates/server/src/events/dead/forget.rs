//! `DELETE /v1/events/{stream}/groups/{group}/dead/{token}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::Path;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{DeadChanged, EventToken, GroupName, StreamName};
use mainstay_core::events::WorkPlace;
use std::sync::Arc;

/// Forgets a dead event.
///
/// Problems: `events.stream_unknown`.
#[utoipa::path(delete, path = "/v1/events/{stream}/groups/{group}/dead/{token}", operation_id = "forget_event",
    tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("group" = GroupName, Path, description = "The group"),
        ("token" = EventToken, Path, description = "The token of the dead event")
    ),
    responses((status = 200, description = "Whether it was among the dead", body = DeadChanged))
)]
pub(crate) async fn forget(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, group, token)): Path<(StreamName, GroupName, EventToken)>,
) -> Result<Json<DeadChanged>, Failure> {
    let place = WorkPlace { stream: &stream, group: &group };
    Ok(Json(app.services.workers.forget(&caller, place, token).await?))
}
