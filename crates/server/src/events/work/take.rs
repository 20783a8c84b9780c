//! `POST /v1/events/{stream}/groups/{group}/take`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Json, Path};
use crate::layers::timed_out;
use crate::problem::Failure;
use axum::extract::State;
use mainstay_core::api::events::{GroupName, MAX_WORK_WAIT_MS, StreamName, TakeWork, TakenWork};
use mainstay_core::events::WorkPlace;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Takes events for a consumer, and may wait for them.
///
/// Each is the consumer's until it is acknowledged, buried, given back, or left alone for `idle_ms`: then another consumer
/// takes it. So every event is delivered at least once, and may be delivered again. A call whose answer was lost is not
/// repeated by its consumer: what it took comes back by itself. Problems: `events.stream_unknown`, `events.group_not_found`.
#[utoipa::path(post, path = "/v1/events/{stream}/groups/{group}/take", operation_id = "take_events", tag = "events",
    params(
        ("stream" = StreamName, Path, description = "The stream"),
        ("group" = GroupName, Path, description = "The group")
    ),
    request_body = TakeWork,
    responses((status = 200, description = "What was taken; nothing where the wait is over", body = TakenWork))
)]
pub(crate) async fn take(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((stream, group)): Path<(StreamName, GroupName)>,
    Json(take): Json<TakeWork>,
) -> Result<axum::Json<TakenWork>, Failure> {
    let wait_ms = take.wait_ms.unwrap_or(0).min(MAX_WORK_WAIT_MS);
    let _permit = if wait_ms == 0 { app.admission.brief()? } else { app.admission.live()? };
    let limit_ms = wait_ms.saturating_add(app.config.request_timeout_ms);
    let place = WorkPlace { stream: &stream, group: &group };
    let taking = app.services.workers.take(&caller, place, take, app.shutdown.cancelled());
    let taken = timeout(Duration::from_millis(limit_ms), taking).await;
    Ok(axum::Json(taken.unwrap_or_else(|_| Err(timed_out(limit_ms).maybe_applied()))?))
}
