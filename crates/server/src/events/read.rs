//! `GET /v1/events/{stream}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use mainstay_core::api::events::{EventPage, ReadEvents, StreamName};
use std::sync::Arc;

/// Reads events of a stream behind a position, oldest first.
///
/// With `room`, the events of that room; without, those of every room, which needs the scope `events:consume` besides. A
/// position that cannot be continued without loss is answered with a `gap`, and with what there is. Problems:
/// `events.stream_unknown`, `events.room_forbidden`.
#[utoipa::path(get, path = "/v1/events/{stream}", operation_id = "read_events", tag = "events",
    params(("stream" = StreamName, Path, description = "The stream"), ReadEvents),
    responses((status = 200, description = "A page", body = EventPage))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(stream): Path<StreamName>,
    Query(read): Query<ReadEvents>,
) -> Result<Json<EventPage>, Failure> {
    Ok(Json(app.services.events.read(&caller, &stream, read).await?))
}
