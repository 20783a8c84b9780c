//! `POST /v1/events/{stream}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::events::Way;
use crate::extract::{IdempotencyKey, Json, Path};
use crate::metrics::Transport;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::events::{PublishEvents, PublishedEvents, StreamName};
use std::sync::Arc;

/// Publishes an event, or several.
///
/// The body is one event, or `{"events": […]}` with up to 100 of them. Each is stored before this answers, and has its
/// position then. An event whose `id` was published before, within the stream's window, is not published again; without
/// an id, the `Idempotency-Key` makes a repetition of the call harmless. Problems: `events.stream_unknown`,
/// `events.backlog`.
#[utoipa::path(post, path = "/v1/events/{stream}", operation_id = "publish_events", tag = "events",
    request_body = PublishEvents,
    params(("stream" = StreamName, Path, description = "The stream"),
        ("idempotency-key" = Option<String>, Header, description = "The id of this write, made by the caller")),
    responses((status = 200, description = "What became of the events, in their order", body = PublishedEvents))
)]
pub(crate) async fn publish(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(stream): Path<StreamName>,
    IdempotencyKey(request): IdempotencyKey,
    Json(publish): Json<PublishEvents>,
) -> Result<axum::Json<PublishedEvents>, Failure> {
    let way = Way { stream: &stream, from: Transport::Stream, request: request.as_ref() };
    Ok(axum::Json(app.services.publisher.publish(&caller, way, publish).await?))
}
